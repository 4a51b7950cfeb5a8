//! Encoded actions that wait to be written, one write each.

use std::collections::VecDeque;

use crate::action::{Action, ActionId};

/// Bounded by what is in flight: an action is queued only when it got a slot.
#[derive(Default)]
pub(super) struct Transmit {
    bytes: Vec<u8>,
    lens: VecDeque<usize>,
    taken: usize,
}

impl Transmit {
    pub(super) fn push(&mut self, action: &Action, action_id: &ActionId) {
        let before = self.bytes.len();
        action.encode(action_id, &mut self.bytes);
        self.lens.push_back(self.bytes.len() - before);
    }

    pub(super) fn take(&mut self, out: &mut Vec<u8>) -> bool {
        let Some(len) = self.lens.pop_front() else {
            return false;
        };
        let end = self.taken + len;
        out.extend_from_slice(&self.bytes[self.taken..end]);
        self.taken = end;
        if self.lens.is_empty() {
            self.bytes.clear();
            self.taken = 0;
        }
        true
    }
}

impl std::fmt::Debug for Transmit {
    /// The bytes may hold the secret of a login.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transmit")
            .field("lens", &self.lens)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_shown_by_its_length() {
        let mut transmit = Transmit::default();
        let login = Action::new("Login").with("Secret", "hunter2").unwrap();
        transmit.push(&login, &ActionId::checked("1").unwrap());
        assert_eq!(format!("{transmit:?}"), "Transmit { lens: [47], .. }");
    }
}
