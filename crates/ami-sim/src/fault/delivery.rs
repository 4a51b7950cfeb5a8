//! One session's way from what is said to outputs, where something is wrong with it.

use std::collections::VecDeque;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::parcel::{Memory, Moment, On, Parcel, Rewrite, Then};
use super::pieces::Pieces;
use super::{InputFault, Kind, Planted};
use crate::outbox::{Chunk, Output};
use crate::text::Text;

/// What "endless" comes to: more than any client should hold, and little enough for a test to read.
const ENDLESS_BYTES: usize = 16 << 20;

#[derive(Debug, Default)]
pub(crate) struct Delivery {
    struck: Vec<Struck>,
    ready: VecDeque<Output>,
    course: Course,
}

#[derive(Debug)]
struct Struck {
    acts: Acts,
    seed: u64,
    rng: ChaCha8Rng,
    memory: Memory,
}

#[derive(Debug)]
enum Acts {
    Rewrite(On, Rewrite),
    Pieces(Pieces),
    Input(InputFault),
    /// It has done what it does once.
    Done,
}

#[derive(Debug, Default)]
enum Course {
    #[default]
    Speaking,
    Endless {
        piece: Vec<u8>,
        left: usize,
    },
    Silent,
}

/// How much may be read of the client at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appetite {
    Usual,
    OneByte,
    None,
}

impl Delivery {
    pub(crate) fn suffer(&mut self, planted: &Planted) {
        let acts = match planted.fault.kind() {
            Kind::Rewrite(on, rewrite) => Acts::Rewrite(on, rewrite),
            Kind::Pieces(pieces) => Acts::Pieces(pieces),
            Kind::Input(fault) => Acts::Input(fault),
            Kind::Accept(_) | Kind::Tls(_) | Kind::Restart => return,
        };
        self.struck.push(Struck {
            acts,
            seed: planted.seed,
            rng: ChaCha8Rng::seed_from_u64(planted.seed),
            memory: Memory::default(),
        });
    }

    pub(crate) fn is_usual(&self) -> bool {
        self.struck.is_empty()
    }

    /// Takes what is said at one moment; outputs come with `pop`.
    pub(crate) fn say(&mut self, moment: Moment, texts: Vec<Text>) {
        if !matches!(self.course, Course::Speaking) {
            return;
        }
        let (mut texts, mut then) = (texts, Then::GoOn);
        for struck in &mut self.struck {
            let pause = struck.rewrite(moment, &mut texts, &mut then);
            if !pause.is_zero() {
                self.ready.push_back(Output::Stall(pause));
            }
        }
        let bytes: Vec<u8> = texts.into_iter().flat_map(|text| text.0).collect();
        if !bytes.is_empty() {
            self.cut(bytes);
        }
        match then {
            Then::GoOn => {}
            Then::Fin => self.ready.push_back(Output::Fin),
            Then::Reset => self.ready.push_back(Output::Reset),
            Then::HalfClose => {
                self.ready.push_back(Output::HalfClose);
                self.course = Course::Silent;
            }
            Then::Silence => self.course = Course::Silent,
            Then::Endless(piece) => {
                self.course = Course::Endless {
                    piece,
                    left: ENDLESS_BYTES,
                };
            }
        }
    }

    /// What was said before anything went wrong.
    pub(crate) fn pass(&mut self, bytes: Vec<u8>) {
        self.ready.push_back(Output::Write(Chunk::Owned(bytes)));
    }

    /// The session ends by itself.
    pub(crate) fn end(&mut self) {
        if matches!(self.course, Course::Speaking) {
            self.ready.push_back(Output::Fin);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Output> {
        if let Some(output) = self.ready.pop_front() {
            return Some(output);
        }
        let Course::Endless { piece, left } = &mut self.course else {
            return None;
        };
        match left.checked_sub(piece.len()) {
            Some(rest) => {
                *left = rest;
                Some(Output::Write(Chunk::Owned(piece.clone())))
            }
            None => {
                self.course = Course::Silent;
                None
            }
        }
    }

    /// Whether all that waits is to go out in one write.
    pub(crate) fn gathers(&self) -> bool {
        self.struck
            .iter()
            .any(|struck| matches!(struck.acts, Acts::Pieces(pieces) if pieces.gathers()))
    }

    pub(crate) fn appetite(&self) -> Appetite {
        self.inputs()
            .map(|fault| match fault {
                InputFault::Stopped => Appetite::None,
                InputFault::ByteByByte | InputFault::LeftUnread => Appetite::OneByte,
            })
            .next()
            .unwrap_or(Appetite::Usual)
    }

    pub(crate) fn leaves_at_input(&self) -> bool {
        self.inputs().any(|fault| fault == InputFault::LeftUnread)
    }

    fn inputs(&self) -> impl Iterator<Item = InputFault> {
        self.struck.iter().filter_map(|struck| match struck.acts {
            Acts::Input(fault) => Some(fault),
            _ => None,
        })
    }

    /// Cuts go through one another: each piece of one fault is a whole to the next.
    fn cut(&mut self, bytes: Vec<u8>) {
        let mut outputs = vec![Output::Write(Chunk::Owned(bytes))];
        for struck in &mut self.struck {
            let Acts::Pieces(pieces) = struck.acts else {
                continue;
            };
            let cut = |output| match output {
                Output::Write(chunk) => pieces.deliver(chunk.bytes().to_vec(), &mut struck.rng),
                other => vec![other],
            };
            outputs = outputs.into_iter().flat_map(cut).collect();
        }
        self.ready.extend(outputs);
    }
}

impl Struck {
    /// The pause that comes before.
    fn rewrite(&mut self, moment: Moment, texts: &mut Vec<Text>, then: &mut Then) -> Duration {
        let Acts::Rewrite(on, rewrite) = self.acts else {
            return Duration::ZERO;
        };
        if !on.covers(moment) || *then != Then::GoOn {
            return Duration::ZERO;
        }
        let mut parcel = Parcel {
            texts: std::mem::take(texts),
            pause: Duration::ZERO,
            then: Then::GoOn,
            seed: self.seed,
            memory: &mut self.memory,
        };
        rewrite(&mut parcel);
        let pause = parcel.pause;
        (*texts, *then) = (parcel.texts, parcel.then);
        if on == On::FirstAnswer {
            self.acts = Acts::Done;
        }
        pause
    }
}
