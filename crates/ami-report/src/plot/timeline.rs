//! One target over time: what was offered and what succeeded, then a panel per action with p50, p90, p99 and max of its
//! response time on a log axis. Phases are marked, warm-ups shaded, and a red mark at the foot is a second in which an
//! action did not succeed.

use ami_results::layout::slug;
use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::element::{Circle, IntoDynElement, PathElement, Rectangle, Text};
use plotters::series::LineSeries;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor};

use crate::plot::{
    Area, Axis, COLORS, Entry, GRID, IN_MEMORY, INK, QUIET, RED, Scale, Stroke, anchored, font,
    legend, linear_ticks, page, stroke, subtitle, text,
};
use crate::summary::series::Point;
use crate::summary::{Action, Load, Summary, Target};

const WIDTH: u32 = 1100;
const LEGEND_WIDTH: u32 = 150;
const HEADING: u32 = 66;
const LOAD: u32 = 150;
const PANEL: u32 = 250;
/// The last panel has the labels of the time axis.
const FOOT: u32 = 30;

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

pub fn file_name(target: &Target) -> String {
    format!("timeline-{}.svg", slug(&target.name))
}

pub fn plot(summary: &Summary, target: &Target) -> String {
    let actions: Vec<&Action> = target
        .actions
        .iter()
        .filter(|action| !action.points.is_empty() || !action.failures.is_empty())
        .collect();
    let panels = u32::try_from(actions.len().max(1)).expect("a layout has few actions");
    page((WIDTH, HEADING + LOAD + panels * PANEL + FOOT), |area| {
        let heading = format!("{} · load and response time by second", target.name);
        text(area, &heading, (16, 14), &font(22, INK));
        let remark = subtitle(
            summary,
            "successes only; a red mark: something did not succeed in that second",
        );
        text(area, &remark, (16, 42), &font(14, QUIET));
        if actions.is_empty() {
            text(area, "nothing was measured", (40, 106), &font(18, QUIET));
        }
        if !target.load.is_empty() {
            let (left, aside) = rows(area, HEADING, LOAD);
            load_panel(&left, summary, target);
            legend(&aside, &LOAD_LINES.map(|line| line.entry()));
        }
        for (row, action) in (0..).zip(&actions) {
            let top = HEADING + LOAD + row * PANEL;
            let foot = if row + 1 == panels { FOOT } else { 0 };
            let (left, aside) = rows(area, top, PANEL + foot);
            panel(&left, summary, action, foot);
            legend(&aside, &entries(action));
        }
    })
}

fn rows<'a>(area: &Area<'a>, top: u32, height: u32) -> (Area<'a>, Area<'a>) {
    let split = WIDTH - LEGEND_WIDTH;
    let left = area.clone().shrink((0, top), (split, height));
    let aside = area
        .clone()
        .shrink((split, top + 24), (LEGEND_WIDTH, height));
    (left, aside)
}

/// Arrivals or successes a second, all actions together.
#[derive(Clone, Copy)]
struct LoadLine {
    name: &'static str,
    color: RGBColor,
    value: fn(&Load) -> u64,
}

const LOAD_LINES: [LoadLine; 2] = [
    LoadLine {
        name: "offered",
        color: QUIET,
        value: |load| load.offered,
    },
    LoadLine {
        name: "succeeded",
        color: COLORS[2],
        value: |load| load.success,
    },
];

impl LoadLine {
    fn entry(self) -> Entry {
        Entry {
            name: self.name.to_owned(),
            color: self.color,
            stroke: Stroke::Solid,
        }
    }
}

fn load_panel(area: &Area<'_>, summary: &Summary, target: &Target) {
    let per_s = |count: u64| count as f64 / target.bucket_s as f64;
    let values = target.load.values();
    let most = values.flat_map(|load| [load.offered, load.success]).max();
    let y = Scale::Linear.axis(0.0, per_s(most.unwrap_or(1)).max(1.0));
    let label = |rate: &f64| format!("{rate:.0}/s");
    let x = time_axis(summary);
    let mut chart = framed(area, (x.clone(), y.clone()), "all actions", &label, 0);
    phases(&mut chart, summary, &x, &y);
    let last = target.load.keys().next_back().copied().unwrap_or(0);
    for line in LOAD_LINES {
        // A second without an arrival is one at nought.
        let seconds = (0..=last).step_by(usize::try_from(target.bucket_s).unwrap_or(usize::MAX));
        let places = seconds.map(|second| {
            let load = target.load.get(&second).copied().unwrap_or_default();
            let middle = second as f64 + target.bucket_s as f64 / 2.0;
            (middle.min(x.to), per_s((line.value)(&load)))
        });
        chart
            .draw_series(LineSeries::new(places, stroke(line.color, 2)))
            .map(|_| ())
            .expect(IN_MEMORY);
    }
}

/// One quantile over time.
struct Line {
    name: &'static str,
    color: usize,
    /// Fewer samples in a point cannot tell this quantile from the maximum.
    samples_min: u64,
    value: fn(&Point) -> u64,
}

/// From the highest to the lowest, as the legend has them.
const LINES: [Line; 4] = [
    Line {
        name: "max",
        color: 1,
        samples_min: 1,
        value: |point| point.quantiles.max,
    },
    Line {
        name: "p99",
        color: 4,
        samples_min: 100,
        value: |point| point.quantiles.p99,
    },
    Line {
        name: "p90",
        color: 2,
        samples_min: 10,
        value: |point| point.quantiles.p90,
    },
    Line {
        name: "p50",
        color: 0,
        samples_min: 1,
        value: |point| point.quantiles.p50,
    },
];

/// The lines that most points have enough samples for.
fn lines(action: &Action) -> impl Iterator<Item = &'static Line> {
    LINES.iter().filter(|line| {
        let enough = |point: &&Point| point.quantiles.count >= line.samples_min;
        action.points.iter().filter(enough).count() * 2 > action.points.len()
    })
}

fn entries(action: &Action) -> Vec<Entry> {
    let mut entries: Vec<Entry> = lines(action)
        .map(|line| Entry {
            name: line.name.to_owned(),
            color: COLORS[line.color],
            stroke: Stroke::Solid,
        })
        .collect();
    if !action.failures.is_empty() {
        entries.push(Entry {
            name: "not successful".to_owned(),
            color: RED,
            stroke: Stroke::Solid,
        });
    }
    entries
}

fn panel(area: &Area<'_>, summary: &Summary, action: &Action, foot: u32) {
    let values = || {
        action
            .points
            .iter()
            .flat_map(|point| [point.quantiles.p50, point.quantiles.max])
    };
    let low = values().min().unwrap_or(1_000_000);
    let high = values().max().unwrap_or(1_000_000);
    let y = Scale::Log.axis(low as f64, high as f64);
    let x = time_axis(summary);
    let label = |place: &f64| Scale::Log.label(*place);
    let name = format!("{} (log)", action.name);
    let mut chart = framed(area, (x.clone(), y.clone()), &name, &label, foot);
    phases(&mut chart, summary, &x, &y);
    for line in lines(action) {
        for points in unbroken(&action.points) {
            draw(&mut chart, points, line);
        }
    }
    failures(&mut chart, action, &y);
}

fn framed<'a, 'b>(
    area: &Area<'b>,
    (x, y): (Axis, Axis),
    name: &str,
    label: &dyn Fn(&f64) -> String,
    foot: u32,
) -> Chart<'a, 'b> {
    let mut chart = ChartBuilder::on(area)
        .margin_left(14)
        .margin_right(20)
        .margin_top(26)
        .margin_bottom(4)
        .x_label_area_size(22 + foot)
        .y_label_area_size(84)
        .build_cartesian_2d(x, y)
        .expect(IN_MEMORY);
    let mut mesh = chart.configure_mesh();
    if foot > 0 {
        mesh.x_desc("seconds since the start");
    }
    mesh.bold_line_style(GRID)
        .max_light_lines(0)
        .axis_style(QUIET)
        .label_style(font(15, INK))
        .axis_desc_style(font(15, QUIET))
        .x_label_formatter(&|second| format!("{second:.0} s"))
        .y_label_formatter(&label)
        .y_desc(name)
        .draw()
        .expect(IN_MEMORY);
    chart
}

fn time_axis(summary: &Summary) -> Axis {
    let seconds = summary.ended_at as f64 / 1e9;
    let mut ticks = linear_ticks(seconds);
    ticks.retain(|&tick| tick <= seconds);
    Axis {
        from: 0.0,
        to: seconds.max(1.0),
        ticks,
    }
}

/// A line where a phase begins, its name above the data; a warm-up is shaded.
fn phases(chart: &mut Chart<'_, '_>, summary: &Summary, x: &Axis, y: &Axis) {
    let above = anchored(font(13, QUIET), HPos::Left, VPos::Bottom);
    for phase in summary.manifest.layout.phases() {
        let at = phase.starts_at as f64 / 1e9;
        if at >= x.to {
            continue;
        }
        let name = match phase.warm_up {
            true if phase.name == "warm-up" => phase.name.clone(),
            true => format!("{} (warm-up)", phase.name),
            false => phase.name.clone(),
        };
        if phase.warm_up {
            let until = (phase.ends_at as f64 / 1e9).min(x.to);
            let shade = Rectangle::new([(at, y.from), (until, y.to)], QUIET.mix(0.15).filled());
            chart.draw_series([shade]).expect(IN_MEMORY);
        }
        let line = [(at, y.from), (at, y.to)];
        chart
            .draw_series([
                PathElement::new(line.to_vec(), stroke(QUIET, 1)).into_dyn(),
                Text::new(name, (at, y.to), above.clone()).into_dyn(),
            ])
            .expect(IN_MEMORY);
    }
}

/// Runs of neighbouring points: where nothing succeeded there is no line.
fn unbroken(points: &[Point]) -> impl Iterator<Item = &[Point]> {
    points.chunk_by(|one, next| next.second - one.second <= one.length_s)
}

fn draw(chart: &mut Chart<'_, '_>, points: &[Point], line: &Line) {
    let color = COLORS[line.color];
    let places = points.iter().map(|point| {
        let middle = point.second as f64 + point.length_s as f64 / 2.0;
        (middle, Scale::Log.place((line.value)(point) as f64))
    });
    if let [_] = points {
        let dots = places.map(|place| Circle::new(place, 2, color.filled()));
        chart.draw_series(dots).map(|_| ()).expect(IN_MEMORY);
    } else {
        chart
            .draw_series(LineSeries::new(places, stroke(color, 2)))
            .map(|_| ())
            .expect(IN_MEMORY);
    }
}

fn failures(chart: &mut Chart<'_, '_>, action: &Action, y: &Axis) {
    let top = y.from + (y.to - y.from) * 0.04;
    let marks = action.failures.keys().map(|&second| {
        let at = second as f64 + 0.5;
        PathElement::new(vec![(at, y.from), (at, top)], stroke(RED, 3))
    });
    chart.draw_series(marks).expect(IN_MEMORY);
}
