//! Joins what several processes painted, each in a work folder of its own, into one journal.

use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::ResumeError;
use super::journal::Journal;
use super::manifest::{Complete, Finished, Manifest};
use crate::encode::Piece;

/// A work folder that parts are taken from.
struct Source<'a> {
    folder: &'a Path,
    manifest: Manifest,
}

/// A finished part of a work folder.
struct Found<'a> {
    source: &'a Source<'a>,
    finished: &'a Finished,
    /// Indices in the job.
    frames: Range<u64>,
    /// Whether its shot certainly ends with it.
    shot_ends: bool,
}

/// Frames that no folder holds.
struct Gap {
    first: u64,
    /// The frame after the last one; `None`: up to the end.
    end: Option<u64>,
    /// Number of the first shot; `None` if an earlier version wrote the part before.
    shot: Option<u64>,
    /// Number of the shot after the last one; `None`: up to the end, or unknown.
    shots_end: Option<u64>,
}

/// Fills `journal` with the finished parts of `folders`, which are work folders of the same job and hold all its frames.
/// Parts that two of them hold must be equal. The folders stay as they are. `pictures` is the folder that a sequence
/// is written to, inside the journal's work folder. Returns notes for the user.
///
/// # Errors
/// If a folder is not of this job or damaged, frames are missing, or two folders differ in a part. The journal is then
/// unchanged.
pub fn join(
    journal: &mut Journal<'_>,
    folders: &[PathBuf],
    pictures: Option<&Path>,
) -> Result<Vec<String>, ResumeError> {
    let sources = folders.iter().map(|folder| Source::open(folder, journal)).collect::<Result<Vec<_>, _>>()?;
    let (parts, complete) = in_order(&sources)?;
    for part in &parts {
        part.check_files()?;
    }
    let work = journal.work().to_path_buf();
    let taken: Result<Vec<_>, _> = (1..).zip(&parts).map(|(number, part)| part.take(&work, number, pictures)).collect();
    let threads: Vec<u32> = parts.iter().map(|part| part.source.manifest.threads).collect();
    let used = threads.first().copied().unwrap_or(1);
    journal.fill(taken?, used, complete)?;
    let mixed = threads.iter().any(|&threads| threads != used);
    let note = "the parts were painted with different numbers of threads: their last bits differ from those of one run";
    Ok(mixed.then(|| note.to_owned()).into_iter().collect())
}

/// Chooses the parts that cover every frame of the job once.
fn in_order<'a>(sources: &'a [Source<'a>]) -> Result<(Vec<Found<'a>>, Complete), ResumeError> {
    let mut found: Vec<Found<'a>> = sources.iter().flat_map(Source::parts).collect();
    found.sort_by_key(|part| part.frames.start);
    let (mut taken, mut gaps) = (Vec::<Found<'a>>::new(), Vec::new());
    let mut next = 0;
    for part in found {
        if part.frames.start < next {
            let last = taken.last_mut().ok_or_else(|| part.differs(&part))?;
            if !last.equals(&part) {
                return Err(last.differs(&part));
            }
            last.shot_ends |= part.shot_ends;
            continue;
        }
        if part.frames.start > next {
            let place = part.finished.place;
            gaps.push(Gap::after(taken.last(), Some((part.frames.start, place.map(|place| place.shot)))));
        }
        next = part.frames.end;
        taken.push(part);
    }
    let ends = |source: &Source<'_>| source.manifest.complete.filter(|complete| complete.ends);
    let Some(complete) = sources.iter().find_map(ends).filter(|_| gaps.is_empty()) else {
        if !sources.iter().any(|source| ends(source).is_some()) {
            gaps.push(Gap::after(taken.last(), None));
        }
        let gaps: Vec<String> = gaps.iter().map(Gap::to_string).collect();
        return Err(ResumeError::MissingShots(gaps.join(", ")));
    };
    Ok((taken, complete))
}

impl<'a> Source<'a> {
    fn open(folder: &'a Path, journal: &Journal<'_>) -> Result<Self, ResumeError> {
        let refused = |why: String| ResumeError::NotJoined { path: folder.into(), why };
        if same_file::is_same_file(folder, journal.work()).unwrap_or(false) {
            return Err(refused("it is the work folder of the output itself".into()));
        }
        let manifest = Manifest::read(folder).map_err(|error| refused(format!("its manifest: {error}")))?;
        let manifest = manifest.ok_or_else(|| refused("it is no work folder with painted frames".into()))?;
        match journal.identity().changed(&manifest.identity) {
            Some(changed) => Err(refused(format!("it belongs to another job: {changed}"))),
            None => Ok(Self { folder, manifest }),
        }
    }

    fn parts(&'a self) -> impl Iterator<Item = Found<'a>> {
        let Self { manifest, .. } = self;
        let mut next = manifest.next_frame() - manifest.frames();
        manifest.parts.iter().enumerate().map(move |(at, finished)| {
            let frames = next..next + finished.part.frames();
            next = frames.end;
            let shot = |finished: &Finished| finished.place.map(|place| place.shot);
            // The last part may be followed by frames of the same shot that are not painted yet.
            let later = manifest.parts.get(at + 1);
            let shot_ends = later
                .map_or(manifest.complete.is_some(), |later| shot(later).is_some() && shot(later) != shot(finished));
            Found { source: self, finished, frames, shot_ends }
        })
    }
}

impl Found<'_> {
    /// Whether the other part shows the same frames at the same times with the same bytes.
    fn equals(&self, other: &Self) -> bool {
        let (one, two) = (&self.finished.part, &other.finished.part);
        let bytes = |piece: &Piece| (piece.bytes, piece.sha256.clone());
        // How long a shot's first frame lasts is not always recorded.
        self.frames == other.frames
            && one.shown.iter().map(|shown| shown.0).eq(two.shown.iter().map(|shown| shown.0))
            && one.files.iter().map(bytes).eq(two.files.iter().map(bytes))
    }

    fn differs(&self, other: &Self) -> ResumeError {
        let frames = self.frames.start.min(other.frames.start)..self.frames.end.max(other.frames.end);
        ResumeError::Differ { frames, one: self.source.folder.into(), two: other.source.folder.into() }
    }

    fn refused(&self, why: String) -> ResumeError {
        ResumeError::NotJoined { path: self.source.folder.into(), why }
    }

    /// Checks that the part's files are there unchanged.
    fn check_files(&self) -> Result<(), ResumeError> {
        for piece in &self.finished.part.files {
            match piece.is_whole(self.source.folder) {
                Ok(true) => {}
                Ok(false) => {
                    let what = &piece.name;
                    return Err(
                        self.refused(format!("{what} is missing or damaged: run the command that made it again"))
                    );
                }
                Err(error) => return Err(ResumeError::io(&self.source.folder.join(&piece.name), error)),
            }
        }
        Ok(())
    }

    /// Links or copies the part's files into the work folder `work`, as its part `number`, counted from 1.
    fn take(&self, work: &Path, number: usize, pictures: Option<&Path>) -> Result<Finished, ResumeError> {
        let mut finished = self.finished.clone();
        for piece in &mut finished.part.files {
            let strange = || self.refused("a part has a strange name".into());
            let from = piece.path(self.source.folder).ok_or_else(strange)?;
            let name = Path::new(&piece.name);
            let picture = name.components().count() > 1;
            let to = if picture {
                // It keeps its name, but the folder is that of this output.
                pictures.ok_or_else(strange)?.join(name.file_name().unwrap_or_default())
            } else {
                let kind = name.extension().unwrap_or_default().to_string_lossy();
                work.join(format!("part-{number:06}.{kind}"))
            };
            // A picture will be the user's, so it must not share its bytes with a work folder.
            place(&from, &to, !picture).map_err(|error| ResumeError::io(&to, error))?;
            let name = to.strip_prefix(work).ok().and_then(Path::to_str).ok_or_else(strange)?;
            piece.name = name.into();
        }
        Ok(finished)
    }
}

/// Copies a file, or hard-links it if `links` and the file system allow it.
fn place(from: &Path, to: &Path, links: bool) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    if links && fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to)?;
    fs::File::open(to)?.sync_all()
}

impl Gap {
    /// The gap between a part, or the beginning, and the frame and shot at which the next part begins, or the end.
    fn after(before: Option<&Found<'_>>, next: Option<(u64, Option<u64>)>) -> Self {
        let (first, shot) = match before {
            None => (0, Some(0)),
            Some(part) => {
                let shot = part.finished.place.map(|place| place.shot + u64::from(part.shot_ends));
                (part.frames.end, shot)
            }
        };
        Self { first, end: next.map(|next| next.0), shot, shots_end: next.and_then(|next| next.1) }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |end: Option<u64>| end.map(|end| end.to_string()).unwrap_or_default();
        let frames = format!("frames {}..{}", self.first, end(self.end));
        match self.shot {
            Some(shot) if self.end.is_none() || self.shots_end.is_some() => {
                write!(f, "shots {shot}..{} ({frames})", end(self.shots_end))
            }
            _ => f.write_str(&frames),
        }
    }
}
