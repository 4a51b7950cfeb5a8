//! `report.md`: the same tables as on the terminal, with the plots that lie beside it.

use crate::plot;
use crate::pseudonym::Naming;
use crate::render::tables::{self, Table};
use crate::summary::Summary;

pub fn render(summary: &Summary) -> String {
    let manifest = &summary.manifest;
    let mut lines = vec![
        format!("# {}", escape(&manifest.scenario.name)),
        String::new(),
        format!("**{}**", escape(&tables::verdict_line(summary))),
        String::new(),
    ];
    if summary.naming == Naming::Raw {
        lines.push("**RAW: numbers, names and addresses stand here as they are.**".to_owned());
        lines.push(String::new());
    }
    let reasons = summary.validity.reasons.iter().map(|reason| escape(reason));
    let torn = summary.torn.iter().map(|torn| {
        let name = torn.path.file_name().unwrap_or_default();
        format!(
            "`{}` ends in the middle of line {}",
            name.display(),
            torn.line
        )
    });
    lines.extend(bullets(reasons.chain(torn)));
    lines.extend(bullets(facts(summary).into_iter()));
    for table in tables::all(summary) {
        lines.extend(grid(&table));
    }
    for target in &summary.targets {
        lines.push(format!("## {}", escape(&target.name)));
        lines.push(String::new());
        for file in [
            plot::quantiles::file_name(target),
            plot::timeline::file_name(target),
        ] {
            lines.push(format!("![{file}]({file})"));
            lines.push(String::new());
        }
    }
    lines.join("\n")
}

fn facts(summary: &Summary) -> Vec<String> {
    let manifest = &summary.manifest;
    let host = &manifest.host;
    let mut facts = vec![format!(
        "run `{}`, seed {}, amibench {}, started {}",
        manifest.run_id, manifest.seed, manifest.version, manifest.started_at
    )];
    facts.extend(
        manifest
            .labels
            .iter()
            .map(|(key, value)| escape(&format!("{key}={value}"))),
    );
    facts.extend(
        tables::target_lines(summary)
            .iter()
            .map(|line| escape(line)),
    );
    facts.push(tables::lag_line(summary));
    facts.extend(tables::extent_line(summary).map(|line| escape(&line)));
    facts.extend(tables::read_delay_line(summary));
    facts.push(format!(
        "generated on {}, kernel {}, {} CPUs, scheduling policy {}",
        host.os, host.kernel, host.cpus, host.scheduling_policy
    ));
    facts
}

fn bullets(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = items.map(|item| format!("- {item}")).collect();
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

fn grid(table: &Table) -> Vec<String> {
    let rule = (0..table.header.len())
        .map(|index| if index < table.words { "---" } else { "---:" })
        .collect::<Vec<_>>()
        .join(" | ");
    let header: Vec<String> = table
        .header
        .iter()
        .map(|name| name.replace("- ", ""))
        .collect();
    let mut lines = vec![
        format!("## {}", table.title),
        String::new(),
        format!("| {} |", header.join(" | ")),
        format!("| {rule} |"),
    ];
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| escape(cell)).collect();
        lines.push(format!("| {} |", cells.join(" | ")));
    }
    lines.push(String::new());
    if let Some(note) = &table.note {
        lines.push(format!("*{}*", escape(note)));
        lines.push(String::new());
    }
    lines
}

/// An error text of a PBX must not become markup.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '<' | '#' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
