//! The device that computes: CPU or CUDA.

use tch::{Cuda, Device};

use super::StyleError;
use crate::settings;

/// Returns CUDA where it is requested or (for `auto`) available, else the CPU.
///
/// # Errors
/// If a CUDA device is requested by number and does not exist.
pub fn resolve(wanted: settings::Device) -> Result<Device, StyleError> {
    // In this order, a CPU run never starts the CUDA driver.
    match wanted {
        settings::Device::Cpu => Ok(Device::Cpu),
        settings::Device::Auto if Cuda::is_available() => Ok(Device::Cuda(0)),
        settings::Device::Auto => Ok(Device::Cpu),
        settings::Device::Cuda(wanted) => {
            let found = if Cuda::is_available() { Cuda::device_count().max(0) as usize } else { 0 };
            if wanted < found {
                return Ok(Device::Cuda(wanted));
            }
            let found = match found {
                0 => "no CUDA device".to_owned(),
                1 => "only cuda:0".to_owned(),
                n => format!("only cuda:0 to cuda:{}", n - 1),
            };
            Err(StyleError::NoCuda { wanted, found })
        }
    }
}

/// Returns `cpu` or `cuda`: the results of the two differ in their last bits.
///
/// # Errors
/// As [`resolve`].
pub fn kind(wanted: settings::Device) -> Result<&'static str, StyleError> {
    Ok(if resolve(wanted)?.is_cuda() { "cuda" } else { "cpu" })
}

/// Number of threads that share a computation on the CPU: `OMP_NUM_THREADS` or libtorch's own choice, until
/// [`divide_among`] changes it.
pub fn threads() -> u32 {
    u32::try_from(tch::get_num_threads()).unwrap_or(1).max(1)
}

/// Sets the number of threads that share this thread's computations. The last bits of sums depend on it.
pub fn divide_among(threads: u32) {
    // Setting the number discards libtorch's prepared state, even if the number is unchanged.
    if self::threads() != threads {
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    }
}

/// Long side of the optimised frame if the settings say `auto`: what a minute-long clip can afford on the device.
pub fn default_size(device: Device) -> u32 {
    if device.is_cuda() { 1280 } else { 320 }
}

/// Number of CUDA devices that libtorch sees; `None` if libtorch was built without CUDA.
pub fn cuda_devices() -> Option<usize> {
    tch::utils::has_cuda().then(|| usize::try_from(Cuda::device_count()).unwrap_or(0))
}

/// The libtorch version that this program was built with.
pub fn libtorch_version() -> &'static str {
    env!("LIBTORCH_VERSION")
}
