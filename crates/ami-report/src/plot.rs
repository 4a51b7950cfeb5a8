//! Figures as SVG, one a file, drawn by plotters on white. Text stays text; legends stand beside the data.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{PathElement, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoTextStyle, RGBColor, ShapeStyle, TextStyle, WHITE};

use crate::pseudonym::Naming;
use crate::quantity::duration;
use crate::summary::Summary;

pub mod quantiles;
pub mod timeline;

/// The part of a page to draw on.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Writing to memory is all that a plot does, so it cannot fail.
pub(crate) const IN_MEMORY: &str = "drawing into a string cannot fail";

const FONT: &str = "sans-serif";
pub(crate) const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
pub(crate) const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
pub(crate) const QUIET: RGBColor = RGBColor(0x77, 0x77, 0x77);
pub(crate) const RED: RGBColor = RGBColor(0xc6, 0x28, 0x28);
/// Told apart by the colour-blind too (Okabe and Ito), the yellow left out: it is unreadable on white.
pub(crate) const COLORS: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];

/// Draws on a white page of this size and returns the SVG.
pub(crate) fn page(size: (u32, u32), draw: impl FnOnce(&Area<'_>)) -> String {
    let mut svg = String::new();
    {
        let page = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        page.fill(&WHITE).expect(IN_MEMORY);
        draw(&page);
        page.present().expect(IN_MEMORY);
    }
    svg
}

pub(crate) fn font(size: u32, color: RGBColor) -> TextStyle<'static> {
    let mut style = (FONT, size).into_text_style(&(1, 1));
    style.color = color.to_backend_color();
    style
}

pub(crate) fn text(area: &Area<'_>, text: &str, at: (i32, i32), style: &TextStyle<'_>) {
    area.draw(&Text::new(text.to_owned(), at, style.clone()))
        .expect(IN_MEMORY);
}

pub(crate) fn anchored(style: TextStyle<'static>, h: HPos, v: VPos) -> TextStyle<'static> {
    style.pos(Pos::new(h, v))
}

/// `quickstart, run k3f9 · successes only`
pub(crate) fn subtitle(summary: &Summary, remark: &str) -> String {
    let manifest = &summary.manifest;
    let raw = match summary.naming {
        Naming::Raw => " · raw names",
        Naming::Pseudonyms => "",
    };
    format!(
        "{}, run {}{raw} · {remark}",
        manifest.scenario.name, manifest.run_id
    )
}

/// One entry of a legend: a stroke and its name.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) color: RGBColor,
    pub(crate) stroke: Stroke,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stroke {
    Solid,
    Dashed,
}

/// A column of entries from the top of `area`.
pub(crate) fn legend(area: &Area<'_>, entries: &[Entry]) {
    for (row, entry) in (0..).zip(entries) {
        let y = 12 + row * 20;
        for (from, to) in match entry.stroke {
            Stroke::Solid => vec![(0, 24)],
            Stroke::Dashed => vec![(0, 6), (9, 15), (18, 24)],
        } {
            let line = vec![(from, y), (to, y)];
            area.draw(&PathElement::new(line, stroke(entry.color, 2)))
                .expect(IN_MEMORY);
        }
        let style = anchored(font(15, INK), HPos::Left, VPos::Center);
        text(area, &entry.name, (30, y), &style);
    }
}

pub(crate) fn stroke(color: RGBColor, width: u32) -> ShapeStyle {
    color.to_rgba().stroke_width(width)
}

/// For a second line of the same action.
pub(crate) fn darker(color: RGBColor) -> RGBColor {
    let dim = |channel: u8| channel / 2;
    RGBColor(dim(color.0), dim(color.1), dim(color.2))
}

/// An axis from `from` to `to` that marks exactly `ticks`, all as positions on the plot's scale.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) ticks: Vec<f64>,
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.from) / (self.to - self.from);
        #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
        let offset = (f64::from(limit.1 - limit.0) * share).round() as i32;
        limit.0 + offset
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.from..self.to
    }
}

/// How durations are placed on an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    Log,
}

impl Scale {
    pub(crate) fn place(self, nanoseconds: f64) -> f64 {
        match self {
            Self::Linear => nanoseconds,
            Self::Log => nanoseconds.max(1.0).log10(),
        }
    }

    /// The duration at a place, as a tick's label.
    pub(crate) fn label(self, place: f64) -> String {
        let nanoseconds = match self {
            Self::Linear => place,
            Self::Log => 10_f64.powf(place),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a tick is a positive duration"
        )]
        let text = duration(nanoseconds.round() as u64);
        round_label(&text)
    }

    /// An axis with round ticks that holds all of `low..=high`.
    pub(crate) fn axis(self, low: f64, high: f64) -> Axis {
        match self {
            Self::Linear => {
                let ticks = linear_ticks(high);
                let to = ticks.last().copied().unwrap_or(1.0).max(high);
                Axis {
                    from: 0.0,
                    to,
                    ticks,
                }
            }
            Self::Log => log_axis(low.max(1.0), high.max(2.0)),
        }
    }
}

/// `5.00 ms` is `5 ms` on an axis.
fn round_label(text: &str) -> String {
    let Some((number, unit)) = text.split_once(' ') else {
        return text.to_owned();
    };
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    };
    format!("{number} {unit}")
}

/// Zero and at most six steps of 1, 2 or 5 past `high`.
pub(crate) fn linear_ticks(high: f64) -> Vec<f64> {
    let high = if high > 0.0 { high } else { 1.0 };
    let decade = 10_f64.powf((high / 6.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * decade)
        .find(|step| high / step <= 6.0)
        .unwrap_or(decade * 10.0);
    let mut ticks = vec![0.0];
    let mut next = step;
    while ticks.last().is_some_and(|&last| last < high) {
        ticks.push(next);
        next += step;
    }
    ticks
}

/// Bounds of 1, 2 or 5 around `low..=high`; ticks there too, or at whole decades when those would crowd.
fn log_axis(low: f64, high: f64) -> Axis {
    let marks = |steps: &'static [f64]| {
        (-1..14).flat_map(move |decade| steps.iter().map(move |step| step * 10_f64.powi(decade)))
    };
    let bounds: Vec<f64> = marks(&[1.0, 2.0, 5.0]).collect();
    let from = bounds.iter().copied().rfind(|&mark| mark <= low);
    let from = from.unwrap_or(low);
    let to = bounds
        .iter()
        .copied()
        .find(|&mark| mark >= high && mark > from);
    let to = to.unwrap_or(high);
    let crowded = (to / from).log10() > 2.5;
    let inside = |mark: &f64| (from..=to).contains(mark);
    let ticks = if crowded {
        marks(&[1.0]).filter(inside).collect()
    } else {
        bounds.iter().copied().filter(inside).collect::<Vec<_>>()
    };
    Axis {
        from: from.log10(),
        to: to.log10(),
        ticks: ticks.into_iter().map(f64::log10).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Scale, linear_ticks};

    fn check(scale: Scale, low: f64, high: f64, expected: &[&str]) {
        let axis = scale.axis(low, high);
        let labels: Vec<String> = axis.ticks.iter().map(|&tick| scale.label(tick)).collect();
        assert_eq!(labels, expected);
        assert!(axis.from <= scale.place(low) && scale.place(high) <= axis.to);
    }

    #[test]
    fn log_ticks_are_round_and_hold_the_data() {
        check(
            Scale::Log,
            230e3,
            4.1e6,
            &["200 µs", "500 µs", "1 ms", "2 ms", "5 ms"],
        );
        check(Scale::Log, 230e3, 9e8, &["1 ms", "10 ms", "100 ms", "1 s"]);
        check(Scale::Log, 1e6, 1e6, &["1 ms", "2 ms"]);
    }

    #[test]
    fn linear_ticks_start_at_zero() {
        check(
            Scale::Linear,
            0.0,
            4.1e6,
            &["0 ns", "1 ms", "2 ms", "3 ms", "4 ms", "5 ms"],
        );
        assert_eq!(linear_ticks(0.0).first(), Some(&0.0));
    }
}
