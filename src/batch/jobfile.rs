//! Job files: a list of jobs as TOML.
//!
//! ```toml
//! parallel = 2                                  # jobs at once; 1 if none is given
//!
//! [[job]]
//! inputs = ["inbox", "old/*.mov"]               # files, folders, globs; or one text
//! preset = "monet"
//! output = "outbox/{dir}/{stem}.{preset}.{ext}" # or a folder, as "outbox/"; beside the input if none is given
//! recursive = true
//! exclude = ["proxies/"]
//! set = { frame.size = 480, loss.beta = 200 }   # settings, as in a preset
//! ```
//!
//! Relative paths are relative to the file. Unknown keys are errors.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::plan::Template;
use crate::media::Range;
use crate::settings::{self, Entry, Places, SettingsError, nearest};

/// Keys that a file may contain.
const KEYS: [&str; 2] = ["parallel", "job"];
const JOB_KEYS: [&str; 9] = ["inputs", "preset", "output", "recursive", "include", "exclude", "start", "frames", "set"];
/// A larger number is taken for a mistake.
const MOST_PARALLEL: i64 = 256;

/// A parsed job file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobFile {
    pub parallel: Option<usize>,
    pub jobs: Vec<JobEntry>,
}

/// One `[[job]]`. Paths are as written; those in settings are relative to the working folder in [`JobFile::parse`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobEntry {
    pub inputs: Vec<String>,
    pub preset: Option<String>,
    pub output: Option<Template>,
    pub recursive: bool,
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub range: Range,
    pub overrides: Vec<Entry>,
}

impl JobFile {
    /// Parses the text of a job file without access to any file.
    ///
    /// # Errors
    /// If the text is not TOML, has an unknown key or has a value of the wrong type; the error names the line.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        Self::parse_in(text, "jobs.toml", Path::new(""))
    }

    /// Parses like [`JobFile::parse`]. Errors call the file `name`, and paths in settings are relative to `folder`.
    ///
    /// # Errors
    /// As [`JobFile::parse`].
    pub fn parse_in(text: &str, name: &str, folder: &Path) -> Result<Self, SettingsError> {
        let (mut table, places) = settings::document(text, name)?;
        let reader = Reader { places: &places, folder };
        reader.known(&table, "", &KEYS)?;
        let parallel = match table.remove("parallel") {
            None => None,
            Some(Value::Integer(number @ 1..=MOST_PARALLEL)) => Some(number as usize),
            Some(other) => {
                return Err(reader.wrong("parallel", &format!("a number from 1 to {MOST_PARALLEL}"), &other));
            }
        };
        let jobs = match table.remove("job") {
            Some(Value::Array(jobs)) if !jobs.is_empty() => jobs,
            None | Some(Value::Array(_)) => {
                let message = "there is no job: write [[job]] and its inputs".into();
                return Err(SettingsError::Value { at: places.of("job"), key: "job".into(), message });
            }
            Some(other) => return Err(reader.wrong("job", "[[job]], in two pairs of brackets", &other)),
        };
        let jobs = jobs.into_iter().enumerate().map(|(number, job)| match job {
            Value::Table(job) => reader.job(job, &format!("job[{number}]")),
            other => Err(reader.wrong(&format!("job[{number}]"), "a table", &other)),
        });
        Ok(Self { parallel, jobs: jobs.collect::<Result<_, _>>()? })
    }

    /// Reads a job file. Also returns the folder that its paths are relative to.
    ///
    /// # Errors
    /// If it cannot be read; otherwise as [`JobFile::parse`].
    pub fn read(path: &Path) -> Result<(Self, PathBuf), SettingsError> {
        let text = settings::read(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok((Self::parse_in(&text, &path.display().to_string(), folder)?, folder.into()))
    }
}

struct Reader<'a> {
    places: &'a Places,
    folder: &'a Path,
}

impl Reader<'_> {
    fn job(&self, mut job: Table, at: &str) -> Result<JobEntry, SettingsError> {
        self.known(&job, at, &JOB_KEYS)?;
        let inputs = self.texts(&mut job, at, "inputs")?;
        if inputs.iter().all(String::is_empty) {
            let message = "a job needs its inputs, as inputs = [\"inbox\"]".into();
            return Err(SettingsError::Value { at: self.places.of(at), key: format!("{at}.inputs"), message });
        }
        let output = match self.text(&mut job, at, "output")? {
            None => None,
            Some(text) => Some(Template::parse(&text).map_err(|error| {
                let key = format!("{at}.output");
                SettingsError::Value { at: self.places.of(&key), key, message: error.to_string() }
            })?),
        };
        let overrides = match job.remove("set") {
            None => Vec::new(),
            Some(Value::Table(table)) => {
                let prefix = format!("{at}.set");
                settings::overrides(table, self.folder.into(), &|key| self.places.of(&format!("{prefix}.{key}")))?
            }
            Some(other) => return Err(self.wrong(&format!("{at}.set"), "a table of settings", &other)),
        };
        Ok(JobEntry {
            inputs,
            preset: self.text(&mut job, at, "preset")?,
            output,
            recursive: self.flag(&mut job, at, "recursive")?,
            include: self.texts(&mut job, at, "include")?,
            exclude: self.texts(&mut job, at, "exclude")?,
            range: self.range(&mut job, at)?,
            overrides,
        })
    }

    fn range(&self, job: &mut Table, at: &str) -> Result<Range, SettingsError> {
        let start = match job.remove("start") {
            None => 0.0,
            Some(Value::Integer(seconds)) if seconds >= 0 => seconds as f64,
            Some(Value::Float(seconds)) if seconds >= 0.0 && seconds.is_finite() => seconds,
            Some(other) => return Err(self.wrong(&format!("{at}.start"), "seconds, 0 or more", &other)),
        };
        let frames = match job.remove("frames") {
            None => None,
            Some(Value::Integer(frames)) if frames >= 1 => Some(frames as u64),
            Some(other) => return Err(self.wrong(&format!("{at}.frames"), "a number of frames, 1 or more", &other)),
        };
        Ok(Range { start, frames })
    }

    fn known(&self, table: &Table, at: &str, known: &[&str]) -> Result<(), SettingsError> {
        let Some(name) = table.keys().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
        let key = settings::join(at, name);
        let mut nearest = nearest(name, known.iter().copied());
        // The key may be a setting that belongs under `set`.
        if nearest.is_none() && !at.is_empty() {
            nearest = Some(format!("set.{name}"));
        }
        Err(SettingsError::UnknownKey { at: self.places.of(&key), key, nearest })
    }

    fn wrong(&self, key: &str, wanted: &str, found: &Value) -> SettingsError {
        let found = match found {
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            other => other.type_str().into(),
        };
        let message = format!("expected {wanted}, found {found}");
        SettingsError::Value { at: self.places.of(key), key: key.into(), message }
    }

    fn text(&self, job: &mut Table, at: &str, name: &str) -> Result<Option<String>, SettingsError> {
        match job.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.contains('\0') => Ok(Some(text)),
            Some(other) => Err(self.wrong(&format!("{at}.{name}"), "a text in quotes", &other)),
        }
    }

    /// Reads a list of strings or a single string.
    fn texts(&self, job: &mut Table, at: &str, name: &str) -> Result<Vec<String>, SettingsError> {
        let key = format!("{at}.{name}");
        let list = match job.remove(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(one) => vec![one],
        };
        let text = |value| match value {
            Value::String(text) if !text.contains('\0') => Ok(text),
            other => Err(self.wrong(&key, "texts in quotes", &other)),
        };
        list.into_iter().map(text).collect()
    }

    fn flag(&self, job: &mut Table, at: &str, name: &str) -> Result<bool, SettingsError> {
        match job.remove(name) {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(flag),
            Some(other) => Err(self.wrong(&format!("{at}.{name}"), "true or false", &other)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_read() {
        let text = "parallel = 2\n[[job]]\ninputs = \"inbox\"\n\n[[job]]\ninputs = [\"a.mp4\", \"b/*.mov\"]\npreset = \"sketch\"\n\
                    output = \"out/{stem}.{ext}\"\nrecursive = true\nexclude = [\"x\"]\nstart = 1\nframes = 5\n\
                    set = { loss.beta = 200 }\n[job.set.style]\n";
        // `[job.set.style]` extends an inline table, which TOML forbids.
        assert!(JobFile::parse(text).is_err());
        let file = JobFile::parse(text.strip_suffix("[job.set.style]\n").unwrap()).unwrap();
        assert_eq!(file.parallel, Some(2));
        assert_eq!(file.jobs[0], JobEntry { inputs: vec!["inbox".into()], ..JobEntry::default() });
        let job = &file.jobs[1];
        assert_eq!((job.inputs.len(), job.preset.as_deref(), job.recursive), (2, Some("sketch"), true));
        assert_eq!(job.range, Range { start: 1.0, frames: Some(5) });
        assert_eq!(job.overrides[0].key, "loss.beta");
        assert_eq!(job.overrides[0].origin.to_string(), "jobs.toml:13");
    }

    #[test]
    fn mistakes_name_their_line_and_what_was_meant() {
        let job = "[[job]]\ninputs = [\"a\"]\n";
        let with = |line: &str| format!("{job}{line}\n");
        for (text, wanted) in [
            (with("prest = \"monet\""), "jobs.toml:3: unknown key job[0].prest: did you mean preset?"),
            (with("beta = 3"), "jobs.toml:3: unknown key job[0].beta: did you mean set.beta?"),
            (with("set = { loss.betta = 3 }"), "jobs.toml:3: unknown key loss.betta: did you mean loss.beta?"),
            (
                with("output = \"{steam}.mp4\""),
                "jobs.toml:3: job[0].output: unknown placeholder {steam} (did you mean {stem}?)",
            ),
            (with("recursive = 1"), "jobs.toml:3: job[0].recursive: expected true or false, found 1"),
            (with("frames = 0"), "jobs.toml:3: job[0].frames: expected a number of frames, 1 or more, found 0"),
            (format!("paralel = 2\n{job}"), "jobs.toml:1: unknown key paralel: did you mean parallel?"),
            (format!("parallel = 0\n{job}"), "jobs.toml:1: parallel: expected a number from 1 to 256, found 0"),
            ("[[job]]\npreset = \"monet\"\n".into(), "jobs.toml:1: job[0].inputs: a job needs its inputs"),
            ("[job]\n".into(), "jobs.toml:1: job: expected [[job]], in two pairs of brackets, found table"),
            (String::new(), "jobs.toml:1: job: there is no job"),
            ("[[job]]\ninputs = [1]\n".into(), "jobs.toml:2: job[0].inputs: expected texts in quotes, found 1"),
            ("[[job\n".into(), "jobs.toml:1: "),
        ] {
            let error = JobFile::parse(&text).unwrap_err().to_string();
            assert!(error.starts_with(wanted), "{error}");
        }
    }
}
