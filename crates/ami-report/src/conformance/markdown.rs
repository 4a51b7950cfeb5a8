//! `report.md`: sums of each PBX side by side, then what is wrong with each, with the bytes.

use std::fmt::Write as _;

use ami_results::judgement::Judgement;
use ami_results::verdict::State;

use super::passage::{Passage, shown};
use super::sums::{self, Sums};
use super::{Column, Conformance, Judged};
use crate::pseudonym::Naming;
use crate::render::markdown::escape;

pub fn render(conformance: &Conformance) -> String {
    let mut text = "# Conformance\n\n".to_owned();
    if conformance.naming == Naming::Raw {
        text.push_str("**RAW: numbers, names and addresses stand here as they are.**\n\n");
    }
    overview(&mut text, conformance);
    for column in &conformance.columns {
        section(&mut text, column);
    }
    text
}

fn overview(text: &mut String, conformance: &Conformance) {
    text.push_str("| PBX | verdict | fail | known | warn | inconclusive | pass | not applicable | skipped |\n");
    text.push_str("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for column in &conformance.columns {
        let sums = Sums::of(column.judgements());
        put(
            text,
            format_args!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                plain(&column.name),
                column.standing().words(),
                sums.get(State::Fail),
                sums.known,
                sums.get(State::Warn),
                sums.get(State::Inconclusive),
                sums.get(State::Pass),
                sums.get(State::NotApplicable),
                sums.get(State::Skipped),
            ),
        );
    }
    text.push('\n');
}

fn section(text: &mut String, column: &Column) {
    let sums = Sums::of(column.judgements());
    put(text, format_args!("## {}\n", plain(&column.name)));
    put(
        text,
        format_args!(
            "**{}**: {}; {}\n",
            column.standing().words(),
            sums.line(),
            sums.applies()
        ),
    );
    facts(text, column);
    areas(text, column);
    for judged in &column.judged {
        if sums::is_told(&judged.judgement) {
            told(text, judged);
        }
    }
    reasons(text, column);
}

fn facts(text: &mut String, column: &Column) {
    let run = &column.run;
    for (name, fact) in column.facts() {
        put(text, format_args!("- {name}: {}", plain(fact)));
    }
    for (key, value) in run.labels.iter().chain(&column.device.labels) {
        put(text, format_args!("- {}: {}", plain(key), plain(value)));
    }
    for fact in &column.device.facts {
        put(
            text,
            format_args!("- {}: {}", plain(&fact.fact), plain(&fact.seen)),
        );
    }
    put(
        text,
        format_args!(
            "- `amibench {}` {}, catalogue `{}`, seed {}, started {}",
            run.verb, run.version, run.catalogue, run.seed, run.started_at
        ),
    );
    if let Some(unreachable) = &column.device.unreachable {
        put(
            text,
            format_args!("- **not reached**: {}", plain(unreachable)),
        );
    } else if column.unjudged() > 0 {
        put(
            text,
            format_args!("- **not reached: {}**", column.unjudged()),
        );
    }
    for objection in column.objections() {
        put(text, format_args!("- **{}**", plain(objection)));
    }
    text.push('\n');
}

fn areas(text: &mut String, column: &Column) {
    if column.judged.is_empty() {
        return;
    }
    text.push_str("| area | cases | |\n| --- | ---: | --- |\n");
    for area in super::tree::areas(column) {
        let sums = Sums::of(area.iter().map(|judged| &judged.judgement));
        let name = area[0].judgement.area();
        put(
            text,
            format_args!("| {} | {} | {} |", plain(name), sums.all(), sums.line()),
        );
    }
    text.push('\n');
}

fn told(text: &mut String, judged: &Judged) {
    let judgement = &judged.judgement;
    let Judgement {
        case,
        level,
        severity,
        ..
    } = judgement;
    let state = judgement.state.slug().to_uppercase();
    put(
        text,
        format_args!(
            "### {state} `{case}`\n\n{} ({level}, {severity})\n",
            plain(&judgement.requirement)
        ),
    );
    if let Some(remark) = sums::remark(judgement) {
        put(text, format_args!("- {}", plain(&remark)));
    }
    if !judgement.expected.is_empty() {
        put(
            text,
            format_args!("- expected: {}", plain(&judgement.expected)),
        );
    }
    put(text, format_args!("- got: {}", plain(&judgement.got)));
    for left in &judgement.left {
        put(text, format_args!("- left behind: {}", plain(left)));
    }
    put(
        text,
        format_args!("- source: {}\n", plain(&judgement.source)),
    );
    judged
        .passages
        .iter()
        .for_each(|passage| bytes(text, passage));
}

fn bytes(text: &mut String, passage: &Passage) {
    put(text, format_args!("{}:\n\n```text", passage.place()));
    for line in &passage.lines {
        // The peer must not end the fence: no line of ours begins with it.
        put(
            text,
            format_args!("{:>8}  {}{}", line.offset, line.text, line.visible_end()),
        );
    }
    if passage.missing > 0 {
        put(
            text,
            format_args!("          … {} bytes more", passage.missing),
        );
    }
    text.push_str("```\n\n");
}

fn reasons(text: &mut String, column: &Column) {
    let reasons = sums::reasons(column.judgements());
    if reasons.is_empty() {
        return;
    }
    text.push_str("| not judged | cases | why |\n| --- | ---: | --- |\n");
    for reason in reasons {
        let (state, count) = (sums::words(reason.state), reason.cases.len());
        put(
            text,
            format_args!("| {state} | {count} | {} |", plain(reason.why)),
        );
    }
    text.push('\n');
}

fn plain(text: &str) -> String {
    escape(&shown(text))
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a write to memory cannot fail");
}
