//! What shows whose AMI it is: marks that a maker has left on it, as data.

use crate::frame::{Frame, FrameKind};

/// Who has changed an AMI; of Asterisk itself there are no marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Make {
    FreePbx,
    MikoPbx,
    Proxy,
    Ucm,
    Wazo,
    YeastarGateway,
    YeastarPbx,
}

impl Make {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::FreePbx => "FreePBX",
            Self::MikoPbx => "MikoPBX",
            Self::Proxy => "a manager proxy",
            Self::Ucm => "Grandstream UCM",
            Self::Wazo => "Wazo",
            Self::YeastarGateway => "Yeastar TG",
            Self::YeastarPbx => "Yeastar S-Series",
        }
    }

    /// One descends from the other and kept its contexts.
    pub(super) fn inherits_from(self, other: Self) -> bool {
        (self, other) == (Self::Ucm, Self::FreePbx)
    }
}

/// Where a mark is found.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// The banner before its version.
    Banner,
    /// An action in the answer to ListCommands, or the beginning of one of its classes behind a colon.
    Action,
    Event,
    Header,
    /// A line that is no header.
    Line,
    /// A header and the beginning of its value.
    Value(&'static str),
    /// A header and a part of its value.
    Within(&'static str),
    /// The last bytes of what Command prints, whose other lines end otherwise.
    End,
}

#[derive(Debug)]
pub(super) struct Mark {
    pub(super) make: Make,
    place: Place,
    text: &'static str,
}

const fn mark(make: Make, place: Place, text: &'static str) -> Mark {
    Mark { make, place, text }
}

pub(super) const MARKS: &[Mark] = &[
    mark(Make::MikoPbx, Place::Banner, "PBX Call Manager"),
    mark(Make::MikoPbx, Place::Value("Context"), "internal-originate"),
    mark(Make::Proxy, Place::Banner, "Asterisk Call Manager Proxy"),
    mark(Make::Proxy, Place::Banner, "Asterisk Manager Proxy"),
    mark(Make::Proxy, Place::Header, "ProxyResponse"),
    mark(Make::Ucm, Place::Action, "AnalogChanlists"),
    mark(Make::Ucm, Place::Action, "GSAgents"),
    mark(Make::Ucm, Place::Action, "PauseCall"),
    mark(Make::Ucm, Place::Action, "QueueClean"),
    mark(Make::Ucm, Place::Action, "Command:specialcommand"),
    mark(Make::Ucm, Place::Event, "ActiveCount"),
    mark(Make::Ucm, Place::Event, "GsAgent"),
    mark(Make::Ucm, Place::Event, "QueueVqCallers"),
    mark(Make::Ucm, Place::Header, "Callid"),
    mark(Make::Ucm, Place::Header, "PageFlag"),
    mark(Make::Ucm, Place::Header, "Reg_calleenum"),
    mark(Make::Ucm, Place::Header, "SeviceLevel"),
    mark(Make::Wazo, Place::Event, "SIPRinging"),
    mark(Make::Wazo, Place::Header, "Skills"),
    mark(Make::Wazo, Place::Within("AsteriskVersion"), "wazo"),
    mark(Make::Wazo, Place::Within("AsteriskVersion"), "xivo"),
    mark(Make::YeastarGateway, Place::Action, "SMSCommand"),
    mark(Make::YeastarGateway, Place::End, "\\r\\n"),
    mark(Make::YeastarGateway, Place::Event, "ReceivedSMS"),
    mark(Make::YeastarGateway, Place::Event, "UpdateSMSSend"),
    mark(Make::YeastarGateway, Place::Line, "--END SMS EVENT--"),
    mark(
        Make::YeastarGateway,
        Place::Value("Privilege"),
        "SMSCommand",
    ),
    mark(Make::YeastarPbx, Place::End, "\r\n"),
    mark(Make::YeastarPbx, Place::Value("Context"), "DLPN_"),
    mark(
        Make::YeastarPbx,
        Place::Value("Context"),
        "macro-realstexten",
    ),
    mark(Make::FreePbx, Place::Within("Location"), "@from-queue/"),
    mark(Make::FreePbx, Place::Value("Context"), "ext-local"),
    mark(Make::FreePbx, Place::Value("Context"), "followme-"),
    mark(Make::FreePbx, Place::Value("Context"), "from-internal"),
    mark(Make::FreePbx, Place::Value("Context"), "from-queue"),
    mark(Make::FreePbx, Place::Value("Context"), "macro-dial"),
];

impl Mark {
    pub(super) fn is_on(&self, frame: &Frame<'_>) -> bool {
        let is = |value: &[u8]| value.eq_ignore_ascii_case(self.text.as_bytes());
        match self.place {
            Place::Banner => false,
            Place::Action => frame.kind() == FrameKind::Response && is_listed(frame, self.text),
            Place::Event => frame.get("Event").is_some_and(is),
            // As it is written: others have a CallID.
            Place::Header => frame
                .headers()
                .any(|header| header.name == self.text.as_bytes()),
            Place::Line => frame.lines().any(is),
            Place::Value(name) => frame.get_all(name).any(|value| {
                let start = value.get(..self.text.len());
                start.is_some_and(is)
            }),
            Place::Within(name) => frame.get_all(name).any(|value| {
                let mut windows = value.windows(self.text.len());
                windows.any(is)
            }),
            Place::End => frame.body().is_some_and(|body| {
                let rest = body.strip_suffix(self.text.as_bytes());
                rest.is_some_and(|rest| !rest.contains(&b'\r'))
            }),
        }
    }

    pub(super) fn is_in_banner(&self, banner: &str) -> bool {
        let name = banner.split('/').next().unwrap_or_default();
        matches!(self.place, Place::Banner) && name == self.text
    }

    /// What is seen, as a clause.
    pub(super) fn seen(&self) -> String {
        let text = self.text.escape_debug();
        match self.place {
            Place::Banner => format!("the banner names {text}"),
            Place::Action => match self.text.split_once(':') {
                Some((action, class)) => format!("the action {action} is of class {class}"),
                None => format!("it has the action {text}"),
            },
            Place::Event => format!("an event {text}"),
            Place::Header => format!("a header {text}"),
            Place::Line => format!("a line {text}"),
            Place::Value(name) => format!("`{name}: {text}…`"),
            Place::Within(name) => format!("`{name}: …{text}…`"),
            Place::End => format!("what Command prints ends with {text:?}"),
        }
    }
}

/// `GSAgents: …  (Priv: agent,all)`
fn is_listed(frame: &Frame<'_>, action: &str) -> bool {
    let (name, class) = action.split_once(':').unwrap_or((action, ""));
    let Some(text) = frame.text(name) else {
        return false;
    };
    let classes = text.rsplit_once("(Priv: ").map(|(_, classes)| classes);
    classes.is_some_and(|classes| {
        classes
            .split([',', ')'])
            .any(|one| class.is_empty() || one == class)
    })
}
