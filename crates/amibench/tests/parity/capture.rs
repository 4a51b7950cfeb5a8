//! Writes what a real PBX said to a scene into the corpora.

use std::fs;
use std::path::Path;

use ami_proto::transcript::Transcript;
use anyhow::{Context, Result};

pub(crate) fn write(path: &Path, mut transcript: Transcript) -> Result<()> {
    let now = jiff::Timestamp::now();
    transcript.header.captured_at = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, transcript.to_text()).with_context(|| format!("writing {}", path.display()))
}
