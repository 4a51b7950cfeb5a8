//! Turns results into something to read: tables, Markdown, SVG plots.
//!
//! [`summary::Summary::read`] is the one way in; every renderer and plot is a pure function of it, and
//! [`write_reports`] puts what they made beside the results. Reports can be made again at any time.

use std::path::PathBuf;

use ami_results::run_dir::{RunDir, WriteError};

use crate::summary::{Summary, SummaryError};

pub mod plot;
pub mod quantity;
pub mod render;
pub mod summary;

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    Summary(#[from] SummaryError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// `report.md`, and a plot of quantiles and a timeline per target.
pub fn write_reports(run_dir: &RunDir) -> Result<Vec<PathBuf>, ReportError> {
    let summary = Summary::read(run_dir)?;
    let mut written =
        vec![run_dir.write("report.md", render::markdown::render(&summary).as_bytes())?];
    for target in &summary.targets {
        let quantiles = plot::quantiles::plot(&summary, target);
        written.push(run_dir.write(&plot::quantiles::file_name(target), quantiles.as_bytes())?);
        let timeline = plot::timeline::plot(&summary, target);
        written.push(run_dir.write(&plot::timeline::file_name(target), timeline.as_bytes())?);
    }
    Ok(written)
}
