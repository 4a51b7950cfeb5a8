//! One load offered by several processes, each a segment of it.

/// The `index`-th of `count` segments, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub index: u16,
    pub count: u16,
}

impl Segment {
    /// The only process offers the whole load.
    pub const WHOLE: Self = Self { index: 0, count: 1 };
}
