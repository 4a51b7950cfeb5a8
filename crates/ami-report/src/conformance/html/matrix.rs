//! The table of PBXs × cases, area by area.

use ami_results::verdict::State;
use maud::{Markup, PreEscaped, html};

use super::super::passage::shown;
use super::super::sums::{self, STATES, Sums, mark};
use super::super::{Area, Column, Conformance, Judged};

pub(super) fn table(conformance: &Conformance) -> Markup {
    let columns = &conformance.columns;
    html! {
        div.scroll {
            table.matrix #matrix {
                thead {
                    tr {
                        th scope="col" { "case" }
                        @for column in columns { th scope="col" { (breakable(&column.name, '-')) } }
                    }
                }
                @for area in conformance.areas() { (group(&area, columns)) }
            }
        }
    }
}

fn group(area: &Area<'_>, columns: &[Column]) -> Markup {
    html! {
        tbody {
            tr.area {
                th scope="rowgroup" { (area.name) " " small { (area.cases.len()) } }
                @for column in columns {
                    td { (tally(column, area.name)) }
                }
            }
            @for case in &area.cases {
                tr id=(row_id(&case.case)) {
                    th scope="row" {
                        code { (breakable(&case.case, '.')) } " " small { (case.level) }
                        p { (case.requirement) }
                    }
                    @for (index, column) in columns.iter().enumerate() {
                        td { (cell(column.find(&case.case), index, &case.case)) }
                    }
                }
            }
        }
    }
}

/// `1✗ 12✓`
fn tally(column: &Column, area: &str) -> Markup {
    let judgements = column.judgements();
    let sums = Sums::of(judgements.filter(|judgement| judgement.area() == area));
    html! {
        @for state in STATES {
            @if sums.get(state) > 0 {
                span class={ "tally " (state.slug()) } title=(sums::words(state)) { (sums.get(state)) (mark(state)) } " "
            }
        }
    }
}

fn cell(judged: Option<&Judged>, column: usize, case: &str) -> Markup {
    let Some(Judged { judgement, .. }) = judged else {
        return html! { span.none title="not judged" { "not judged" } };
    };
    let state = judgement.state;
    let is_known = judgement.is_known();
    let title = format!("{}: {}", sums::words(state), shown(&judgement.got));
    html! {
        a class={ "cell " (state.slug()) @if is_known { " known" } @else if judgement.is_wrong() { " wrong" } } href={ "#" (panel_id(column, case)) } title=(title) data-state=(state.slug()) {
            (mark(state))
            span { " " @if is_known { "known" } @else if state == State::NotApplicable { "n/a" } @else { (state.slug()) } }
        }
    }
}

pub(super) fn row_id(case: &str) -> String {
    format!("case-{}", case.replace('.', "-"))
}

pub(super) fn panel_id(column: usize, case: &str) -> String {
    format!("pbx-{column}-{}", case.replace('.', "-"))
}

/// A long name may go on in a new line behind each of these.
fn breakable(text: &str, behind: char) -> Markup {
    let text = shown(text);
    let mut parts = text.split_inclusive(behind);
    html! {
        @for (index, part) in parts.by_ref().enumerate() {
            @if index > 0 { (PreEscaped("<wbr>")) }
            (part)
        }
    }
}
