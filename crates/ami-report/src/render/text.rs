//! The summary on a terminal, at most 100 columns wide.

use ami_results::manifest::End;
use ami_results::verdict::State;
use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table as Grid, TableStyle,
};

use crate::render::tables::{self, RowsAre, Table};
use crate::summary::Summary;

pub(crate) const COLUMNS: u16 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    Plain,
    Ansi,
}

pub fn render(summary: &Summary, color: Color) -> String {
    let manifest = &summary.manifest;
    let mut text = String::new();
    let mut line = |line: &str| {
        text.push_str(&wrap(line));
        text.push('\n');
    };
    line(&paint(
        &tables::verdict_line(summary),
        verdict_style(summary),
        color,
    ));
    for reason in &summary.validity.reasons {
        line(&format!("  {reason}"));
    }
    for torn in &summary.torn {
        let name = torn.path.file_name().unwrap_or_default();
        line(&format!(
            "  {} ends in the middle of line {}",
            name.display(),
            torn.line
        ));
    }
    line(&format!(
        "{}, run {}, seed {}",
        manifest.scenario.name, manifest.run_id, manifest.seed
    ));
    for target in tables::target_lines(summary) {
        line(&target);
    }
    line(&tables::lag_line(summary));
    tables::extent_line(summary)
        .iter()
        .for_each(|extent| line(extent));
    if let Some(delay) = tables::read_delay_line(summary) {
        line(&delay);
    }
    for table in tables::all(summary) {
        text.push('\n');
        text.push_str(&paint(table.title, BOLD, color));
        text.push('\n');
        text.push_str(&grid(&table));
        if let Some(note) = &table.note {
            text.push_str(&paint(&wrap(note), DIM, color));
            text.push('\n');
        }
    }
    text
}

pub(crate) const BOLD: &str = "1";
pub(crate) const DIM: &str = "2";
pub(crate) const GREEN: &str = "1;32";
pub(crate) const RED: &str = "1;31";
pub(crate) const YELLOW: &str = "1;33";

fn verdict_style(summary: &Summary) -> &'static str {
    let failed = summary
        .verdicts
        .iter()
        .any(|verdict| verdict.state == State::Fail);
    if failed || !summary.validity.is_valid() {
        RED
    } else if summary.manifest.end == End::Completed {
        GREEN
    } else {
        YELLOW
    }
}

pub(crate) fn paint(text: &str, style: &str, color: Color) -> String {
    match color {
        Color::Plain => text.to_owned(),
        Color::Ansi => format!("\u{1b}[{style}m{text}\u{1b}[0m"),
    }
}

/// Words beyond the last column go to the next line, under the first word of this one.
fn wrap(line: &str) -> String {
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let mut wrapped = String::new();
    let mut column = 0;
    for word in line.split_inclusive(' ') {
        let width = word.trim_end().chars().count();
        if column + width > usize::from(COLUMNS) && column > indent.len() {
            wrapped.truncate(wrapped.trim_end().len());
            wrapped.push('\n');
            wrapped.push_str(&indent);
            column = indent.len();
        }
        wrapped.push_str(word);
        column += word.chars().count();
    }
    wrapped
}

/// A rule under the header and nothing else.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

fn grid(table: &Table) -> String {
    let (header, rows, words) = match table.rows_are {
        RowsAre::ByTarget => (&table.header[1..], under_targets(table), table.words - 1),
        RowsAre::Single => (&table.header[..], table.rows.clone(), table.words),
    };
    let mut grid = Grid::new();
    grid.load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(COLUMNS)
        .set_header(header.to_vec())
        .add_rows(rows);
    let last = header.len() - 1;
    for (index, column) in grid.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { 1 }));
        if index >= words {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if index == 0 && table.rows_are == RowsAre::ByTarget {
            // A column that may shrink would lose the indentation of its rows.
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let mut text = String::new();
    for line in grid.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Each target's name on a row of its own, its rows indented below.
fn under_targets(table: &Table) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for group in table.rows.chunk_by(|one, next| one[0] == next[0]) {
        let mut heading = vec![String::new(); table.header.len() - 1];
        heading[0].clone_from(&group[0][0]);
        rows.push(heading);
        rows.extend(group.iter().map(|row| {
            let mut row = row[1..].to_vec();
            row[0].insert_str(0, "  ");
            row
        }));
    }
    rows
}
