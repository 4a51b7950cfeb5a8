//! Writes what a real PBX said to a scene into the corpora, but for the lab's secrets.

use std::fs;
use std::path::Path;

use ami_proto::transcript::{Transcript, What};
use anyhow::{Context, Result};

pub(crate) fn write(path: &Path, mut transcript: Transcript, secrets: &[String]) -> Result<()> {
    for entry in &mut transcript.entries {
        if let What::Server(bytes) = &mut entry.what {
            for secret in secrets {
                *bytes = without(bytes, secret.as_bytes());
            }
        }
    }
    let now = jiff::Timestamp::now();
    transcript.header.captured_at = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, transcript.to_text()).with_context(|| format!("writing {}", path.display()))
}

/// A PBX shows them where it is asked for its configuration.
fn without(bytes: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut rest = bytes;
    let mut kept = Vec::with_capacity(bytes.len());
    while let Some(byte) = rest.first() {
        match rest.strip_prefix(secret) {
            Some(after) if !secret.is_empty() => {
                kept.extend_from_slice(b"<secret>");
                rest = after;
            }
            _ => {
                kept.push(*byte);
                rest = &rest[1..];
            }
        }
    }
    kept
}
