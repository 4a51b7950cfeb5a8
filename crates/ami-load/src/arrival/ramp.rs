//! A rate that rises or falls in a straight line: the `n`-th arrival comes when the area under the line reaches `n`.

use std::time::Duration;

use crate::plan::nanos;
use crate::rate::{self, Rate};

/// More targets than a run can have tags for.
const SHARERS_MAX: i128 = 512;

/// From one rate to another over a phase; one of them may be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ramp {
    pub from: Rate,
    pub to: Rate,
    /// Both counts over one common period.
    first: i128,
    last: i128,
    per: i128,
    length: i128,
}

impl Ramp {
    /// None when its instants would not fit the numbers that they are computed with.
    pub fn new(from: Rate, to: Rate, duration: Duration) -> Option<Self> {
        let (counts, per) = rate::over_one_period([from, to])?;
        let per = u64::try_from(per.as_nanos()).ok()?;
        let divisor = counts.into_iter().fold(per, gcd);
        let [first, last] = counts.map(|count| i128::from(count / divisor));
        let ramp = Self {
            from,
            to,
            first,
            last,
            per: i128::from(per / divisor),
            length: i128::from(nanos(duration)),
        };
        let area = ramp.length.checked_mul(ramp.length)?.checked_mul(4)?;
        area.checked_mul(first.max(last))?
            .checked_mul(SHARERS_MAX)?;
        let unit = ramp.length.checked_mul(ramp.per)?.checked_mul(4)?;
        unit.checked_mul(SHARERS_MAX)?;
        Some(ramp)
    }

    pub fn peak(&self) -> Rate {
        if self.first >= self.last {
            self.from
        } else {
            self.to
        }
    }

    /// The most arrivals on one target within `window`, which is at the higher end.
    pub(super) fn busiest(&self, window: Duration) -> f64 {
        let length = Duration::from_nanos(u64::try_from(self.length).expect("it was a duration"));
        let window = window.min(length).as_secs_f64();
        let (from, to) = (self.from.per_second(), self.to.per_second());
        from.max(to) * window - (from - to).abs() * window * window / (2.0 * length.as_secs_f64())
    }
}

/// The instants of a ramp, shared by targets that take turns, in nanoseconds from its beginning.
///
/// With the area doubled and taken times period and length everything is a whole number: the `n`-th arrival is at the
/// last nanosecond `t` for which `sharers · (2·first·length·t + (last − first)·t²) ≤ n · 2·length·per`.
#[derive(Clone, Copy, Debug)]
pub(super) struct RampInstants {
    linear: i128,
    square: i128,
    unit: i128,
    length: i128,
    whole: i128,
    goal: i128,
}

impl RampInstants {
    pub(super) fn new(ramp: &Ramp, sharers: u64) -> Self {
        let sharers = i128::from(sharers);
        let mut instants = Self {
            linear: sharers * 2 * ramp.first * ramp.length,
            square: sharers * (ramp.last - ramp.first),
            unit: 2 * ramp.length * ramp.per,
            length: ramp.length,
            whole: 0,
            goal: 0,
        };
        instants.whole = instants.area(ramp.length);
        instants
    }

    /// How many are still to come.
    pub(super) fn left(&self) -> u64 {
        let left = (self.whole - self.goal).max(0);
        u64::try_from((left + self.unit - 1) / self.unit).expect("counts of a run fit 64 bits")
    }

    fn area(&self, at: i128) -> i128 {
        (self.linear + self.square * at) * at
    }

    /// Solved in floating point from the lower end, where nothing cancels, then set right in whole numbers.
    fn reached(&self) -> i128 {
        let root = |area: i128, linear: i128, square: i128| {
            let (area, linear, square) = (area as f64, linear as f64, square as f64);
            let divisor = linear + (linear * linear + 4.0 * square * area).sqrt();
            if divisor > 0.0 {
                2.0 * area / divisor
            } else {
                0.0
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "an instant of a phase")]
        let mut at = if self.square >= 0 {
            root(self.goal, self.linear, self.square) as i128
        } else {
            let at_the_end = self.linear + 2 * self.square * self.length;
            let left = root(self.whole - self.goal, at_the_end, -self.square);
            self.length - left as i128
        };
        at = at.clamp(0, self.length - 1);
        while self.area(at) > self.goal {
            at -= 1;
        }
        while at + 1 < self.length && self.area(at + 1) <= self.goal {
            at += 1;
        }
        at
    }
}

impl Iterator for RampInstants {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        if self.goal >= self.whole {
            return None;
        }
        let at = self.reached();
        self.goal += self.unit;
        Some(u64::try_from(at).expect("an instant lies within the phase"))
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn per_s(count: u64) -> Rate {
        Rate {
            count,
            per: Duration::from_secs(1),
        }
    }

    fn instants(from: u64, to: u64, duration: Duration, sharers: u64) -> RampInstants {
        let ramp = Ramp::new(per_s(from), per_s(to), duration).unwrap();
        RampInstants::new(&ramp, sharers)
    }

    #[test]
    fn a_ramp_from_nothing_begins_slowly_and_one_to_nothing_ends_so() {
        let ms = |from, to| -> Vec<u64> {
            let instants = instants(from, to, Duration::from_secs(2), 1);
            instants.map(|at| at / 1_000_000).collect()
        };
        assert_eq!(ms(0, 4), [0, 1000, 1414, 1732]);
        assert_eq!(ms(4, 0), [0, 267, 585, 1000]);
        assert_eq!(ms(2, 2), [0, 500, 1000, 1500]);
    }

    #[test]
    fn a_day_long_ramp_is_exact_at_its_end() {
        for (from, to) in [(0, 1_000_003), (1_000_003, 0)] {
            let day = Duration::from_secs(86_400);
            let mut instants = instants(from, to, day, 3);
            let left = instants.left();
            assert_eq!(left, 1_000_003 * 86_400 / 2 * 3);
            instants.goal += instants.unit * i128::from(left - 1);
            let last = i128::from(instants.next().unwrap());
            let goal = instants.unit * i128::from(left - 1);
            assert!(instants.area(last) <= goal && instants.area(last + 1) > goal);
            assert_eq!(instants.next(), None);
        }
    }

    #[test]
    fn a_ramp_that_cannot_be_exact_is_none() {
        let year = Duration::from_secs(366 * 86_400);
        assert_eq!(Ramp::new(per_s(0), per_s(1_000_003), year), None);
    }

    proptest! {
        /// As many as the area under the line, rounded up; the first at the start; each at the last nanosecond by which
        /// the area is no more than its number; in order, and none outside the phase.
        #[test]
        fn each_comes_when_the_area_reaches_its_number(
            from in 0u64..2_000, to in 0u64..2_000, ms in 1u64..3_000, sharers in 1u64..4,
        ) {
            let duration = Duration::from_millis(ms);
            let mut left = instants(from, to, duration, sharers);
            // In doubled areas of a thousandth arrival: (from + to) · ms ÷ 2000 arrivals on each target.
            let expected = ((from + to) * ms * sharers).div_ceil(2_000);
            prop_assert_eq!(left.left(), expected);
            let all: Vec<u64> = instants(from, to, duration, sharers).collect();
            prop_assert_eq!(all.len() as u64, expected);
            prop_assert!(all.first().is_none_or(|first| *first == 0));
            prop_assert!(all.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert!(all.iter().all(|at| u128::from(*at) < duration.as_nanos()));
            let (a, b, length, k) = (from as i128, to as i128, i128::from(ms) * 1_000_000, sharers as i128);
            let area = |t: i128| k * (2 * a * length * t + (b - a) * t * t);
            for (n, at) in (0i128..).zip(&all) {
                let goal = n * 2 * length * 1_000_000_000;
                let at = i128::from(*at);
                prop_assert!(area(at) <= goal);
                prop_assert!(at + 1 == length || area(at + 1) > goal);
            }
            prop_assert_eq!(left.by_ref().count() as u64, expected);
        }
    }
}
