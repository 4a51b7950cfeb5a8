//! 64 bytes at a time: where the line feeds, colons, carriage returns and non-ASCII bytes are, as bit masks.
//! Safe SIMD by `wide`; SSE2 and NEON come with the targets, so nothing is detected at run time.

use wide::u8x16;

pub(super) const LEN: usize = 64;

/// Bit `i` speaks of byte `i` of the block.
#[derive(Clone, Copy)]
pub(super) struct Masks {
    pub(super) line_feed: u64,
    pub(super) colon: u64,
    pub(super) carriage_return: u64,
    pub(super) not_ascii: u64,
}

impl Masks {
    #[inline(always)]
    pub(super) fn of(block: &[u8; LEN]) -> Self {
        let mut masks = Self {
            line_feed: 0,
            colon: 0,
            carriage_return: 0,
            not_ascii: 0,
        };
        for (lane, bytes) in block.as_chunks::<16>().0.iter().enumerate() {
            let bytes = u8x16::new(*bytes);
            let shift = lane * 16;
            let bits = |of: u8| u64::from(bytes.simd_eq(u8x16::splat(of)).to_bitmask()) << shift;
            masks.line_feed |= bits(b'\n');
            masks.colon |= bits(b':');
            masks.carriage_return |= bits(b'\r');
            masks.not_ascii |= u64::from(bytes.to_bitmask()) << shift;
        }
        masks
    }
}

/// The block that starts at `from`, and how many of its bytes are real; the rest is zero.
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
