//! 64 bytes at a time: where the line feeds, colons and carriage returns are, as bit masks.
//! Safe SIMD by `wide`; SSE2 and NEON come with the targets, so nothing is detected at run time.

use wide::u8x16;

pub(super) const LEN: usize = 64;

/// Bit `i` speaks of byte `i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) line_feeds: u64,
    pub(super) colons: u64,
    pub(super) carriage_returns: u64,
}

/// What stood before the block, as the bits that are carried into its lowest place: each 0 or 1.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CarryIn {
    /// The block begins a line.
    pub(super) line_start: u64,
    /// The line at the start of the block has had no colon yet.
    pub(super) open_line: u64,
    /// The byte before is a CR.
    pub(super) cr: u64,
    /// The byte before is a CR, and all there is of the line.
    pub(super) lone_cr: u64,
}

/// The bytes from `from` on, and how many of them are real; the rest is zero.
#[inline(always)]
pub(super) fn load(bytes: &[u8], from: usize) -> ([u8; LEN], usize) {
    let rest = &bytes[from..];
    #[cfg(test)]
    tests::LOOKED_AT.set(tests::LOOKED_AT.get() + rest.len().min(LEN));
    if let Some(block) = rest.first_chunk::<LEN>() {
        return (*block, LEN);
    }
    let mut block = [0; LEN];
    block[..rest.len()].copy_from_slice(rest);
    (block, rest.len())
}

/// The bits below the lowest one that is set; all if none is.
#[inline(always)]
pub(super) fn below_first(bits: u64) -> u64 {
    bits.wrapping_sub(1) & !bits
}

/// The lowest bit that is set and those below; all if none is.
#[inline(always)]
pub(super) fn up_to_first(bits: u64) -> u64 {
    bits.wrapping_sub(1) ^ bits
}

impl Block {
    #[inline(always)]
    pub(super) fn of(bytes: &[u8; LEN]) -> Self {
        let (quarters, _) = bytes.as_chunks::<16>();
        let quarter = |at: usize| u8x16::new(quarters[at]);
        let quarters = [quarter(0), quarter(1), quarter(2), quarter(3)];
        let places_of = |byte: u8| {
            let wanted = u8x16::splat(byte);
            let bits = |at: usize| u64::from(quarters[at].simd_eq(wanted).to_bitmask());
            (bits(0) | bits(1) << 16) | (bits(2) | bits(3) << 16) << 32
        };
        Self {
            line_feeds: places_of(b'\n'),
            colons: places_of(b':'),
            carriage_returns: places_of(b'\r'),
        }
    }

    /// The line feeds of lines that hold nothing, or a lone CR.
    #[inline(always)]
    pub(super) fn blank_lines(self, carry: CarryIn) -> u64 {
        let starts = self.line_feeds << 1 | carry.line_start;
        let lone_crs = (self.carriage_returns & starts) << 1 | carry.lone_cr;
        self.line_feeds & (starts | lone_crs)
    }

    /// One bit a line: its first colon, or its line feed if it has none; none for a line that had its colon before.
    /// The addition carries a bit from each line's start through the bytes that are neither colon nor line feed, up to
    /// the first that is.
    #[inline(always)]
    pub(super) fn first_stops(self, carry: CarryIn) -> u64 {
        let stops = self.line_feeds | self.colons;
        let starts = self.line_feeds << 1 | carry.open_line;
        starts.wrapping_add(!stops) & stops
    }

    #[inline(always)]
    pub(super) fn bare_line_feeds(self, carry: CarryIn) -> u64 {
        self.line_feeds & !(self.carriage_returns << 1 | carry.cr)
    }

    /// The offset of the lowest bit, which must be set: saying so saves the code for zero.
    #[inline(always)]
    pub(super) fn position(bits: u64) -> u32 {
        (bits | 1 << 63).trailing_zeros()
    }

    /// How many lines end before the lowest of `bits`.
    pub(super) fn lines_before(self, bits: u64) -> u32 {
        (self.line_feeds & below_first(bits)).count_ones()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// Bytes that this thread has loaded: what a rescan would show in.
        pub(in super::super) static LOOKED_AT: Cell<usize> = const { Cell::new(0) };
    }

    fn block(text: &str) -> Block {
        Block::of(&load(text.as_bytes(), 0).0)
    }

    /// `marks` has a `^` under each byte whose bit is set.
    fn check(bits: u64, marks: &str) {
        let found: String = (0..64)
            .map(|bit| if bits >> bit & 1 == 1 { '^' } else { ' ' })
            .collect();
        assert_eq!(found.trim_end(), marks.trim_end());
    }

    const NOTHING: CarryIn = CarryIn {
        line_start: 0,
        open_line: 0,
        cr: 0,
        lone_cr: 0,
    };

    #[test]
    fn one_stop_a_line() {
        let open = CarryIn {
            open_line: 1,
            ..NOTHING
        };
        check(
            block("a: b:c|\nno colon\n::\n\nd:").first_stops(open),
            " ^              ^^  ^ ^",
        );
        check(
            block("still: the value\nb: c").first_stops(NOTHING),
            "                  ^",
        );
    }

    #[test]
    fn blank_lines_are_found_across_blocks() {
        check(block("a\n\nb\n_\n\n").blank_lines(NOTHING), "  ^    ^");
        check(block("a\r\n\r\n\n\r\r\n").blank_lines(NOTHING), "    ^^");
        check(block("\nab").blank_lines(NOTHING), "");
        let line_start = CarryIn {
            line_start: 1,
            ..NOTHING
        };
        check(block("\nab").blank_lines(line_start), "^");
        check(block("\r\nab").blank_lines(line_start), " ^");
        check(
            block("\nab").blank_lines(CarryIn {
                lone_cr: 1,
                ..NOTHING
            }),
            "^",
        );
    }

    #[test]
    fn bare_line_feeds_are_found_across_blocks() {
        check(block("\na\r\nb\n\n").bare_line_feeds(NOTHING), "^    ^^");
        check(
            block("\na\r\n").bare_line_feeds(CarryIn { cr: 1, ..NOTHING }),
            "",
        );
    }

    #[test]
    fn masks_up_to_a_bit() {
        assert_eq!(
            (below_first(0b1010_0000), up_to_first(0b1010_0000)),
            (0b1_1111, 0b11_1111)
        );
        assert_eq!((below_first(0), up_to_first(0)), (u64::MAX, u64::MAX));
    }
}
