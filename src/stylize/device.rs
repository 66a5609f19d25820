//! The machine that computes.

use tch::{Cuda, Device};

use super::StyleError;
use crate::settings;

/// CUDA where it is asked for or there, else the CPU.
///
/// # Errors
/// A CUDA device that is asked for by name and is not there.
pub fn resolve(wanted: settings::Device) -> Result<Device, StyleError> {
    // Asked in this order, a CPU run never starts the CUDA driver.
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

/// `cpu` or `cuda`: results of the two differ in their last bits.
///
/// # Errors
/// As [`resolve`].
pub fn kind(wanted: settings::Device) -> Result<&'static str, StyleError> {
    Ok(if resolve(wanted)?.is_cuda() { "cuda" } else { "cpu" })
}

/// Threads that a computation on the CPU is divided among by default: `OMP_NUM_THREADS`, or what libtorch takes.
pub fn threads() -> u32 {
    u32::try_from(tch::get_num_threads()).unwrap_or(1).max(1)
}

/// Has the computations of this thread divided among so many. Sums depend on it in their last bits.
pub fn divide_among(threads: u32) {
    // libtorch drops what it has prepared when it is told, also the same number again.
    if self::threads() != threads {
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    }
}

/// Long side of the optimised frame when the settings say `auto`: what a minute-long clip can afford there.
pub fn default_size(device: Device) -> u32 {
    if device.is_cuda() { 1280 } else { 320 }
}

/// How many CUDA devices libtorch sees; `None` for a libtorch without CUDA.
pub fn cuda_devices() -> Option<usize> {
    tch::utils::has_cuda().then(|| usize::try_from(Cuda::device_count()).unwrap_or(0))
}

/// The version of libtorch that this program was built with.
pub fn libtorch_version() -> &'static str {
    env!("LIBTORCH_VERSION")
}
