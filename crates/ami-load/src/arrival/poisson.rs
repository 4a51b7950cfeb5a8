//! Arrivals that know nothing of each other: exponential gaps, each target its own stream of the seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::Stretch;
use crate::plan::nanos;
use crate::rate::Rate;

/// Streams of the seed from here on: behind those of targets and of the sessions of closed loops.
const STREAMS: u64 = 1 << 33;

/// The instants on one target, in nanoseconds from the beginning of the phase.
#[derive(Clone, Debug)]
pub(super) struct Poisson {
    rng: ChaCha8Rng,
    mean_gap: f64,
    at: u64,
    until: u64,
}

impl Poisson {
    pub(super) fn new(rate: Rate, stretch: &Stretch, target: u16) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(stretch.seed);
        rng.set_stream(STREAMS + (u64::from(stretch.phase) << 16) + u64::from(target));
        Self {
            rng,
            mean_gap: 1e9 / rate.per_second(),
            at: 0,
            until: nanos(stretch.duration),
        }
    }

    /// The most arrivals within any `window`, by one pass that is ahead and one that leaves the window behind.
    pub(super) fn busiest(&self, window: Duration) -> u64 {
        let window = nanos(window);
        let mut behind = self.clone().peekable();
        let (mut within, mut most) = (0u64, 0u64);
        for at in self.clone() {
            within += 1;
            while behind.next_if(|old| old + window <= at).is_some() {
                within -= 1;
            }
            most = most.max(within);
        }
        most
    }
}

impl Iterator for Poisson {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        // In (0, 1], in steps of 2⁻⁵³: its logarithm is finite.
        let uniform = ((self.rng.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64;
        // Not the platform's logarithm, which may differ in the last bit: segments on two machines share one plan.
        let gap = -libm::log(uniform) * self.mean_gap;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 37 mean gaps, and never negative"
        )]
        let gap = gap.round() as u64;
        self.at = self.at.saturating_add(gap);
        (self.at < self.until).then_some(self.at)
    }
}

/// Several targets in order of time.
#[derive(Clone, Debug)]
pub(super) struct Merged {
    targets: Vec<Poisson>,
    next: BinaryHeap<Reverse<(u64, u16)>>,
}

impl Merged {
    pub(super) fn new(rate: Rate, stretch: &Stretch) -> Self {
        let targets = 0..stretch.targets;
        let mut merged = Self {
            targets: targets
                .clone()
                .map(|target| Poisson::new(rate, stretch, target))
                .collect(),
            next: BinaryHeap::new(),
        };
        targets.for_each(|target| merged.draw(target));
        merged
    }

    fn draw(&mut self, target: u16) {
        let next = self.targets[usize::from(target)].next();
        self.next.extend(next.map(|at| Reverse((at, target))));
    }
}

impl Iterator for Merged {
    type Item = (u64, u16);

    fn next(&mut self) -> Option<(u64, u16)> {
        let Reverse((at, target)) = self.next.pop()?;
        self.draw(target);
        Some((at, target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stretch(seed: u64, seconds: u64) -> Stretch {
        Stretch {
            duration: Duration::from_secs(seconds),
            targets: 3,
            seed,
            phase: 1,
        }
    }

    const RATE: Rate = Rate {
        count: 100,
        per: Duration::from_secs(1),
    };

    /// 400 seeds of 1,000 expected arrivals: a mean off by four standard errors would be 0.6 %, a variance 28 %.
    #[test]
    fn mean_and_variance_are_those_of_a_poisson_process() {
        let counts: Vec<f64> = (0..400)
            .map(|seed| Poisson::new(RATE, &stretch(seed, 10), 0).count() as f64)
            .collect();
        let mean = counts.iter().sum::<f64>() / 400.0;
        let variance = counts.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / 399.0;
        assert!((mean - 1000.0).abs() < 6.4, "mean {mean}");
        assert!((variance - 1000.0).abs() < 285.0, "variance {variance}");
    }

    /// Of an exponential distribution a share of 1/e is longer than the mean, and 1/e² than twice the mean.
    #[test]
    fn gaps_are_exponential() {
        let instants: Vec<u64> = Poisson::new(RATE, &stretch(7, 1000), 0).collect();
        let gaps: Vec<u64> = instants.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for (means, share) in [(1, 0.3679), (2, 0.1353), (3, 0.0498)] {
            let longer = gaps.iter().filter(|gap| **gap > means * 10_000_000).count();
            let longer = longer as f64 / gaps.len() as f64;
            assert!((longer - share).abs() < 0.006, "{means}: {longer}");
        }
    }

    #[test]
    fn a_seed_has_its_instants_on_every_machine() {
        let first: Vec<u64> = Poisson::new(RATE, &stretch(7, 1), 0).take(4).collect();
        assert_eq!(first, [9_885_738, 19_234_773, 21_820_971, 24_511_237]);
    }

    proptest! {
        /// In order, within the phase, the same for the same seed, and other ones for another seed, target or phase.
        #[test]
        fn a_seed_has_its_instants(seed: u64) {
            let all = |stretch: Stretch| -> Vec<(u64, u16)> { Merged::new(RATE, &stretch).collect() };
            let one = all(stretch(seed, 2));
            prop_assert!(one.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert!(one.iter().all(|(at, _)| *at < 2_000_000_000));
            prop_assert_eq!(&one, &all(stretch(seed, 2)));
            prop_assert_ne!(&one, &all(stretch(seed.wrapping_add(1), 2)));
            prop_assert_ne!(&one, &all(Stretch { phase: 2, ..stretch(seed, 2) }));
            let of = |target: u16| one.iter().filter(move |(_, of)| *of == target).map(|(at, _)| *at);
            for target in 0..3 {
                prop_assert!(of(target).eq(Poisson::new(RATE, &stretch(seed, 2), target)));
            }
            prop_assert!(!of(0).eq(of(1)));
        }

        /// The busiest window is the densest of all that begin at an arrival.
        #[test]
        fn the_busiest_window_is_found(seed: u64, ms in 1u64..500) {
            let poisson = Poisson::new(RATE, &stretch(seed, 2), 0);
            let instants: Vec<u64> = poisson.clone().collect();
            let within = |from: u64| instants.iter().filter(|at| (from..from + ms * 1_000_000).contains(*at)).count();
            let most = instants.iter().map(|from| within(*from)).max().unwrap_or(0);
            prop_assert_eq!(poisson.busiest(Duration::from_millis(ms)), most as u64);
        }
    }
}
