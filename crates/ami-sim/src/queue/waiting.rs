//! A caller that waits in a queue.

use crate::agenda::Ticket;
use crate::channel::ChannelKey;

/// Times are Unix times in seconds, as Asterisk counts them.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) channel: ChannelKey,
    pub(crate) joined_at: u64,
    pub(crate) original_position: usize,
    pub(crate) priority: i32,
    pub(crate) expires_at: Option<u64>,
    pub(crate) options: Options,
    /// Where a linear strategy goes on.
    pub(super) next_member: usize,
    /// When it looks whether it is its turn.
    pub(crate) tick: Option<Ticket>,
}

impl Waiting {
    pub(crate) fn new(channel: ChannelKey, joined_at: u64) -> Self {
        Self {
            channel,
            joined_at,
            original_position: 0,
            priority: 0,
            expires_at: None,
            options: Options::default(),
            next_member: 0,
            tick: None,
        }
    }

    pub(crate) fn has_expired(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|at| now >= at)
    }
}

/// The letters of `Queue` that the model knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options(pub(crate) String);

impl Options {
    /// Else it hears ringing.
    pub(crate) fn play_music(&self) -> bool {
        !self.0.contains('r')
    }

    /// The caller goes on in the dialplan when the member has hung up.
    pub(crate) fn go_on(&self) -> bool {
        self.0.contains('c')
    }
}
