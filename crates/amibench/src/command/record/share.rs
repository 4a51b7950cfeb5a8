//! A capture as it may be passed on: a second file, under pseudonyms. Which of them stands for whom is only in the first.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::contents;
use super::output::SUFFIX;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::print;

mod disguise;

pub(super) fn share(path: &Path) -> Result<(), Failure> {
    let shared = disguise::disguised(&contents::read(path)?);
    let beside = beside(path);
    std::fs::File::create_new(&beside)
        .and_then(|mut file| std::io::Write::write_all(&mut file, shared.to_text().as_bytes()))
        .with_context(|| format!("failed to write {}", beside.display()))
        .or_exit(Exit::NotWritten)?;
    print::line(format_args!(
        "{} is the same under pseudonyms; read it before you pass it on",
        beside.display()
    ));
    Ok(())
}

/// `pbx.shared.ami.jsonl` for `pbx.ami.jsonl`.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(SUFFIX).unwrap_or(&name);
    path.with_file_name(format!("{stem}.shared{SUFFIX}"))
}
