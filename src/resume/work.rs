//! The folder beside the output that a job works in, and the lock that only one run holds.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ResumeError;
use super::former::FORMER;
use super::manifest::MANIFEST;
use crate::files;

const LOCK: &str = "lock";
/// Longest name that common file systems take, in bytes.
const LONGEST_NAME: usize = 255;

/// Who works in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub host: String,
    /// When it began, as RFC 3339 has it, UTC.
    pub since: String,
}

impl Holder {
    fn me() -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let since = jiff::Timestamp::now().round(jiff::Unit::Second);
        Self { pid: std::process::id(), host, since: since.map(|now| now.to_string()).unwrap_or_default() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What stands in a file may be anything.
        let plain = |text: &str| text.chars().filter(|c| !c.is_control()).take(100).collect::<String>();
        write!(f, "process {} on {}, since {}", self.pid, plain(&self.host), plain(&self.since))
    }
}

/// A folder that this run alone works in. Dropped, it goes if there is no progress in it worth keeping.
#[derive(Debug)]
pub struct WorkFolder {
    path: PathBuf,
    /// What is at its path now is another's.
    gone: bool,
    /// Open and locked. The lock goes with the process, however that ends.
    _lock: File,
}

impl WorkFolder {
    /// The work folder of an output that is called `name` in `folder`.
    pub fn place(folder: &Path, name: &OsStr) -> PathBuf {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(".stylize");
        if hidden.len() > LONGEST_NAME {
            let hash = files::hex(&Sha256::digest(name.as_encoded_bytes())[..16]);
            hidden = format!(".{hash}.stylize").into();
        }
        folder.join(hidden)
    }

    /// Makes the folder `path` if need be and locks it.
    ///
    /// # Errors
    /// `Busy` when another run has it; when it cannot be made.
    pub fn claim(path: &Path) -> Result<Self, ResumeError> {
        loop {
            match fs::create_dir(path) {
                Ok(()) => {
                    let above = files::sync_folder(path.parent().unwrap_or(Path::new(".")));
                    above.map_err(|source| ResumeError::Work { path: path.into(), source })?;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    // A link would lead to files of somebody else's.
                    if !path.symlink_metadata().is_ok_and(|data| data.is_dir()) || is_foreign(path) {
                        return Err(ResumeError::InTheWay(path.into()));
                    }
                }
                Err(source) => return Err(ResumeError::Work { path: path.into(), source }),
            }
            if let Some(lock) = lock(path)? {
                return Ok(Self { path: path.into(), gone: false, _lock: lock });
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes everything but the lock and what `keeps` says.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn clear(&self, keeps: impl Fn(&OsStr) -> bool) -> Result<(), ResumeError> {
        let fail = |error| ResumeError::io(&self.path, error);
        for entry in fs::read_dir(&self.path).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name();
            if name == LOCK || keeps(&name) {
                continue;
            }
            let folder = entry.file_type().map_err(fail)?.is_dir();
            let removed = if folder { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
            removed.map_err(fail)?;
        }
        Ok(())
    }

    /// Removes the folder: what was done in it is elsewhere now, or worth nothing.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(mut self) -> io::Result<()> {
        self.gone = true;
        self.take_away()
    }

    fn take_away(&self) -> io::Result<()> {
        // The manifests first: what is left if the rest fails is then no progress to go on from.
        for manifest in [FORMER, ""].map(|folder| self.path.join(folder).join(MANIFEST)) {
            let _ = fs::remove_file(manifest);
        }
        self.clear(|_| false).map_err(io::Error::other)?;
        // Without it the folder may be another run's in no time, which then has a lock of its own there.
        fs::remove_file(self.path.join(LOCK))?;
        match fs::remove_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            removed => removed,
        }
    }

    /// Whether nothing in it is progress, for certain: a disk that fails for now says nothing.
    fn is_worthless(&self) -> bool {
        [FORMER, ""].iter().all(|folder| {
            let found = self.path.join(folder).join(MANIFEST).symlink_metadata();
            found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        })
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if !self.gone && self.is_worthless() {
            // There is nobody to tell, and the next run begins anew anyway.
            let _ = self.take_away();
        }
    }
}

/// Whether there is something in the folder, and nothing of ours.
fn is_foreign(path: &Path) -> bool {
    let there = |name: &str| path.join(name).symlink_metadata().is_ok();
    // Looked at first: what another run puts there meanwhile is a lock before all else.
    let empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    !empty && !there(LOCK) && !there(MANIFEST)
}

/// `None` when the folder went away meanwhile, with the run that had it.
fn lock(folder: &Path) -> Result<Option<File>, ResumeError> {
    let path = folder.join(LOCK);
    let fail = |source| ResumeError::Work { path: folder.into(), source };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    // A link would lead to a file of somebody else's.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NOFOLLOW.bits() as i32);
    let mut file = match options.open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if path.symlink_metadata().is_ok_and(|data| !data.is_file()) => return Err(ResumeError::InTheWay(path)),
        opened => opened.map_err(fail)?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Half written, or not yet: there is somebody all the same.
            let _ = file.take(4096).read_to_string(&mut text);
            let unknown = || Holder { pid: 0, host: "an unknown host".into(), since: "just now".into() };
            return Err(ResumeError::Busy { holder: serde_json::from_str(&text).unwrap_or_else(|_| unknown()) });
        }
        Err(TryLockError::Error(source)) => return Err(fail(source)),
    }
    // Locked, but perhaps removed in between by the run that had it.
    if !same_file::Handle::from_path(&path)
        .is_ok_and(|there| file.try_clone().and_then(same_file::Handle::from_file).is_ok_and(|here| here == there))
    {
        return Ok(None);
    }
    let text = serde_json::to_string(&Holder::me()).unwrap_or_default();
    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes())).map_err(fail)?;
    Ok(Some(file))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_run_at_a_time() {
        let desk = tempfile::tempdir().unwrap();
        let path = WorkFolder::place(desk.path(), "out.mp4".as_ref());
        assert_eq!(path, desk.path().join(".out.mp4.stylize"));
        let first = WorkFolder::claim(&path).unwrap();
        let error = WorkFolder::claim(&path).unwrap_err();
        let ResumeError::Busy { holder } = &error else { panic!("{error}") };
        assert_eq!(holder.pid, std::process::id());
        assert!(!holder.host.is_empty() && holder.since.ends_with('Z'), "{holder}");
        // With nothing in it that is worth anything it goes.
        drop(first);
        assert!(!path.exists());
        let second = WorkFolder::claim(&path).unwrap();
        fs::write(path.join(MANIFEST), "{}").unwrap();
        fs::write(path.join("part"), "").unwrap();
        drop(second);
        let third = WorkFolder::claim(&path).unwrap();
        third.clear(|name| name == MANIFEST).unwrap();
        assert!(path.join(MANIFEST).exists() && !path.join("part").exists());
        // Removed while another waits for it: that one's stays.
        let waiting = std::thread::spawn({
            let path = path.clone();
            move || loop {
                if let Ok(folder) = WorkFolder::claim(&path) {
                    fs::write(path.join(MANIFEST), "{}").unwrap();
                    break folder;
                }
            }
        });
        third.remove().unwrap();
        let fourth = waiting.join().unwrap();
        assert!(path.join(MANIFEST).exists() && path.join(LOCK).exists());
        fourth.remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn something_else_of_that_name_stays() {
        let desk = tempfile::tempdir().unwrap();
        let path = desk.path().join(".a.stylize");
        fs::write(&path, "mine").unwrap();
        assert!(matches!(WorkFolder::claim(&path), Err(ResumeError::InTheWay(_))));
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        let path = desk.path().join(".b.stylize");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("thesis"), "mine").unwrap();
        assert!(matches!(WorkFolder::claim(&path), Err(ResumeError::InTheWay(_))));
        fs::remove_file(path.join("thesis")).unwrap();
        let victim = desk.path().join("victim");
        fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, path.join(LOCK)).unwrap();
        assert!(matches!(WorkFolder::claim(&path), Err(ResumeError::InTheWay(_))));
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
        let long = "n".repeat(250);
        let name = WorkFolder::place(Path::new("x"), long.as_ref());
        assert!(name.file_name().unwrap().len() < 255);
    }
}
