//! The HDR quantile plot of one target: latency over 1/(1−q) on an axis of nines, a colour per action, response time
//! solid and service time dashed. No line goes beyond 1/(1−q) > count: there is nothing to know there.

use ami_results::histogram::Histogram;
use ami_results::layout::{Kind, slug};
use plotters::chart::ChartBuilder;
use plotters::series::{DashedLineSeries, LineSeries};

use crate::plot::{
    Area, Axis, COLORS, Entry, GRID, IN_MEMORY, INK, QUIET, Scale, Stroke, darker, font, legend,
    page, stroke, subtitle, text,
};
use crate::summary::{Summary, Target};

const SIZE: (u32, u32) = (1100, 560);
const LEGEND_WIDTH: i32 = 230;
/// Places along the x axis at which a line is looked up; finer than a pixel row.
const SAMPLES: u32 = 600;
/// When the slowest action is this many times slower than the fastest, a linear axis would flatten the fast ones.
const LINEAR_SPREAD_MAX: u64 = 10;

pub fn file_name(target: &Target) -> String {
    format!("quantiles-{}.svg", slug(&target.name))
}

/// A line: which action, which histogram.
struct Line<'a> {
    entry: Entry,
    histogram: &'a Histogram,
}

pub fn plot(summary: &Summary, target: &Target) -> String {
    let lines = lines(target);
    page(SIZE, |area| {
        let heading = format!("{} · latency by quantile", target.name);
        text(area, &heading, (16, 14), &font(22, INK));
        text(
            area,
            &subtitle(summary, "successes only"),
            (16, 42),
            &font(14, QUIET),
        );
        let (_, below) = area.split_vertically(66);
        let width = i32::try_from(SIZE.0).expect("the page is small") - LEGEND_WIDTH;
        let (chart, aside) = below.split_horizontally(width);
        if lines.is_empty() {
            text(&chart, "no action succeeded", (40, 40), &font(18, QUIET));
            return;
        }
        draw(&chart, &lines);
        let entries: Vec<Entry> = lines.into_iter().map(|line| line.entry).collect();
        legend(&aside, &entries);
    })
}

fn lines(target: &Target) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for (action, color) in target.actions.iter().zip(COLORS.into_iter().cycle()) {
        let kinds = [
            (Kind::Response, Stroke::Solid, color),
            (Kind::Service, Stroke::Dashed, darker(color)),
        ];
        for (kind, stroke, color) in kinds {
            let Some(histogram) = action.histograms.get(&kind) else {
                continue;
            };
            if !histogram.is_empty() {
                let name = format!("{} {kind}", action.name);
                let entry = Entry {
                    name,
                    color,
                    stroke,
                };
                lines.push(Line { entry, histogram });
            }
        }
    }
    lines
}

fn draw(area: &Area<'_>, lines: &[Line<'_>]) {
    let scale = scale(lines);
    let low = lines.iter().filter_map(|line| line.histogram.min()).min();
    let high = lines.iter().filter_map(|line| line.histogram.max()).max();
    let y = scale.axis(low.unwrap_or(1) as f64, high.unwrap_or(1) as f64);
    let x = nines(
        lines
            .iter()
            .map(|line| line.histogram.count())
            .max()
            .unwrap_or(1),
    );
    let mut chart = ChartBuilder::on(area)
        .margin_left(14)
        .margin_right(24)
        .margin_top(6)
        .margin_bottom(10)
        .x_label_area_size(44)
        .y_label_area_size(84)
        .build_cartesian_2d(x, y)
        .expect(IN_MEMORY);
    let unit = match scale {
        Scale::Linear => "latency of successes",
        Scale::Log => "latency of successes (log)",
    };
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(GRID)
        .max_light_lines(0)
        .axis_style(QUIET)
        .label_style(font(15, INK))
        .axis_desc_style(font(15, QUIET))
        .x_label_formatter(&|place| nines_label(*place))
        .y_label_formatter(&|place| scale.label(*place))
        .x_desc("quantile")
        .y_desc(unit)
        .draw()
        .expect(IN_MEMORY);
    for line in lines {
        let points = curve(line.histogram, scale);
        let color = line.entry.color;
        match line.entry.stroke {
            Stroke::Solid => chart
                .draw_series(LineSeries::new(points, stroke(color, 3)))
                .map(|_| ()),
            Stroke::Dashed => chart
                .draw_series(DashedLineSeries::new(points, 7, 5, stroke(color, 1)))
                .map(|_| ()),
        }
        .expect(IN_MEMORY);
    }
}

fn scale(lines: &[Line<'_>]) -> Scale {
    let slowest = || lines.iter().filter_map(|line| line.histogram.max());
    let (Some(least), Some(most)) = (slowest().min(), slowest().max()) else {
        return Scale::Linear;
    };
    if most / least.max(1) >= LINEAR_SPREAD_MAX {
        Scale::Log
    } else {
        Scale::Linear
    }
}

/// Places are log10 of 1/(1−q): 0 %, 50 %, then a tick for each further nine that `count` samples can tell.
fn nines(count: u64) -> Axis {
    let to = (count.max(2) as f64).log10();
    let nines = (1..).map(f64::from).take_while(|&nines| nines <= to);
    Axis {
        from: 0.0,
        to,
        ticks: [0.0, 2_f64.log10()].into_iter().chain(nines).collect(),
    }
}

fn nines_label(place: f64) -> String {
    let quantile = 1.0 - 10_f64.powf(-place);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a handful of nines"
    )]
    let decimals = (place.round() as usize).saturating_sub(2);
    format!("{:.decimals$} %", quantile * 100.0)
}

/// From the minimum to the last place that the count allows, where the maximum stands.
fn curve(histogram: &Histogram, scale: Scale) -> Vec<(f64, f64)> {
    let last = (histogram.count().max(1) as f64).log10();
    (0..=SAMPLES)
        .map(|sample| last * f64::from(sample) / f64::from(SAMPLES))
        .filter_map(|place| {
            let value = histogram.quantile(1.0 - 10_f64.powf(-place))?;
            Some((place, scale.place(value as f64)))
        })
        .chain(histogram.max().map(|max| (last, scale.place(max as f64))))
        .collect()
}

#[cfg(test)]
mod tests {
    use ami_results::histogram::Histogram;

    use super::{Scale, curve, nines, nines_label};

    #[test]
    fn the_axis_has_a_tick_for_each_nine_that_the_count_can_tell() {
        let labels = |count| -> Vec<String> {
            let axis = nines(count);
            axis.ticks.iter().map(|&place| nines_label(place)).collect()
        };
        assert_eq!(labels(5), ["0 %", "50 %"]);
        assert_eq!(labels(100), ["0 %", "50 %", "90 %", "99 %"]);
        assert_eq!(
            labels(99_999),
            ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"]
        );
    }

    #[test]
    fn no_line_goes_beyond_its_count() {
        let mut histogram = Histogram::new();
        for value in 1..=1000 {
            histogram.record(value * 1000);
        }
        let points = curve(&histogram, Scale::Linear);
        let (last, highest) = *points.last().unwrap();
        assert!((last - 3.0).abs() < 1e-9);
        assert!((highest / 1e6 - 1.0).abs() < 0.002);
    }
}
