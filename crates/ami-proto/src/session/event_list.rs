//! The items of one event list, until the event that closes it.

use crate::dialect::Dialect;
use crate::event::Event;
use crate::response::Response;

#[derive(Debug, Clone, Copy)]
pub(super) struct EventList {
    items: u32,
    announced: Announced,
}

/// Whether the Response said `EventList: start`, as servers do since 13.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announced {
    Yes,
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Item { index: u32 },
    Complete { items: u32, listed: Option<u32> },
}

impl EventList {
    pub(super) fn opened_by(response: &Response<'_>) -> Self {
        let announced = if response.opens_list() {
            Announced::Yes
        } else {
            Announced::No
        };
        Self {
            items: 0,
            announced,
        }
    }

    pub(super) fn take(&mut self, event: &Event<'_>, dialect: &Dialect) -> Step {
        if event.closes_list() || dialect.closes_list(event.name()) {
            return Step::Complete {
                items: self.items,
                listed: event.list_items(),
            };
        }
        let index = self.items;
        self.items = self.items.saturating_add(1);
        if dialect.is_whole_list(event.name(), self.announced) {
            return Step::Complete {
                items: self.items,
                listed: None,
            };
        }
        Step::Item { index }
    }
}
