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

/// What stood before the block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub(super) at_line_start: bool,
    /// The line so far is one CR.
    pub(super) after_lone_cr: bool,
}

/// The bytes from `from` on, and how many of them are real; the rest is zero.
#[inline(always)]
pub(super) fn load(bytes: &[u8], from: usize) -> ([u8; LEN], usize) {
    let rest = &bytes[from..];
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
        let mut block = Self {
            line_feeds: 0,
            colons: 0,
            carriage_returns: 0,
        };
        for (lane, bytes) in bytes.as_chunks::<16>().0.iter().enumerate() {
            let bytes = u8x16::new(*bytes);
            let shift = lane * 16;
            let bits = |of: u8| u64::from(bytes.simd_eq(u8x16::splat(of)).to_bitmask()) << shift;
            block.line_feeds |= bits(b'\n');
            block.colons |= bits(b':');
            block.carriage_returns |= bits(b'\r');
        }
        block
    }

    /// The line feeds of lines that hold nothing, or a lone CR.
    #[inline(always)]
    pub(super) fn blank_lines(self, before: Before) -> u64 {
        let starts = self.line_feeds << 1 | u64::from(before.at_line_start);
        let lone_crs = (self.carriage_returns & starts) << 1 | u64::from(before.after_lone_cr);
        self.line_feeds & (starts | lone_crs)
    }

    /// One bit a line: its first colon, or its line feed if it has none. `open` says that the line at the start of the
    /// block has had no colon yet. The addition carries a bit from each line's start through the bytes that are neither
    /// colon nor line feed, up to the first that is.
    #[inline(always)]
    pub(super) fn first_stops(self, open: bool) -> u64 {
        let stops = self.line_feeds | self.colons;
        let starts = self.line_feeds << 1 | u64::from(open);
        starts.wrapping_add(!stops) & stops
    }

    #[inline(always)]
    pub(super) fn bare_line_feeds(self, after_cr: bool) -> u64 {
        self.line_feeds & !(self.carriage_returns << 1 | u64::from(after_cr))
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
mod tests {
    use super::*;

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

    #[test]
    fn one_stop_a_line() {
        check(
            block("a: b:c|\nno colon\n::\n\nd:").first_stops(true),
            " ^              ^^  ^ ^",
        );
        check(
            block("still: the value\nb: c").first_stops(false),
            "                  ^",
        );
    }

    #[test]
    fn blank_lines_are_found_across_blocks() {
        let before = Before {
            at_line_start: false,
            after_lone_cr: false,
        };
        check(block("a\n\nb\n_\n\n").blank_lines(before), "  ^    ^");
        check(block("a\r\n\r\n\n\r\r\n").blank_lines(before), "    ^^");
        check(block("\nab").blank_lines(before), "");
        check(
            block("\nab").blank_lines(Before {
                at_line_start: true,
                ..before
            }),
            "^",
        );
        check(
            block("\r\nab").blank_lines(Before {
                at_line_start: true,
                ..before
            }),
            " ^",
        );
        check(
            block("\nab").blank_lines(Before {
                after_lone_cr: true,
                ..before
            }),
            "^",
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
