//! TLS to a PBX: how far it is trusted, and what went wrong when it could not be agreed on.
//!
//! Read `first_words` (what a peer said that speaks no TLS), `stream` (TLS without waiting, for a load worker).

pub mod first_words;
pub(crate) mod stream;
