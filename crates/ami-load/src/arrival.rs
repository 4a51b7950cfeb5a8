//! When each action is intended to start. Pure: the same plan gives the same arrivals, whoever asks.

use std::ops::Deref;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::plan::{Arrivals, Plan};

/// One intended instant, counted from the start of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub at: Duration,
    pub target: u16,
    pub phase: u16,
    pub mix: u16,
    /// Its number among the arrivals of its target and phase.
    pub number: u64,
}

/// The mix entries in the order in which arrivals take them, over and over.
///
/// Shares are exact within each cycle, and spread evenly over it: 25 : 1 is one in 26, never a clump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixCycle {
    order: Vec<u16>,
}

impl MixCycle {
    /// Past this a cycle would outlast a usual run, and its shares would not be met within it.
    pub const LENGTH_MAX: u64 = 100_000;

    pub fn length(shares: &[u32]) -> u64 {
        let divisor = shares.iter().fold(0, |a, b| gcd(a, *b)).max(1);
        shares.iter().map(|share| u64::from(share / divisor)).sum()
    }

    /// Smooth weighted round robin over one cycle.
    pub fn new(shares: &[u32]) -> Self {
        let divisor = shares.iter().fold(0, |a, b| gcd(a, *b)).max(1);
        let weights: Vec<i64> = shares
            .iter()
            .map(|share| i64::from(share / divisor))
            .collect();
        let total: i64 = weights.iter().sum();
        let mut credit = vec![0i64; weights.len()];
        let mut order = Vec::new();
        for _ in 0..total {
            for (credit, weight) in credit.iter_mut().zip(&weights) {
                *credit += weight;
            }
            let best = (0..credit.len())
                .max_by_key(|index| (credit[*index], std::cmp::Reverse(*index)))
                .expect("a mix has an entry");
            credit[best] -= total;
            order.push(u16::try_from(best).expect("a mix has under 65,536 entries"));
        }
        Self { order }
    }

    #[expect(clippy::len_without_is_empty, reason = "a mix has an entry")]
    pub fn len(&self) -> u64 {
        u64::try_from(self.order.len()).expect("lengths fit 64 bits")
    }

    pub fn at(&self, number: u64) -> u16 {
        let index = usize::try_from(number % self.len()).expect("it is under the length");
        self.order[index]
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Where in the cycle a target or session begins, so that not all originate at once.
pub fn rotation(seed: u64, stream: u64) -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng.next_u64() >> 32
}

/// All arrivals of the open-loop phases, in order of time; the targets of one instant take turns.
#[derive(Debug)]
pub struct OpenLoop<P> {
    plan: P,
    rotations: Vec<u64>,
    phase: usize,
    global: u64,
}

impl<P: Deref<Target = Plan>> OpenLoop<P> {
    pub fn new(plan: P) -> Self {
        let targets = u64::try_from(plan.targets.len()).expect("a few targets");
        let rotations = (0..targets)
            .map(|target| rotation(plan.seed, target))
            .collect();
        Self {
            plan,
            rotations,
            phase: 0,
            global: 0,
        }
    }
}

impl<P: Deref<Target = Plan>> Iterator for OpenLoop<P> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let targets = u64::try_from(self.rotations.len()).expect("a few targets");
        loop {
            let phase = self.plan.phases.get(self.phase)?;
            let Arrivals::Constant { rate } = phase.arrival else {
                self.phase += 1;
                continue;
            };
            if self.global >= rate.arrivals_in(phase.duration) * targets {
                self.phase += 1;
                self.global = 0;
                continue;
            }
            let (number, target) = (self.global / targets, self.global % targets);
            let target = usize::try_from(target).expect("a few targets");
            let arrival = Arrival {
                at: phase.starts_at + rate.offset(self.global, targets),
                target: u16::try_from(target).expect("a few targets"),
                phase: u16::try_from(self.phase).expect("a few phases"),
                mix: phase.cycle.at(number + self.rotations[target]),
                number,
            };
            self.global += 1;
            return Some(arrival);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shares_are_spread_over_the_cycle() {
        assert_eq!(MixCycle::new(&[3, 1]).order, [0, 0, 1, 0]);
        assert_eq!(MixCycle::new(&[500, 20]).order.len(), 26);
    }

    proptest! {
        /// Every cycle holds each entry as often as its reduced share, and no prefix strays by more than one entry each.
        #[test]
        fn shares_are_exact_and_smooth(shares in prop::collection::vec(1u32..50, 1..6)) {
            let cycle = MixCycle::new(&shares);
            let total: u64 = shares.iter().map(|share| u64::from(*share)).sum();
            for (index, share) in shares.iter().enumerate() {
                let mut seen = 0u64;
                for (position, entry) in cycle.order.iter().enumerate() {
                    seen += u64::from(usize::from(*entry) == index);
                    let fair = (position as f64 + 1.0) * f64::from(*share) / total as f64;
                    let slack = shares.len() as f64;
                    prop_assert!((seen as f64 - fair).abs() <= slack);
                }
                let exact = cycle.order.len() as u64 * u64::from(*share) / total;
                prop_assert_eq!(seen, exact);
            }
        }
    }
}
