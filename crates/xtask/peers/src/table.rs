//! The table, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::case::{Case, LABELS, Label};
use crate::client::Client;
use crate::judge::{Judgement, Verdict};

/// A case with what each client made of it, in the order of the clients.
#[derive(Debug)]
pub struct Row {
    pub case: Case,
    pub judged: Vec<Judged>,
}

#[derive(Debug)]
pub struct Judged {
    pub whole: Judgement,
    /// Where it is otherwise when the bytes come one by one.
    pub cut: Option<Judgement>,
}

impl Judged {
    fn worse(&self) -> Verdict {
        let cut = self.cut.as_ref().map(|cut| cut.verdict);
        cut.map_or(self.whole.verdict, |cut| cut.max(self.whole.verdict))
    }
}

pub fn render(clients: &[(Client, String)], rows: &[Row]) -> String {
    let mut out = String::new();
    versions(&mut out, clients, rows);
    for label in LABELS {
        let of_label: Vec<&Row> = rows.iter().filter(|row| row.case.label == label).collect();
        let _ = writeln!(out, "\n## {}\n", heading(label));
        table(&mut out, clients, &of_label);
        let _ = writeln!(out);
        for row in of_label {
            reasons(&mut out, clients, row);
        }
    }
    out
}

fn heading(label: Label) -> &'static str {
    match label {
        Label::Valid => "Valid frames",
        Label::Malformed => "Malformed frames",
        Label::ImplementationDefined => "Implementation-defined frames",
    }
}

/// In the head of a table, where two have the same name.
fn column(number: usize) -> char {
    char::from(b'A' + u8::try_from(number).unwrap_or_default())
}

fn versions(out: &mut String, clients: &[(Client, String)], rows: &[Row]) {
    let _ = writeln!(
        out,
        "|  | client | version | from | right | it says of itself |"
    );
    let _ = writeln!(out, "|---|---|---|---|---|---|");
    let judged: Vec<&Row> = rows
        .iter()
        .filter(|row| is_judged(row.case.label))
        .collect();
    for (number, (client, version)) in clients.iter().enumerate() {
        let right = judged
            .iter()
            .filter(|row| match row.judged[number].worse() {
                Verdict::Right | Verdict::ByDesign => true,
                // Nobody has to speak with whom does not greet.
                Verdict::Refused => !row.case.is_greeted,
                Verdict::Wrong | Verdict::Lost | Verdict::Dead => false,
            });
        let _ = writeln!(
            out,
            "| {} | [{}]({}) | {version} | {} | {} of {} | {} |",
            column(number),
            client.name,
            client.address(),
            client.registry.name(),
            right.count(),
            judged.len(),
            client.says,
        );
    }
}

fn is_judged(label: Label) -> bool {
    label != Label::ImplementationDefined
}

fn table(out: &mut String, clients: &[(Client, String)], rows: &[&Row]) {
    let columns: String = (0..clients.len())
        .map(|number| format!(" {} |", column(number)))
        .collect();
    let _ = writeln!(out, "| case | what |{columns}");
    let _ = writeln!(out, "|---|---|{}", "---|".repeat(clients.len()));
    for row in rows {
        let Case {
            id, label, title, ..
        } = &row.case;
        let _ = write!(
            out,
            "| [{id}](../corpora/frames/{}/{id}.json) | {title} |",
            label.name()
        );
        for judged in &row.judged {
            let _ = write!(out, " {} |", cell(*label, judged));
        }
        let _ = writeln!(out);
    }
}

fn cell(label: Label, judged: &Judged) -> String {
    let whole = word(label, judged.whole.verdict);
    match &judged.cut {
        Some(cut) if cut.verdict != judged.whole.verdict => {
            format!("{whole}, cut: {}", word(label, cut.verdict))
        }
        _ => whole.to_owned(),
    }
}

fn word(label: Label, verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Right => "✓",
        Verdict::ByDesign | Verdict::Wrong if !is_judged(label) => "otherwise",
        verdict => verdict.word(),
    }
}

/// What they made of it, those who made the same together.
fn reasons(out: &mut String, clients: &[(Client, String)], row: &Row) {
    let mut same: BTreeMap<String, String> = BTreeMap::new();
    for number in 0..clients.len() {
        let Judged { whole, cut } = &row.judged[number];
        for (judgement, delivery) in [(Some(whole), ""), (cut.as_ref(), " cut")] {
            let Some(Judgement { verdict, why }) = judgement else {
                continue;
            };
            if *verdict == Verdict::Right {
                continue;
            }
            let mut said = format!("{delivery} {}", word(row.case.label, *verdict));
            if !why.is_empty() {
                let _ = write!(said, ": {}", why.join("; "));
            }
            let columns = same.entry(said).or_default();
            columns.extend((!columns.is_empty()).then_some(' '));
            columns.push(column(number));
        }
    }
    if same.is_empty() {
        return;
    }
    let mut said: Vec<String> = same
        .iter()
        .map(|(said, columns)| format!("{columns}{said}"))
        .collect();
    said.sort();
    let _ = writeln!(out, "- **{}** {}", row.case.id, said.join(" · "));
}
