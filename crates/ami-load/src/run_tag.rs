//! The tag that every call of a run carries, and how to tell our channels from everybody else's.

use std::hash::{BuildHasher, Hasher, RandomState};

use ami_proto::frame::Frame;

/// Begins every tag, so that a person reading a channel list knows whose calls these are.
const PREFIX: &str = "amib-";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunTag(String);

/// Which Originate of the run a channel belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallKey {
    pub worker: u16,
    pub number: u64,
}

impl RunTag {
    /// A tag that no other run has: two runs on one PBX must not hang up each other's calls.
    pub fn random() -> Self {
        Self(format!("{PREFIX}{:08x}", random_bits() & 0xffff_ffff))
    }

    /// Reads a tag back from a manifest.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let hexadecimal = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        hexadecimal.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ChannelId of a call. No id of a run begins another: Asterisk 22 refuses an id as in use that a longer one of a
    /// channel which is up begins with.
    pub fn channel_id(&self, key: CallKey) -> String {
        format!("{}-{}-{:010}", self.0, key.worker, key.number)
    }

    /// Whose call an id names, when it is one of ours; the second half of a Local channel ends in `;2`.
    pub fn key_in(&self, unique_id: &[u8]) -> Option<CallKey> {
        let rest = unique_id
            .strip_prefix(self.0.as_bytes())?
            .strip_prefix(b"-")?;
        let text = std::str::from_utf8(rest).ok()?;
        let text = text.split_once(';').map_or(text, |(head, _half)| head);
        let (worker, number) = text.split_once('-')?;
        Some(CallKey {
            worker: worker.parse().ok()?,
            number: number.parse().ok()?,
        })
    }

    /// Whose call a channel event or list item speaks of: by its own id, else by the call it is linked to.
    pub fn key_of(&self, frame: &Frame<'_>) -> Option<CallKey> {
        let by = |header| frame.get(header).and_then(|id| self.key_in(id));
        by("Uniqueid").or_else(|| by("Linkedid"))
    }

    /// Whether a channel is ours: by id, by link, or by the account code that every call of the run bears.
    pub fn owns(&self, frame: &Frame<'_>) -> bool {
        self.key_of(frame).is_some() || frame.get("AccountCode") == Some(self.0.as_bytes())
    }
}

/// Bits from the operating system, by way of what the standard library seeds its hash maps with.
pub fn random_bits() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_call_and_to_no_other_run() {
        let tag = RunTag::parse("amib-0011aaff").unwrap();
        let key = CallKey {
            worker: 3,
            number: 1207,
        };
        let id = tag.channel_id(key);
        assert_eq!(tag.key_in(id.as_bytes()), Some(key));
        assert_eq!(tag.key_in(format!("{id};2").as_bytes()), Some(key));
        for foreign in [
            "1795248963.2",
            "amib-0011aafe-3-1207",
            "amib-0011aaff-3-",
            "amib-0011aaff",
            "xamib-0011aaff-3-1",
        ] {
            assert_eq!(tag.key_in(foreign.as_bytes()), None, "{foreign}");
        }
    }

    #[test]
    fn no_id_of_a_run_begins_another() {
        let tag = RunTag::parse("amib-0011aaff").unwrap();
        let numbers = [1, 2, 10, 12, 120];
        let keys = [1, 12].iter().flat_map(|worker| {
            numbers.iter().map(|number| CallKey {
                worker: *worker,
                number: *number,
            })
        });
        let ids: Vec<String> = keys.map(|key| tag.channel_id(key)).collect();
        for (index, id) in ids.iter().enumerate() {
            let begins = |other: &&String| other.starts_with(id.as_str());
            assert_eq!(ids.iter().filter(begins).count(), 1, "{index}: {id}");
        }
    }

    #[test]
    fn only_a_tag_is_read_as_one() {
        assert_eq!(
            RunTag::parse(RunTag::random().as_str()).map(|_| ()),
            Some(())
        );
        for bad in ["", "amib-", "amib-zzzzzzzz", "amib-0011aaff0"] {
            assert_eq!(RunTag::parse(bad), None, "{bad}");
        }
    }
}
