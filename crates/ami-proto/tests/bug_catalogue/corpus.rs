//! Reads `corpora/frames` and compares what the decoder makes of a file with its sidecar.

use std::fs;
use std::path::{Path, PathBuf};

use ami_proto::{Decoder, Frame, FrameKind, Limits};
use serde::Deserialize;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpora/frames");
const CLASSES: [&str; 3] = ["valid", "malformed", "implementation-defined"];
/// Larger files are not tried with every split in two, which is quadratic.
const SPLIT_LEN_MAX: usize = 4096;

/// One frame in the words of the sidecars, or what was left over.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sighting {
    kind: String,
    #[serde(default)]
    lines: Vec<String>,
    body: Option<String>,
    #[serde(default)]
    anomalies: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sidecar {
    title: String,
    provenance: String,
    source: String,
    frames: Vec<Sighting>,
    end: Option<String>,
}

impl Sighting {
    fn of(frame: &Frame<'_>) -> Self {
        let mut lines: Vec<String> = frame.lines().map(shortened).collect();
        if lines.len() > 40 {
            let count = lines.len();
            lines.truncate(3);
            lines.push(format!("... ({count} lines)"));
        }
        Self {
            kind: format!("{:?}", frame.kind()),
            lines,
            body: frame
                .body()
                .map(|body| body.escape_ascii().to_string().replace("\\'", "'")),
            anomalies: frame.anomalies().iter().map(ToString::to_string).collect(),
        }
    }

    fn end(anomaly: String) -> Self {
        Self {
            kind: "end".to_owned(),
            lines: Vec::new(),
            body: None,
            anomalies: vec![anomaly],
        }
    }

    pub(crate) fn is_odd(&self) -> bool {
        !self.anomalies.is_empty() || self.kind == format!("{:?}", FrameKind::Unclassified)
    }
}

fn shortened(line: &[u8]) -> String {
    let text = line.escape_ascii().to_string().replace("\\'", "'");
    if line.len() > 200 {
        format!("{}... ({} bytes)", &text[..40], line.len())
    } else {
        text
    }
}

/// Whole, in reads of one byte, and split in two at every place.
pub(crate) fn check(id: &str) {
    let mut paths = CLASSES
        .iter()
        .map(|class| Path::new(ROOT).join(class).join(format!("{id}.ami")));
    let path = paths
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("no file {id}.ami"));
    let wire = fs::read(&path).unwrap();
    let expected = expected_of(&path);
    assert_eq!(sightings(&[&wire]), expected, "{id}");
    let bytes: Vec<&[u8]> = wire.chunks(1).collect();
    assert_eq!(sightings(&bytes), expected, "{id} in reads of one byte");
    if wire.len() <= SPLIT_LEN_MAX {
        for at in 0..=wire.len() {
            let (head, tail) = wire.split_at(at);
            assert_eq!(sightings(&[head, tail]), expected, "{id} split at {at}");
        }
    }
}

pub(crate) fn each_case(mut with: impl FnMut(&Path, &[u8])) {
    for class in CLASSES {
        let mut paths: Vec<PathBuf> = fs::read_dir(Path::new(ROOT).join(class))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "ami"))
            .collect();
        paths.sort();
        for path in paths {
            with(&path, &fs::read(&path).unwrap());
        }
    }
}

pub(crate) fn expected_of(path: &Path) -> Vec<Sighting> {
    let text = fs::read_to_string(path.with_extension("json")).unwrap();
    let sidecar: Sidecar = serde_json::from_str(&text).unwrap();
    for told in [&sidecar.title, &sidecar.provenance, &sidecar.source] {
        assert!(
            !told.is_empty(),
            "{} says what it is and where from",
            path.display()
        );
    }
    sidecar
        .frames
        .into_iter()
        .chain(sidecar.end.map(Sighting::end))
        .collect()
}

/// The frames joined are always the stream.
pub(crate) fn sightings(reads: &[&[u8]]) -> Vec<Sighting> {
    let mut decoder = Decoder::client(Limits::default());
    let mut seen = Vec::new();
    let mut joined = Vec::new();
    for read in reads {
        let mut input = *read;
        while let Some(frame) = decoder.decode(&mut input) {
            assert_eq!(frame.offset(), joined.len() as u64);
            joined.extend_from_slice(frame.bytes());
            seen.push(Sighting::of(&frame));
        }
    }
    joined.extend_from_slice(decoder.pending());
    assert_eq!(joined, reads.concat());
    seen.extend(
        decoder
            .finish()
            .map(|anomaly| Sighting::end(anomaly.to_string())),
    );
    seen
}
