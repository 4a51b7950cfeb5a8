//! Whether the session that observes a target sees calls: nothing that can be asked tells what an account may read. Pure.

/// The first event of a call comes with the call, long before this; a PBX under load may be late.
const BLIND_AFTER_NS: u64 = 3_000_000_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sight {
    /// No session observes.
    #[default]
    Shut,
    /// One does, and there was no call yet to be seen.
    Open,
    /// A call of ours was accepted then; no event has come.
    Doubtful { since: u64 },
    /// It sees, or was found not to.
    Known,
}

impl Sight {
    pub(crate) fn open(&mut self) {
        if *self == Self::Shut {
            *self = Self::Open;
        }
    }

    /// The session was lost: what it did not see tells nothing.
    pub(crate) fn shut(&mut self) {
        if *self != Self::Known {
            *self = Self::Shut;
        }
    }

    pub(crate) fn event_seen(&mut self) {
        *self = Self::Known;
    }

    pub(crate) fn call_accepted(&mut self, at: u64) {
        if *self == Self::Open {
            *self = Self::Doubtful { since: at };
        }
    }

    /// True once, when an event is overdue.
    pub(crate) fn turns_out_blind(&mut self, now: u64) -> bool {
        match *self {
            Self::Doubtful { since } if now >= since + BLIND_AFTER_NS => {
                *self = Self::Known;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: u64 = u64::MAX;

    fn check(acts: &[fn(&mut Sight)], expected: [bool; 2]) {
        let mut sight = Sight::default();
        for act in acts {
            act(&mut sight);
        }
        let looks = [BLIND_AFTER_NS + 6, NEVER].map(|now| sight.turns_out_blind(now));
        assert_eq!(looks, expected);
    }

    #[test]
    fn it_is_blind_when_a_call_brings_no_event_while_it_looks() {
        let open: fn(&mut Sight) = Sight::open;
        let call: fn(&mut Sight) = |sight| sight.call_accepted(7);
        let event: fn(&mut Sight) = Sight::event_seen;
        let shut: fn(&mut Sight) = Sight::shut;
        check(&[], [false, false]);
        check(&[open], [false, false]);
        check(&[call], [false, false]);
        check(&[open, call], [false, true]);
        check(&[open, call, event], [false, false]);
        check(&[open, event, call], [false, false]);
        check(&[open, call, shut, open], [false, false]);
        check(&[open, call, shut, open, call], [false, true]);
        check(&[open, event, shut, open, call], [false, false]);
        let mut sight = Sight::Doubtful { since: 0 };
        assert!(sight.turns_out_blind(NEVER));
        assert!(!sight.turns_out_blind(NEVER), "it is told once");
    }
}
