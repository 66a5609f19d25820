//! Downloads one file over HTTP(S): into `FILE.part`, resumed where an earlier attempt stopped, verified, then renamed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::store::digest_of;
use super::{Progress, WeightsError};
use crate::interrupt::CancelToken;

/// Larger than any of the files; a server that announces or sends more is an error.
const MAX_BYTES: u64 = 4 << 30;

/// A file to download.
pub(super) struct Wanted<'a> {
    pub url: &'a str,
    /// Target path; `.part` is appended until the file is complete.
    pub dest: &'a Path,
    /// First hexadecimal digits of the expected SHA-256.
    pub sha256_prefix: &'a str,
}

/// Downloads a file. Follows redirects and the environment's proxy settings (`ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`,
/// `NO_PROXY`). If the download is interrupted, the part file is kept for the next attempt.
pub(super) fn download(wanted: &Wanted, cancel: &CancelToken, progress: &mut dyn Progress) -> Result<(), WeightsError> {
    let mut part = Part::open(wanted)?;
    let outcome = part.fill(wanted, cancel, progress);
    progress.finish();
    outcome?;
    part.check(wanted)?;
    fs::rename(&part.path, wanted.dest).map_err(|source| WeightsError::write(wanted.dest, source))
}

/// The part file, locked against other processes until it is dropped.
struct Part {
    path: PathBuf,
    file: File,
}

/// The server's answer to a request.
enum Answer {
    /// The part file is already complete.
    Complete,
    /// The file's bytes from `start` on; `total` is the whole file's length.
    Bytes { body: Body, start: u64, total: Option<u64> },
    /// The server cannot resume from the end of the part file.
    StartOver,
}

impl Part {
    fn open(wanted: &Wanted) -> Result<Self, WeightsError> {
        let mut path = wanted.dest.as_os_str().to_owned();
        path.push(".part");
        let path = PathBuf::from(path);
        let failed = |source| WeightsError::write(&path, source);
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(|source| WeightsError::write(dir, source))?;
        }
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, file }),
            Err(TryLockError::WouldBlock) => Err(WeightsError::Busy { path: wanted.dest.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    fn fill(&mut self, wanted: &Wanted, cancel: &CancelToken, progress: &mut dyn Progress) -> Result<(), WeightsError> {
        let mut have = self.rewind_to_end()?;
        loop {
            match ask(wanted.url, have)? {
                Answer::Complete => return Ok(()),
                Answer::Bytes { body, start, total } => {
                    self.keep(start)?;
                    return self.receive(wanted, body, (start, total), cancel, progress);
                }
                Answer::StartOver if have > 0 => {
                    self.keep(0)?;
                    have = 0;
                }
                Answer::StartOver => return Err(bad_answer(wanted.url, "it refuses the file's first byte")),
            }
        }
    }

    fn receive(
        &mut self,
        wanted: &Wanted,
        body: Body,
        (start, total): (u64, Option<u64>),
        cancel: &CancelToken,
        progress: &mut dyn Progress,
    ) -> Result<(), WeightsError> {
        let name = wanted.dest.file_name().unwrap_or_default().to_string_lossy();
        let mut reader = body.into_reader();
        let mut buffer = vec![0; 64 << 10];
        let mut got = start;
        let stopped = |part: &Self, got, why: String| WeightsError::Interrupted {
            url: wanted.url.to_owned(),
            part: part.path.clone(),
            got,
            expected: total,
            why,
        };
        loop {
            if cancel.is_cancelled() {
                return Err(WeightsError::Cancelled { part: self.path.clone() });
            }
            progress.advance(&name, got, total);
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(stopped(self, got, error.to_string())),
            };
            self.file.write_all(&buffer[..count]).map_err(|source| WeightsError::write(&self.path, source))?;
            got += count as u64;
            if got > total.unwrap_or(MAX_BYTES) {
                self.keep(0)?;
                return Err(bad_answer(wanted.url, "more bytes came than the file has"));
            }
        }
        match total {
            Some(total) if got < total => Err(stopped(self, got, "the connection ended".to_owned())),
            _ => Ok(()),
        }
    }

    /// Verifies the digest of the whole file, including a resumed beginning. On a mismatch the file is deleted.
    fn check(&mut self, wanted: &Wanted) -> Result<(), WeightsError> {
        self.file.sync_all().map_err(|source| WeightsError::write(&self.path, source))?;
        let found = self
            .file
            .seek(SeekFrom::Start(0))
            .and_then(|_| digest_of(&mut self.file))
            .map_err(|source| WeightsError::read(&self.path, source))?;
        if found.starts_with(&wanted.sha256_prefix.to_lowercase()) {
            return Ok(());
        }
        fs::remove_file(&self.path).map_err(|source| WeightsError::write(&self.path, source))?;
        let (url, expected) = (wanted.url.to_owned(), wanted.sha256_prefix.to_owned());
        Err(WeightsError::WrongDigest { url, expected, found })
    }

    /// Truncates the file to its first `length` bytes and moves the write position there.
    fn keep(&mut self, length: u64) -> Result<(), WeightsError> {
        self.file
            .set_len(length)
            .and_then(|()| self.file.seek(SeekFrom::Start(length)))
            .map(|_| ())
            .map_err(|source| WeightsError::write(&self.path, source))
    }

    fn rewind_to_end(&mut self) -> Result<u64, WeightsError> {
        self.file.seek(SeekFrom::End(0)).map_err(|source| WeightsError::read(&self.path, source))
    }
}

/// Requests the file's bytes from `have` on.
fn ask(url: &str, have: u64) -> Result<Answer, WeightsError> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        // Limits a single read, not the whole download: a slow connection may need hours for 548 MiB.
        .timeout_per_read(Some(Duration::from_secs(60)))
        .build()
        .into();
    // A compressed answer could neither be resumed nor measured.
    let mut request = agent.get(url).header(header::ACCEPT_ENCODING, "identity");
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
    }
    let response =
        request.call().map_err(|source| WeightsError::Network { url: url.to_owned(), source: Box::new(source) })?;
    answer(url, have, response)
}

fn answer(url: &str, have: u64, response: Response<Body>) -> Result<Answer, WeightsError> {
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let range = text(header::CONTENT_RANGE).unwrap_or_default().to_owned();
    let (start, total) = match response.status() {
        StatusCode::OK => (0, text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok())),
        StatusCode::PARTIAL_CONTENT => match content_range(&range) {
            Some((start, total)) if start == have => (start, total),
            _ => return Err(bad_answer(url, format!("asked for bytes from {have} on, got `{range}`"))),
        },
        StatusCode::RANGE_NOT_SATISFIABLE => {
            let whole = range.strip_prefix("bytes */").and_then(|total| total.parse().ok()) == Some(have);
            return Ok(if whole && have > 0 { Answer::Complete } else { Answer::StartOver });
        }
        status => return Err(WeightsError::Status { url: url.to_owned(), status: status.as_u16() }),
    };
    if let Some(total) = total.filter(|&total| total > MAX_BYTES) {
        return Err(bad_answer(url, format!("it says the file has {total} bytes")));
    }
    Ok(Answer::Bytes { body: response.into_body(), start, total })
}

/// Parses `bytes FIRST-LAST/TOTAL` into first and total; a total of `*` is unknown.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    Some((first.parse().ok()?, total))
}

fn bad_answer(url: &str, why: impl Into<String>) -> WeightsError {
    WeightsError::BadAnswer { url: url.to_owned(), why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_content_range() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for bad in ["", "bytes", "bytes 5-9", "bytes -9/10", "bytes 5-9/ten", "lines 5-9/10"] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }
}
