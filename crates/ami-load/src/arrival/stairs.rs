//! A rate that changes in stairs, as SIPp raises it: constant on each, which has exactly rate × length arrivals. What is
//! left of a distance at the end of a stair is carried over to the next.

use std::time::Duration;

use super::even::Even;
use crate::plan::nanos;
use crate::rate::{self, Rate};

/// More targets than a run can have tags for.
const SHARERS_MAX: u64 = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Up,
    Down,
}

/// Counts are over one common period; the first stair, or the last of stairs that lead down, may be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stairs {
    per: Duration,
    from: u64,
    by: u64,
    pub direction: Direction,
    /// No stair goes beyond this.
    to: Option<u64>,
    pub every: Duration,
}

impl Stairs {
    /// A stair is a line of a plan that somebody will look at; with more of them a ramp says the same.
    pub const COUNT_MAX: u64 = 10_000;

    /// None when the rates have no common period.
    pub fn new(
        from: Rate,
        (direction, by): (Direction, Rate),
        to: Option<Rate>,
        every: Duration,
    ) -> Option<Self> {
        let ([from, by, bound], per) = rate::over_one_period([from, by, to.unwrap_or(from)])?;
        Some(Self {
            per,
            from,
            by,
            direction,
            to: to.map(|_| bound),
            every,
        })
    }

    pub fn from(&self) -> Rate {
        self.rate(self.from)
    }

    pub fn by(&self) -> Rate {
        self.rate(self.by)
    }

    pub fn to(&self) -> Option<Rate> {
        self.to.map(|to| self.rate(to))
    }

    /// Whether `to` lies where the stairs lead.
    pub fn reach_their_end(&self) -> bool {
        match (self.direction, self.to) {
            (_, None) => true,
            (Direction::Up, Some(to)) => to > self.from,
            (Direction::Down, Some(to)) => to < self.from,
        }
    }

    /// Whether the instants of all targets can be computed.
    pub fn are_countable(&self, duration: Duration) -> bool {
        let highest = [0, self.count_in(duration) - 1].map(|index| self.stair(index).count);
        highest
            .into_iter()
            .all(|count| count < u64::MAX / SHARERS_MAX)
    }

    pub fn count_in(&self, duration: Duration) -> u64 {
        u64::try_from(duration.as_nanos().div_ceil(self.every.as_nanos()))
            .expect("a phase lasts under 500 years")
    }

    /// The highest stair within a phase of this length.
    pub fn peak(&self, duration: Duration) -> Rate {
        match self.direction {
            Direction::Up => self.stair(self.count_in(duration) - 1).reduced(),
            Direction::Down => self.from(),
        }
    }

    pub(super) fn stair(&self, index: u64) -> Rate {
        let by = self.by.saturating_mul(index);
        let count = match self.direction {
            Direction::Up => self
                .from
                .saturating_add(by)
                .min(self.to.unwrap_or(u64::MAX)),
            Direction::Down => self.from.saturating_sub(by).max(self.to.unwrap_or(0)),
        };
        Rate {
            count,
            per: self.per,
        }
    }

    fn rate(&self, count: u64) -> Rate {
        let per = self.per;
        Rate { count, per }.reduced()
    }

    /// The most arrivals on one target within `window`: at the highest stair and those next to it.
    pub(super) fn busiest(&self, duration: Duration, window: Duration) -> f64 {
        let mut left = window.min(duration);
        let mut arrivals = 0.0;
        let stairs = self.count_in(duration);
        for step in 0..stairs {
            let index = match self.direction {
                Direction::Up => stairs - 1 - step,
                Direction::Down => step,
            };
            let length = self.length(index, duration).min(left);
            arrivals += self.stair(index).per_second() * length.as_secs_f64();
            left -= length;
            if left.is_zero() {
                break;
            }
        }
        arrivals
    }

    /// The last stair may be cut short by the end of the phase.
    fn length(&self, index: u64, duration: Duration) -> Duration {
        let begins = Duration::from_nanos(nanos(self.every) * index);
        self.every.min(duration.saturating_sub(begins))
    }
}

/// The instants of stairs, shared by targets that take turns, in nanoseconds from their beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct StairInstants {
    stairs: Stairs,
    duration: Duration,
    sharers: u64,
    /// Of the stair that the arrivals are on.
    index: u64,
    begins: u64,
    even: Even,
}

impl StairInstants {
    pub(super) fn new(stairs: Stairs, duration: Duration, sharers: u64) -> Self {
        let first = stairs.length(0, duration);
        Self {
            stairs,
            duration,
            sharers,
            index: 0,
            begins: 0,
            even: Even::new(stairs.stair(0), first, sharers),
        }
    }

    /// How many are still to come.
    pub(super) fn left(mut self) -> u64 {
        let mut left = self.even.left();
        while self.climb() {
            left += self.even.left();
        }
        left
    }

    /// To the next stair; false when there is none.
    fn climb(&mut self) -> bool {
        let begins = self.begins + nanos(self.stairs.every);
        if begins >= nanos(self.duration) {
            return false;
        }
        self.index += 1;
        self.begins = begins;
        let length = self.stairs.length(self.index, self.duration);
        let (carried, rate) = (self.even.carried(), self.stairs.stair(self.index));
        self.even = Even::after(carried, rate, length, self.sharers);
        true
    }
}

impl Iterator for StairInstants {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        loop {
            if let Some(at) = self.even.next() {
                return Some(self.begins + at);
            }
            if !self.climb() {
                return None;
            }
        }
    }
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

    fn check(stairs: Stairs, duration_s: u64, expected: &[u64]) {
        let duration = Duration::from_secs(duration_s);
        let rates: Vec<u64> = (0..stairs.count_in(duration))
            .map(|index| stairs.stair(index).count)
            .collect();
        assert_eq!(rates, expected);
        let highest = expected.iter().max().copied();
        assert_eq!(Some(stairs.peak(duration).count), highest);
    }

    #[test]
    fn stairs_lead_up_or_down_and_never_beyond_their_end() {
        let stairs = |from, by, to: Option<u64>| {
            let every = Duration::from_secs(5);
            Stairs::new(per_s(from), by, to.map(per_s), every).unwrap()
        };
        let (up, down) = ((Direction::Up, per_s(25)), (Direction::Down, per_s(25)));
        check(stairs(10, up, None), 20, &[10, 35, 60, 85]);
        check(stairs(10, up, None), 21, &[10, 35, 60, 85, 110]);
        check(stairs(10, up, Some(50)), 20, &[10, 35, 50, 50]);
        check(stairs(60, down, None), 20, &[60, 35, 10, 0]);
        check(stairs(60, down, Some(20)), 15, &[60, 35, 20]);
        assert!(!stairs(60, up, Some(20)).reach_their_end());
        assert!(!stairs(10, down, Some(20)).reach_their_end());
    }

    proptest! {
        /// A stair with whole seconds has exactly rate × length arrivals on each target, evenly from its first instant on.
        #[test]
        fn each_stair_has_rate_times_length(
            from in 1u64..100, by in 1u64..50, every_s in 1u64..4, stairs in 1u64..6, sharers in 1u64..4,
        ) {
            let every = Duration::from_secs(every_s);
            let planned = Stairs::new(per_s(from), (Direction::Up, per_s(by)), None, every).unwrap();
            let duration = every * u32::try_from(stairs).unwrap();
            let all: Vec<u64> = StairInstants::new(planned, duration, sharers).collect();
            for index in 0..stairs {
                let begins = index * nanos(every);
                let stair = begins..begins + nanos(every);
                let of_stair: Vec<u64> = all.iter().copied().filter(|at| stair.contains(at)).collect();
                let rate = (from + index * by) * sharers;
                prop_assert_eq!(of_stair.len() as u64, rate * every_s);
                for (n, at) in (0..).zip(of_stair) {
                    prop_assert_eq!(at, begins + n * 1_000_000_000 / rate);
                }
            }
        }

        /// Stairs of any length: as many as the area under them, rounded up; each at the last nanosecond by which the area
        /// is no more than its number.
        #[test]
        fn nothing_is_lost_between_stairs(
            from in 0u64..30, by in 1u64..30, every_ms in 1u64..900, stairs in 1u64..12, sharers in 1u64..4,
        ) {
            let every = Duration::from_millis(every_ms);
            let planned = Stairs::new(per_s(from), (Direction::Up, per_s(by)), None, every).unwrap();
            let duration = every * u32::try_from(stairs).unwrap();
            let instants = StairInstants::new(planned, duration, sharers);
            let all: Vec<u64> = instants.collect();
            prop_assert_eq!(instants.left(), all.len() as u64);
            // In parts of an arrival: a thousand million of them to one.
            let area = |until: u64| -> u64 {
                let stair = |index| until.saturating_sub(index * nanos(every)).min(nanos(every));
                (0..stairs).map(|index| (from + index * by) * sharers * stair(index)).sum()
            };
            let whole = area(nanos(duration));
            prop_assert_eq!(all.len() as u64, whole.div_ceil(1_000_000_000));
            for (n, at) in (0..).zip(all) {
                prop_assert!(area(at) <= n * 1_000_000_000 && area(at + 1) > n * 1_000_000_000);
            }
        }
    }
}
