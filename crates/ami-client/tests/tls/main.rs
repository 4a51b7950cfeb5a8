//! TLS on real sockets: whom we trust, and how each trouble is told from the others.

#![expect(clippy::unwrap_used, reason = "fixtures are tests too")]

mod identity;
mod peer;
mod swapped;
mod troubles;
mod trust;
