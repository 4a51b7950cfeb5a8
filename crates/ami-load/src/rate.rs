//! Rates and durations as users write them: `200/s`, `7/2s`, `10s`, `1m30s`, `250ms`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// So many arrivals in a span of time, kept as written so that instants are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: u64,
    pub per: Duration,
}

#[derive(Debug, Error, PartialEq, Eq)]
pub enum RateError {
    #[error("{text:?} is not a rate: write 200/s, 7/2s or 50/1m")]
    Form { text: String },
    #[error("{text:?} is not a duration: write 250ms, 10s, 1m30s or 2h")]
    Duration { text: String },
}

/// A million a second, written by the hour; instants in nanoseconds stay exact.
const COUNT_MAX: u64 = 3_600_000_000;

impl Rate {
    pub fn parse(text: &str) -> Result<Self, RateError> {
        let form = || RateError::Form {
            text: text.to_owned(),
        };
        let (count, per) = text.split_once('/').ok_or_else(form)?;
        let count: u64 = count.trim().parse().map_err(|_| form())?;
        let per = match per.trim() {
            unit @ ("ms" | "s" | "m" | "h") => parse_duration(&format!("1{unit}")),
            per => parse_duration(per),
        };
        match per {
            Ok(per) if (1..=COUNT_MAX).contains(&count) => Ok(Self { count, per }),
            _ => Err(form()),
        }
    }

    pub fn per_second(self) -> f64 {
        self.count as f64 / self.per.as_secs_f64()
    }

    /// The instant of the `n`-th arrival after the first, when `sharers` take turns at this rate each.
    pub fn offset(self, n: u64, sharers: u64) -> Duration {
        let nanos =
            u128::from(n) * self.per.as_nanos() / (u128::from(self.count) * u128::from(sharers));
        Duration::from_nanos(u64::try_from(nanos).expect("a run lasts under 500 years"))
    }

    /// How many arrivals fall into `duration`, the first at its start.
    pub fn arrivals_in(self, duration: Duration) -> u64 {
        let product = u128::from(self.count) * duration.as_nanos();
        u64::try_from(product.div_ceil(self.per.as_nanos())).expect("counts of a run fit 64 bits")
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.per == Duration::from_secs(1) {
            write!(f, "{}/s", self.count)
        } else {
            write!(f, "{}/{}", self.count, show_duration(self.per))
        }
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A duration as written in scenarios.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&show_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// One or more numbers with a unit each, the larger unit first; a zero duration is none.
pub fn parse_duration(text: &str) -> Result<Duration, RateError> {
    let error = || RateError::Duration {
        text: text.to_owned(),
    };
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
        let (number, tail) = rest.split_at(digits);
        let unit_length = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_length);
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(error()),
        };
        let number: u64 = number.parse().map_err(|_| error())?;
        let part = number
            .checked_mul(unit_ms)
            .map(Duration::from_millis)
            .ok_or_else(error)?;
        total = total.checked_add(part).ok_or_else(error)?;
        rest = tail;
    }
    let year = Duration::from_secs(366 * 24 * 3600);
    if total.is_zero() || total > year {
        Err(error())
    } else {
        Ok(total)
    }
}

pub fn show_duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    match ms {
        0 => format!("{}us", duration.as_micros()),
        _ if !ms.is_multiple_of(1000) => format!("{ms}ms"),
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms > 60_000 && !ms.is_multiple_of(60_000) => {
            format!("{}m{}s", ms / 60_000, ms % 60_000 / 1000)
        }
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ => format!("{}s", ms / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Option<(u64, u128)>) {
        let parsed = Rate::parse(text)
            .ok()
            .map(|rate| (rate.count, rate.per.as_millis()));
        assert_eq!(parsed, expected, "{text}");
    }

    #[test]
    fn rates_are_read_as_written() {
        check("200/s", Some((200, 1000)));
        check("7/2s", Some((7, 2000)));
        check("50/1m", Some((50, 60_000)));
        check("1/h", Some((1, 3_600_000)));
        check("18000000/1h", Some((18_000_000, 3_600_000)));
        for bad in [
            "200",
            "/s",
            "0/s",
            "-1/s",
            "1.5/s",
            "5/",
            "5/0s",
            "5/week",
            "99999999999/s",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn durations_are_read_as_written() {
        for (text, ms) in [
            ("250ms", 250),
            ("10s", 10_000),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
        ] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(
                (duration.as_millis(), show_duration(duration).as_str()),
                (ms, text)
            );
        }
        for bad in ["", "10", "s", "0s", "10 s", "1d", "99999999999999999999s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        /// Exactly the arrivals whose offset lies before the end are counted.
        #[test]
        fn the_count_agrees_with_the_instants(count in 1u64..50_000, per_ms in 1u64..5_000, ms in 1u64..100_000) {
            let rate = Rate { count, per: Duration::from_millis(per_ms) };
            let duration = Duration::from_millis(ms);
            let n = rate.arrivals_in(duration);
            prop_assert!(rate.offset(n - 1, 1) < duration);
            prop_assert!(rate.offset(n, 1) >= duration);
        }
    }
}
