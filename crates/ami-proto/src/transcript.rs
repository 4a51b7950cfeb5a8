//! Recorded sessions: JSON Lines, a header object and then one array for each chunk as it was read or written.
//! Version 2 rows are `[seconds, conn, "C"|"S", text or {"b64"}]` and `[seconds, conn, "!", mark]`;
//! version 1 has no conn, writes `{"hex"}` for bytes and `null` for the end of the stream. Only version 2 is written.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    pub header: TranscriptHeader,
    pub entries: Vec<Entry>,
}

/// The version that is written.
pub const VERSION: u32 = 2;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct TranscriptHeader {
    #[serde(rename = "amibench_transcript")]
    pub version: u32,
    pub target: String,
    #[serde(default)]
    pub captured_at: String,
    #[serde(default)]
    pub provenance: Provenance,
    #[serde(default)]
    pub note: String,
    /// Whether numbers, names and addresses were replaced, so that it may be passed on.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shared: bool,
    /// What in a reconstruction rests on no evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

/// Where the bytes are from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// From the wire of a real PBX, or of the one that `target` names.
    #[default]
    Captured,
    /// Put together from documents and reports.
    Reconstructed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Since the start of the recording.
    pub at: Duration,
    /// Version 1 has one connection, number 0.
    pub conn: u32,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Client(Vec<u8>),
    Server(Vec<u8>),
    Mark(Mark),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Open,
    /// The server closed its side.
    Fin,
    Rst,
    /// The client closed its side; the server may go on.
    ClientFin,
    ClientRst,
    TlsAlert,
    /// What came after is not in the transcript.
    CaptureEnd,
}

const MARKS: [(&str, Mark); 7] = [
    ("open", Mark::Open),
    ("fin", Mark::Fin),
    ("rst", Mark::Rst),
    ("client-fin", Mark::ClientFin),
    ("client-rst", Mark::ClientRst),
    ("tls-alert", Mark::TlsAlert),
    ("capture-end", Mark::CaptureEnd),
];

/// Reads after "failed to"; lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    #[error("read a transcript: it is empty, the first line must be its header")]
    Empty,
    #[error("read a transcript: line {line} is not JSON")]
    Json {
        line: usize,
        #[source]
        source: serde_json::Error,
    },
    #[error("read a transcript: version {version} is not known, only 1 and 2 are")]
    Version { version: u32 },
    #[error("read a transcript: line {line}: {expected}")]
    Row { line: usize, expected: &'static str },
}

impl Transcript {
    pub fn parse(text: &str) -> Result<Self, TranscriptError> {
        let mut rows = text
            .lines()
            .enumerate()
            .map(|(index, row)| (index + 1, row))
            .filter(|(_, row)| !row.trim().is_empty());
        let (line, header) = rows.next().ok_or(TranscriptError::Empty)?;
        let header: TranscriptHeader = serde_json::from_str(header)
            .map_err(|source| TranscriptError::Json { line, source })?;
        let row_of = match header.version {
            1 => row_v1,
            2 => row_v2,
            version => return Err(TranscriptError::Version { version }),
        };
        let entry = |(line, row)| {
            let row: Value = serde_json::from_str(row)
                .map_err(|source| TranscriptError::Json { line, source })?;
            row_of(&row).map_err(|expected| TranscriptError::Row { line, expected })
        };
        let entries = rows.map(entry).collect::<Result<_, _>>()?;
        Ok(Self { header, entries })
    }

    /// As a file of version 2, whatever was read.
    pub fn to_text(&self) -> String {
        let mut text = self.header.to_line();
        for entry in &self.entries {
            text.push_str(&entry.to_line());
        }
        text
    }

    /// What the server sent on that connection, chunk by chunk as it was read.
    pub fn server_chunks(&self, conn: u32) -> impl Iterator<Item = &[u8]> {
        self.entries
            .iter()
            .filter(move |entry| entry.conn == conn)
            .filter_map(|entry| match &entry.what {
                What::Server(bytes) => Some(bytes.as_slice()),
                What::Client(_) | What::Mark(_) => None,
            })
    }

    /// What the client sent on that connection, chunk by chunk as it was written.
    pub fn client_chunks(&self, conn: u32) -> impl Iterator<Item = &[u8]> {
        self.entries
            .iter()
            .filter(move |entry| entry.conn == conn)
            .filter_map(|entry| match &entry.what {
                What::Client(bytes) => Some(bytes.as_slice()),
                What::Server(_) | What::Mark(_) => None,
            })
    }
}

impl TranscriptHeader {
    /// Of a capture that begins; `captured_at` is a date or an instant, as RFC 3339 writes it.
    pub fn captured(target: impl Into<String>, captured_at: impl Into<String>) -> Self {
        Self {
            version: VERSION,
            target: target.into(),
            captured_at: captured_at.into(),
            provenance: Provenance::Captured,
            note: String::new(),
            shared: false,
            doubts: Vec::new(),
        }
    }

    /// The first line of a file.
    pub fn to_line(&self) -> String {
        let header = Self {
            version: VERSION,
            ..self.clone()
        };
        let object = serde_json::to_string(&header).expect("strings and flags are always JSON");
        format!("{object}\n")
    }
}

impl Entry {
    /// A line of version 2; what is finer than a microsecond is lost.
    pub fn to_line(&self) -> String {
        let (side, what) = match &self.what {
            What::Client(bytes) => ("C", chunk(bytes)),
            What::Server(bytes) => ("S", chunk(bytes)),
            What::Mark(mark) => ("!", json!(mark.slug())),
        };
        let (seconds, micros) = (self.at.as_secs(), self.at.subsec_micros());
        format!(
            "[{seconds}.{micros:06}, {}, \"{side}\", {what}]\n",
            self.conn
        )
    }
}

impl Mark {
    pub fn slug(self) -> &'static str {
        let is = |(_, mark): &&(&str, Self)| *mark == self;
        MARKS.iter().find(is).map_or("", |(slug, _)| slug)
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Captured => "captured",
            Self::Reconstructed => "reconstructed",
        })
    }
}

fn chunk(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "b64": STANDARD.encode(bytes) }),
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn row_v1(row: &Value) -> Result<Entry, &'static str> {
    let [at, side, chunk] = row.as_array().map_or(&[][..], Vec::as_slice) else {
        return Err("a row is [seconds, \"C\" or \"S\", text, {\"hex\"} or null]");
    };
    let what = match chunk {
        Value::Null => What::Mark(Mark::Fin),
        chunk => said_by(side, chunk)?,
    };
    Ok(Entry {
        at: seconds(at)?,
        conn: 0,
        what,
    })
}

fn row_v2(row: &Value) -> Result<Entry, &'static str> {
    let [at, conn, side, chunk] = row.as_array().map_or(&[][..], Vec::as_slice) else {
        return Err("a row is [seconds, conn, \"C\", \"S\" or \"!\", text, {\"b64\"} or mark]");
    };
    let conn = conn.as_u64().and_then(|conn| u32::try_from(conn).ok());
    let what = match side.as_str() {
        Some("!") => What::Mark(mark(chunk)?),
        _ => said_by(side, chunk)?,
    };
    Ok(Entry {
        at: seconds(at)?,
        conn: conn.ok_or("conn is a number from 0")?,
        what,
    })
}

fn said_by(side: &Value, chunk: &Value) -> Result<What, &'static str> {
    let bytes = bytes(chunk).ok_or("a chunk is a text, or bytes as {\"b64\"} or {\"hex\"}")?;
    match side.as_str() {
        Some("C") => Ok(What::Client(bytes)),
        Some("S") => Ok(What::Server(bytes)),
        _ => Err("the side is \"C\" for the client or \"S\" for the server"),
    }
}

fn bytes(chunk: &Value) -> Option<Vec<u8>> {
    if let Some(text) = chunk.as_str() {
        return Some(text.as_bytes().to_vec());
    }
    let chunk = chunk.as_object().filter(|chunk| chunk.len() == 1)?;
    match (chunk.get("b64"), chunk.get("hex")) {
        (Some(b64), None) => STANDARD.decode(b64.as_str()?).ok(),
        (None, Some(hex)) => unhex(hex.as_str()?),
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let decoded = pairs
        .iter()
        .map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?))
        .collect();
    if rest.is_empty() { decoded } else { None }
}

fn mark(chunk: &Value) -> Result<Mark, &'static str> {
    let is = |&&(name, _): &&(&str, Mark)| chunk.as_str() == Some(name);
    let found = MARKS.iter().find(is).map(|&(_, mark)| mark);
    found.ok_or(
        "a mark is \"open\", \"fin\", \"rst\", \"client-fin\", \"client-rst\", \"tls-alert\" or \"capture-end\"",
    )
}

/// To the microsecond, as they are written. So many seconds a number of JSON still holds exactly to that.
fn seconds(at: &Value) -> Result<Duration, &'static str> {
    const SECONDS_MAX: f64 = 1e9;
    at.as_f64()
        .filter(|at| *at < SECONDS_MAX)
        .and_then(|at| Duration::try_from_secs_f64(at).ok())
        .map(|at| at + Duration::from_nanos(500))
        .map(|at| Duration::new(at.as_secs(), at.subsec_micros() * 1000))
        .ok_or("a row starts with its seconds since the start of the recording, below 1e9")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, prop_oneof, proptest};
    use proptest::strategy::{Just, Strategy};

    use super::*;

    fn whats() -> impl Strategy<Value = What> {
        let bytes = || {
            prop_oneof![
                any::<Vec<u8>>(),
                any::<String>().prop_map(String::into_bytes)
            ]
        };
        let marks = prop_oneof![
            Just(Mark::Open),
            Just(Mark::Fin),
            Just(Mark::Rst),
            Just(Mark::ClientFin),
            Just(Mark::ClientRst),
            Just(Mark::TlsAlert),
            Just(Mark::CaptureEnd)
        ];
        prop_oneof![
            bytes().prop_map(What::Client),
            bytes().prop_map(What::Server),
            marks.prop_map(What::Mark)
        ]
    }

    fn entries() -> impl Strategy<Value = Entry> {
        let longest = 1_000_000_000 * 1_000_000_u64;
        (0..longest, any::<u32>(), whats()).prop_map(|(micros, conn, what)| Entry {
            at: Duration::from_micros(micros),
            conn,
            what,
        })
    }

    proptest! {
        /// What is written is read again as it was: every byte, connection, mark and microsecond of thirty years.
        #[test]
        fn what_is_written_is_read_as_it_was(
            entries in proptest::collection::vec(entries(), 0..20),
            note in any::<String>(),
            shared in any::<bool>(),
            doubts in proptest::collection::vec(any::<String>(), 0..3),
        ) {
            let header = TranscriptHeader {
                version: VERSION,
                target: "t".to_owned(),
                captured_at: "2026-11-21".to_owned(),
                provenance: Provenance::Reconstructed,
                note,
                shared,
                doubts,
            };
            let transcript = Transcript { header, entries };
            let read = Transcript::parse(&transcript.to_text()).unwrap();
            prop_assert_eq!(read, transcript);
        }
    }

    #[test]
    fn a_file_of_version_1_is_written_as_one_of_version_2() {
        let old = "{\"amibench_transcript\": 1, \"target\": \"t\"}\n[0.000548, \"S\", {\"hex\": \"ff\"}]\n[1, \"S\", null]\n";
        let new = Transcript::parse(old).unwrap().to_text();
        let rows: Vec<&str> = new.lines().skip(1).collect();
        assert_eq!(
            rows,
            [
                r#"[0.000548, 0, "S", {"b64":"/w=="}]"#,
                r#"[1.000000, 0, "!", "fin"]"#
            ]
        );
        assert_eq!(Transcript::parse(&new).unwrap().header.version, VERSION);
    }

    #[test]
    fn a_header_names_only_what_is_so() {
        let mut header = TranscriptHeader::captured("t", "2026-11-21");
        assert!(!header.to_line().contains("shared") && !header.to_line().contains("doubts"));
        header.shared = true;
        assert!(header.to_line().contains("\"shared\":true"));
    }

    fn check(row: &str, version: u32, expected: Result<(u32, What), &str>) {
        let text = format!("{{\"amibench_transcript\": {version}, \"target\": \"t\"}}\n{row}\n");
        let found = Transcript::parse(&text)
            .map(|transcript| {
                (
                    transcript.entries[0].conn,
                    transcript.entries[0].what.clone(),
                )
            })
            .map_err(|error| error.to_string());
        let expected = expected.map_err(|why| format!("read a transcript: line 2: {why}"));
        assert_eq!(found, expected, "{row}");
    }

    #[test]
    fn version_1_rows() {
        check(
            r#"[0.5, "C", "a\r\n"]"#,
            1,
            Ok((0, What::Client(b"a\r\n".to_vec()))),
        );
        check(
            r#"[0.5, "S", {"hex": "fF00"}]"#,
            1,
            Ok((0, What::Server(vec![0xff, 0]))),
        );
        check(r#"[0.5, "S", null]"#, 1, Ok((0, What::Mark(Mark::Fin))));
    }

    #[test]
    fn version_2_rows() {
        check(
            r#"[1, 3, "S", "a"]"#,
            2,
            Ok((3, What::Server(b"a".to_vec()))),
        );
        check(
            r#"[1, 0, "C", {"b64": "/wA="}]"#,
            2,
            Ok((0, What::Client(vec![0xff, 0]))),
        );
        check(r#"[1, 0, "!", "rst"]"#, 2, Ok((0, What::Mark(Mark::Rst))));
    }

    #[test]
    fn a_bad_row_is_named() {
        let v1 = "a row is [seconds, \"C\" or \"S\", text, {\"hex\"} or null]";
        check("[]", 1, Err(v1));
        check("{}", 1, Err(v1));
        let chunk = "a chunk is a text, or bytes as {\"b64\"} or {\"hex\"}";
        check(r#"[0, "S", {"hex": "f"}]"#, 1, Err(chunk));
        check(r#"[0, "S", {"hex": "0x"}]"#, 1, Err(chunk));
        check(r#"[0, 0, "S", {"b64": "*"}]"#, 2, Err(chunk));
        let side = "the side is \"C\" for the client or \"S\" for the server";
        check(r#"[0, "X", "a"]"#, 1, Err(side));
        check(r#"[0, -1, "S", "a"]"#, 2, Err("conn is a number from 0"));
        let at = "a row starts with its seconds since the start of the recording, below 1e9";
        check(r#"[-1, "S", "a"]"#, 1, Err(at));
        check(r#"[1e9, 0, "S", "a"]"#, 2, Err(at));
        let mark = "a mark is \"open\", \"fin\", \"rst\", \"client-fin\", \"client-rst\", \"tls-alert\" or \"capture-end\"";
        check(r#"[0, 0, "!", "end"]"#, 2, Err(mark));
    }

    #[test]
    fn the_header_must_be_there_and_known() {
        let error = |text: &str| Transcript::parse(text).unwrap_err().to_string();
        assert!(error("").contains("it is empty"));
        assert!(error("[]").contains("line 1 is not JSON"));
        let unknown = r#"{"amibench_transcript": 3, "target": "t"}"#;
        assert_eq!(
            error(unknown),
            "read a transcript: version 3 is not known, only 1 and 2 are"
        );
    }
}
