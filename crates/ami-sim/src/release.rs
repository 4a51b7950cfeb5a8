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

    /// Whether what came with these minor releases, one of each major, is there. Majors between them never got it,
    /// later ones have it from the start.
    fn since(self, minors: &[(u16, u16)]) -> bool {
        let branch = minors.iter().find(|(major, _)| *major == self.major);
        let newest = minors.iter().map(|(major, _)| *major).max();
        match branch {
            Some((_, minor)) => self.minor >= *minor,
            None => Some(self.major) > newest,
        }
    }

    /// Who connects for TLS and says nothing is put out (issue 1559 of Asterisk).
    pub(crate) fn gives_handshakes_up(self) -> bool {
        self.since(&[(20, 17), (22, 7), (23, 1)])
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

    /// Originate looks for functions in Data that read files and databases. Source, seen in 22.10.1.
    pub(crate) fn restricts_originated_data(self) -> bool {
        self.since(&[(18, 24), (20, 9), (21, 4)])
    }

    /// Queue members tell InCall and PausedReason. Inferred: 13.7.0 was seen without members.
    pub(crate) fn tells_member_calls(self) -> bool {
        self.is_14_or_later()
    }

    /// Queue members tell LastPause, LoginTime and Wrapuptime, queues a second service level, callers their priority.
    /// Seen in 16.28.0 and inferred for what lies between it and 13.
    pub(crate) fn tells_member_logins(self) -> bool {
        self >= Self::new(16, 0, 0)
    }

    /// `queue show` sorts; 13 shows the order of its hash table. Seen in 16.28.0, source of 13.
    pub(crate) fn shows_queues_by_name(self) -> bool {
        self >= Self::new(16, 0, 0)
    }

    /// What `Queue` leaves on its caller. Seen in 22.10.1 and not in 16.28.0, inferred for those between.
    pub(crate) fn queue_variables(self) -> &'static [&'static str] {
        if self >= Self::new(22, 0, 0) {
            &[
                "ANSWEREDTIME",
                "ANSWEREDTIME_MS",
                "DIALEDTIME",
                "DIALEDTIME_MS",
                "QUEUEWAIT",
                "QUEUEWAIT_MS",
            ]
        } else {
            &[]
        }
    }

    /// QueueChangePriorityCaller heeds Immediate. Seen in 22.10.1 and not in 16.28.0, inferred for those between.
    pub(crate) fn moves_callers_at_once(self) -> bool {
        self >= Self::new(20, 0, 0)
    }

    /// QueueMemberPause ends with the reason that it has told before; 16.28.0 does, the documents of 18 do not have it.
    pub(crate) fn repeats_pause_reason(self) -> bool {
        self < Self::new(18, 0, 0)
    }

    /// QueueAdd takes a Reason; 16.28.0 does not, 22 does, those between are inferred.
    pub(crate) fn adds_members_with_reason(self) -> bool {
        self >= Self::new(20, 0, 0)
    }

    /// OriginateResponse names the Application, and an absent Uniqueid is `<unknown>`.
    pub(crate) fn is_13_8_or_later(self) -> bool {
        self >= Self::new(13, 8, 0)
    }

    /// HangupRequest and its kin show a caller that no other event has told. 16.28.0 does, 22.10.1 does not; those between
    /// are inferred from the snapshots of 17.
    pub(crate) fn requests_show_quiet_callers(self) -> bool {
        self < Self::new(17, 0, 0)
    }

    /// A timed-out originate leaves cause 19 on its channels, before it left none.
    pub(crate) fn no_answer_cause(self) -> u16 {
        let releases = [(20, 18), (22, 8)];
        if self.since(&releases) { 19 } else { 0 }
    }

    /// Bridges tell how they choose among videos. Inferred: 13.7.0 has no such setting.
    pub(crate) fn has_bridge_video(self) -> bool {
        self.is_14_or_later()
    }

    /// The first half of a Local channel gets `CHANLOCALSTATUS`: 22 does it, 16 did not.
    pub(crate) fn has_local_status(self) -> bool {
        self >= Self::new(22, 0, 0)
    }

    /// A channel that was sent to no extension is shown there from its SoftHangupRequest on; in 22 only in its Hangup.
    pub(crate) fn shows_missing_extension(self) -> bool {
        self < Self::new(22, 0, 0)
    }

    /// Calls that nobody fetched get `PARKINGSLOT`: 16 did it, 22 does not.
    pub(crate) fn has_parkingslot(self) -> bool {
        self < Self::new(22, 0, 0)
    }

    /// What `Dial` empties when it begins and fills when it ends. That older ones have fewer is inferred.
    pub(crate) fn dial_variables(self) -> &'static [&'static str] {
        const ALL: [&str; 11] = [
            "DIALSTATUS",
            "DIALEDPEERNUMBER",
            "DIALEDPEERNAME",
            "ANSWEREDTIME",
            "ANSWEREDTIME_MS",
            "DIALEDTIME",
            "DIALEDTIME_MS",
            "RINGTIME",
            "RINGTIME_MS",
            "PROGRESSTIME",
            "PROGRESSTIME_MS",
        ];
        const OLD: [&str; 5] = [
            "DIALSTATUS",
            "DIALEDPEERNUMBER",
            "DIALEDPEERNAME",
            "ANSWEREDTIME",
            "DIALEDTIME",
        ];
        if self >= Self::new(16, 0, 0) {
            &ALL
        } else {
            &OLD
        }
    }

    /// CoreSettings tells SoundsSearchCustomDir.
    pub(crate) fn has_sound_search_setting(self) -> bool {
        self.since(&[(18, 20), (20, 5)])
    }

    /// CoreStatus tells CoreProcessedCalls.
    pub(crate) fn counts_processed_calls(self) -> bool {
        let releases = [(20, 12), (21, 7), (22, 2)];
        self.since(&releases)
    }

    /// Of the first two columns of `core show channels`; the narrow ones cut names off.
    pub(crate) fn channel_table_widths(self) -> (usize, usize) {
        if self.since(&[(18, 18), (20, 3)]) {
            (64, 32)
        } else {
            (20, 20)
        }
    }

    /// Event filters may name an event, a header and a method.
    pub(crate) fn has_filter_criteria(self) -> bool {
        self.since(&[(18, 26), (20, 11), (21, 6), (22, 1)])
    }

    /// `disabledevents` in manager.conf.
    pub(crate) fn has_disabled_events(self) -> bool {
        self.since(&[(16, 25), (18, 11), (19, 3)])
    }

    /// Items of CoreShowChannelMap end in LF alone, from the first release that had it until it was noticed.
    pub(crate) fn ends_channel_map_items_in_lf(self) -> bool {
        let fixed = [(18, 24), (20, 9), (21, 4)];
        !self.since(&fixed)
    }

    /// Of name, context and extension in `core show channels verbose`.
    pub(crate) fn verbose_channel_widths(self) -> (usize, (usize, usize)) {
        if self.channel_table_widths().0 > 20 {
            (80, (24, 24))
        } else {
            (20, (20, 16))
        }
    }

    /// Of the first two columns of `core show hints`: 16.28 cuts them short.
    pub(crate) fn hint_table_widths(self) -> (usize, usize) {
        if self >= Self::new(22, 0, 0) {
            (30, 60)
        } else {
            (20, 20)
        }
    }

    /// DBGetTree tells how many entries it lists; 16.28 says 1 always.
    pub(crate) fn counts_tree_entries(self) -> bool {
        self >= Self::new(22, 0, 0)
    }

    /// Whole texts of the console are kept of 16.28 and of 22.10; where between them they changed is not known.
    pub(crate) fn prints_newer_texts(self) -> bool {
        self >= Self::new(22, 0, 0)
    }

    /// Settings of PJSIP that 16.28 lacks and 22.10 has; where between they came in is not known.
    pub(crate) fn has_newer_pjsip_settings(self) -> bool {
        self >= Self::new(22, 0, 0)
    }

    /// What is said of a file outside the folder of the configuration; 16.28 still misspells it.
    pub(crate) fn escalation_refusal(self) -> &'static str {
        if self >= Self::new(22, 0, 0) {
            "File requires escalated privileges"
        } else {
            "File requires escalated priveledges"
        }
    }

    /// CreateConfig looks at the name before it tries; 16.28 does not.
    pub(crate) fn checks_created_files(self) -> bool {
        self >= Self::new(22, 0, 0)
    }

    /// `dialplan show` names the file and line of a priority. Seen in 16.28.0; 13 is inferred.
    pub(crate) fn shows_dialplan_lines(self) -> bool {
        self >= Self::new(16, 0, 0)
    }

    /// Mailboxes are devices from the start. Seen in 16.28.0, and not in 13.7.0.
    pub(crate) fn starts_with_mailboxes(self) -> bool {
        self >= Self::new(16, 0, 0)
    }

    /// An Originate of an account with `setvar` loses its own variables: 16.28.0 does, 22.10.1 does not.
    pub(crate) fn loses_variables(self) -> bool {
        self >= Self::new(11, 0, 0) && !self.since(&[(18, 17), (20, 2)])
    }

    /// VoicemailUserEntry tells CanMarkUrgent; 16.28 does not.
    pub(crate) fn marks_urgent_messages(self) -> bool {
        self >= Self::new(22, 0, 0)
    }

    /// ModuleLoad has one text for every module that is not there; 16.28 has one for each kind of request.
    pub(crate) fn has_one_module_refusal(self) -> bool {
        self >= Self::new(22, 0, 0)
    }

    /// The function MAILBOX_EXISTS: in 16.28, not in 22.10.
    pub(crate) fn has_mailbox_exists(self) -> bool {
        self < Self::new(22, 0, 0)
    }

    /// `ASTERISK_VERSION_NUM`: two digits each.
    pub(crate) fn number(self) -> u32 {
        u32::from(self.major) * 10_000 + u32::from(self.minor) * 100 + u32::from(self.patch)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_in_each_line_from_its_own_release_on() {
        let widths = |major, minor| Release::new(major, minor, 0).channel_table_widths();
        let (narrow, wide) = ((20, 20), (64, 32));
        for (release, expected) in [
            ((16, 30), narrow),
            ((18, 17), narrow),
            ((18, 18), wide),
            ((19, 8), narrow),
            ((20, 2), narrow),
            ((20, 3), wide),
            ((21, 0), wide),
        ] {
            assert_eq!(widths(release.0, release.1), expected, "{release:?}");
        }
    }
}
