//! The work folder next to the output, and the lock that only one run can hold.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::ResumeError;
use super::holder::Holder;
use super::manifest::MANIFEST;
use crate::files;

const LOCK: &str = "lock";
/// Name of the folder inside the work folder that keeps the progress of another job.
pub(super) const SUPERSEDED: &str = "former";
/// Longest file name that common file systems accept, in bytes.
const LONGEST_NAME: usize = 255;

/// A work folder that is locked by this run. Dropping it removes the folder if it holds no progress.
#[derive(Debug)]
pub struct WorkFolder {
    path: PathBuf,
    /// Set once this run has given the folder up: whatever is at its path from then on belongs to another run.
    gone: bool,
    /// The open, locked file. The lock ends with the process, whatever the cause.
    _lock: File,
}

impl WorkFolder {
    /// Returns the path of the work folder for an output called `name` in `folder`.
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

    /// Creates the folder `path` if necessary, and locks it.
    ///
    /// # Errors
    /// `Busy` if another run holds it, `InTheWay` if something else has its name, and if it cannot be created.
    pub fn claim(path: &Path) -> Result<Self, ResumeError> {
        loop {
            match fs::create_dir(path) {
                Ok(()) => {
                    let above = files::sync_folder(path.parent().unwrap_or(Path::new(".")));
                    above.map_err(|source| ResumeError::Work { path: path.into(), source })?;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    // A symbolic link would lead to someone else's files.
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

    /// Removes everything except the lock and the names that `keeps` accepts.
    ///
    /// # Errors
    /// If something cannot be removed.
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

    /// Removes the folder, once its content has been moved elsewhere or is worthless.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(mut self) -> io::Result<()> {
        self.gone = true;
        self.take_away()
    }

    fn take_away(&self) -> io::Result<()> {
        // The manifests go first: if the rest fails, no run can mistake the leftovers for progress.
        for manifest in [SUPERSEDED, ""].map(|folder| self.path.join(folder).join(MANIFEST)) {
            let _ = fs::remove_file(manifest);
        }
        self.clear(|_| false).map_err(io::Error::other)?;
        // Once the lock file is gone, another run may claim the folder at once and put its own lock there.
        fs::remove_file(self.path.join(LOCK))?;
        match fs::remove_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            removed => removed,
        }
    }

    /// Returns whether the folder certainly holds no progress. A disk error does not count as certainty.
    fn is_worthless(&self) -> bool {
        [SUPERSEDED, ""].iter().all(|folder| {
            let found = self.path.join(folder).join(MANIFEST).symlink_metadata();
            found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        })
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if !self.gone && self.is_worthless() {
            // Nobody could handle the error here, and the next run starts from scratch anyway.
            let _ = self.take_away();
        }
    }
}

/// Returns whether the folder has content, but none of ours.
fn is_foreign(path: &Path) -> bool {
    let there = |name: &str| path.join(name).symlink_metadata().is_ok();
    // Emptiness is checked first: a run that claims the folder meanwhile creates its lock before anything else.
    let empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    !empty && !there(LOCK) && !there(MANIFEST)
}

/// Locks the folder; returns `None` if it disappeared meanwhile together with the run that held it.
fn lock(folder: &Path) -> Result<Option<File>, ResumeError> {
    let path = folder.join(LOCK);
    let fail = |source| ResumeError::Work { path: folder.into(), source };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    // A symbolic link would lead to someone else's file.
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
            // The text may be missing or half written, but the lock is held all the same.
            let _ = file.take(4096).read_to_string(&mut text);
            let unknown = || Holder { pid: 0, host: "an unknown host".into(), since: "just now".into() };
            return Err(ResumeError::Busy { holder: serde_json::from_str(&text).unwrap_or_else(|_| unknown()) });
        }
        Err(TryLockError::Error(source)) => return Err(fail(source)),
    }
    // The run that held the lock may have removed the file between opening and locking it.
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
        // A folder without progress is removed on drop.
        drop(first);
        assert!(!path.exists());
        let second = WorkFolder::claim(&path).unwrap();
        fs::write(path.join(MANIFEST), "{}").unwrap();
        fs::write(path.join("part"), "").unwrap();
        drop(second);
        let third = WorkFolder::claim(&path).unwrap();
        third.clear(|name| name == MANIFEST).unwrap();
        assert!(path.join(MANIFEST).exists() && !path.join("part").exists());
        // A folder that is removed while another run waits for it: the other run's folder stays.
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
