//! `matrix.html`: PBXs × cases in one file that needs no network. Without its script everything can be read; with it the
//! rows can be filtered.

use ami_results::judgement::Judgement;
use ami_results::verdict::State;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::passage::shown;
use super::sums::{self, STATES, Sums, mark};
use super::{Column, Conformance, Standing};
use crate::pseudonym::Naming;

mod matrix;
mod panel;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/filter.js");
/// A longer list of what is wrong is opened by whoever wants it.
const OPEN_MAX: usize = 8;
/// Whatever a PBX has said, this page loads nothing.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'";

pub fn render(conformance: &Conformance) -> String {
    let names: Vec<String> = conformance
        .columns
        .iter()
        .map(|one| shown(&one.name))
        .collect();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "AMI conformance: " (names.join(", ")) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (heading(conformance))
                div.pbxs { @for (index, column) in conformance.columns.iter().enumerate() { (card(index, column)) } }
                (legend())
                (filter())
                (matrix::table(conformance))
                (panel::panels(conformance))
                (footer(conformance))
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn heading(conformance: &Conformance) -> Markup {
    let cases: usize = conformance
        .areas()
        .iter()
        .map(|area| area.cases.len())
        .sum();
    let pbxs = conformance.columns.len();
    html! {
        header {
            h1 { "AMI conformance" }
            p {
                (pbxs) @if pbxs == 1 { " PBX" } @else { " PBXs" } ", " (cases) " cases. "
                "Each cell leads to what was seen."
            }
            @if conformance.naming == Naming::Raw {
                p.raw { "RAW: numbers, names and addresses stand here as they are." }
            }
        }
    }
}

fn card(index: usize, column: &Column) -> Markup {
    let sums = Sums::of(column.judgements());
    let standing = column.standing();
    html! {
        article.pbx {
            h2 { (shown(&column.name)) " " span class={ "verdict " (verdict_class(standing)) } { (standing.words()) } }
            @match &column.device.unreachable {
                Some(why) => p.trouble { (shown(why)) },
                None => {
                    (bar(&sums))
                    p.sums { (sums.line()) }
                    p.sums { (sums.applies()) @if column.unjudged() > 0 { ", " b { (column.unjudged()) " not reached" } } }
                }
            }
            (wrong(index, column))
            @for objection in column.objections() { p.trouble { (shown(objection)) } }
            dl.facts {
                @for (name, fact) in column.facts() { dt { (name) } dd { (shown(fact)) } }
                @for (key, value) in column.run.labels.iter().chain(&column.device.labels) { dt { (key) } dd { (value) } }
                dt { "run" } dd { (column.run.started_at.strftime("%Y-%m-%d %H:%M:%SZ")) ", amibench " (column.run.verb) " " (column.run.version) }
                @if !column.run.options.allow.is_empty() { dt { "allowed" } dd { (column.run.options.allow.join(", ")) } }
            }
            @if !column.device.facts.is_empty() {
                details {
                    summary { "How it was recognised" }
                    ul { @for fact in &column.device.facts { li { (shown(&fact.fact)) ": " code { (shown(&fact.seen)) } } } }
                }
            }
            (reasons(column))
        }
    }
}

/// What a reader came for stands first, and leads there.
fn wrong(index: usize, column: &Column) -> Markup {
    let judgements = column.judgements();
    let wrong: Vec<&Judgement> = judgements
        .filter(|judgement| judgement.is_wrong())
        .collect();
    html! {
        @if !wrong.is_empty() {
            details.wrongs open[wrong.len() <= OPEN_MAX] {
                summary { "What is wrong: " (wrong.len()) }
                ul {
                    @for judgement in wrong {
                        li { a href={ "#" (matrix::panel_id(index, &judgement.case)) } { (judgement.case) } }
                    }
                }
            }
        }
    }
}

fn bar(sums: &Sums) -> Markup {
    html! {
        div.bar aria-hidden="true" {
            @for state in STATES {
                @if sums.get(state) > 0 {
                    span class=(state.slug()) style={ "flex-grow:" (sums.get(state)) } {}
                }
            }
        }
    }
}

fn reasons(column: &Column) -> Markup {
    let reasons = sums::reasons(column.judgements());
    html! {
        @if !reasons.is_empty() {
            details {
                summary { "Why cases were not judged" }
                ul {
                    @for reason in reasons {
                        li { (reason.cases.len()) " " (sums::words(reason.state)) ": " (shown(reason.why)) }
                    }
                }
            }
        }
    }
}

fn legend() -> Markup {
    html! {
        ul.legend {
            @for state in STATES {
                li { span class={ "cell " (state.slug()) } { (mark(state)) } " " (sums::words(state)) ": " (meaning(state)) }
            }
            li { span.cell.fail.known { (mark(State::Fail)) } " known: a failure that was expected" }
        }
    }
}

fn filter() -> Markup {
    html! {
        form.filter hidden {
            label { "Find " input type="search" name="text" placeholder="case, requirement or answer" autocomplete="off"; }
            span.states {
                @for state in STATES {
                    label { input type="checkbox" name="state" value=(state.slug()) checked; " " (sums::words(state)) }
                }
            }
            label { input type="checkbox" name="differ"; " only where PBXs differ" }
            output {}
        }
    }
}

fn footer(conformance: &Conformance) -> Markup {
    let run = conformance.columns.first().map(|column| &column.run);
    html! {
        footer {
            p {
                @if let Some(run) = run { "Made by amibench " (run.version) ", catalogue " code { (run.catalogue) } ". " }
                @match conformance.naming {
                    Naming::Raw => "Names are as they are.",
                    Naming::Pseudonyms => "Numbers, names and addresses were replaced, the same by the same; offsets are those of the wire.",
                }
            }
        }
    }
}

fn meaning(state: State) -> &'static str {
    match state {
        State::Pass => "the PBX keeps it",
        State::Fail => "the PBX breaks it",
        State::Warn => "allowed, but weaker than what clients expect",
        State::Inconclusive => "nothing can be said",
        State::NotApplicable => "the PBX or the account lacks what is judged",
        State::Skipped => "not asked for",
    }
}

fn verdict_class(standing: Standing) -> &'static str {
    match standing {
        Standing::Holds => "pass",
        Standing::Fails => "fail",
        Standing::Inconclusive | Standing::Unfinished | Standing::Unreachable => "inconclusive",
    }
}
