//! Detects files that are still being written.

use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::media::Input;

/// Beginning of the reason for a skip.
pub const SKIP_REASON: &str = "still being written";

/// Returns why an input is left for later; `None` if none of its files has changed for `settle`.
pub fn unsettled(input: &Input, settle: Duration) -> Option<String> {
    if settle.is_zero() {
        return None;
    }
    let now = SystemTime::now();
    let age = |path: &Path| path.metadata().ok().and_then(|data| age(&data, now));
    let youngest = match input {
        Input::Video(path) | Input::Picture(path) => age(path),
        // The folder changes when a picture is added, a picture while it is written.
        Input::Sequence { folder, files } => files.iter().filter_map(|file| age(file)).chain(age(folder)).min(),
        Input::Stdin => None,
    };
    let youngest = youngest.filter(|age| *age < settle)?;
    Some(format!(
        "{SKIP_REASON}: changed {:.0} s ago; must stay unchanged for {} s (--settle)",
        youngest.as_secs_f64(),
        settle.as_secs_f64()
    ))
}

/// Returns the time since the last change; `None` if it is unknown.
fn age(data: &Metadata, now: SystemTime) -> Option<Duration> {
    let modified = data.modified().ok()?;
    now.duration_since(modified).ok().or_else(|| changed(data, now))
}

/// Returns the time since the inode changed. A file's modification time may lie in the future; the inode's change time
/// is set by the file system.
#[cfg(unix)]
fn changed(data: &Metadata, now: SystemTime) -> Option<Duration> {
    use std::os::unix::fs::MetadataExt;
    let seconds = u64::try_from(data.ctime()).ok()?;
    now.duration_since(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).ok().or(Some(Duration::ZERO))
}

#[cfg(not(unix))]
fn changed(_: &Metadata, _: SystemTime) -> Option<Duration> {
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_has_changed_just_now_waits() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join("a.mp4");
        let file = std::fs::File::create(&path).unwrap();
        let input = Input::Video(path.clone());
        let settle = Duration::from_secs(10);
        let why = unsettled(&input, settle).unwrap();
        assert!(why.starts_with("still being written: changed 0 s ago; must stay unchanged for 10 s"), "{why}");
        assert_eq!(unsettled(&input, Duration::ZERO), None);
        file.set_modified(SystemTime::now() - Duration::from_secs(11)).unwrap();
        assert_eq!(unsettled(&input, settle), None);
        // A modification time in the future: the inode has changed just now.
        file.set_modified(SystemTime::now() + Duration::from_secs(1000)).unwrap();
        assert!(unsettled(&input, settle).is_some());
        // The youngest picture determines the age of a sequence.
        let sequence = Input::Sequence { folder: "no".into(), files: vec![path.clone(), desk.path().join("none")] };
        file.set_modified(SystemTime::now() - Duration::from_secs(3)).unwrap();
        assert!(unsettled(&sequence, settle).unwrap().contains("3 s ago"));
    }
}
