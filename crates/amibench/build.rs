//! Counts the recorded sessions that stand behind each simulated PBX, for `sim --list`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use ami_proto::transcript::{Provenance, Transcript, What};

/// Beside this package, in the repository.
const TRANSCRIPTS: &str = "../../corpora/transcripts";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={TRANSCRIPTS}");
    let mut folders: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for folder in entries(Path::new(TRANSCRIPTS))? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let sums = folders.entry(name.into_owned()).or_default();
        for file in entries(&folder)? {
            if file
                .extension()
                .is_none_or(|extension| extension != "jsonl")
            {
                continue;
            }
            let transcript = Transcript::parse(&fs::read_to_string(&file)?)?;
            let said = |what: &What| match what {
                What::Server(bytes) => bytes.len(),
                What::Client(_) | What::Mark(_) => 0,
            };
            let bytes: usize = transcript
                .entries
                .iter()
                .map(|entry| said(&entry.what))
                .sum();
            match transcript.header.provenance {
                Provenance::Captured => sums.0 += bytes,
                Provenance::Reconstructed => sums.1 += bytes,
            }
        }
    }
    let mut code = "&[".to_owned();
    for (folder, (captured, reconstructed)) in folders {
        write!(
            code,
            "Corpus {{ folder: {folder:?}, captured: {captured}, reconstructed: {reconstructed} }},"
        )?;
    }
    code.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("corpora.rs"), code)?;
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.path())).collect()
}
