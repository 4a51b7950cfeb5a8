//! What the corpora hold, counted: the table in their README is made here (`UPDATE_CORPORA=1` writes it), and every
//! transcript says where it is from.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ami_proto::transcript::{Provenance, Transcript, What};

const CORPORA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpora");
const BEGIN: &str = "<!-- counted -->\n";
const END: &str = "<!-- end -->\n";

/// Of one folder: sessions and the bytes that the PBX said, or is supposed to.
#[derive(Default)]
struct Held {
    captured: (usize, usize),
    reconstructed: (usize, usize),
}

fn transcripts() -> Vec<(String, String, Transcript)> {
    let mut all = Vec::new();
    for folder in fs::read_dir(Path::new(CORPORA).join("transcripts")).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            let text = fs::read_to_string(&file).unwrap();
            let transcript = Transcript::parse(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            all.push((name.clone(), file.display().to_string(), transcript));
        }
    }
    all
}

fn table() -> String {
    let mut folders: BTreeMap<String, Held> = BTreeMap::new();
    for (folder, _, transcript) in transcripts() {
        let held = folders.entry(folder).or_default();
        let (sessions, bytes) = match transcript.header.provenance {
            Provenance::Captured => &mut held.captured,
            Provenance::Reconstructed => &mut held.reconstructed,
        };
        *sessions += 1;
        let said = transcript.entries.iter().map(|entry| match &entry.what {
            What::Server(chunk) => chunk.len(),
            What::Client(_) | What::Mark(_) => 0,
        });
        *bytes += said.sum::<usize>();
    }
    let mut table = "| folder | captured sessions | bytes | reconstructed sessions | bytes |\n|---|---|---|---|---|\n".to_owned();
    for (folder, held) in folders {
        let cell = |count: usize| match count {
            0 => "none".to_owned(),
            count => count.to_string(),
        };
        let row = [
            held.captured.0,
            held.captured.1,
            held.reconstructed.0,
            held.reconstructed.1,
        ];
        let _ = writeln!(table, "| `{folder}` | {} |", row.map(cell).join(" | "));
    }
    table
}

#[test]
fn the_table_of_the_corpora_is_counted() {
    let path = Path::new(CORPORA).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    let counted = table();
    if std::env::var_os("UPDATE_CORPORA").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{counted}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(
        written, counted,
        "UPDATE_CORPORA=1 cargo test -p ami-proto --test corpora_table writes it"
    );
}

/// A reconstruction names what it rests on no evidence for; a capture has nothing of the kind, and says when it was made.
#[test]
fn every_transcript_says_where_it_is_from() {
    for (_, file, transcript) in transcripts() {
        let header = &transcript.header;
        let (doubts, dated) = (!header.doubts.is_empty(), !header.captured_at.is_empty());
        match header.provenance {
            Provenance::Captured => assert!(!doubts && dated, "{file}"),
            Provenance::Reconstructed => assert!(doubts && !dated, "{file}"),
        }
        assert!(!header.note.is_empty(), "{file}");
    }
}
