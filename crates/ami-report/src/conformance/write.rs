//! Which formats judgements have, and their files.

use std::path::{Path, PathBuf};

use super::{Conformance, csv, html, junit, lines, markdown};
use crate::write::Folder;
use crate::{Format, ReportError};

pub const FORMATS: [Format; 6] = [
    Format::Text,
    Format::Markdown,
    Format::Json,
    Format::Junit,
    Format::Csv,
    Format::Html,
];
/// What a run leaves beside its judgements.
pub const USUAL: [Format; 3] = [Format::Markdown, Format::Junit, Format::Html];

/// The document and the file that it goes by; None of text, and of what judgements have not.
pub fn document(conformance: &Conformance, format: Format) -> Option<(&'static str, String)> {
    match format {
        Format::Markdown => Some(("report.md", markdown::render(conformance))),
        Format::Json => Some(("exported.jsonl", lines::render(conformance))),
        Format::Junit => Some(("junit.xml", junit::render(conformance))),
        Format::Csv => Some(("judgements.csv", csv::render(conformance))),
        Format::Html => Some(("matrix.html", html::render(conformance))),
        Format::Text | Format::Svg | Format::Hgrm => None,
    }
}

/// The files of these formats in `folder`, which is made where it is missing.
pub fn write(
    conformance: &Conformance,
    formats: &[Format],
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let mut folder = Folder::make(folder)?;
    for format in formats {
        if let Some((name, text)) = document(conformance, *format) {
            folder.text(name, &text)?;
        }
    }
    Ok(folder.written)
}
