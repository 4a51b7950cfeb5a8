//! When each action is intended to start. Pure: the same plan gives the same arrivals, whoever asks.

use std::ops::Deref;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::plan::Plan;

mod even;
mod mix;
mod poisson;
mod ramp;
mod shape;
mod stairs;

pub use mix::MixCycle;
pub use ramp::Ramp;
pub use shape::{Arrivals, Stretch};
pub use stairs::{Direction, Stairs};

use mix::Turn;
use shape::Stream;

/// One intended instant, counted from the start of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub at: Duration,
    pub target: u16,
    pub phase: u16,
    pub mix: u16,
    /// Its number among the arrivals of its target and phase.
    pub number: u64,
    /// Its number among those that took the same entry of the mix.
    pub nth: u64,
}

impl Arrival {
    /// Whose it is, when so many share the load: the arrivals of each entry of a mix are dealt in turn.
    pub fn share(&self, sharers: u32) -> u32 {
        let dealt = (self.nth + u64::from(self.mix)) % u64::from(sharers);
        u32::try_from(dealt).expect("it is under the number of sharers")
    }
}

/// Where in the cycle a target or session begins, so that not all originate at once.
pub fn rotation(seed: u64, stream: u64) -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng.next_u64() >> 32
}

/// All arrivals of the open-loop phases, in order of time.
#[derive(Debug)]
pub struct OpenLoop<P> {
    plan: P,
    phase: u16,
    starts_at: Duration,
    stream: Stream,
    targets: Vec<Served>,
}

/// How far a target is in a phase.
#[derive(Debug)]
struct Served {
    number: u64,
    turn: Turn,
}

impl<P: Deref<Target = Plan>> OpenLoop<P> {
    pub fn new(plan: P) -> Self {
        let mut arrivals = Self {
            plan,
            phase: 0,
            starts_at: Duration::ZERO,
            stream: Stream::None,
            targets: Vec::new(),
        };
        arrivals.begin();
        arrivals
    }

    fn begin(&mut self) {
        let plan = &self.plan;
        let Some(phase) = plan.phases.get(usize::from(self.phase)) else {
            return;
        };
        self.starts_at = phase.starts_at;
        self.stream = Stream::new(&phase.arrival, &plan.stretch(self.phase));
        let served = |target| Served {
            number: 0,
            turn: phase.cycle.turn(rotation(plan.seed, u64::from(target))),
        };
        self.targets = plan.target_indices().map(served).collect();
    }
}

impl<P: Deref<Target = Plan>> Iterator for OpenLoop<P> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let phase = self.plan.phases.get(usize::from(self.phase))?;
            let Some((at, target)) = self.stream.next() else {
                self.phase += 1;
                self.begin();
                continue;
            };
            let served = &mut self.targets[usize::from(target)];
            let (mix, nth) = phase.cycle.take(&mut served.turn);
            let number = served.number;
            served.number += 1;
            return Some(Arrival {
                at: self.starts_at + Duration::from_nanos(at),
                target,
                phase: self.phase,
                mix,
                number,
                nth,
            });
        }
    }
}
