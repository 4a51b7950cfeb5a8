//! Arrivals at equal distances: the `n`-th comes at ⌊n · per ÷ (count · sharers)⌋ nanoseconds, without a division each.

use std::time::Duration;

use crate::plan::nanos;
use crate::rate::Rate;

/// The instants of a constant rate, shared by targets that take turns, in nanoseconds from its beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Even {
    at: u64,
    /// What `at` falls short of the exact instant, in parts of `parts`.
    short: u64,
    step: u64,
    step_short: u64,
    parts: u64,
    left: u64,
    /// How much of the distance to the next arrival lies behind the end, in parts of a nanosecond.
    carried: u64,
}

impl Even {
    pub(super) fn new(rate: Rate, duration: Duration, sharers: u64) -> Self {
        Self::after(0, rate, duration, sharers)
    }

    /// After a stretch with the same period that `carried` so much of a distance over to this one.
    pub(super) fn after(carried: u64, rate: Rate, duration: Duration, sharers: u64) -> Self {
        let per = nanos(rate.per);
        let parts = rate.count * sharers;
        let whole = u128::from(parts) * duration.as_nanos();
        let left = whole
            .saturating_sub(u128::from(carried))
            .div_ceil(u128::from(per));
        let carries = u128::from(carried) + left * u128::from(per) - whole;
        Self {
            at: carried.checked_div(parts).unwrap_or(0),
            short: carried.checked_rem(parts).unwrap_or(0),
            step: per.checked_div(parts).unwrap_or(0),
            step_short: per.checked_rem(parts).unwrap_or(0),
            parts,
            left: u64::try_from(left).expect("counts of a run fit 64 bits"),
            carried: u64::try_from(carries).expect("it is less than a period"),
        }
    }

    pub(super) fn carried(&self) -> u64 {
        self.carried
    }

    /// How many are still to come.
    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

impl Iterator for Even {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        let at = self.at;
        self.at += self.step;
        self.short += self.step_short;
        if self.short >= self.parts {
            self.short -= self.parts;
            self.at += 1;
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// As many as rate × sharers × duration, rounded up; each at its exact instant, rounded down; none outside.
        #[test]
        fn each_comes_at_its_exact_instant(
            count in 0u64..50_000, per_ms in 1u64..5_000, ms in 1u64..200, sharers in 1u64..5,
        ) {
            let rate = Rate { count, per: Duration::from_millis(per_ms) };
            let instants: Vec<u64> = Even::new(rate, Duration::from_millis(ms), sharers).collect();
            prop_assert_eq!(instants.len() as u64, (count * sharers * ms).div_ceil(per_ms));
            for (n, at) in (0u64..).zip(&instants) {
                prop_assert_eq!(*at, n * per_ms * 1_000_000 / (count * sharers));
                prop_assert!(*at < ms * 1_000_000);
            }
        }
    }
}
