//! Connections that were met in the middle: what stands before the first message that is whole is not judged.

use std::collections::BTreeMap;

use ami_proto::transcript::{Entry, Mark, What};

use super::{Recording, begins};
use crate::log::Side;

/// How the messages of a side begin, of which the first whole one is looked for.
const SERVER: [&[u8]; 2] = [b"event: ", b"response: "];
const CLIENT: [&[u8]; 1] = [b"action:"];
/// As much is kept back to see a beginning that is spread over chunks.
const KEPT: usize = 16;

pub(super) fn begin_with_whole_messages(recording: &mut Recording) {
    let mut begun: BTreeMap<u32, bool> = BTreeMap::new();
    let mut seeking: BTreeMap<(u32, Side), Vec<u8>> = BTreeMap::new();
    let mut in_step: BTreeMap<(u32, Side), bool> = BTreeMap::new();
    let mut skipped = 0_usize;
    recording.entries.retain_mut(|entry| {
        let is_open = entry.what == What::Mark(Mark::Open);
        let whole = *begun.entry(entry.conn).or_insert(is_open);
        let conn = entry.conn;
        let Some((side, bytes)) = said(entry) else {
            return true;
        };
        let in_step = in_step.entry((conn, side)).or_insert(whole);
        if *in_step {
            return true;
        }
        let held = seeking.entry((conn, side)).or_default();
        held.extend_from_slice(bytes);
        match beginning(held, side) {
            Some(at) => {
                skipped += at;
                *bytes = held.split_off(at);
                *in_step = true;
                true
            }
            None => {
                let old = held.len().saturating_sub(KEPT);
                skipped += old;
                held.drain(..old);
                false
            }
        }
    });
    skipped += seeking
        .iter()
        .filter(|(key, _)| !in_step.get(key).is_some_and(|in_step| *in_step))
        .map(|(_, held)| held.len())
        .sum::<usize>();
    let missed = begun.values().filter(|whole| !**whole).count();
    if missed > 0 {
        recording.notes.push(format!(
            "{missed} stretches of connections begin in the middle: {skipped} bytes before their first whole messages are \
             not judged, nor is what needs the beginning"
        ));
    }
}

fn said(entry: &mut Entry) -> Option<(Side, &mut Vec<u8>)> {
    match &mut entry.what {
        What::Client(bytes) => Some((Side::Client, bytes)),
        What::Server(bytes) => Some((Side::Server, bytes)),
        What::Mark(_) => None,
    }
}

/// Where the first message begins that stands behind an empty line.
fn beginning(bytes: &[u8], side: Side) -> Option<usize> {
    let words: &[&[u8]] = match side {
        Side::Client => &CLIENT,
        Side::Server => &SERVER,
    };
    let is_at = |at: usize| words.iter().any(|word| begins(&bytes[at..], word));
    let behind_empty_line = |at: usize| {
        let before = &bytes[..at];
        before.ends_with(b"\n\r\n") || before.ends_with(b"\n\n")
    };
    (1..bytes.len()).find(|at| behind_empty_line(*at) && is_at(*at))
}
