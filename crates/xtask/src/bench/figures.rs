//! Count, median, 99th percentile and maximum of durations in nanoseconds, and how they are printed.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) count: u64,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) max: u64,
}

impl Figures {
    /// None of no samples.
    pub(crate) fn of_samples(mut samples: Vec<u64>) -> Option<Self> {
        samples.sort_unstable();
        Some(Self {
            count: u64::try_from(samples.len()).expect("usize fits 64 bits"),
            p50: quantile(&samples, 50)?,
            p99: quantile(&samples, 99)?,
            max: *samples.last()?,
        })
    }

    pub(crate) fn of_histogram(histogram: &Histogram<u64>) -> Option<Self> {
        (!histogram.is_empty()).then(|| Self {
            count: histogram.len(),
            p50: histogram.value_at_quantile(0.5),
            p99: histogram.value_at_quantile(0.99),
            max: histogram.max(),
        })
    }

    /// Each figure's median over the rounds, on its own; None of no rounds.
    pub(crate) fn median(rounds: &[Self]) -> Option<Self> {
        let middle = |of: fn(&Self) -> u64| {
            let mut values: Vec<u64> = rounds.iter().map(of).collect();
            values.sort_unstable();
            quantile(&values, 50)
        };
        Some(Self {
            count: middle(|it| it.count)?,
            p50: middle(|it| it.p50)?,
            p99: middle(|it| it.p99)?,
            max: middle(|it| it.max)?,
        })
    }
}

/// The value that `percent` of the sorted values do not exceed.
pub(crate) fn quantile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// Nanoseconds for people.
pub(crate) fn show(nanoseconds: u64) -> String {
    let nanoseconds = nanoseconds as f64;
    if nanoseconds < 1e6 {
        format!("{:.1} µs", nanoseconds / 1e3)
    } else {
        format!("{:.2} ms", nanoseconds / 1e6)
    }
}

/// A difference of durations, with its sign.
pub(crate) fn show_signed(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { '-' } else { '+' };
    format!("{sign}{}", show(nanoseconds.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let hundred: Vec<u64> = (1..=100).collect();
        for (sorted, percent, expected) in [
            (&hundred[..], 50, Some(50)),
            (&hundred, 99, Some(99)),
            (&hundred[..1], 99, Some(1)),
            (&hundred[..5], 50, Some(3)),
            (&[], 50, None),
        ] {
            assert_eq!(quantile(sorted, percent), expected, "{percent}");
        }
    }

    #[test]
    fn the_median_is_taken_of_each_figure() {
        let round = |p50, max| Figures {
            count: 10,
            p50,
            p99: 7,
            max,
        };
        let median = Figures::median(&[round(1, 30), round(3, 10), round(2, 20)]);
        assert_eq!(median, Some(round(2, 20)));
        assert_eq!(Figures::median(&[]), None);
    }

    #[test]
    fn durations_have_a_unit_that_suits_them() {
        for (nanoseconds, expected) in [(30_120, "+30.1 µs"), (-2_500_000, "-2.50 ms")] {
            assert_eq!(show_signed(nanoseconds), expected);
        }
    }
}
