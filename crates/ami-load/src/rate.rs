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
/// No run is longer, and no rate is slower than once in one.
const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);

impl Rate {
    pub fn parse(text: &str) -> Result<Self, RateError> {
        Self::read(text, 1)
    }

    fn read(text: &str, least: u64) -> Result<Self, RateError> {
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
            Ok(per) if (least..=COUNT_MAX).contains(&count) => Ok(Self { count, per }),
            _ => Err(form()),
        }
    }

    pub fn per_second(self) -> f64 {
        self.count as f64 / self.per.as_secs_f64()
    }

    /// How many arrivals fall into `duration`, the first at its start.
    pub fn arrivals_in(self, duration: Duration) -> u64 {
        let product = u128::from(self.count) * duration.as_nanos();
        u64::try_from(product.div_ceil(self.per.as_nanos())).expect("counts of a run fit 64 bits")
    }

    /// This rate in the proportion of `wanted` to `peak`; none when it cannot be written as a count per duration.
    pub fn scaled(self, wanted: Self, peak: Self) -> Option<Self> {
        let factors =
            |a: u64, b: u64, c: u128| u128::from(a).checked_mul(u128::from(b))?.checked_mul(c);
        let count = factors(self.count, wanted.count, peak.per.as_millis())?;
        let per =
            factors(1, peak.count, self.per.as_millis())?.checked_mul(wanted.per.as_millis())?;
        Self::of(count, per)
    }

    /// The same rate by the second, or by as few seconds as its count needs to be whole.
    pub fn reduced(self) -> Self {
        Self::of(u128::from(self.count), self.per.as_millis()).unwrap_or(self)
    }

    fn of(count: u128, per_ms: u128) -> Option<Self> {
        let divisor = gcd(count, per_ms).max(1);
        let (count, per_ms) = (count / divisor, per_ms / divisor);
        let seconds = SECOND_MS / gcd(SECOND_MS, per_ms);
        let (count, per_ms) = (count * seconds, per_ms.checked_mul(seconds)?);
        (per_ms <= YEAR.as_millis()).then_some(())?;
        Some(Self {
            count: u64::try_from(count)
                .ok()
                .filter(|count| *count <= COUNT_MAX)?,
            per: Duration::from_millis(u64::try_from(per_ms).ok()?),
        })
    }
}

const SECOND_MS: u128 = 1_000;

/// The counts of several rates over the shortest period that all have in common, if there is one.
pub fn over_one_period<const N: usize>(rates: [Rate; N]) -> Option<([u64; N], Duration)> {
    let period = rates.iter().try_fold(1u128, |period, rate| {
        let per = rate.per.as_millis();
        (period / gcd(period, per)).checked_mul(per)
    })?;
    (period <= YEAR.as_millis()).then_some(())?;
    let mut counts = [0; N];
    for (count, rate) in counts.iter_mut().zip(rates) {
        *count = u64::try_from(u128::from(rate.count) * (period / rate.per.as_millis())).ok()?;
    }
    Some((counts, Duration::from_millis(u64::try_from(period).ok()?)))
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A rate that may be nothing, as where a ramp begins: `0/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(pub Rate);

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Rate::read(&text, 0)
            .map(Self)
            .map_err(serde::de::Error::custom)
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
    if total.is_zero() || total > YEAR {
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

    #[test]
    fn a_rate_is_scaled_exactly() {
        let scaled = |rate: &str, wanted: &str, peak: &str| {
            let [rate, wanted, peak] =
                [rate, wanted, peak].map(|text| Rate::read(text, 0).unwrap());
            rate.scaled(wanted, peak).map(|rate| rate.to_string())
        };
        for (rate, wanted, peak, expected) in [
            ("10/s", "100/s", "200/s", "5/s"),
            ("7/s", "10/s", "13/s", "70/13s"),
            ("0/s", "10/s", "13/s", "0/s"),
            ("50/1m", "100/s", "50/1m", "100/s"),
            ("1/h", "1/h", "3600000000/1h", "1/3600000000000h"),
        ] {
            let expected = Some(expected.to_owned()).filter(|text| text.len() < 10);
            assert_eq!(scaled(rate, wanted, peak), expected, "{rate}");
        }
    }

    #[test]
    fn rates_are_counted_over_one_period() {
        let rates = ["3/2s", "1/3s", "0/s"].map(|text| Rate::read(text, 0).unwrap());
        let period = Duration::from_secs(6);
        assert_eq!(over_one_period(rates), Some(([9, 2, 0], period)));
        let odd = ["1/8640000001ms", "1/8640000003ms"].map(|text| Rate::parse(text).unwrap());
        assert_eq!(over_one_period(odd), None);
    }
}
