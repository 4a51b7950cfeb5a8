//! When the load of a run begins: soon, or at an instant that several machines have agreed on.

use std::time::Duration;

use ami_client::Clock;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// Until the first arrival: by then the files are made, and every worker has read the order to start.
const START_DELAY: Duration = Duration::from_millis(100);
/// Sessions are kept up until the start; a later one is a slip of the pen, or a matter for cron.
const WAIT_MAX: SignedDuration = SignedDuration::from_hours(24);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// As soon as every session is up.
    Soon,
    /// At that instant by wall clock.
    At(Timestamp),
}

#[derive(Debug, Error, PartialEq, Eq)]
pub enum StartError {
    #[error(
        "{text:?} is no instant: write it as 2026-11-21T14:30:00Z or 2026-11-21T15:30:00+01:00"
    )]
    Form { text: String },
    #[error("{text} has passed: it is {now}")]
    Past { text: String, now: Timestamp },
    #[error("{text} is more than a day ahead")]
    Far { text: String },
}

impl Start {
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, StartError> {
        let text = text.to_owned();
        let Ok(at) = text.parse::<Timestamp>() else {
            return Err(StartError::Form { text });
        };
        if at <= now {
            return Err(StartError::Past { text, now });
        }
        if at.duration_since(now) > WAIT_MAX {
            return Err(StartError::Far { text });
        }
        Ok(Self::At(at))
    }

    /// The beginning of the load on the clock and by wall time; none when it is too late for it.
    pub(super) fn base(self, clock: Clock) -> Option<(Duration, Timestamp)> {
        let (now, wall) = (clock.now(), Timestamp::now());
        let soon = wall + START_DELAY;
        match self {
            Self::Soon => Some((now + START_DELAY, soon)),
            Self::At(at) => {
                let wait = Duration::try_from(at.duration_since(wall)).ok()?;
                (at >= soon).then_some((now + wait, at))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_lies_ahead_and_within_a_day() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let at = Start::parse("2026-11-21T13:00:01+01:00", now);
        assert_eq!(at, Ok(Start::At(now + SignedDuration::from_secs(1))));
        for (bad, told) in [
            ("noon", "\"noon\" is no instant"),
            ("2026-11-21T12:30:00", "is no instant"),
            (
                "2026-11-21T12:00:00Z",
                "has passed: it is 2026-11-21T12:00:00Z",
            ),
            ("2026-11-22T12:00:01Z", "is more than a day ahead"),
        ] {
            let error = Start::parse(bad, now).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
