//! Sockets of AMI sessions, and the files that say where they lead.
//!
//! This crate owns connections and decides nothing: what the bytes mean is `ami-proto`'s, what to send is the caller's.
//! Read `document` (files with good errors), `target` (who is tested), `wire`, `tls`, `open`,
//! `connection`, `stream` (a session's bytes for who drives it without waiting), `backoff`,
//! `http_session` (AMI over HTTP), `capture` (transcripts of what passes), `relay` (in the middle of somebody else's connection).

pub mod backoff;
pub mod capture;
pub mod clock;
pub mod connection;
pub mod dial;
pub mod document;
pub mod http_session;
pub mod open;
pub mod peer;
pub mod relay;
pub mod secret;
pub mod stream;
pub mod target;
pub mod tls;
pub mod wire;

pub use capture::Capture;
pub use clock::Clock;
pub use connection::Connection;
pub use document::{Document, DocumentError};
pub use http_session::{HttpError, HttpSession};
pub use open::{Gate, OpenError, open};
pub use peer::{Peer, Transport};
pub use stream::Stream;
pub use target::Target;
