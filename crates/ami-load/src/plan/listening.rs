//! Groups that measure events: is there anything to hear, and not too much?

use ami_client::{Document, DocumentError};

use super::{Plan, PlanError};
use crate::fan_out::senders;
use crate::scenario::Group;

/// Each listening session follows each sender, in 48 bytes.
pub(super) const LISTENING_MAX: u64 = 1_000_000;

impl Plan {
    pub(super) fn check_listening(
        &self,
        document: &Document,
        groups: &[Group],
    ) -> Result<(), PlanError> {
        let (_, senders) = senders(self);
        if senders == 0 {
            return check_silence(document, groups).map_err(PlanError::from);
        }
        let measuring = self.groups.iter().filter(|group| group.measure.is_some());
        let listeners: u32 = measuring.map(|group| group.sessions).sum();
        if u64::from(listeners) * u64::from(senders) > LISTENING_MAX {
            return Err(PlanError::TooMuchListening { listeners, senders });
        }
        Ok(())
    }
}

fn check_silence(document: &Document, groups: &[Group]) -> Result<(), DocumentError> {
    match groups.iter().find_map(|group| group.measure.as_ref()) {
        None => Ok(()),
        Some(measure) => {
            let message = "there is nothing to measure: no mix has a `user-event`";
            Err(document.error_at(measure.span(), message))
        }
    }
}
