//! `stylize-video doctor`: reports what is installed on this machine, what is missing, and how to get it.

use std::io::{self, Write};

use super::weights::how_to_get;
use crate::encode::{self, Listed};
use crate::weights::{self, Manifest, SearchPath};

/// Information about libtorch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TorchInfo {
    /// For example `2.11.0`.
    pub version: String,
    /// Whether the library can use a CUDA device here.
    pub cuda: bool,
    pub cuda_devices: usize,
}

/// Information about FFmpeg.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FfmpegInfo {
    /// Name and version of each library, for example `libavcodec` and `59.37.100`.
    pub libraries: Vec<(String, String)>,
    /// Those of the [`encoder_names`] that are available.
    pub encoders: Vec<String>,
    /// Extensions of the files that are taken as videos from folders.
    pub endings: Vec<String>,
}

/// A folder for presets, with its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetFolder {
    /// Display name: a path, or `compiled in`.
    pub place: String,
    /// Names of the presets; `None` if the folder does not exist.
    pub presets: Option<Vec<String>>,
}

/// The data for the report.
#[derive(Debug, Clone)]
pub struct Findings {
    pub torch: TorchInfo,
    pub ffmpeg: FfmpegInfo,
    pub weights: SearchPath,
    pub presets: Vec<PresetFolder>,
}

/// The encoder of sound that cannot be copied.
const SOUND: Listed = Listed {
    name: "aac",
    purpose: "sound that cannot be copied",
    how: "it is part of FFmpeg, left out of this build: use a distribution's package",
};

/// Returns the names of the encoders that the report looks for.
pub fn encoder_names() -> impl Iterator<Item = &'static str> {
    encode::listed().chain([SOUND]).map(|encoder| encoder.name)
}

/// Writes the report and returns the number of faults: components that are broken, or without which no video can be
/// written. A component that is not installed is not a fault.
///
/// # Errors
/// If `out` cannot be written to.
pub fn report(findings: &Findings, out: &mut dyn Write) -> io::Result<usize> {
    torch(&findings.torch, out)?;
    let mut faults = ffmpeg(&findings.ffmpeg, out)?;
    faults += networks(&findings.weights, out)?;
    presets(&findings.presets, out)?;
    match faults {
        0 => writeln!(out, "\nNo faults found.")?,
        1 => writeln!(out, "\n1 fault found.")?,
        _ => writeln!(out, "\n{faults} faults found.")?,
    }
    Ok(faults)
}

fn torch(torch: &TorchInfo, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "libtorch")?;
    line(out, "found", "libtorch", &torch.version)?;
    if torch.cuda && torch.cuda_devices > 0 {
        let devices = if torch.cuda_devices == 1 { "device" } else { "devices" };
        line(out, "found", "CUDA", &format!("{} {devices}", torch.cuda_devices))
    } else if torch.cuda {
        line(out, "missing", "CUDA", "libtorch has it, but sees no device: check NVIDIA's driver (nvidia-smi)")
    } else {
        let how = "no device, so frames are painted on the CPU; where there is an NVIDIA GPU, check its driver \
                   (nvidia-smi) and that this libtorch is one with CUDA";
        line(out, "missing", "CUDA", how)
    }
}

fn ffmpeg(ffmpeg: &FfmpegInfo, out: &mut dyn Write) -> io::Result<usize> {
    writeln!(out, "\nFFmpeg")?;
    for (name, version) in &ffmpeg.libraries {
        line(out, "found", name, version)?;
    }
    let has = |name: &str| ffmpeg.encoders.iter().any(|found| found == name);
    for Listed { name, purpose, how } in encode::listed().chain([SOUND]) {
        if has(name) {
            line(out, "found", name, purpose)?;
        } else {
            line(out, "missing", name, &format!("{purpose}; {how}"))?;
        }
    }
    if !ffmpeg.endings.is_empty() {
        line(out, "found", "videos", &format!("folders offer files that end in {}", ffmpeg.endings.join(", ")))?;
    }
    let video = encode::listed().any(|encoder| has(encoder.name));
    if !video {
        line(out, "FAULT", "video", "none of these video encoders is there, so no video can be written")?;
    }
    Ok(usize::from(!video))
}

fn networks(path: &SearchPath, out: &mut dyn Write) -> io::Result<usize> {
    writeln!(out, "\nWeights")?;
    line(out, "found", "patches", "built in")?;
    let mut faults = 0;
    for manifest in weights::all() {
        faults += network(&manifest, path, out)?;
    }
    writeln!(out, "  looked in:")?;
    for place in path.places() {
        writeln!(out, "    {} ({})", place.dir.display(), place.kind.label())?;
    }
    Ok(faults)
}

/// Checks the weights of one network. An installed file is read completely, so that a damaged one is found here and not
/// in the middle of a job.
fn network(manifest: &Manifest, path: &SearchPath, out: &mut dyn Write) -> io::Result<usize> {
    let Ok(found) = weights::find(&manifest.name, path) else {
        let how = format!("{:.1} MiB: {}", manifest.download.size_mib(), how_to_get(manifest));
        line(out, "missing", &manifest.name, &how)?;
        return Ok(0);
    };
    match weights::load(&found.path, manifest) {
        Ok(_) => line(out, "found", &manifest.name, &found.path.display().to_string()).map(|()| 0),
        Err(error) => line(out, "FAULT", &manifest.name, &error.to_string()).map(|()| 1),
    }
}

fn presets(folders: &[PresetFolder], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\nPresets")?;
    for folder in folders {
        match &folder.presets {
            Some(presets) if presets.is_empty() => line(out, "found", "none", &folder.place)?,
            Some(presets) => line(out, "found", &presets.join(", "), &folder.place)?,
            None => line(out, "missing", "folder", &format!("{}; make it to keep presets there", folder.place))?,
        }
    }
    Ok(())
}

fn line(out: &mut dyn Write, state: &str, what: &str, more: &str) -> io::Result<()> {
    writeln!(out, "  {state:7}  {what:18}  {more}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::weights::{Place, PlaceKind};
    use std::path::PathBuf;

    fn findings(dir: PathBuf) -> Findings {
        Findings {
            torch: TorchInfo { version: "2.11.0".into(), cuda: false, cuda_devices: 0 },
            ffmpeg: FfmpegInfo {
                libraries: vec![("libavcodec".into(), "59.37.100".into())],
                encoders: vec!["libx264".into(), "aac".into()],
                endings: vec!["mkv".into(), "mod".into()],
            },
            weights: SearchPath::from_places(vec![Place { kind: PlaceKind::Named, dir }]),
            presets: vec![
                PresetFolder { place: "compiled in".into(), presets: Some(vec!["oil".into(), "ink".into()]) },
                PresetFolder { place: "/home/me/presets".into(), presets: None },
            ],
        }
    }

    fn written(findings: &Findings) -> (usize, String) {
        let mut out = Vec::new();
        let faults = report(findings, &mut out).unwrap();
        (faults, String::from_utf8(out).unwrap())
    }

    #[test]
    fn says_what_is_there_and_how_to_get_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let (faults, text) = written(&findings(dir.path().to_owned()));
        assert_eq!(faults, 0, "{text}");
        for expected in [
            "found    libtorch            2.11.0",
            "missing  CUDA",
            "found    libavcodec          59.37.100",
            "found    libx264",
            "missing  libx265",
            "folders offer files that end in mkv, mod",
            "stylize-video weights fetch vgg19",
            "oil, ink",
            "missing  folder              /home/me/presets",
            "No faults found.",
        ] {
            assert!(text.contains(expected), "no `{expected}` in\n{text}");
        }
    }

    #[test]
    fn a_damaged_file_and_no_video_encoder_are_faults() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("vgg19.safetensors"), "xxxxxxxxxx").unwrap();
        let mut findings = findings(dir.path().to_owned());
        findings.ffmpeg.encoders = vec!["aac".into()];
        findings.torch = TorchInfo { version: "2.11.0".into(), cuda: true, cuda_devices: 1 };
        let (faults, text) = written(&findings);
        assert_eq!(faults, 2, "{text}");
        assert!(text.contains("FAULT    vgg19") && text.contains("FAULT    video"), "{text}");
        assert!(text.contains("1 device\n"), "{text}");
    }
}
