//! AMI over HTTP as Asterisk's own web server speaks it, without sockets: requests are read, answers written.
//!
//! By hand and not with an HTTP library: order, case and texts of its headers are Asterisk's own, and so are its limits.
//! Who asks, in which session, is `exchange::web`.

mod digest;
mod page;
mod request;
mod response;

pub(crate) use digest::{Credentials, Freshness, NONCE_LIFETIME, challenge};
pub(crate) use page::Naming;
pub(crate) use request::{Method, Resource};
pub use request::{Reading, WebReader, WebRequest};
pub(crate) use response::Site;
pub use response::{After, Refusal, WebResponse};
