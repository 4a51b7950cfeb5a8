//! How long to wait before the next try to connect: doubling, capped, with jitter. Pure: randomness is an argument.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

const FIRST: Duration = Duration::from_millis(250);
/// A PBX that restarts is back within minutes; longer pauses would only delay noticing it.
const CAP: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Backoff {
    rng: ChaCha8Rng,
    attempts: u32,
}

impl Backoff {
    /// After so many attempts that failed.
    pub fn after(attempts: u32, rng: ChaCha8Rng) -> Self {
        Self { rng, attempts }
    }

    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Between half and the whole of the doubled pause, so that sessions lost together do not return together.
    pub fn pause(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.attempts.min(16)).min(CAP);
        self.attempts += 1;
        let share = f64::from(self.rng.next_u32()) / f64::from(u32::MAX);
        whole.mul_f64(0.5 + share / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn failures_of_before_count() {
        let mut backoff = Backoff::after(4, ChaCha8Rng::seed_from_u64(0));
        assert!(backoff.pause() >= FIRST * 8);
        assert_eq!(backoff.attempts(), 5);
    }

    proptest! {
        /// The n-th pause lies between half and the whole of min(cap, first · 2ⁿ).
        #[test]
        fn pauses_double_up_to_the_cap(seed: u64, tries in 1usize..40) {
            let mut backoff = Backoff::after(0, ChaCha8Rng::seed_from_u64(seed));
            for attempt in 0..tries {
                let whole = FIRST.saturating_mul(1 << attempt.min(16)).min(CAP);
                let pause = backoff.pause();
                prop_assert!(pause >= whole / 2 && pause <= whole);
            }
        }
    }
}
