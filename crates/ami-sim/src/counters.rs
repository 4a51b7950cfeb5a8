//! What a simulated PBX did, for tests and for whoever compares it with the load that was offered.

use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub sessions_accepted: u64,
    /// Closed without a banner: too many unauthenticated ones.
    pub sessions_refused: u64,
    /// Closed because they did not read.
    pub sessions_too_slow: u64,
    /// Requests by the name of the action as the PBX spells it; those it does not know are under `unknown`.
    pub actions: BTreeMap<String, u64>,
    pub calls_placed: u64,
    pub calls_answered: u64,
    pub calls_failed: u64,
    pub channels_up: u64,
    /// Unix times at which planted faults began.
    pub faults_at: Vec<Duration>,
}

impl Counters {
    pub fn actions_of(&self, name: &str) -> u64 {
        self.actions.get(name).copied().unwrap_or_default()
    }

    /// How many there were with this one.
    pub(crate) fn count_action(&mut self, name: &str) -> u64 {
        match self.actions.get_mut(name) {
            Some(count) => {
                *count += 1;
                *count
            }
            None => {
                self.actions.insert(name.to_owned(), 1);
                1
            }
        }
    }
}
