//! What dialling an extension leads to: a small dialplan of applications, as data in the profile.

use std::time::Duration;

use serde::Deserialize;

/// One `[[extension]]` of a profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Those of the PBX when it names none.
    #[serde(default)]
    pub contexts: Vec<String>,
    /// Literal, or a pattern beginning with `_` as in `extensions.conf`.
    pub exten: String,
    pub steps: Vec<Step>,
}

/// One `[[device]]`: what happens when its channel is dialled directly.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    pub technology: String,
    /// Literal or pattern, like an extension; of a trunk its name.
    pub number: String,
    pub behaves: Behaviour,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    Answers,
    Busy,
    Rejects,
    Congestion,
    Rings,
}

/// A dialplan application with its data.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Step {
    pub application: String,
    pub data: String,
    pub effect: Effect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Answer(Media),
    Ringing,
    Wait(Wait),
    Echo,
    Busy,
    Congestion,
    Hangup {
        cause: Option<u16>,
    },
    Dial,
    Goto,
    Playback,
    Music,
    VoiceMail,
    Park,
    /// Fetches who is parked.
    ParkedCall,
    Queue,
    UserEvent,
    /// An application that the model has no effect for ends at once.
    Nothing,
}

/// Answer waits half a second for media to flow, unless its option `i` says not to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    Awaited,
    NotAwaited,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    For(Duration),
    /// As many seconds as the digits of the extension say.
    ExtenDigits,
    /// As long as a person of this PBX takes to answer.
    AnswerDelay,
}

/// The data that stands for a drawn answer delay.
const ANSWER_DELAY: &str = "${ANSWER_DELAY}";
/// The data that takes the seconds from the extension, `play-7` for seven.
const EXTEN_DIGITS: &str = "${FILTER(0-9,${EXTEN})}";
/// A `Wait` longer than a day is a mistake in a profile.
const WAIT_SECONDS_MAX: f64 = 86_400.0;

impl Step {
    /// What Originate's `Application` and `Data` ask for; names are compared without regard to case.
    pub fn new(application: &str, data: &str) -> Result<Self, String> {
        let effect = match application.to_ascii_lowercase().as_str() {
            "answer" if data.contains('i') => Effect::Answer(Media::NotAwaited),
            "answer" => Effect::Answer(Media::Awaited),
            "ringing" => Effect::Ringing,
            "wait" if data == ANSWER_DELAY => Effect::Wait(Wait::AnswerDelay),
            "wait" if data == EXTEN_DIGITS => Effect::Wait(Wait::ExtenDigits),
            "wait" | "waitexten" => Effect::Wait(Wait::For(seconds(data)?)),
            "echo" | "milliwatt" => Effect::Echo,
            "playback" => Effect::Playback,
            "musiconhold" => Effect::Music,
            "voicemail" => Effect::VoiceMail,
            "dial" => Effect::Dial,
            "goto" => Effect::Goto,
            "park" => Effect::Park,
            "parkedcall" => Effect::ParkedCall,
            "queue" => Effect::Queue,
            "userevent" => Effect::UserEvent,
            "busy" => Effect::Busy,
            "congestion" => Effect::Congestion,
            "hangup" => Effect::Hangup {
                cause: cause(data)?,
            },
            _ => Effect::Nothing,
        };
        Ok(Self {
            application: application.to_owned(),
            data: data.to_owned(),
            effect,
        })
    }
}

fn seconds(data: &str) -> Result<Duration, String> {
    let seconds = data
        .parse::<f64>()
        .ok()
        .filter(|seconds| (0.0..=WAIT_SECONDS_MAX).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("{data:?} is not a number of seconds"))
}

fn cause(data: &str) -> Result<Option<u16>, String> {
    if data.is_empty() {
        return Ok(None);
    }
    data.parse::<u16>()
        .ok()
        .filter(|cause| *cause < 128)
        .map(Some)
        .ok_or_else(|| format!("{data:?} is not a hangup cause"))
}

/// `Wait(2)` or `Answer`; in a profile an application without effect is a mistake.
impl TryFrom<String> for Step {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (application, data) = match text.split_once('(') {
            None => (text.as_str(), ""),
            Some((application, rest)) => (
                application,
                rest.strip_suffix(')')
                    .ok_or_else(|| format!("{text:?} lacks a closing bracket"))?,
            ),
        };
        let step = Self::new(application, data)?;
        if step.effect == Effect::Nothing {
            return Err(format!(
                "{application:?} is no application that the simulator knows"
            ));
        }
        Ok(step)
    }
}

/// The steps of an extension, if it exists: literals before patterns, else the first that matches.
pub(crate) fn find<'a>(
    extensions: &'a [Extension],
    context: &str,
    exten: &str,
) -> Option<&'a [Step]> {
    let here = || {
        extensions
            .iter()
            .filter(|entry| entry.contexts.iter().any(|name| name == context))
    };
    let literal = here().find(|entry| entry.exten == exten);
    literal
        .or_else(|| here().find(|entry| matches(&entry.exten, exten)))
        .map(|entry| entry.steps.as_slice())
}

pub(crate) fn find_device<'a>(
    devices: &'a [Device],
    technology: &str,
    number: &str,
) -> Option<&'a Device> {
    devices.iter().find(|device| {
        device.technology.eq_ignore_ascii_case(technology)
            && [number, endpoint(number)]
                .iter()
                .any(|name| matches(&device.number, name))
    })
}

/// Of `number@trunk` and `trunk/number` the trunk.
pub(crate) fn endpoint(data: &str) -> &str {
    match data.split_once('@') {
        Some((_, trunk)) => trunk,
        None => data.split('/').next().unwrap_or(data),
    }
}

/// `_`, then X, Z, N, `[…]` for digits, `.` for the rest.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_prefix('_') {
        None => pattern == text,
        Some(pattern) => pattern_matches(pattern.as_bytes(), text.as_bytes()),
    }
}

fn pattern_matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) | ([b'.'], [_, ..]) => true,
        ([b'[', rest @ ..], [digit, text @ ..]) => match rest.iter().position(|byte| *byte == b']')
        {
            Some(end) => in_set(&rest[..end], *digit) && pattern_matches(&rest[end + 1..], text),
            None => false,
        },
        ([symbol, pattern @ ..], [digit, text @ ..]) => {
            let fits = match symbol {
                b'X' => digit.is_ascii_digit(),
                b'Z' => (b'1'..=b'9').contains(digit),
                b'N' => (b'2'..=b'9').contains(digit),
                literal => literal == digit,
            };
            fits && pattern_matches(pattern, text)
        }
        _ => false,
    }
}

fn in_set(set: &[u8], digit: u8) -> bool {
    match set {
        [first, b'-', last, rest @ ..] => (*first..=*last).contains(&digit) || in_set(rest, digit),
        [one, rest @ ..] => *one == digit || in_set(rest, digit),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, fitting: &[&str], others: &[&str]) {
        for text in fitting {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for text in others {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn patterns_match_as_in_extensions_conf() {
        check("answer", &["answer"], &["answers", "", "Answer"]);
        check("_10XX", &["1042", "1000"], &["104", "10420", "104x"]);
        check(
            "_play-[1-6]X",
            &["play-60", "play-10"],
            &["play-70", "play-6"],
        );
        check("_0.", &["0049", "00"], &["0", "1"]);
        check("_NZX", &["210", "999"], &["110", "200"]);
    }

    #[test]
    fn steps_are_parsed_strictly_in_profiles() {
        let parse = |text: &str| Step::try_from(text.to_owned());
        assert_eq!(
            parse("Wait(0.5)").unwrap().effect,
            Effect::Wait(Wait::For(Duration::from_millis(500)))
        );
        assert_eq!(
            parse("Hangup").unwrap().effect,
            Effect::Hangup { cause: None }
        );
        assert_eq!(parse("Hangup(21)").unwrap().data, "21");
        assert!(parse("Wait(soon)").is_err());
        assert!(parse("Wait(1").is_err());
        assert!(parse("Dail(PJSIP/1)").is_err());
        assert_eq!(
            Step::new("NoSuchApplication", "x").unwrap().effect,
            Effect::Nothing
        );
    }
}
