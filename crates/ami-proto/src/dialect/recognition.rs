//! Whose AMI it is, as far as what was seen of it shows: a name, why, and what does not go together.

use std::collections::BTreeSet;

use super::Version;
use super::marks::{MARKS, Make, Mark};
use super::releases::{Releases, releases_of};
use crate::frame::{Frame, FrameKind};

/// A PBX with another banner each time has not more to tell.
const BANNERS_MAX: usize = 4;
const ASTERISK: &str = "Asterisk Call Manager";

/// What was seen so far; `see` is given all that a PBX says.
#[derive(Debug, Clone, Default)]
pub struct Recognition {
    banners: BTreeSet<String>,
    /// `AMIversion` and `AsteriskVersion` of CoreSettings.
    ami_version: Option<String>,
    asterisk_version: Option<String>,
    framings: BTreeSet<Framing>,
    /// Indices of `MARKS`.
    marks: BTreeSet<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Framing {
    /// `Response: Follows` … `--END COMMAND--`.
    Follows,
    /// A line in an `Output:` header.
    Output,
}

impl Framing {
    /// The first release that frames Command so, or none since.
    const SWITCH: u16 = 14;

    fn is_of(self, major: u16) -> bool {
        (self == Self::Output) == (major >= Self::SWITCH)
    }

    fn seen(self) -> &'static str {
        match self {
            Self::Follows => "Command is answered up to `--END COMMAND--`, as before 14",
            Self::Output => "Command is answered in `Output:` lines, as since 14",
        }
    }
}

impl Recognition {
    pub fn see(&mut self, frame: &Frame<'_>) {
        if frame.kind() == FrameKind::Banner {
            let line = frame.lines().next().unwrap_or_default();
            self.greeted(&String::from_utf8_lossy(line));
        }
        if let Some(version) = frame.text("AsteriskVersion") {
            self.asterisk_version = Some(version.into_owned());
            self.ami_version = frame.text("AMIversion").map(std::borrow::Cow::into_owned);
        }
        let is_command = frame.get("Privilege") == Some(b"Command");
        if frame.body().is_some() && is_command {
            self.framings.insert(Framing::Follows);
        } else if frame.kind() == FrameKind::Response && frame.get("Output").is_some() {
            self.framings.insert(Framing::Output);
        }
        self.mark(|mark| mark.is_on(frame));
    }

    /// By this banner.
    pub fn greeted(&mut self, banner: &str) {
        if self.banners.len() < BANNERS_MAX {
            self.banners.insert(banner.to_owned());
            self.mark(|mark| mark.is_in_banner(banner));
        }
    }

    fn mark(&mut self, is_seen: impl Fn(&Mark) -> bool) {
        let seen = MARKS.iter().enumerate();
        let seen = seen.filter(|(_, mark)| is_seen(mark));
        self.marks.extend(seen.map(|(index, _)| index));
    }

    /// None, where nothing was seen that tells.
    pub fn dialect(&self) -> Option<String> {
        let make = self.make();
        let told = self.asterisk_version.as_deref().map(numbers);
        // A build from a branch has no number: `GIT-16-0ab1cd2`.
        let release = match told.filter(|release| !release.is_empty()) {
            Some(release) => Some(release.to_owned()),
            None => either(self.releases().iter().map(ToString::to_string)),
        };
        match (make, release) {
            (Some(make), Some(release)) => Some(format!("{} on Asterisk {release}", make.name())),
            (Some(make), None) => Some(make.name().to_owned()),
            (None, Some(release)) => Some(format!("Asterisk {release}")),
            (None, None) => (!self.banners.is_empty())
                .then(|| "of no release of Asterisk that is known".to_owned()),
        }
    }

    /// A clause for each thing that speaks for it.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for banner in &self.banners {
            let releases = version_of(banner).map(releases_of).unwrap_or_default();
            reasons.push(match either(releases.iter().map(ToString::to_string)) {
                Some(releases) => {
                    format!("the banner is `{banner}`, the version of Asterisk {releases}")
                }
                None => format!("the banner is `{banner}`"),
            });
        }
        if let Some(version) = &self.asterisk_version {
            reasons.push(format!("CoreSettings says AsteriskVersion {version}"));
        }
        reasons.extend(
            self.framings
                .iter()
                .map(|framing| framing.seen().to_owned()),
        );
        let make = self.make();
        for mark in self.marks.iter().map(|index| &MARKS[*index]) {
            match make {
                Some(make) if make == mark.make => reasons.push(mark.seen()),
                // What an heir shows speaks for it alone.
                Some(make) if make.inherits_from(mark.make) => {}
                _ => reasons.push(format!("{}, as of {}", mark.seen(), mark.make.name())),
            }
        }
        reasons
    }

    /// A sentence for each thing that does not go with another.
    pub fn conflicts(&self) -> Vec<String> {
        let mut conflicts = Vec::new();
        if self.banners.len() > 1 {
            conflicts.push("connections have banners that differ".to_owned());
        }
        for banner in &self.banners {
            conflicts.extend(self.of_banner(banner));
        }
        conflicts.extend(self.of_framing());
        let makes = self.makes();
        let strangers = |one: &Make| {
            makes.iter().any(|other| {
                one != other && !one.inherits_from(*other) && !other.inherits_from(*one)
            })
        };
        if makes.iter().any(strangers) {
            let names: Vec<&str> = makes.iter().map(|make| make.name()).collect();
            conflicts.push(format!("there are marks of {}", names.join(" and of ")));
        }
        conflicts
    }

    fn of_banner(&self, banner: &str) -> Vec<String> {
        let mut conflicts = Vec::new();
        let (name, said) = banner.rsplit_once('/').unwrap_or((banner, ""));
        if name != ASTERISK {
            conflicts.push(format!(
                "the product is renamed: the banner says `{name}`, not `{ASTERISK}`"
            ));
        }
        if let Some(told) = self.ami_version.as_deref().filter(|told| *told != said) {
            conflicts.push(format!(
                "the banner is `{banner}`, CoreSettings says AMIversion {told}"
            ));
        }
        let Some(version) = version_of(banner) else {
            return conflicts;
        };
        let releases = releases_of(version);
        match self.release() {
            _ if releases.is_empty() => {
                conflicts.push(format!("no release of Asterisk has AMI version {said}"));
            }
            Some((major, minor)) if !releases.iter().any(|one| one.holds(major, minor)) => {
                let of = either(releases.iter().map(ToString::to_string)).unwrap_or_default();
                conflicts.push(format!(
                    "AMI version {said} is that of Asterisk {of}, CoreSettings says {major}.{minor}"
                ));
            }
            _ => {}
        }
        conflicts
    }

    fn of_framing(&self) -> Option<String> {
        let mut framings = self.framings.iter();
        let (first, more) = (framings.next()?, framings.next());
        if more.is_some() {
            return Some("Command is framed in both ways".to_owned());
        }
        let majors: Vec<u16> = match self.release() {
            Some((major, _)) => vec![major],
            None => self.of_banners().map(Releases::major).collect(),
        };
        let fits = majors.is_empty() || majors.iter().any(|major| first.is_of(*major));
        (!fits).then(|| {
            let release = either(majors.iter().map(u16::to_string)).unwrap_or_default();
            format!("{}, and this is Asterisk {release}", first.seen())
        })
    }

    /// Those that the banner leaves, and of these the ones that frame Command so.
    fn releases(&self) -> Vec<Releases> {
        let all: Vec<Releases> = self.of_banners().collect();
        let framed = |one: &Releases| {
            self.framings
                .iter()
                .all(|framing| framing.is_of(one.major()))
        };
        let fitting: Vec<Releases> = all.iter().copied().filter(framed).collect();
        if fitting.is_empty() { all } else { fitting }
    }

    fn of_banners(&self) -> impl Iterator<Item = Releases> {
        let versions = self.banners.iter().filter_map(|banner| version_of(banner));
        versions.flat_map(releases_of).copied()
    }

    fn release(&self) -> Option<(u16, u16)> {
        let version = self.asterisk_version.as_deref()?;
        let mut parts = numbers(version).split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }

    fn makes(&self) -> BTreeSet<Make> {
        self.marks.iter().map(|index| MARKS[*index].make).collect()
    }

    /// Who has left most marks; an heir before those he inherits from.
    fn make(&self) -> Option<Make> {
        let makes = self.makes();
        let is_heir = |one: &&Make| !makes.iter().any(|other| other.inherits_from(**one));
        let count = |one: &&Make| {
            let marks = self
                .marks
                .iter()
                .filter(|index| MARKS[**index].make == **one);
            marks.count()
        };
        makes.iter().filter(is_heir).max_by_key(count).copied()
    }
}

fn version_of(banner: &str) -> Option<Version> {
    let (_, version) = banner.rsplit_once('/')?;
    Version::parse(version)
}

/// The release within what a build calls itself: `certified/18.9-cert1`, `22.10.1+dfsg`.
fn numbers(version: &str) -> &str {
    let version = version.rsplit('/').next().unwrap_or_default();
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.');
    version[..end.unwrap_or(version.len())].trim_end_matches('.')
}

/// `a or b`; nothing of nothing.
fn either(names: impl Iterator<Item = String>) -> Option<String> {
    names.reduce(|all, next| format!("{all} or {next}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::decode::{Decoder, Limits};

    const MIKO: &str = "PBX Call Manager/11.0.0\r\n";

    fn seen(wire: &str) -> Recognition {
        let mut recognition = Recognition::default();
        let mut decoder = Decoder::client(Limits::default());
        let mut bytes = wire.as_bytes();
        while let Some(frame) = decoder.decode(&mut bytes) {
            recognition.see(&frame);
        }
        recognition
    }

    fn check(wire: &str, dialect: Option<&str>, conflicts: &[&str]) {
        let recognition = seen(wire);
        assert_eq!(recognition.dialect().as_deref(), dialect, "{wire}");
        assert_eq!(recognition.conflicts(), conflicts, "{wire}");
        let is_known = dialect.is_some();
        assert_eq!(is_known, !recognition.reasons().is_empty(), "{wire}");
    }

    fn settings(version: &str, ami: &str) -> String {
        format!("Response: Success\r\nAMIversion: {ami}\r\nAsteriskVersion: {version}\r\n\r\n")
    }

    const OUTPUT: &str =
        "Response: Success\r\nMessage: Command output follows\r\nOutput: a\r\n\r\n";
    const FOLLOWS: &str =
        "Response: Follows\r\nPrivilege: Command\r\na\nb\n--END COMMAND--\r\n\r\n";

    #[test]
    fn the_banner_alone_tells_some_releases() {
        check("", None, &[]);
        check(
            "Asterisk Call Manager/5.0.4\r\n",
            Some("Asterisk 16.25 to 16.28"),
            &[],
        );
        check(
            "Asterisk Call Manager/7.2.0\r\n",
            Some("of no release of Asterisk that is known"),
            &["no release of Asterisk has AMI version 7.2.0"],
        );
    }

    #[test]
    fn one_banner_has_two_framings() {
        let banner = "Asterisk Call Manager/2.8.0\r\n";
        check(banner, Some("Asterisk 13.5 to 13.12 or 14.0 to 14.1"), &[]);
        check(
            &format!("{banner}{OUTPUT}"),
            Some("Asterisk 14.0 to 14.1"),
            &[],
        );
        check(
            &format!("{banner}{FOLLOWS}"),
            Some("Asterisk 13.5 to 13.12"),
            &[],
        );
        let both = ["Command is framed in both ways"];
        check(
            &format!("{banner}{OUTPUT}{FOLLOWS}"),
            Some("Asterisk 13.5 to 13.12 or 14.0 to 14.1"),
            &both,
        );
        let stock = settings("13.7.0", "2.8.0");
        check(
            &format!("{banner}{stock}{OUTPUT}"),
            Some("Asterisk 13.7.0"),
            &["Command is answered in `Output:` lines, as since 14, and this is Asterisk 13"],
        );
    }

    #[test]
    fn a_build_without_a_number_is_of_the_releases_of_its_banner() {
        let banner = "Asterisk Call Manager/5.0.4\r\n";
        let git = settings("GIT-16-0ab1cd2", "5.0.4");
        check(
            &format!("{banner}{git}"),
            Some("Asterisk 16.25 to 16.28"),
            &[],
        );
        let certified = settings("certified/16.8-cert14", "5.0.4");
        check(&certified, Some("Asterisk 16.8"), &[]);
    }

    #[test]
    fn what_does_not_go_together_is_said() {
        let banner = "Asterisk Call Manager/5.0.4\r\n";
        check(
            &format!("{banner}{}", settings("16.30.0", "5.0.4")),
            Some("Asterisk 16.30.0"),
            &["AMI version 5.0.4 is that of Asterisk 16.25 to 16.28, CoreSettings says 16.30"],
        );
        check(
            &format!("{banner}{}", settings("16.28.0", "5.0.5")),
            Some("Asterisk 16.28.0"),
            &["the banner is `Asterisk Call Manager/5.0.4`, CoreSettings says AMIversion 5.0.5"],
        );
        check(
            &format!("{MIKO}{}", settings("22.7.0", "11.0.0")),
            Some("MikoPBX on Asterisk 22.7.0"),
            &[
                "the product is renamed: the banner says `PBX Call Manager`, not `Asterisk Call Manager`",
            ],
        );
        check(
            &format!("{banner}Event: X\r\nPageFlag: true\r\nContext: DLPN_1\r\n\r\n"),
            Some("Yeastar S-Series on Asterisk 16.25 to 16.28"),
            &["there are marks of Grandstream UCM and of Yeastar S-Series"],
        );
    }

    #[test]
    fn makers_leave_marks() {
        let base = "Asterisk Call Manager/5.0.1\r\n";
        let on = |make: &str| format!("{make} on Asterisk 16.3 to 16.11");
        let seen = |wire: &str, make: &str| check(&format!("{base}{wire}"), Some(&on(make)), &[]);
        let listed = |line: &str| format!("Response: Success\r\n{line}\r\n\r\n");
        seen(
            &listed("Command: Run.  (Priv: command,specialcommand,all)"),
            "Grandstream UCM",
        );
        seen(&listed("GSAgents:  (Priv: agent,all)"), "Grandstream UCM");
        seen(
            "Event: Newstate\r\nContext: from-internal\r\nCallid: x\r\n\r\n",
            "Grandstream UCM",
        );
        seen(
            "Event: Newstate\r\nContext: from-internal\r\n\r\n",
            "FreePBX",
        );
        seen(
            "Event: QueueMember\r\nLocation: Local/1@from-queue/n\r\n\r\n",
            "FreePBX",
        );
        seen(
            "Event: Newstate\r\nContext: DLPN_DialPlan1\r\n\r\n",
            "Yeastar S-Series",
        );
        seen(
            "Event: UpdateSMSSend\r\n--END SMS EVENT--\r\n\r\n",
            "Yeastar TG",
        );
        let other = format!("{base}Event: X\r\nCallID: [C-1]\r\n\r\n");
        check(&other, Some("Asterisk 16.3 to 16.11"), &[]);
        check(
            &format!("{base}{}", listed("Command: Run.  (Priv: command,all)")),
            Some("Asterisk 16.3 to 16.11"),
            &[],
        );
    }

    #[test]
    fn the_line_ends_of_command_are_a_mark_if_only_the_last_is_odd() {
        let base = "Asterisk Call Manager/2.6.0\r\n";
        let printed = |text: &str, dialect: &str| {
            let wire = format!(
                "{base}Response: Follows\r\nPrivilege: Command\r\n{text}--END COMMAND--\r\n\r\n"
            );
            check(&wire, Some(dialect), &[]);
        };
        printed("a\nb\r\n", "Yeastar S-Series on Asterisk 13.1");
        printed("a\r\nb\r\n", "Asterisk 13.1");
        printed("a\nb\n", "Asterisk 13.1");
    }

    #[test]
    fn only_answers_to_command_tell_how_it_is_framed() {
        let banner = "Asterisk Call Manager/2.8.0\r\n";
        let both = Some("Asterisk 13.5 to 13.12 or 14.0 to 14.1");
        for other in [
            "Response: Follows\r\na\n--END COMMAND--\r\n\r\n",
            "Event: X\r\nPrivilege: Command\r\n\r\n",
            "Event: X\r\nOutput: a\r\n\r\n",
        ] {
            check(&format!("{banner}{other}"), both, &[]);
        }
    }

    #[test]
    fn most_marks_win_and_those_of_others_are_told_as_such() {
        let told = |wire: &str| {
            let recognition = seen(wire);
            (recognition.dialect().unwrap(), recognition.reasons())
        };
        let ucm = "Event: X\r\nPageFlag: true\r\nCallid: 1\r\n\r\n";
        let (dialect, reasons) = told(&format!("{ucm}Event: X\r\nContext: DLPN_1\r\n\r\n"));
        assert_eq!(dialect, "Grandstream UCM");
        assert_eq!(
            reasons,
            [
                "a header Callid",
                "a header PageFlag",
                "`Context: DLPN_…`, as of Yeastar S-Series"
            ]
        );
        // It has what it inherited, which says nothing against it.
        let (dialect, reasons) = told(&format!("{ucm}Event: X\r\nContext: from-internal\r\n\r\n"));
        assert_eq!(dialect, "Grandstream UCM");
        assert_eq!(reasons, ["a header Callid", "a header PageFlag"]);
    }

    #[test]
    fn a_pbx_with_another_banner_each_time_is_bounded() {
        let mut recognition = Recognition::default();
        for minor in 0..100 {
            recognition.greeted(&format!("Asterisk Call Manager/1.{minor}"));
        }
        assert_eq!(recognition.reasons().len(), BANNERS_MAX);
    }
}
