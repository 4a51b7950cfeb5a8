//! What opens from a cell: the requirement, what was expected and got, and the bytes.

use maud::{Markup, html};

use super::super::passage::{Passage, shown};
use super::super::sums::{self, mark};
use super::super::{Column, Conformance, Judged};
use super::matrix::{panel_id, row_id};
use crate::quantity::duration;

pub(super) fn panels(conformance: &Conformance) -> Markup {
    html! {
        @for (index, column) in conformance.columns.iter().enumerate() {
            @for judged in &column.judged { (panel(index, column, judged)) }
        }
    }
}

fn panel(index: usize, column: &Column, judged: &Judged) -> Markup {
    let judgement = &judged.judgement;
    let state = judgement.state;
    html! {
        article class={ "panel " (state.slug()) } id=(panel_id(index, &judgement.case)) {
            a.close href={ "#" (row_id(&judgement.case)) } { "close" }
            p.who { (shown(&column.name)) }
            h3 { span class={ "cell " (state.slug()) } { (mark(state)) " " (sums::words(state)) } " " code { (judgement.case) } }
            p { (judgement.requirement) }
            @if let Some(remark) = sums::remark(judgement) { p.remark { (shown(&remark)) } }
            dl {
                @if !judgement.expected.is_empty() { dt { "expected" } dd { (shown(&judgement.expected)) } }
                dt { "got" } dd { (shown(&judgement.got)) }
                @for left in &judgement.left { dt { "left behind" } dd { (shown(left)) } }
            }
            @for passage in &judged.passages { (bytes(passage)) }
            dl.record {
                dt { "level" } dd { (judgement.level) }
                dt { "authority" } dd { (judgement.authority) ", " (judgement.source) }
                dt { "severity" } dd { (judgement.severity) }
                dt { "safety" } dd { (judgement.safety) }
                @if judgement.took_ns > 0 { dt { "took" } dd { (duration(judgement.took_ns)) } }
            }
        }
    }
}

fn bytes(passage: &Passage) -> Markup {
    html! {
        figure {
            figcaption { (passage.place()) }
            table.bytes {
                @for line in &passage.lines {
                    tr { td { (line.offset) } td { (line.text) i { (line.visible_end()) } } }
                }
                @if passage.missing > 0 { tr { td {} td { i { "… " (passage.missing) " bytes more" } } } }
            }
        }
    }
}
