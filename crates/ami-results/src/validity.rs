//! Did the generator hold its schedule? Pure: counts per intended second in, VALID or INVALID with reasons out.
//! Only our own faults count here; what the PBX did is in the outcomes.

use serde::{Deserialize, Serialize};

/// An arrival picked up later than this is late.
pub const LATE_NS: u64 = 10_000_000;
/// A second is bad when more than this share of its arrivals was late.
pub const LATE_SHARE_MAX: f64 = 0.01;
/// More bad seconds than this share make a run invalid.
pub const BAD_SECONDS_SHARE_MAX: f64 = 0.05;
/// Less of the offered load sent or explained than this makes a run invalid.
pub const SENT_SHARE_MIN: f64 = 0.995;
/// Stalls listed one by one; a run with more of them has its verdict anyway.
pub const STALLS_MAX: usize = 20;

/// One second of the run by intended instant, all targets together: the generator has one schedule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecondLoad {
    pub offered: u32,
    pub late: u32,
    pub lag_max_ns: u64,
}

/// What became of the arrivals of the whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Arrivals of the plan until arrivals stopped, but for warm-ups.
    pub planned: u64,
    /// Arrivals with a record, and arrivals skipped because the queue was full: sent or explained.
    pub accounted: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Validity {
    /// Why the run is invalid; empty when it is valid.
    pub reasons: Vec<String>,
    pub seconds: u64,
    pub bad_seconds: u64,
    pub late: u64,
    pub offered: u64,
    /// Arrivals of the plan until arrivals stopped.
    #[serde(default)]
    pub planned: u64,
    /// The worst of the seconds in which something was late, longest first.
    pub stalls: Vec<Stall>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stall {
    pub second: u64,
    pub late: u32,
    pub offered: u32,
    pub lag_max_ns: u64,
    /// In a warm-up, which makes no run invalid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warm_up: bool,
}

impl SecondLoad {
    pub fn add(&mut self, other: Self) {
        self.offered = self.offered.saturating_add(other.offered);
        self.late = self.late.saturating_add(other.late);
        self.lag_max_ns = self.lag_max_ns.max(other.lag_max_ns);
    }

    fn is_bad(self) -> bool {
        f64::from(self.late) > f64::from(self.offered) * LATE_SHARE_MAX
    }
}

impl Validity {
    pub fn is_valid(&self) -> bool {
        self.reasons.is_empty()
    }

    /// `seconds` in order from the origin; seconds in which nothing was offered do not count. Stalls of a warm-up are
    /// listed, and nothing else of it counts.
    pub fn judge(seconds: &[SecondLoad], warm_up: &[SecondLoad], load: Load) -> Self {
        let busy = || seconds.iter().filter(|second| second.offered > 0);
        let mut validity = Self {
            reasons: Vec::new(),
            seconds: busy().count() as u64,
            bad_seconds: busy().filter(|second| second.is_bad()).count() as u64,
            late: busy().map(|second| u64::from(second.late)).sum(),
            offered: busy().map(|second| u64::from(second.offered)).sum(),
            planned: load.planned,
            stalls: stalls(seconds, warm_up),
        };
        validity.reasons = reasons(&validity, load);
        validity
    }
}

fn reasons(validity: &Validity, load: Load) -> Vec<String> {
    let mut reasons = Vec::new();
    if validity.offered == 0 {
        reasons.push("no arrival was offered: nothing was measured".to_owned());
        return reasons;
    }
    let (bad, seconds) = (validity.bad_seconds, validity.seconds);
    if bad as f64 > seconds as f64 * BAD_SECONDS_SHARE_MAX {
        reasons.push(format!(
            "the generator was late in {bad} of {seconds} seconds: over {:.0} % of their arrivals were picked up \
             more than {} ms late",
            LATE_SHARE_MAX * 100.0,
            LATE_NS / 1_000_000
        ));
    }
    if (load.accounted as f64) < load.planned as f64 * SENT_SHARE_MIN {
        reasons.push(format!(
            "only {} of {} planned arrivals were sent or explained by a wait or a skip, under {:.1} %",
            load.accounted,
            load.planned,
            SENT_SHARE_MIN * 100.0
        ));
    }
    reasons
}

fn stalls(seconds: &[SecondLoad], warm_up: &[SecondLoad]) -> Vec<Stall> {
    let listed = |seconds, warm_up| {
        let late = |(_, load): &(u64, &SecondLoad)| load.late > 0;
        (0..)
            .zip(seconds)
            .filter(late)
            .map(move |(second, load)| Stall {
                second,
                late: load.late,
                offered: load.offered,
                lag_max_ns: load.lag_max_ns,
                warm_up,
            })
    };
    let mut stalls: Vec<Stall> = listed(seconds, false)
        .chain(listed(warm_up, true))
        .collect();
    stalls.sort_by_key(|stall| (std::cmp::Reverse(stall.lag_max_ns), stall.second));
    stalls.truncate(STALLS_MAX);
    stalls
}

#[cfg(test)]
mod tests {
    use super::{Load, SecondLoad, Validity};

    /// `late` of each second's 100 arrivals were late.
    fn check(late: &[u32], load: Load, reasons: usize) -> Validity {
        let seconds: Vec<SecondLoad> = late
            .iter()
            .map(|&late| SecondLoad {
                offered: 100,
                late,
                lag_max_ns: 20_000_000 * u64::from(late),
            })
            .collect();
        let validity = Validity::judge(&seconds, &[], load);
        assert_eq!(validity.reasons.len(), reasons, "{validity:?}");
        validity
    }

    fn load(planned: u64, accounted: u64) -> Load {
        Load { planned, accounted }
    }

    #[test]
    fn one_percent_late_is_still_a_good_second() {
        check(&[1; 20], load(2000, 2000), 0);
        check(&[2; 20], load(2000, 2000), 1);
    }

    #[test]
    fn one_bad_second_in_twenty_is_a_stall_and_two_are_invalid() {
        let mut late = [0; 20];
        late[3] = 40;
        let validity = check(&late, load(2000, 2000), 0);
        assert_eq!(validity.stalls.len(), 1);
        assert_eq!(validity.stalls[0].second, 3);
        late[9] = 50;
        let validity = check(&late, load(2000, 2000), 1);
        assert_eq!(validity.stalls[0].second, 9);
    }

    #[test]
    fn load_that_was_never_sent_needs_an_explanation() {
        check(&[0; 20], load(2000, 1990), 0);
        check(&[0; 20], load(2000, 1989), 1);
    }

    #[test]
    fn idle_seconds_neither_help_nor_hurt() {
        let idle = SecondLoad::default();
        let bad = SecondLoad {
            offered: 10,
            late: 5,
            lag_max_ns: 1,
        };
        let validity = Validity::judge(&[idle, bad, idle, idle], &[], load(10, 10));
        assert_eq!((validity.seconds, validity.bad_seconds), (1, 1));
        assert!(!validity.is_valid());
    }

    #[test]
    fn having_measured_nothing_is_not_valid() {
        assert!(!Validity::judge(&[], &[], load(0, 0)).is_valid());
    }

    #[test]
    fn a_late_warm_up_is_listed_and_held_against_nothing() {
        let second = |late| SecondLoad {
            offered: 100,
            late,
            lag_max_ns: 1,
        };
        let (warm_up, measured) = ([second(100)], [SecondLoad::default(), second(0)]);
        let validity = Validity::judge(&measured, &warm_up, load(100, 100));
        assert!(validity.is_valid());
        assert_eq!(
            (validity.late, validity.offered, validity.seconds),
            (0, 100, 1)
        );
        assert_eq!(
            (validity.stalls.len(), validity.stalls[0].warm_up),
            (1, true)
        );
        let nothing_else = Validity::judge(&[], &warm_up, load(0, 0));
        assert!(!nothing_else.is_valid(), "only a warm-up measures nothing");
    }
}
