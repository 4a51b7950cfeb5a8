//! Which members are rung next, by the strategy of the queue.

use crate::queue::member::Member;
use crate::queue::{Queue, Strategy};

/// A step of penalty weighs more than everything else (`calc_metric`).
const PENALTY: u64 = 1_000_000;
/// Members before the one whose turn it is come after all others.
const ROUND: u64 = 1000;

/// What a choice looks at besides the queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Unix time in seconds.
    pub(crate) now: u64,
    pub(crate) draw: u32,
}

impl Queue {
    /// The interfaces of those to ring for the caller at `position`, besides those of this attempt that were `tried`: the
    /// best one, or all that are as good where everybody rings.
    pub(crate) fn choose(
        &mut self,
        position: usize,
        tried: &[String],
        moment: Moment,
    ) -> Vec<String> {
        let start = match self.settings.strategy {
            Strategy::Linear => self.waiting[position].next_member,
            _ => self.next_member,
        };
        let mut free: Vec<(u64, String)> = self
            .members
            .iter()
            .enumerate()
            // Of equals the last is the first.
            .rev()
            .filter(|(_, member)| member.is_available() && !tried.contains(&member.interface))
            .map(|(at, member)| {
                let metric = self.metric(member, at, (start, moment));
                (metric, member.interface.clone())
            })
            .collect();
        free.sort_by_key(|(metric, _)| *metric);
        let Some(best) = free.first().map(|(metric, _)| *metric) else {
            return Vec::new();
        };
        let count = match self.settings.strategy {
            Strategy::RingAll => free
                .iter()
                .take_while(|(metric, _)| *metric == best)
                .count(),
            _ => 1,
        };
        let next = match free.get(count) {
            Some((metric, _)) => metric % ROUND,
            None => best % ROUND + 1,
        };
        let next = usize::try_from(next).unwrap_or_default();
        match self.settings.strategy {
            Strategy::Linear => self.waiting[position].next_member = next,
            _ => self.next_member = next,
        }
        free.truncate(count);
        free.into_iter().map(|(_, interface)| interface).collect()
    }

    /// The lower the sooner.
    fn metric(&self, member: &Member, at: usize, (start, moment): (usize, Moment)) -> u64 {
        let turn = || u64::try_from(at).unwrap_or_default() + if at < start { ROUND } else { 0 };
        let own = match self.settings.strategy {
            Strategy::RingAll => 0,
            Strategy::LeastRecent if member.last_call == 0 => 0,
            Strategy::LeastRecent => PENALTY.saturating_sub(moment.now - member.last_call),
            Strategy::FewestCalls => member.calls,
            // Anew for each member: the draw is one for all.
            Strategy::Random => {
                let at = u32::try_from(at).unwrap_or_default();
                u64::from(moment.draw.rotate_left(at * 5) % 1000)
            }
            Strategy::RrMemory | Strategy::RrOrdered | Strategy::Linear => turn(),
        };
        own + PENALTY * u64::from(member.penalty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelKey;
    use crate::queue::member::Membership;
    use crate::queue::waiting::Waiting;
    use crate::queue::{QueueSettings, Queues};

    const MOMENT: Moment = Moment { now: 100, draw: 7 };

    /// A queue of `a`, `b` and `c` (with a penalty), and a caller.
    fn queue(strategy: &str) -> Queue {
        let settings: QueueSettings =
            toml::from_str(&format!("name = \"q\"\nstrategy = \"{strategy}\"\n")).unwrap();
        let mut queue = Queues::new(&[settings], 0).list.remove(0);
        for interface in ["a", "b", "c"] {
            let mut member = Member::new(interface, Membership::Static, 0);
            member.penalty = u32::from(interface == "c");
            queue.insert(member);
        }
        queue.enter(Waiting::new(ChannelKey(1), 100));
        queue
    }

    fn check(strategy: &str, prepare: fn(&mut Queue), expected: &[&[&str]]) {
        let mut queue = queue(strategy);
        prepare(&mut queue);
        for expected in expected {
            assert_eq!(queue.choose(0, &[], MOMENT), *expected, "{strategy}");
        }
    }

    #[test]
    fn each_strategy_has_its_order() {
        let calls = |queue: &mut Queue| {
            queue.member("a").unwrap().calls = 2;
            queue.member("a").unwrap().last_call = 50;
            queue.member("b").unwrap().last_call = 40;
        };
        check("ringall", |_| {}, &[&["b", "a"], &["b", "a"]]);
        check("rrmemory", |_| {}, &[&["a"], &["b"], &["a"]]);
        check("rrordered", |_| {}, &[&["a"], &["b"], &["a"]]);
        check("linear", |_| {}, &[&["a"], &["b"]]);
        check("fewestcalls", calls, &[&["b"]]);
        check("leastrecent", calls, &[&["b"]]);
    }

    #[test]
    fn a_round_goes_on_behind_the_last_that_was_rung() {
        let mut queue = queue("rrmemory");
        for absent in ["b", "c"] {
            queue.member(absent).unwrap().paused = Some(String::new());
        }
        assert_eq!(queue.choose(0, &[], MOMENT), ["a"]);
        queue.member("b").unwrap().paused = None;
        assert_eq!(queue.choose(0, &[], MOMENT), ["b"]);
    }

    #[test]
    fn who_is_paused_or_was_tried_is_not_rung() {
        check(
            "ringall",
            |queue| queue.member("a").unwrap().paused = Some(String::new()),
            &[&["b"]],
        );
        let mut queue = queue("linear");
        let tried = ["a".to_owned(), "b".to_owned()];
        assert_eq!(queue.choose(0, &tried, MOMENT), ["c"]);
        let all = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        assert!(queue.choose(0, &all, MOMENT).is_empty());
    }
}
