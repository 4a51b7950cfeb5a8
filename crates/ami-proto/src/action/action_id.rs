//! The text that correlates an answer with its action.
//! Ours is `<random bits of the connection>-<slot>-<seq>`: unguessable for others on the same PBX, short enough for
//! the fixed buffers of every server (Asterisk fuses headers from 138 bytes on).

use std::fmt;

use crate::session::Slot;

/// Longest ActionID we send.
pub const ACTION_ID_MAX: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ActionId {
    text: [u8; ACTION_ID_MAX],
    len: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "use {text:?} as an ActionID: it must be 1 to {ACTION_ID_MAX} printable ASCII bytes without blanks"
)]
pub struct ActionIdError {
    text: String,
}

impl ActionId {
    /// For a text that was not made by a session, as a probe uses.
    pub fn checked(text: &str) -> Result<Self, ActionIdError> {
        let fits = (1..=ACTION_ID_MAX).contains(&text.len());
        if !fits || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ActionIdError {
                text: text.to_owned(),
            });
        }
        Ok(Self::from_parts(&[text.as_bytes()]))
    }

    pub(crate) fn of_slot(connection_id: u64, slot: Slot) -> Self {
        let (mut index, mut seq) = ([0; 10], [0; 10]);
        Self::from_parts(&[
            &hex(connection_id),
            b"-",
            decimal(u32::from(slot.index), &mut index),
            b"-",
            decimal(slot.seq, &mut seq),
        ])
    }

    /// For the actions of the login, which belong to no slot.
    pub(crate) fn of_phase(connection_id: u64, phase: &str) -> Self {
        Self::from_parts(&[&hex(connection_id), b"-", phase.as_bytes()])
    }

    /// The slot in an ActionID of that connection; the caller compares the whole text, this only finds the slot.
    pub(crate) fn slot_index(connection_id: u64, text: &[u8]) -> Option<u16> {
        let rest = text.strip_prefix(&hex(connection_id))?.strip_prefix(b"-")?;
        let dash = memchr::memchr(b'-', rest)?;
        std::str::from_utf8(&rest[..dash]).ok()?.parse().ok()
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("an ActionID is checked to be ASCII")
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }

    fn from_parts(parts: &[&[u8]]) -> Self {
        let mut id = Self {
            text: [0; ACTION_ID_MAX],
            len: 0,
        };
        for part in parts {
            let at = usize::from(id.len);
            id.text[at..at + part.len()].copy_from_slice(part);
            id.len += u8::try_from(part.len()).expect("the parts of an ActionID are short");
        }
        id
    }
}

impl fmt::Debug for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActionId({})", self.as_str())
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn hex(bits: u64) -> [u8; 16] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|place| DIGITS[(bits >> (60 - 4 * place) & 0xf) as usize])
}

fn decimal(mut number: u32, buffer: &mut [u8; 10]) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b"0123456789"[(number % 10) as usize];
        number /= 10;
        if number == 0 {
            return &buffer[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_connection_slot_and_sequence() {
        let id = ActionId::of_slot(0xab, Slot { index: 7, seq: 120 });
        assert_eq!(id.as_str(), "00000000000000ab-7-120");
        assert_eq!(ActionId::slot_index(0xab, id.as_bytes()), Some(7));
        assert_eq!(ActionId::slot_index(0xac, id.as_bytes()), None);
    }

    #[test]
    fn the_longest_of_ours_is_within_the_bound() {
        let id = ActionId::of_slot(
            u64::MAX,
            Slot {
                index: u16::MAX,
                seq: u32::MAX,
            },
        );
        assert_eq!(id.as_str(), "ffffffffffffffff-65535-4294967295");
    }

    #[test]
    fn d11_empty_long_and_unprintable_texts_are_refused() {
        assert!(ActionId::checked(&"x".repeat(ACTION_ID_MAX)).is_ok());
        for text in [
            "",
            " ",
            "a b",
            "a\r\nb",
            "é",
            &"x".repeat(ACTION_ID_MAX + 1),
        ] {
            assert!(ActionId::checked(text).is_err(), "{text:?}");
        }
    }
}
