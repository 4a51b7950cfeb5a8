//! How arrivals are spread over a phase: constant, ramp, stairs, Poisson, bursts, or a closed loop.

use std::fmt;
use std::time::Duration;

use super::even::Even;
use super::poisson::{Merged, Poisson};
use super::ramp::{Ramp, RampInstants};
use super::stairs::{Direction, StairInstants, Stairs};
use crate::plan::nanos;
use crate::rate::{Rate, show_duration};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    Constant { rate: Rate },
    Ramp(Ramp),
    Step(Stairs),
    Poisson { rate: Rate },
    Burst { size: u32, every: Duration },
    Closed { think: Duration },
}

/// A phase, as far as its arrivals depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    pub duration: Duration,
    pub targets: u16,
    pub seed: u64,
    pub phase: u16,
}

impl Arrivals {
    /// The highest rate on each target; none where the answers or the size of a burst decide.
    pub fn peak(&self, duration: Duration) -> Option<Rate> {
        match self {
            Self::Constant { rate } | Self::Poisson { rate } => Some(*rate),
            Self::Ramp(ramp) => Some(ramp.peak()),
            Self::Step(stairs) => Some(stairs.peak(duration)),
            Self::Burst { .. } | Self::Closed { .. } => None,
        }
    }

    /// How many arrivals one target is offered; none are planned in a closed loop.
    pub fn count(&self, stretch: &Stretch, target: u16) -> u64 {
        let targets = u64::from(stretch.targets);
        let dealt = |all: u64| (all + targets - 1 - u64::from(target)) / targets;
        match self {
            Self::Constant { rate } => dealt(Even::new(*rate, stretch.duration, targets).left()),
            Self::Ramp(ramp) => dealt(RampInstants::new(ramp, targets).left()),
            Self::Step(stairs) => {
                dealt(StairInstants::new(*stairs, stretch.duration, targets).left())
            }
            Self::Poisson { rate } => Poisson::new(*rate, stretch, target).count() as u64,
            Self::Burst { size, every } => u64::from(*size) * bursts(stretch.duration, *every),
            Self::Closed { .. } => 0,
        }
    }

    /// The most arrivals that one target is offered within any `window`; in one longer than the phase, as if it went on.
    pub fn busiest(&self, stretch: &Stretch, target: u16, window: Duration) -> u64 {
        let duration = stretch.duration;
        let beyond = window.saturating_sub(duration).as_secs_f64();
        let beyond = self
            .peak(duration)
            .map_or(0.0, |peak| peak.per_second() * beyond);
        let (whole, window) = (window, window.min(duration));
        match self {
            Self::Constant { rate } => ceil(rate.per_second() * window.as_secs_f64() + beyond),
            Self::Ramp(ramp) => ceil(ramp.busiest(window) + beyond),
            Self::Step(stairs) => ceil(stairs.busiest(duration, window) + beyond),
            Self::Poisson { rate } => {
                Poisson::new(*rate, stretch, target).busiest(window) + ceil(beyond)
            }
            Self::Burst { size, every } => u64::from(*size) * bursts(whole, *every),
            Self::Closed { .. } => 0,
        }
    }
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant { rate } => write!(f, "{rate} on each target"),
            Self::Ramp(Ramp { from, to, .. }) => {
                write!(f, "ramp from {from} to {to} on each target")
            }
            Self::Step(stairs) => {
                let change = match stairs.direction {
                    Direction::Up => "more",
                    Direction::Down => "less",
                };
                let every = show_duration(stairs.every);
                write!(
                    f,
                    "{}, then {} {change} every {every}",
                    stairs.from(),
                    stairs.by()
                )?;
                if let Some(to) = stairs.to() {
                    write!(f, " to {to}")?;
                }
                f.write_str(" on each target")
            }
            Self::Poisson { rate } => write!(f, "Poisson, {rate} on each target"),
            Self::Burst { size, every } => {
                let every = show_duration(*every);
                write!(f, "bursts of {size} every {every} on each target")
            }
            Self::Closed { think } => {
                write!(f, "closed loop, {} ms think time", think.as_millis())
            }
        }
    }
}

fn bursts(duration: Duration, every: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(every.as_nanos())).expect("counts of a run fit")
}

/// A little above a whole number is that number, as sums of floating point are.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a plan are positive and fit"
)]
fn ceil(value: f64) -> u64 {
    (value - 1e-6).ceil().max(0.0) as u64
}

/// The arrivals of one phase one by one: nanoseconds from its beginning, and the target.
#[derive(Debug)]
pub(super) enum Stream {
    None,
    Constant(Even, Dealer),
    Ramp(RampInstants, Dealer),
    Step(StairInstants, Dealer),
    Poisson(Merged),
    Burst(Bursts),
}

impl Stream {
    pub(super) fn new(arrivals: &Arrivals, stretch: &Stretch) -> Self {
        let duration = stretch.duration;
        let targets = u64::from(stretch.targets);
        let dealer = Dealer {
            next: 0,
            targets: stretch.targets,
        };
        match arrivals {
            Arrivals::Constant { rate } => {
                Self::Constant(Even::new(*rate, duration, targets), dealer)
            }
            Arrivals::Ramp(ramp) => Self::Ramp(RampInstants::new(ramp, targets), dealer),
            Arrivals::Step(stairs) => {
                Self::Step(StairInstants::new(*stairs, duration, targets), dealer)
            }
            Arrivals::Poisson { rate } => Self::Poisson(Merged::new(*rate, stretch)),
            Arrivals::Burst { size, every } => Self::Burst(Bursts {
                at: 0,
                sent: 0,
                size: *size,
                every: nanos(*every),
                until: nanos(duration),
                dealer,
            }),
            Arrivals::Closed { .. } => Self::None,
        }
    }
}

impl Iterator for Stream {
    type Item = (u64, u16);

    fn next(&mut self) -> Option<(u64, u16)> {
        match self {
            Self::None => None,
            Self::Constant(even, dealer) => Some((even.next()?, dealer.next())),
            Self::Ramp(ramp, dealer) => Some((ramp.next()?, dealer.next())),
            Self::Step(stairs, dealer) => Some((stairs.next()?, dealer.next())),
            Self::Poisson(merged) => merged.next(),
            Self::Burst(bursts) => bursts.next(),
        }
    }
}

/// Targets in turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dealer {
    next: u16,
    targets: u16,
}

impl Dealer {
    fn next(&mut self) -> u16 {
        let target = self.next;
        self.next = if target + 1 == self.targets {
            0
        } else {
            target + 1
        };
        target
    }
}

/// So many at one instant on each target, every so often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bursts {
    at: u64,
    /// Of the burst at `at`, on each target.
    sent: u32,
    size: u32,
    every: u64,
    until: u64,
    dealer: Dealer,
}

impl Iterator for Bursts {
    type Item = (u64, u16);

    fn next(&mut self) -> Option<(u64, u16)> {
        if self.at >= self.until {
            return None;
        }
        let next = (self.at, self.dealer.next());
        if self.dealer.next == 0 {
            self.sent += 1;
            if self.sent == self.size {
                self.sent = 0;
                self.at += self.every;
            }
        }
        Some(next)
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

    fn shapes() -> impl Strategy<Value = (Arrivals, Duration)> {
        let ms = |ms| Duration::from_millis(ms);
        let shape = (0u32..6, 1u64..200, 0u64..200, 50u64..1_500, 100u64..3_000);
        shape.prop_map(move |(kind, a, b, every, duration)| {
            let duration = ms(duration);
            let arrivals = match kind {
                0 => Arrivals::Constant { rate: per_s(a) },
                1 => Arrivals::Ramp(Ramp::new(per_s(a), per_s(b), duration).unwrap()),
                2 => Arrivals::Ramp(Ramp::new(per_s(b), per_s(a), duration).unwrap()),
                3 => Arrivals::Step(
                    Stairs::new(per_s(b), (Direction::Up, per_s(a)), None, ms(every)).unwrap(),
                ),
                4 => Arrivals::Poisson { rate: per_s(a) },
                _ => Arrivals::Burst {
                    size: u32::try_from(a).unwrap(),
                    every: ms(every),
                },
            };
            (arrivals, duration)
        })
    }

    #[test]
    fn a_burst_is_at_one_instant_and_the_targets_take_turns_in_it() {
        let burst = Arrivals::Burst {
            size: 2,
            every: Duration::from_secs(1),
        };
        let stretch = Stretch {
            duration: Duration::from_millis(1_001),
            targets: 2,
            seed: 0,
            phase: 0,
        };
        let all: Vec<(u64, u16)> = Stream::new(&burst, &stretch).collect();
        let second = 1_000_000_000;
        let one = |at| [(at, 0), (at, 1), (at, 0), (at, 1)];
        assert_eq!(all, [one(0), one(second)].concat());
    }

    proptest! {
        /// Of every shape, on any number of targets: arrivals are in order and within the phase, as many on each target as
        /// are counted beforehand, and no window has more than the busiest one (but for one that roundings let in).
        #[test]
        fn what_is_said_of_a_phase_beforehand_is_so(
            (arrivals, duration) in shapes(), targets in 1u16..4, seed: u64, window_ms in 1u64..2_000,
        ) {
            let stretch = Stretch { duration, targets, seed, phase: 0 };
            let all: Vec<(u64, u16)> = Stream::new(&arrivals, &stretch).collect();
            prop_assert!(all.windows(2).all(|pair| pair[0].0 <= pair[1].0));
            prop_assert!(all.iter().all(|(at, _)| u128::from(*at) < duration.as_nanos()));
            let window = window_ms * 1_000_000;
            for target in 0..targets {
                let of: Vec<u64> = all.iter().filter(|(_, of)| *of == target).map(|(at, _)| *at).collect();
                prop_assert_eq!(of.len() as u64, arrivals.count(&stretch, target));
                let busiest = arrivals.busiest(&stretch, target, Duration::from_nanos(window));
                let within = |from: u64| of.iter().filter(|at| (from..from + window).contains(*at)).count() as u64;
                let most = of.iter().map(|from| within(*from)).max().unwrap_or(0);
                prop_assert!(most <= busiest + 1, "{most} of {busiest}");
                prop_assert!(window > nanos(duration) || busiest <= most + 2, "{most} of {busiest}");
            }
        }
    }
}
