//! The Asterisk Manager Interface as a sans-IO core: bytes, frames, messages, sessions.
//! No socket, clock, thread or hash map lives here: bytes and the time come in as arguments.
//! Decoding never fails and is bounded; what is odd about the peer is an `Anomaly`.

pub mod action;
pub mod anomaly;
pub mod dialect;
pub mod event;
pub mod frame;
pub mod header;
pub mod message;
pub mod response;
pub mod session;
pub mod transcript;

pub use action::{Action, ActionId};
pub use anomaly::Anomaly;
pub use frame::decode::{Decoder, Limits};
pub use frame::{Frame, FrameKind, OwnedFrame};
