//! One load offered by several processes, each a segment of it.

use std::fmt;

use thiserror::Error;

/// The `index`-th of `count` segments, counted from 0; people read and write `2/4` for the second of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub index: u16,
    pub count: u16,
}

#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "{text:?} is not a segment: write 2/4 for the second of four; there are at most {}",
    Segment::COUNT_MAX
)]
pub struct SegmentError {
    text: String,
}

impl Segment {
    /// The only process offers the whole load.
    pub const WHOLE: Self = Self { index: 0, count: 1 };
    /// With the most workers of a process, all workers can still be numbered in 16 bits.
    pub const COUNT_MAX: u16 = 1_000;

    pub fn parse(text: &str) -> Result<Self, SegmentError> {
        let read = || {
            let (number, count) = text.split_once('/')?;
            let (number, count): (u16, u16) = (number.parse().ok()?, count.parse().ok()?);
            let is_one = (1..=count).contains(&number) && count <= Self::COUNT_MAX;
            is_one.then(|| Self {
                index: number - 1,
                count,
            })
        };
        read().ok_or_else(|| SegmentError {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_counted_from_one_by_people() {
        for text in ["1/1", "2/4", "1000/1000"] {
            assert_eq!(Segment::parse(text).unwrap().to_string(), text);
        }
        let second = Segment { index: 1, count: 4 };
        assert_eq!(Segment::parse("2/4"), Ok(second));
        for bad in ["", "2", "0/4", "5/4", "1/0", "1/1001", "-1/4", "1/4/4"] {
            assert!(Segment::parse(bad).is_err(), "{bad}");
        }
    }
}
