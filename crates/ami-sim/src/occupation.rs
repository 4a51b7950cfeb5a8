//! Applications that occupy a channel for a while, and what they leave when they end or are ended.

use std::time::Duration;

use crate::channel::ChannelKey;
use crate::device_state::DeviceState;
use crate::mailbox::waiting_device;
use crate::pbx::Pbx;

/// What a channel is in the middle of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Occupation {
    #[default]
    None,
    Playback,
    Music,
    /// Somebody speaks to this mailbox.
    Message {
        mailbox: String,
        began_at: Duration,
        /// Kept if it lasts so long.
        shortest: Duration,
    },
}

/// Every sound lasts so long.
const SOUND: Duration = Duration::from_secs(1);

impl Pbx {
    pub(crate) fn run_playback(&mut self, now: Duration, key: ChannelKey) {
        self.channel_mut(key).occupation = Occupation::Playback;
        self.begin_to_play(now, key);
        self.wake_at(now + SOUND, key);
    }

    /// `MusicOnHold(class,seconds)`; without seconds it plays until the channel ends.
    pub(crate) fn run_music(&mut self, now: Duration, key: ChannelKey, data: &str) {
        self.channel_mut(key).occupation = Occupation::Music;
        self.music_start(now, key);
        self.begin_to_play(now, key);
        let seconds = data.split(',').nth(1).and_then(|text| text.parse().ok());
        if let Some(span) = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
            self.wake_at(now + span, key);
        }
    }

    /// `VoiceMail(number@context,options)`: a message as long as the mailbox takes, or until the caller hangs up.
    pub(crate) fn run_voicemail(&mut self, now: Duration, key: ChannelKey, data: &str) {
        let address = data.split(',').next().unwrap_or_default();
        let mut mailboxes = self.profile.mailboxes.iter();
        let Some(mailbox) = mailboxes.find(|mailbox| mailbox.address() == address) else {
            self.set_variable(now, key, "VMSTATUS", "FAILED");
            return self.wake_at(now, key);
        };
        let longest = Duration::from_secs(mailbox.message_max_s.into());
        let shortest = Duration::from_secs(mailbox.message_min_s.into());
        self.channel_mut(key).occupation = Occupation::Message {
            mailbox: address.to_owned(),
            began_at: now,
            shortest,
        };
        self.begin_to_play(now, key);
        if longest > Duration::ZERO {
            self.wake_at(now + longest, key);
        }
    }

    /// What occupied the channel is over.
    pub(crate) fn end_occupation(&mut self, now: Duration, key: ChannelKey) {
        let Some(channel) = self.channels.get_mut(&key) else {
            return;
        };
        match std::mem::take(&mut channel.occupation) {
            Occupation::None => {}
            Occupation::Playback => self.set_variable(now, key, "PLAYBACKSTATUS", "SUCCESS"),
            Occupation::Music => self.music_stop(now, key),
            Occupation::Message {
                began_at, shortest, ..
            } if now.saturating_sub(began_at) < shortest => {
                self.set_variable(now, key, "VMSTATUS", "FAILED");
            }
            Occupation::Message { mailbox, .. } => self.leave_message(now, key, &mailbox),
        }
    }

    fn leave_message(&mut self, now: Duration, key: ChannelKey, mailbox: &str) {
        let count = self.messages.entry(mailbox.to_owned()).or_default();
        *count += 1;
        let count = *count;
        let (number, context) = mailbox.split_once('@').unwrap_or((mailbox, "default"));
        let folder = "/var/spool/asterisk/voicemail";
        let file = format!("{folder}/{context}/{number}/INBOX/msg{:04}", count - 1);
        self.set_variable(now, key, "VM_MESSAGEFILE", &file);
        self.channel_event(now, "MessageWaiting", key, |_, headers| {
            headers
                .with("Mailbox", mailbox)
                .with("Waiting", "1")
                .with_display("New", count)
                .with("Old", "0")
        });
        self.tell_device(now, &waiting_device(mailbox), DeviceState::InUse);
        self.set_variable(now, key, "VMSTATUS", "SUCCESS");
    }
}
