//! The text of a threshold: `ping.response.p99 < 50ms`, `all.failed.rate < 0.1%`, `all.rate >= 99/s`.

use std::fmt;
use std::time::Duration;

use ami_results::layout::Kind;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::rate::{Rate, parse_duration, show_duration};

#[derive(Clone, Debug, PartialEq)]
pub struct Criterion {
    pub text: String,
    pub measure: Measure,
    pub comparison: Comparison,
    pub limit: Limit,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// A statistic of one action's histogram.
    Latency {
        action: String,
        kind: Kind,
        statistic: Statistic,
    },
    /// Actions of a slug (or of all) that did not succeed, of those offered.
    FailedShare { action: String },
    /// Arrivals that found no free session, of those offered.
    SkippedShare { action: String },
    /// Actions of a slug (or of all) that succeeded, per second in which they were offered.
    Achieved { action: String },
    /// Calls answered, of those attempted.
    AnsweredShare,
    /// Calls that failed or met congestion, of those attempted.
    FailedCallsShare,
    /// Events that sessions did not read, of those they should have read.
    LostEventsShare,
    /// From the first session lost until all were back.
    LongestOutage,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    Quantile(f64),
    Mean,
    Max,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Below,
    AtMost,
    Above,
    AtLeast,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    Duration(Duration),
    Share(f64),
    Rate(Rate),
}

#[derive(Debug, Error, PartialEq, Eq)]
#[error("{text:?} is not a threshold: {reason}")]
pub struct ThresholdError {
    text: String,
    reason: String,
}

const FORMS: &str = "write ACTION.KIND.STATISTIC < LIMIT, such as `ping.response.p99 < 50ms` \
    (kinds: response, service, ack, complete, lag, wait, event-delay; statistics: p50, p90, p99, p99.9, mean, max), \
    `all.failed.rate < 0.1%`, `all.skipped.rate < 1%`, `all.rate >= 99/s`, `calls.answered.rate >= 99%`, \
    `calls.failed.rate < 1%`, `events.lost.rate <= 0%` or `sessions.outage.max < 1m`";

impl Criterion {
    pub fn parse(text: &str) -> Result<Self, ThresholdError> {
        let error = |reason: String| ThresholdError {
            text: text.to_owned(),
            reason,
        };
        let mut words = text.split_whitespace();
        let (Some(measure), Some(comparison), Some(limit), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(error(FORMS.to_owned()));
        };
        let comparison = match comparison {
            "<" => Comparison::Below,
            "<=" => Comparison::AtMost,
            ">" => Comparison::Above,
            ">=" => Comparison::AtLeast,
            other => return Err(error(format!("{other:?} is none of < <= > >="))),
        };
        let measure = Measure::parse(measure).ok_or_else(|| error(FORMS.to_owned()))?;
        let limit = match &measure {
            Measure::Latency { .. } | Measure::LongestOutage => {
                Limit::Duration(parse_duration(limit).map_err(|cause| error(cause.to_string()))?)
            }
            Measure::Achieved { .. } => {
                Limit::Rate(Rate::parse(limit).map_err(|cause| error(cause.to_string()))?)
            }
            _ => Limit::Share(
                parse_share(limit)
                    .ok_or_else(|| error(format!("{limit:?} is not a share: write 0.1% or 99%")))?,
            ),
        };
        Ok(Self {
            text: text.to_owned(),
            measure,
            comparison,
            limit,
        })
    }
}

impl Measure {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (action, kind) = (parts.next()?.to_owned(), parts.next()?);
        let Some(statistic) = parts.next() else {
            return (kind == "rate").then_some(Self::Achieved { action });
        };
        match (action.as_str(), kind, statistic) {
            ("calls", "answered", "rate") => Some(Self::AnsweredShare),
            ("calls", "failed", "rate") => Some(Self::FailedCallsShare),
            ("events", "lost", "rate") => Some(Self::LostEventsShare),
            ("sessions", "outage", "max") => Some(Self::LongestOutage),
            (_, "failed", "rate") => Some(Self::FailedShare { action }),
            (_, "skipped", "rate") => Some(Self::SkippedShare { action }),
            _ => {
                let statistic = Statistic::parse(statistic)?;
                let kind = match kind {
                    "response" => Kind::Response,
                    "service" => Kind::Service,
                    "ack" => Kind::Ack,
                    "complete" => Kind::Complete,
                    "first-item" => Kind::FirstItem,
                    "lag" => Kind::Lag,
                    "wait" => Kind::Wait,
                    "event-delay" => Kind::EventDelay,
                    _ => return None,
                };
                Some(Self::Latency {
                    action,
                    kind,
                    statistic,
                })
            }
        }
    }

    /// The action slug it speaks of, when it speaks of one.
    pub fn action(&self) -> Option<&str> {
        match self {
            Self::AnsweredShare
            | Self::FailedCallsShare
            | Self::LostEventsShare
            | Self::LongestOutage => None,
            Self::Achieved { action }
            | Self::Latency { action, .. }
            | Self::FailedShare { action }
            | Self::SkippedShare { action } => (action != "all").then_some(action),
        }
    }
}

impl Statistic {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "mean" => Some(Self::Mean),
            "max" => Some(Self::Max),
            _ => {
                let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
                (percent > 0.0 && percent < 100.0).then_some(Self::Quantile(percent / 100.0))
            }
        }
    }
}

impl Comparison {
    pub fn holds(self, measured: f64, limit: f64) -> bool {
        match self {
            Self::Below => measured < limit,
            Self::AtMost => measured <= limit,
            Self::Above => measured > limit,
            Self::AtLeast => measured >= limit,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(duration) => f.write_str(&show_duration(*duration)),
            Self::Share(share) => write!(f, "{}%", share * 100.0),
            Self::Rate(rate) => rate.fmt(f),
        }
    }
}

fn parse_share(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_suffix('%')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

impl<'de> Deserialize<'de> for Criterion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, measure: Measure, comparison: Comparison, limit: Limit) {
        let threshold = Criterion::parse(text).unwrap();
        assert_eq!(
            (threshold.measure, threshold.comparison, threshold.limit),
            (measure, comparison, limit)
        );
    }

    #[test]
    fn thresholds_are_read_as_written() {
        let latency = |action: &str, kind, statistic| Measure::Latency {
            action: action.to_owned(),
            kind,
            statistic,
        };
        let ms = |ms| Limit::Duration(Duration::from_millis(ms));
        let all = || "all".to_owned();
        check(
            "ping.response.p99 < 50ms",
            latency("ping", Kind::Response, Statistic::Quantile(0.99)),
            Comparison::Below,
            ms(50),
        );
        check(
            "ping.lag.max <= 1s",
            latency("ping", Kind::Lag, Statistic::Max),
            Comparison::AtMost,
            ms(1000),
        );
        check(
            "all.failed.rate < 0.5%",
            Measure::FailedShare { action: all() },
            Comparison::Below,
            Limit::Share(0.005),
        );
        check(
            "all.skipped.rate <= 0%",
            Measure::SkippedShare { action: all() },
            Comparison::AtMost,
            Limit::Share(0.0),
        );
        check(
            "all.rate >= 99/s",
            Measure::Achieved { action: all() },
            Comparison::AtLeast,
            Limit::Rate(Rate::parse("99/s").unwrap()),
        );
        check(
            "calls.failed.rate < 1%",
            Measure::FailedCallsShare,
            Comparison::Below,
            Limit::Share(0.01),
        );
        check(
            "calls.answered.rate >= 99%",
            Measure::AnsweredShare,
            Comparison::AtLeast,
            Limit::Share(0.99),
        );
        check(
            "user-event.event-delay.p99 < 50ms",
            latency("user-event", Kind::EventDelay, Statistic::Quantile(0.99)),
            Comparison::Below,
            ms(50),
        );
        check(
            "events.lost.rate <= 0%",
            Measure::LostEventsShare,
            Comparison::AtMost,
            Limit::Share(0.0),
        );
        check(
            "sessions.outage.max < 2m",
            Measure::LongestOutage,
            Comparison::Below,
            ms(120_000),
        );
    }

    #[test]
    fn a_quantile_may_have_a_fraction() {
        let threshold = Criterion::parse("ping.response.p99.9 < 50ms").unwrap();
        let Measure::Latency {
            statistic: Statistic::Quantile(quantile),
            ..
        } = threshold.measure
        else {
            panic!("{threshold:?}");
        };
        assert!((quantile - 0.999).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_threshold_is_answered_with_the_forms() {
        for bad in [
            "ping",
            "ping.response.p99",
            "ping.response.p99 < 50",
            "ping.response.p99 = 50ms",
            "ping.reponse.p99 < 50ms",
            "ping.response.p100 < 1s",
            "all.failed.rate < 5",
            "all.failed.rate < 101%",
            "all.rate >= 99",
            "all.rate >= 99%",
            "all.speed >= 99/s",
        ] {
            assert!(Criterion::parse(bad).is_err(), "{bad}");
        }
        assert!(
            Criterion::parse("ping")
                .unwrap_err()
                .to_string()
                .contains("ping.response.p99 < 50ms")
        );
    }
}
