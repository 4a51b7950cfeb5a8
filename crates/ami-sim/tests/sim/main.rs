//! The simulated PBX as a client meets it, in virtual time unless a test says otherwise.

mod calls;
mod replay;
mod sessions;
mod talk;
mod wires;
