//! What a PBX says at one moment, as a fault gets it into its hands.

use std::time::Duration;

use crate::text::Text;

pub(crate) type Rewrite = fn(&mut Parcel<'_>);

/// Where in a session something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Banner,
    /// An answer to somebody who is not logged in, or the answer that lets him in.
    Login,
    /// All that answers one action.
    Answer,
    Event,
}

/// Which of that a fault changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Banner,
    Login,
    /// The answer to the first action after the login, or to the one that brought the fault on.
    FirstAnswer,
    Answers,
    /// Every message after the login, answers and events.
    Messages,
    /// Everything from the banner on.
    All,
}

impl On {
    pub(super) fn covers(self, moment: Moment) -> bool {
        match self {
            Self::Banner => moment == Moment::Banner,
            Self::Login => moment == Moment::Login,
            Self::FirstAnswer | Self::Answers => moment == Moment::Answer,
            Self::Messages => matches!(moment, Moment::Answer | Moment::Event),
            Self::All => true,
        }
    }
}

pub(crate) struct Parcel<'a> {
    pub(crate) texts: Vec<Text>,
    /// What passes before it is said.
    pub(crate) pause: Duration,
    pub(crate) then: Then,
    pub(crate) seed: u64,
    pub(crate) memory: &'a mut Memory,
}

/// What a fault remembers of a session.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) held: Vec<Text>,
    pub(crate) last_id: Vec<u8>,
    pub(crate) bytes: u64,
}

/// How a session goes on behind what was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Then {
    #[default]
    GoOn,
    Fin,
    Reset,
    /// Our direction ends, the other is read.
    HalfClose,
    /// Nothing is said any more.
    Silence,
    /// The same again and again.
    Endless(Vec<u8>),
}

impl Parcel<'_> {
    /// What is said, joined.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.texts.iter().flat_map(|text| text.0.clone()).collect()
    }

    pub(crate) fn say(&mut self, bytes: impl Into<Vec<u8>>) {
        self.texts = vec![Text(bytes.into())];
    }

    pub(crate) fn nothing(&mut self) {
        self.texts.clear();
    }

    pub(crate) fn each(&mut self, edit: impl FnMut(&mut Text)) {
        self.texts.iter_mut().for_each(edit);
    }

    /// Another line behind the first of each message.
    pub(crate) fn insert_line(&mut self, line: &[u8]) {
        self.each(|text| {
            text.edit_lines(|lines| lines.insert(lines.len().min(1), [line, b"\r\n"].concat()));
        });
    }

    pub(crate) fn action_id(&self) -> Vec<u8> {
        let id = self.texts.iter().find_map(|text| text.get("ActionID"));
        id.unwrap_or_default().to_vec()
    }
}
