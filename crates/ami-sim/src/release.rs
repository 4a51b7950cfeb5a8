//! Which Asterisk a PBX is built on: what differs between releases hangs on this number, not on a vendor.

use std::fmt;

use serde::Deserialize;

use crate::class::Classes;
use crate::request::OverlongLine;

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub struct Release {
    major: u16,
    minor: u16,
    patch: u16,
}

impl Release {
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// Newexten is of class `call` in 12 to 15.
    pub(crate) fn newexten_classes(self) -> Classes {
        if self >= Self::new(16, 0, 0) {
            Classes::DIALPLAN
        } else {
            Classes::CALL
        }
    }

    /// DialState exists, FullyBooted tells Uptime and LastReload.
    pub(crate) fn is_14_or_later(self) -> bool {
        self >= Self::new(14, 0, 0)
    }

    /// OriginateResponse names the Application, and an absent Uniqueid is `<unknown>`.
    pub(crate) fn is_13_8_or_later(self) -> bool {
        self >= Self::new(13, 8, 0)
    }

    /// A timed-out originate leaves cause 19 on its channels; 16 left none.
    pub(crate) fn no_answer_cause(self) -> u16 {
        if self >= Self::new(22, 0, 0) { 19 } else { 0 }
    }

    /// CoreSettings tells SoundsSearchCustomDir.
    pub(crate) fn has_sound_search_setting(self) -> bool {
        self >= Self::new(22, 0, 0)
    }

    /// CoreStatus tells CoreProcessedCalls.
    pub(crate) fn counts_processed_calls(self) -> bool {
        self >= Self::new(22, 0, 0)
    }

    /// Of the first two columns of `core show channels`; 16 cuts names off, 22 does not.
    pub(crate) fn channel_table_widths(self) -> (usize, usize) {
        if self >= Self::new(22, 0, 0) {
            (64, 32)
        } else {
            (20, 20)
        }
    }

    pub(crate) fn overlong_line(self) -> OverlongLine {
        if self.is_14_or_later() {
            OverlongLine::KeepLastByte
        } else {
            OverlongLine::DropAll
        }
    }
}

impl TryFrom<String> for Release {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let numbers: Option<Vec<u16>> = text.split('.').map(|part| part.parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[major, minor, patch]) => Ok(Self {
                major,
                minor,
                patch,
            }),
            _ => Err(format!("{text:?} is not a release such as \"16.7.0\"")),
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}
