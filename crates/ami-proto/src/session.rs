//! The client side of one AMI connection, from banner to close.

/// Which action of a session: `index` says where it is kept, `seq` counts the actions sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot {
    pub index: u16,
    pub seq: u32,
}
