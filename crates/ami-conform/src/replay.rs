//! Sends the client side of a recording again, to another PBX or the same one later, and compares what came then and now.
//!
//! Read `script` (what was asked, and when), `permission` (what of it may be asked again, and of whose), `drive` (how it is
//! asked), `names` (what is called otherwise now) and `comparison` (what is different).

pub mod comparison;
pub mod drive;
mod exchange;
mod line;
mod names;
pub mod permission;
pub mod request;
pub mod script;
