//! One flow that runs: which step it is at, what it waits for, what it knows. Pure: answers, events and instants come in,
//! what to do next goes out; the worker sends and sets alarms.

use std::time::Duration;

use ami_proto::frame::Frame;
use ami_proto::message::Message;
use ami_proto::session::{AnswerOutcome, Done};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;

use crate::plan::flow::{Capture, Condition, Pause, PlannedAwait, Sends, Test};
use crate::plan::{PlannedFlow, nanos};
use crate::run_tag::{CallKey, RunTag};
use crate::template::Values;

/// A value that is captured is a header's, and goes into a line of an action at most.
const CAPTURE_BYTES_MAX: usize = 512;
/// An error class longer than this is cut: it is a Message, not a document.
const ERROR_CHARS_MAX: usize = 120;
/// Values up to this length are states and causes; what is longer may be a number or a name, which no error text tells.
const TOLD_CHARS_MAX: usize = 2;

#[derive(Debug)]
pub(crate) struct Instance {
    step: usize,
    state: State,
    number: u64,
    session: u32,
    row: Vec<String>,
    captures: Vec<Box<str>>,
    /// By step.
    calls: Vec<Option<CallKey>>,
    lot: Option<ChaCha8Rng>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The step has not begun.
    Thinking,
    /// Its action waits for the answer; the awaited event may come first.
    Sent { event: Awaited },
    /// Only its event is missing.
    Awaiting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Missing,
    Seen,
}

/// What an arrival brings along.
#[derive(Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) number: u64,
    pub(crate) session: u32,
    pub(crate) row: &'a [String],
    pub(crate) lot: Option<ChaCha8Rng>,
}

/// What the values of a flow may speak of besides the flow itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'a> {
    pub(crate) tag: &'a RunTag,
    pub(crate) target: &'a str,
}

/// What a session heard for the step that is under way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heard<'a> {
    Answer {
        outcome: AnswerOutcome,
        done: Done,
        frame: &'a Frame<'a>,
    },
    Item(&'a Frame<'a>),
    /// The list is over.
    Complete,
    /// An event that answers nothing.
    Event(&'a Frame<'a>),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Nothing,
    /// The answer is there; the event that the step awaits is not.
    Answered,
    /// The step is over.
    Done,
    /// It went otherwise than expected; whether the PBX took the action all the same.
    Broken {
        why: Box<str>,
        answer: AnswerOutcome,
    },
}

impl Instance {
    pub(crate) fn new(flow: &PlannedFlow, origin: Origin<'_>) -> Self {
        Self {
            step: 0,
            state: State::Thinking,
            number: origin.number,
            session: origin.session,
            row: origin.row.to_vec(),
            captures: vec![Box::default(); flow.captures],
            calls: vec![None; flow.steps.len()],
            lot: origin.lot,
        }
    }

    pub(crate) fn step(&self) -> usize {
        self.step
    }

    pub(crate) fn call_of(&self, step: usize) -> Option<CallKey> {
        self.calls[step]
    }

    /// When the first step is due, of an arrival at that instant.
    pub(crate) fn first(&mut self, flow: &PlannedFlow, at: u64) -> u64 {
        at + self.pause(flow)
    }

    /// The step under way ended well at that instant: when the next one is due, if there is one.
    pub(crate) fn next(&mut self, flow: &PlannedFlow, at: u64) -> Option<u64> {
        self.step += 1;
        self.state = State::Thinking;
        (self.step < flow.steps.len()).then(|| at + self.pause(flow))
    }

    /// The step begins; `call` is what its Originate leads to.
    pub(crate) fn begin(&mut self, flow: &PlannedFlow, call: Option<CallKey>) {
        self.calls[self.step] = call;
        self.state = match flow.steps[self.step].sends {
            Some(_) => State::Sent {
                event: Awaited::Missing,
            },
            None => State::Awaiting,
        };
    }

    pub(crate) fn values<'a>(&'a self, around: Around<'a>) -> Values<'a> {
        Values {
            tag: around.tag,
            target: around.target,
            number: self.number,
            session: self.session,
            row: &self.row,
            captures: &self.captures,
            calls: &self.calls,
        }
    }

    pub(crate) fn hear(
        &mut self,
        flow: &PlannedFlow,
        around: Around<'_>,
        heard: Heard<'_>,
    ) -> Progress {
        let step = &flow.steps[self.step];
        match (self.state, heard, &step.sends, &step.awaits) {
            (
                State::Sent { .. },
                Heard::Answer {
                    outcome,
                    done,
                    frame,
                },
                Some(sends),
                _,
            ) => {
                let checked = self.check_answer(sends, around, outcome, frame);
                let checked = checked.and_then(|()| self.capture(&sends.captures, frame));
                match checked {
                    Err(why) => Progress::Broken {
                        why,
                        answer: outcome,
                    },
                    Ok(()) if outcome == AnswerOutcome::Success && done == Done::No => {
                        Progress::Nothing
                    }
                    Ok(()) => self.answered(step.awaits.as_ref()),
                }
            }
            (State::Sent { .. }, Heard::Item(frame), Some(sends), _) => match &sends.until {
                Some(name) if is_event(frame, name) => self.answered(step.awaits.as_ref()),
                _ => Progress::Nothing,
            },
            (State::Sent { .. }, Heard::Complete, ..) => self.answered(step.awaits.as_ref()),
            (
                State::Sent {
                    event: Awaited::Missing,
                }
                | State::Awaiting,
                Heard::Event(frame),
                _,
                Some(awaits),
            ) if self.is_awaited(awaits, around, frame) => {
                match (self.capture(&awaits.captures, frame), self.state) {
                    (Err(why), _) => Progress::Broken {
                        why,
                        answer: AnswerOutcome::Success,
                    },
                    (Ok(()), State::Awaiting) => Progress::Done,
                    (Ok(()), _) => {
                        self.state = State::Sent {
                            event: Awaited::Seen,
                        };
                        Progress::Nothing
                    }
                }
            }
            _ => Progress::Nothing,
        }
    }

    fn answered(&mut self, awaits: Option<&PlannedAwait>) -> Progress {
        let seen = matches!(
            self.state,
            State::Sent {
                event: Awaited::Seen
            }
        );
        if awaits.is_none() || seen {
            return Progress::Done;
        }
        self.state = State::Awaiting;
        Progress::Answered
    }

    fn check_answer(
        &self,
        sends: &Sends,
        around: Around<'_>,
        outcome: AnswerOutcome,
        frame: &Frame<'_>,
    ) -> Result<(), Box<str>> {
        match (sends.response, outcome) {
            (AnswerOutcome::Success, AnswerOutcome::Error) => return Err(message_of(frame)),
            (AnswerOutcome::Error, AnswerOutcome::Success) => {
                return Err("expected an error, got success".into());
            }
            _ => {}
        }
        let values = self.values(around);
        let failed = sends
            .conditions
            .iter()
            .find(|condition| !condition.holds(&values, frame));
        failed.map_or(Ok(()), |condition| Err(condition.told(frame)))
    }

    fn is_awaited(&self, awaits: &PlannedAwait, around: Around<'_>, frame: &Frame<'_>) -> bool {
        let values = self.values(around);
        let mut conditions = awaits.conditions.iter();
        is_event(frame, &awaits.event)
            && conditions.all(|condition| condition.holds(&values, frame))
    }

    fn capture(&mut self, captures: &[Capture], frame: &Frame<'_>) -> Result<(), Box<str>> {
        for Capture { slot, header } in captures {
            let Some(value) = values_of(frame, header).next() else {
                return Err(format!("no header {header} to capture").into());
            };
            if value.len() > CAPTURE_BYTES_MAX {
                let why = format!(
                    "the value of {header} has more than the {CAPTURE_BYTES_MAX} bytes that are captured"
                );
                return Err(why.into());
            }
            self.captures[*slot] = value.into();
        }
        Ok(())
    }

    /// Before the current step.
    fn pause(&mut self, flow: &PlannedFlow) -> u64 {
        let mut lot = || self.lot.as_mut().map_or(0.0, unit);
        nanos(match flow.steps[self.step].think {
            Pause::None => Duration::ZERO,
            Pause::Fixed(think) => think,
            Pause::Between(from, to) => from + (to - from).mul_f64(lot()),
            // At most 37 times the mean, by what a lot can be.
            Pause::About(mean) => mean.mul_f64(-(1.0 - lot()).ln()),
        })
    }
}

/// From 0 to below 1.
fn unit(lot: &mut ChaCha8Rng) -> f64 {
    (lot.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

impl Condition {
    /// AMI repeats headers: one that fits is enough.
    fn holds(&self, values: &Values<'_>, frame: &Frame<'_>) -> bool {
        let mut found = values_of(frame, &self.header);
        match &self.test {
            Test::Is { value, .. } => {
                let wanted = value.render(values);
                found.any(|value| value == wanted)
            }
            Test::Matches(pattern) => found.any(|value| pattern.is_match(&value)),
        }
    }

    /// What was expected, as it was written, and what came instead.
    fn told(&self, frame: &Frame<'_>) -> Box<str> {
        let header = &self.header;
        let got = match values_of(frame, header).next() {
            None => "no such header".to_owned(),
            Some(value) if header.eq_ignore_ascii_case("Message") => format!("{value:?}"),
            Some(value) if value.chars().count() <= TOLD_CHARS_MAX => format!("{value:?}"),
            Some(_) => "another value".to_owned(),
        };
        let expected = match &self.test {
            Test::Is { written, .. } => format!("to be {written:?}"),
            Test::Matches(pattern) => format!("to match {:?}", pattern.as_str()),
        };
        shortened(&format!("expected {header} {expected}, got {got}"))
    }
}

/// Every value of a header; `Output` is each line that a console command printed, in both forms that PBXs have for it.
fn values_of<'a>(frame: &Frame<'a>, header: &str) -> impl Iterator<Item = String> + use<'a> {
    let text = |value: &'a [u8]| String::from_utf8_lossy(value).into_owned();
    let values: Vec<String> = match frame.message() {
        Message::Response(response) if header.eq_ignore_ascii_case("Output") => {
            response.output().map(text).collect()
        }
        _ => frame.get_all(header).map(text).collect(),
    };
    values.into_iter()
}

fn is_event(frame: &Frame<'_>, name: &str) -> bool {
    frame
        .get("Event")
        .is_some_and(|event| event.eq_ignore_ascii_case(name.as_bytes()))
}

/// Why the PBX refused, in its words.
pub(crate) fn message_of(frame: &Frame<'_>) -> Box<str> {
    shortened(frame.text("Message").unwrap_or_default().trim())
}

fn shortened(text: &str) -> Box<str> {
    text.chars()
        .take(ERROR_CHARS_MAX)
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests;
