//! The Asterisk Manager Interface as a sans-IO core: bytes, frames, messages, sessions.
