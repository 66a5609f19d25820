//! Files that are still being written.

use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::media::Input;

/// What the reason begins with.
pub const WHY: &str = "still being written";

/// Why an input is left for later; `None` when nothing of it has changed for `settle`.
pub fn unsettled(input: &Input, settle: Duration) -> Option<String> {
    if settle.is_zero() {
        return None;
    }
    let now = SystemTime::now();
    let age = |path: &Path| path.metadata().ok().and_then(|data| age(&data, now));
    let youngest = match input {
        Input::Video(path) | Input::Picture(path) => age(path),
        // The folder changes when a picture comes, a picture while it is written.
        Input::Sequence { folder, files } => files.iter().filter_map(|file| age(file)).chain(age(folder)).min(),
        Input::Stdin => None,
    };
    let youngest = youngest.filter(|age| *age < settle)?;
    Some(format!(
        "{WHY}: it has changed {:.0} s ago, and must not for {} s (--settle)",
        youngest.as_secs_f64(),
        settle.as_secs_f64()
    ))
}

/// Time since the last change; `None` when nobody can tell.
fn age(data: &Metadata, now: SystemTime) -> Option<Duration> {
    let modified = data.modified().ok()?;
    now.duration_since(modified).ok().or_else(|| changed(data, now))
}

/// A file can say that it is from the future, but not so its entry in the file system.
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
        assert!(why.starts_with("still being written: it has changed 0 s ago, and must not for 10 s"), "{why}");
        assert_eq!(unsettled(&input, Duration::ZERO), None);
        file.set_modified(SystemTime::now() - Duration::from_secs(11)).unwrap();
        assert_eq!(unsettled(&input, settle), None);
        // From the future: its entry was changed just now.
        file.set_modified(SystemTime::now() + Duration::from_secs(1000)).unwrap();
        assert!(unsettled(&input, settle).is_some());
        // A sequence is as young as its youngest picture.
        let sequence = Input::Sequence { folder: "no".into(), files: vec![path.clone(), desk.path().join("none")] };
        file.set_modified(SystemTime::now() - Duration::from_secs(3)).unwrap();
        assert!(unsettled(&sequence, settle).unwrap().contains("3 s ago"));
    }
}
