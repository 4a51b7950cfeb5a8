//! What a report can be: one document, or several files.

use crate::export;
use crate::render::{junit, markdown};
use crate::summary::Summary;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Tables on a terminal.
    Text,
    /// `report.md`
    Markdown,
    /// `quantiles-*.svg` and `timeline-*.svg`
    Svg,
    /// `summary.json`
    Json,
    /// `junit.xml`
    Junit,
    /// `summary.csv`, `intervals.csv`, `calls.csv`
    Csv,
    /// `hgrm/*.hgrm`
    Hgrm,
    /// `matrix.html`: of judgements only
    Html,
}

impl Format {
    pub const ALL: [Self; 8] = [
        Self::Text,
        Self::Markdown,
        Self::Svg,
        Self::Json,
        Self::Junit,
        Self::Csv,
        Self::Hgrm,
        Self::Html,
    ];
    /// What a load has.
    pub const OF_LOADS: [Self; 7] = [
        Self::Text,
        Self::Markdown,
        Self::Svg,
        Self::Json,
        Self::Junit,
        Self::Csv,
        Self::Hgrm,
    ];
    /// What a run leaves beside its results: something to read, and something for the machine that asked for it.
    pub const USUAL: [Self; 4] = [Self::Markdown, Self::Svg, Self::Json, Self::Junit];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Svg => "svg",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Csv => "csv",
            Self::Hgrm => "hgrm",
            Self::Html => "html",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.slug() == slug)
    }

    /// Its one document and the file that it goes by; None of a format of several files, and of text.
    pub fn document(self, summary: &Summary) -> Option<(&'static str, String)> {
        match self {
            Self::Markdown => Some(("report.md", markdown::render(summary))),
            Self::Json => Some(("summary.json", export::json(summary))),
            Self::Junit => Some(("junit.xml", junit::render(summary))),
            Self::Text | Self::Svg | Self::Csv | Self::Hgrm | Self::Html => None,
        }
    }
}
