//! The mix of a phase: which entry each arrival takes.

/// The mix entries in the order in which arrivals take them, over and over.
///
/// Shares are exact within each cycle, and spread evenly over it: 25 : 1 is one in 26, never a clump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixCycle {
    order: Vec<Place>,
    /// How often each entry stands in the cycle.
    counts: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    mix: u16,
    /// How often the entry stood in the cycle before.
    rank: u32,
}

/// A place in the endless repetition of a cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    position: usize,
    round: u64,
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
        let mut counts = vec![0u32; weights.len()];
        let mut order = Vec::new();
        for _ in 0..total {
            for (credit, weight) in credit.iter_mut().zip(&weights) {
                *credit += weight;
            }
            let best = (0..credit.len())
                .max_by_key(|index| (credit[*index], std::cmp::Reverse(*index)))
                .expect("a mix has an entry");
            credit[best] -= total;
            order.push(Place {
                mix: u16::try_from(best).expect("a mix has under 65,536 entries"),
                rank: counts[best],
            });
            counts[best] += 1;
        }
        Self { order, counts }
    }

    #[expect(clippy::len_without_is_empty, reason = "a mix has an entry")]
    pub fn len(&self) -> u64 {
        u64::try_from(self.order.len()).expect("lengths fit 64 bits")
    }

    pub fn at(&self, number: u64) -> u16 {
        self.order[self.turn(number).position].mix
    }

    pub(super) fn turn(&self, number: u64) -> Turn {
        Turn {
            position: usize::try_from(number % self.len()).expect("it is under the length"),
            round: number / self.len(),
        }
    }

    /// The entry whose turn it is, and how often it had one before.
    pub(super) fn take(&self, turn: &mut Turn) -> (u16, u64) {
        let Place { mix, rank } = self.order[turn.position];
        let nth = turn.round * u64::from(self.counts[usize::from(mix)]) + u64::from(rank);
        turn.position += 1;
        if turn.position == self.order.len() {
            turn.position = 0;
            turn.round += 1;
        }
        (mix, nth)
    }

    /// How often an entry has its turn in so many turns from `first` on.
    pub fn count(&self, mix: u16, first: u64, turns: u64) -> u64 {
        let until = |number: u64| {
            let Turn { position, round } = self.turn(number);
            let begun = &self.order[..position];
            let begun = begun.iter().filter(|place| place.mix == mix).count() as u64;
            round * u64::from(self.counts[usize::from(mix)]) + begun
        };
        until(first + turns) - until(first)
    }

    /// The most turns that an entry has among any `turns` in a row.
    pub fn densest(&self, mix: u16, turns: u64) -> u64 {
        let whole = turns / self.len() * u64::from(self.counts[usize::from(mix)]);
        let rest = usize::try_from(turns % self.len()).expect("it is under the length");
        let is = |position: usize| u64::from(self.order[position % self.order.len()].mix == mix);
        let mut within: u64 = (0..rest).map(is).sum();
        let mut most = within;
        for first in 0..self.order.len() {
            within = within + is(first + rest) - is(first);
            most = most.max(within);
        }
        whole + most
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(shares: &[u32]) -> Vec<u16> {
        let cycle = MixCycle::new(shares);
        (0..cycle.len()).map(|number| cycle.at(number)).collect()
    }

    #[test]
    fn shares_are_spread_over_the_cycle() {
        assert_eq!(order(&[3, 1]), [0, 0, 1, 0]);
        assert_eq!(order(&[500, 20]).len(), 26);
    }

    proptest! {
        /// Every cycle holds each entry as often as its reduced share, and no prefix strays by more than one entry each.
        #[test]
        fn shares_are_exact_and_smooth(shares in prop::collection::vec(1u32..50, 1..6)) {
            let order = order(&shares);
            let total: u64 = shares.iter().map(|share| u64::from(*share)).sum();
            for (index, share) in shares.iter().enumerate() {
                let mut seen = 0u64;
                for (position, entry) in order.iter().enumerate() {
                    seen += u64::from(usize::from(*entry) == index);
                    let fair = (position as f64 + 1.0) * f64::from(*share) / total as f64;
                    let slack = shares.len() as f64;
                    prop_assert!((seen as f64 - fair).abs() <= slack);
                }
                let exact = order.len() as u64 * u64::from(*share) / total;
                prop_assert_eq!(seen, exact);
            }
        }

        /// Turns number each entry without a gap, and counts and densest stretches are those of the turns one by one.
        #[test]
        fn turns_are_numbered_and_counted(
            shares in prop::collection::vec(1u32..20, 1..5), first in 0u64..200, turns in 1u64..150,
        ) {
            let cycle = MixCycle::new(&shares);
            let mut turn = cycle.turn(first);
            let mut next: Vec<Option<u64>> = vec![None; shares.len()];
            let mut seen = vec![0u64; shares.len()];
            for number in first..first + turns {
                let (mix, nth) = cycle.take(&mut turn);
                prop_assert_eq!(mix, cycle.at(number));
                let next = &mut next[usize::from(mix)];
                prop_assert!(next.is_none_or(|next| next == nth));
                *next = Some(nth + 1);
                seen[usize::from(mix)] += 1;
            }
            for (mix, seen) in (0..).zip(seen) {
                prop_assert_eq!(cycle.count(mix, first, turns), seen);
                let most = (0..cycle.len()).map(|first| cycle.count(mix, first, turns)).max();
                prop_assert_eq!(Some(cycle.densest(mix, turns)), most);
            }
        }
    }
}
