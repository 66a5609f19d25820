//! Options that say when a run is to end and how much of the machine it may take.

use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use jiff::civil::{DateTime, Time};
use jiff::{Span, SpanRelativeTo, Unit, ZonedDateTime};

use crate::interrupt::Deadline;

#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ScheduleArgs {
    /// Stop cleanly at this local time; the next run resumes: 06:00 (tomorrow if past) or 2026-11-30T06:00
    #[arg(long, value_name = "TIME", value_parser = until, help_heading = "Unattended")]
    pub until: Option<Until>,

    /// Stop cleanly after this time; the next run resumes: 7h, 90m, 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Unattended")]
    pub max_runtime: Option<Duration>,

    /// Priority as of nice(1), from -20 to 19; higher values give way to other programs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(-20..=19),
        allow_negative_numbers = true, help_heading = "Unattended")]
    pub nice: Option<i32>,
}

/// A moment in local time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Until {
    /// The next such time of the day.
    Time(Time),
    Moment(DateTime),
}

impl ScheduleArgs {
    /// When the run ends that began at `began`, if it is `now` (which knows the time zone).
    ///
    /// # Errors
    /// A moment that is past, or is none in the calendar of the time zone.
    pub fn deadline(&self, began: Instant, now: &ZonedDateTime) -> Result<Deadline, ScheduleError> {
        let wall = self.until.map(|until| until.after(now)).transpose()?;
        let wall = wall.map(|at| SystemTime::try_from(at.timestamp())).transpose()?;
        let steady = self.max_runtime.and_then(|time| began.checked_add(time));
        Ok(Deadline { wall, steady })
    }
}

impl ScheduleArgs {
    /// What is to be said of `--until` before the work: which moment it is, by its distance from UTC, and whether the time
    /// zone is known.
    ///
    /// # Errors
    /// As [`ScheduleArgs::deadline`].
    pub fn describe(&self, now: &ZonedDateTime) -> Result<Vec<String>, ScheduleError> {
        let Some(until) = self.until else { return Ok(Vec::new()) };
        let mut lines = Vec::new();
        let zone = std::env::var("TZ").unwrap_or_default();
        if !zone.is_empty() && jiff::tz::TimeZone::try_system().is_err() {
            lines.push(format!("the time zone TZ={zone} is not known: times are taken as UTC"));
        }
        let at = until.after(now)?;
        lines.push(format!("--until: ends at {}", at.strftime("%Y-%m-%dT%H:%M:%S%:z")));
        Ok(lines)
    }
}

/// Why there is no such end.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    #[error("--until {0}: that is past; give a time to come, or a time of the day alone (06:00) for its next one")]
    Past(DateTime),
    #[error("--until: there is no such moment: {0}")]
    Calendar(#[from] jiff::Error),
}

impl Until {
    /// The first such moment after `now`. One that the clocks skip that night is as much later as they skip.
    fn after(self, now: &ZonedDateTime) -> Result<ZonedDateTime, ScheduleError> {
        let zone = now.time_zone().clone();
        match self {
            Self::Moment(moment) => {
                let at = moment.to_zoned_datetime(zone)?;
                if at <= *now { Err(ScheduleError::Past(moment)) } else { Ok(at) }
            }
            Self::Time(time) => {
                let today = now.date().to_datetime(time).to_zoned_datetime(zone.clone())?;
                // An hour that the clocks go back over comes twice.
                let again = zone.to_ambiguous_zoned_datetime(now.date().to_datetime(time)).later()?;
                if let Some(at) = [today, again].into_iter().find(|at| at > now) {
                    return Ok(at);
                }
                Ok(now.date().tomorrow()?.to_datetime(time).to_zoned_datetime(zone)?)
            }
        }
    }
}

/// `06:00`, `6:00`, `06:00:30`, `2026-11-30T06:00`, `2026-11-30 06:00`.
fn until(text: &str) -> Result<Until, String> {
    let wrong =
        || format!("`{text}` is not a time: use HH:MM, such as 06:00, or a date and a time, such as 2026-11-30T06:00");
    let text = text.trim();
    let days_first = text.contains('-');
    if days_first {
        return text.parse().map(Until::Moment).map_err(|_| wrong());
    }
    let digits = text.chars().all(|c| c.is_ascii_digit() || c == ':');
    let parts = text.split(':').count();
    if !digits || !(2..=3).contains(&parts) {
        return Err(wrong());
    }
    let padded = if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() };
    padded.parse().map(Until::Time).map_err(|_| wrong())
}

/// `7h`, `90m`, `1h30m`, `45s`, `2d`: a day has 24 hours.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration: use a number and a unit, as 7h, 90m, 1h30m");
    let span: Span = text.trim().parse().map_err(|_| wrong())?;
    let seconds = span.total((Unit::Second, SpanRelativeTo::days_are_24_hours())).map_err(|_| wrong())?;
    if seconds.is_finite() && seconds > 0.0 {
        Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(until: Until, now: &str) -> String {
        until.after(&now.parse().unwrap()).unwrap().strftime("%F %T %z").to_string()
    }

    #[test]
    fn a_time_of_the_day_is_the_next_one() {
        let six = until("06:00").unwrap();
        assert_eq!(until("6:00"), Ok(six));
        assert_eq!(at(six, "2026-11-24T23:30[Europe/Berlin]"), "2026-11-25 06:00:00 +0100");
        assert_eq!(at(six, "2026-11-24T05:59:59[Europe/Berlin]"), "2026-11-24 06:00:00 +0100");
        assert_eq!(at(six, "2026-11-24T06:00[Europe/Berlin]"), "2026-11-25 06:00:00 +0100");
        // The clocks are set: 02:30 is skipped in spring, and comes twice in autumn.
        let night = until("02:30").unwrap();
        assert_eq!(at(night, "2026-03-28T23:00[Europe/Berlin]"), "2026-03-29 03:30:00 +0200");
        assert_eq!(at(night, "2026-10-24T23:00[Europe/Berlin]"), "2026-10-25 02:30:00 +0200");
        assert_eq!(at(night, "2026-10-25T02:45+02:00[Europe/Berlin]"), "2026-10-25 02:30:00 +0100");
        assert_eq!(at(night, "2026-10-25T02:45+01:00[Europe/Berlin]"), "2026-10-26 02:30:00 +0100");
        let moment = until("2026-11-30 06:00").unwrap();
        assert_eq!(at(moment, "2026-11-24T06:00[UTC]"), "2026-11-30 06:00:00 +0000");
        assert!(moment.after(&"2026-12-01T00:00[UTC]".parse().unwrap()).is_err());
        for text in ["", "6", "24:00", "25:00", "06:60", "six", "06:00:00:00", "-1:00", "2026-13-01T06:00", "06:00Z"] {
            assert!(until(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_have_units() {
        let seconds = |text: &str| duration(text).unwrap().as_secs();
        assert_eq!(seconds("7h"), 7 * 3600);
        assert_eq!(seconds("90m"), 5400);
        assert_eq!(seconds("1h30m"), 5400);
        assert_eq!(seconds("1h 30min"), 5400);
        assert_eq!(seconds("45s"), 45);
        assert_eq!(seconds("2d"), 2 * 86400);
        for text in ["", "7", "0s", "-1h", "h", "7x", "1e9h", "seven hours"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(duration("99999999999999h").is_err());
    }
}
