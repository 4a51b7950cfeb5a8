//! The contract of AMI as cases, and who judges a PBX by them: live (`suite`), or on a recorded session (`import`, `recorded`).
//!
//! Read `case` (what a case is), `cases` (the catalogue), `finding` (how one ends), then `probe` and `bench` (what an active
//! case drives), `observed` (what a passive one looks at), `device` (what a PBX can do) and `suite`.

pub mod allowed;
pub mod bench;
pub mod case;
pub mod cases;
pub mod device;
pub mod expectation;
pub mod finding;
pub mod import;
pub mod log;
pub mod logins;
mod masking;
pub mod observed;
pub mod pace;
mod placed;
pub mod probe;
pub mod reading;
pub mod recorded;
pub mod replay;
pub mod suite;
pub mod trace;
pub mod web;
