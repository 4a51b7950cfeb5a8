//! Judgements on a terminal, at most 100 columns wide: for each PBX what is wrong and why, area by area, and the sums.

use std::fmt::{Display, Write as _};

use ami_results::judgement::Judgement;
use ami_results::verdict::State;

use super::passage::{Passage, shown};
use super::sums::{self, Sums};
use super::{Column, Conformance, Judged, Standing};
use crate::render::text::{BOLD, COLUMNS, Color, DIM, GREEN, RED, YELLOW, paint};

/// Of one judgement; more stands in the other formats.
const LINES_MAX: usize = 12;
/// Characters of a field; a line of thousands fills no screen.
const TEXT_MAX: u16 = 600;
const REASONS_MAX: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What is wrong or could not be decided, and sums.
    Wrong,
    /// Every case.
    All,
}

struct Page {
    text: String,
    color: Color,
    detail: Detail,
}

pub fn render(conformance: &Conformance, detail: Detail, color: Color) -> String {
    let mut page = Page {
        text: String::new(),
        color,
        detail,
    };
    for (index, column) in conformance.columns.iter().enumerate() {
        if index > 0 {
            page.text.push('\n');
        }
        page.column(column);
    }
    page.text
}

impl Page {
    fn column(&mut self, column: &Column) {
        self.put(paint(&shown(&column.name), BOLD, self.color));
        for (name, fact) in column.facts() {
            self.put(format_args!("  {name:<8} {}", hang(&shown(fact), 11)));
        }
        for area in areas(column) {
            self.area(area);
        }
        self.reasons(column);
        for objection in column.objections() {
            self.painted(&format!("  ✗ {}", shown(objection)), RED);
        }
        self.standing(column);
    }

    fn area(&mut self, area: &[Judged]) {
        let told: Vec<&Judged> = area
            .iter()
            .filter(|judged| self.detail == Detail::All || sums::is_told(&judged.judgement))
            .collect();
        let Some(first) = told.first() else {
            return;
        };
        let sums = Sums::of(area.iter().map(|judged| &judged.judgement)).line();
        let name = paint(first.judgement.area(), BOLD, self.color);
        self.put(format_args!("\n{name}  {}", paint(&sums, DIM, self.color)));
        told.iter().for_each(|judged| self.judged(judged));
    }

    fn judged(&mut self, judged: &Judged) {
        let judgement = &judged.judgement;
        let mark = self.mark(judgement.state);
        let remark = sums::remark(judgement).map(|remark| format!("  {}", shown(&remark)));
        let remark = remark.unwrap_or_default();
        let Judgement {
            case,
            level,
            severity,
            ..
        } = judgement;
        if !sums::is_told(judgement) || judgement.is_known() {
            // A known failure is explained by its reason, not by what came.
            let what = if judgement.is_known() {
                remark.trim_start().to_owned()
            } else {
                shown(&judgement.got) + &remark
            };
            let line = format!("{case:<40} {what}");
            self.put(format_args!("  {mark} {}", cut(&line, COLUMNS - 4)));
            return;
        }
        let head = format!("{case}  ({level}, {severity}){remark}");
        self.put(format_args!("  {mark} {}", hang(&head, 4)));
        self.field("", &judgement.requirement);
        self.field("expected  ", &judgement.expected);
        self.field("got       ", &judgement.got);
        let mut left = LINES_MAX;
        for passage in &judged.passages {
            self.passage(passage, &mut left);
        }
        for one in &judgement.left {
            self.field("left      ", one);
        }
    }

    fn field(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            let text = hang(&cut(&shown(text), TEXT_MAX), 6 + name.len());
            self.put(format_args!("      {name}{text}"));
        }
    }

    fn passage(&mut self, passage: &Passage, left: &mut usize) {
        if *left == 0 {
            return;
        }
        self.painted(&format!("      {}", passage.place()), DIM);
        let told = &passage.lines[..passage.lines.len().min(*left)];
        for line in told {
            let text = format!("{:>10}  {}{}", line.offset, line.text, line.visible_end());
            self.painted(&cut(&text, COLUMNS), DIM);
        }
        if told.len() < passage.lines.len() || passage.missing > 0 {
            self.painted(&format!("{:>10}  …", ""), DIM);
        }
        *left -= told.len();
    }

    fn reasons(&mut self, column: &Column) {
        let reasons = sums::reasons(column.judgements());
        if reasons.is_empty() {
            return;
        }
        let heading = paint("not judged", BOLD, self.color);
        self.put(format_args!("\n{heading}"));
        for reason in reasons.iter().take(REASONS_MAX) {
            let cases = match reason.cases.as_slice() {
                [one] => format!("  ({one})"),
                _ => String::new(),
            };
            let mark = self.mark(reason.state);
            let why = shown(reason.why);
            let what = format!("{}: {why}{cases}", sums::words(reason.state));
            let what = hang(&cut(&what, TEXT_MAX), 9);
            self.put(format_args!("  {mark}{:>4}  {what}", reason.cases.len()));
        }
        if let Some(more) = reasons
            .len()
            .checked_sub(REASONS_MAX)
            .filter(|more| *more > 0)
        {
            self.put(format_args!("        and {more} more reasons"));
        }
    }

    fn standing(&mut self, column: &Column) {
        let standing = column.standing();
        let sums = Sums::of(column.judgements());
        let style = match standing {
            Standing::Holds => GREEN,
            Standing::Fails => RED,
            Standing::Inconclusive | Standing::Unfinished | Standing::Unreachable => YELLOW,
        };
        let word = paint(standing.words(), style, self.color);
        let rest = match &column.device.unreachable {
            Some(why) => shown(why),
            None => format!("{} · {}", sums.line(), sums.applies()),
        };
        let name = shown(&column.name);
        self.put(format_args!(
            "\n{word}  {}",
            hang(&format!("{name}: {rest}"), standing.words().len() + 2)
        ));
        if column.unjudged() > 0 && column.device.unreachable.is_none() {
            self.put(format_args!("  not reached: {}", column.unjudged()));
        }
    }

    fn mark(&self, state: State) -> String {
        paint(sums::mark(state), style(state), self.color)
    }

    fn painted(&mut self, line: &str, style: &str) {
        let painted = paint(line, style, self.color);
        self.put(painted);
    }

    fn put(&mut self, line: impl Display) {
        writeln!(self.text, "{line}").expect("a write to memory cannot fail");
    }
}

/// The judgements of a column, area by area.
pub(super) fn areas(column: &Column) -> impl Iterator<Item = &[Judged]> {
    column
        .judged
        .chunk_by(|one, two| one.judgement.area() == two.judgement.area())
}

fn style(state: State) -> &'static str {
    match state {
        State::Pass => GREEN,
        State::Fail => RED,
        State::Warn | State::Inconclusive => YELLOW,
        State::NotApplicable | State::Skipped => DIM,
    }
}

/// Words that do not fit go on under the first one, which stands behind so many columns.
fn hang(text: &str, indent: usize) -> String {
    let mut hung = String::new();
    let mut column = indent;
    for word in text.split_inclusive(' ') {
        let width = word.trim_end().chars().count();
        if column + width > usize::from(COLUMNS) && column > indent {
            hung.truncate(hung.trim_end().len());
            hung.push('\n');
            hung.push_str(&" ".repeat(indent));
            column = indent;
        }
        hung.push_str(word);
        column += word.chars().count();
    }
    hung
}

fn cut(line: &str, columns: u16) -> String {
    let columns = usize::from(columns);
    match line.char_indices().nth(columns) {
        None => line.to_owned(),
        Some(_) => line.chars().take(columns - 1).chain(['…']).collect(),
    }
}
