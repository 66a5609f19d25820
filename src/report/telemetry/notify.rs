//! Runs the `--notify` command at the end of each job.

use std::io;
use std::process::{self, Stdio};
use std::time::{Duration, Instant};

use super::tally::{JobEnd, JobRecord};
use crate::child;

/// A command that takes longer is killed.
const LIMIT: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);
/// The highest number of characters per variable: the size of an environment is limited.
const LONGEST: usize = 4096;

/// A program with its arguments. It runs without a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    program: String,
    arguments: Vec<String>,
}

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("cannot run {program}: {source}")]
    Start { program: String, source: io::Error },
    #[error("{program} ended with {status}")]
    Failed { program: String, status: process::ExitStatus },
    #[error("{program} was ended, for it took longer than {} s", LIMIT.as_secs())]
    Slow { program: String },
}

impl Command {
    /// Splits `text` into words, with quotes and backslashes as in a shell.
    ///
    /// # Errors
    /// If a quote is not closed, or there is no command.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = shlex::split(text).ok_or_else(|| format!("`{text}`: a quote is not closed"))?;
        let mut words = words.into_iter();
        let program = words.next().filter(|program| !program.is_empty()).ok_or("it names no command")?;
        Ok(Self { program, arguments: words.collect() })
    }

    /// Runs the command with `job` in its environment and waits for it. Skipped jobs are not reported, because nothing
    /// has happened.
    pub(super) fn tell(&self, job: &JobRecord) -> Result<(), Problem> {
        if job.outcome == JobEnd::Skipped {
            return Ok(());
        }
        self.run(job, LIMIT)
    }

    fn run(&self, job: &JobRecord, limit: Duration) -> Result<(), Problem> {
        let program = || self.program.clone();
        let failed = |source| Problem::Start { program: program(), source };
        let mut command = process::Command::new(&self.program);
        // Standard output may be the video, so the command's output goes to standard error.
        command.args(&self.arguments).stdin(Stdio::null()).stdout(io::stderr());
        for (name, value) in environment(job) {
            command.env(name, value);
        }
        // Ctrl-C is meant for the painting, not for the command.
        child::in_a_group(&mut command);
        let mut child = command.spawn().map_err(failed)?;
        let began = Instant::now();
        loop {
            match child.try_wait().map_err(failed)? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(Problem::Failed { program: program(), status }),
                None if began.elapsed() >= limit => {
                    child::end(&mut child);
                    return Err(Problem::Slow { program: program() });
                }
                None => std::thread::sleep(LOOK),
            }
        }
    }
}

/// Returns the environment variables for the command. They are not settings: see `settings::layers`.
fn environment(job: &JobRecord) -> [(&'static str, String); 6] {
    let error = job.why.as_deref().filter(|_| job.outcome == JobEnd::Failed).unwrap_or_default();
    [
        ("STYLIZE_VIDEO_INPUT", sanitised(&job.input)),
        ("STYLIZE_VIDEO_OUTPUT", sanitised(job.output.as_deref().unwrap_or_default())),
        ("STYLIZE_VIDEO_OUTCOME", job.outcome.name().to_owned()),
        ("STYLIZE_VIDEO_FRAMES", job.frames.to_string()),
        ("STYLIZE_VIDEO_SECONDS", format!("{:.3}", job.seconds)),
        ("STYLIZE_VIDEO_ERROR", sanitised(error)),
    ]
}

/// Makes a text valid for an environment variable: no NUL, limited length.
fn sanitised(text: &str) -> String {
    text.chars().filter(|&c| c != '\0').take(LONGEST).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn job(outcome: JobEnd) -> JobRecord {
        let (input, output) = ("in \"a\".mp4".into(), Some("out.mp4".into()));
        let why = Some("bro\0ken".into());
        JobRecord { input, output, outcome, frames: 3, resumed: 1, seconds: 1.5, why, ended: 0.0 }
    }

    #[test]
    fn words_are_split_as_in_a_shell() {
        let command = Command::parse(r#"mail -s "painted: it's done" 'a b' c\ d"#).unwrap();
        assert_eq!(command.program, "mail");
        assert_eq!(command.arguments, ["-s", "painted: it's done", "a b", "c d"]);
        for text in ["", "  ", "mail 'open", "''"] {
            assert!(Command::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_environment_tells_the_outcome() {
        let test = r#"sh -c 'test "$STYLIZE_VIDEO_INPUT$STYLIZE_VIDEO_ERROR$STYLIZE_VIDEO_SECONDS" = "in \"a\".mp4broken1.500"'"#;
        Command::parse(test).unwrap().tell(&job(JobEnd::Failed)).unwrap();
        let done = "sh -c 'test \"$STYLIZE_VIDEO_OUTCOME$STYLIZE_VIDEO_FRAMES$STYLIZE_VIDEO_ERROR\" = done3'";
        Command::parse(done).unwrap().tell(&job(JobEnd::Done)).unwrap();
        let fails = Command::parse("sh -c 'exit 3'").unwrap();
        assert!(fails.tell(&job(JobEnd::Done)).unwrap_err().to_string().contains("sh ended with exit status: 3"));
        fails.tell(&job(JobEnd::Skipped)).unwrap();
        let missing = Command::parse("no-such-program-at-all").unwrap();
        assert!(matches!(missing.tell(&job(JobEnd::Done)), Err(Problem::Start { .. })));
    }

    #[test]
    fn a_slow_command_is_ended_with_what_it_started() {
        let began = Instant::now();
        let slow = Command::parse("sh -c 'sleep 50; echo awake'").unwrap();
        let ended = slow.run(&job(JobEnd::Done), Duration::from_millis(100));
        assert!(matches!(ended, Err(Problem::Slow { .. })), "{ended:?}");
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}
