//! Recorded sessions of several formats, told apart by their content and read to what passive cases look at.

use std::io::{self, BufRead, Read as _};

use ami_proto::transcript::{Entry, Mark, Transcript, TranscriptError, What};

use crate::log::LOG_BYTES_MAX;

mod middle;
mod packet;
mod pcap;
mod stream;
mod text;

pub use stream::{Content, Session};

#[derive(Debug, Default)]
pub struct Recording {
    pub format: Format,
    pub entries: Vec<Entry>,
    pub line_ends: LineEnds,
    /// Of a capture of packets: all that was found in it, also what is not judged.
    pub sessions: Vec<Session>,
    /// What a reader of the verdicts must know about what they rest on.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Transcript,
    /// pcap or pcapng.
    Packets,
    TextLog,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LineEnds {
    #[default]
    AsSent,
    /// They were rewritten, nobody knows from what.
    Lost,
}

/// Reads after "failed to".
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("read it: {0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Transcript(#[from] TranscriptError),
    #[error("read a transcript: line {line}, column {column} is not UTF-8")]
    Utf8 { line: usize, column: usize },
    #[error("read packets: byte {offset}: {what}")]
    Packets { offset: u64, what: String },
    #[error("find session {asked}: the capture has {found}")]
    NoStream { asked: usize, found: usize },
    #[error("take it: it is over {} MiB; `tshark -r … -Y tcp.stream==N -w …` or `split` makes it smaller", LOG_BYTES_MAX >> 20)]
    TooLong,
    #[error("unpack it: it is compressed with {0}, which must be undone first")]
    Packed(&'static str),
    #[error(
        "read it: it holds TLS records without their packets, and what is encrypted cannot be judged; {WAY_OUT}"
    )]
    Ciphertext,
    #[error(
        "recognise it: it is neither a transcript of amibench, nor pcap or pcapng, nor a log with lines like `Event: …` or `Response: …`"
    )]
    Unknown,
}

/// How what is encrypted can be had in the clear.
pub const WAY_OUT: &str =
    "`amibench record --listen` between the application and the PBX sees both sides in the clear";

/// Judges nothing yet. `stream` picks one session of a capture of packets.
pub fn read(
    mut file: impl BufRead + Send,
    stream: Option<usize>,
) -> Result<Recording, ImportError> {
    let beginning = file.fill_buf()?;
    match beginning {
        [0x0a, 0x0d, 0x0d, 0x0a, ..]
        | [0xa1, 0xb2, 0xc3, 0xd4, ..]
        | [0xa1, 0xb2, 0x3c, 0x4d, ..]
        | [0xa1, 0xb2, 0xcd, 0x34, ..]
        | [0x34, 0xcd, 0xb2, 0xa1, ..]
        | [0xd4, 0xc3, 0xb2, 0xa1, ..]
        | [0x4d, 0x3c, 0xb2, 0xa1, ..] => return pcap::read(file, stream),
        [0x1f, 0x8b, ..] => return Err(ImportError::Packed("gzip")),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => return Err(ImportError::Packed("zstd")),
        [0x16, 0x03, ..] => return Err(ImportError::Ciphertext),
        _ => {}
    }
    let bytes = all_of(file)?;
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace());
    match start.map(|start| bytes[start]) {
        // Nothing is no session, and no mistake.
        None => Ok(Recording::default()),
        Some(b'{') => transcript(&bytes),
        Some(_) => text::read(&bytes).ok_or(ImportError::Unknown),
    }
}

fn all_of(file: impl BufRead) -> Result<Vec<u8>, ImportError> {
    let mut bytes = Vec::new();
    file.take(LOG_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > LOG_BYTES_MAX {
        return Err(ImportError::TooLong);
    }
    Ok(bytes)
}

fn transcript(bytes: &[u8]) -> Result<Recording, ImportError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let line_start = last_line_start(good);
        ImportError::Utf8 {
            line: 1 + good.iter().filter(|byte| **byte == b'\n').count(),
            column: 1 + good.len() - line_start,
        }
    })?;
    let Transcript { header, entries } = Transcript::parse(text)?;
    let mut recording = Recording {
        entries,
        ..Recording::default()
    };
    if header.version == 1 {
        // It knows one connection, from its start.
        if let Some(first) = recording.entries.first() {
            let open = Entry {
                at: first.at,
                conn: 0,
                what: What::Mark(Mark::Open),
            };
            recording.entries.insert(0, open);
        }
    }
    middle::begin_with_whole_messages(&mut recording);
    if header.shared {
        let note = "names, numbers and addresses are pseudonyms, lengths may differ";
        recording.notes.push(note.to_owned());
    }
    for doubt in header.doubts {
        recording.notes.push(format!("reconstructed: {doubt}"));
    }
    Ok(recording)
}

/// In whatever letters.
fn begins(bytes: &[u8], word: &[u8]) -> bool {
    let start = bytes.get(..word.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Where the last line begins.
fn last_line_start(bytes: &[u8]) -> usize {
    let feed = bytes.iter().rposition(|byte| *byte == b'\n');
    feed.map_or(0, |at| at + 1)
}
