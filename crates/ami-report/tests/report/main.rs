//! The whole way from records to a report: a fake run is written by the recorder, read back and rendered.

#![expect(clippy::unwrap_used, reason = "fixtures are tests too")]

mod exports;
mod fake_run;
mod judgements;
mod junit_schema;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use ami_report::render::text::Color;
use ami_report::render::{markdown, text};
use ami_report::summary::Summary;
use ami_report::{Format, plot, write};
use ami_results::run_dir::RunDir;

use fake_run::Ending;

/// Left in the target directory to be looked at.
static COMPLETED: LazyLock<(RunDir, Summary)> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fake-run");
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    let run_dir = fake_run::write(&path, Ending::Completed);
    let summary = Summary::read(&run_dir).unwrap();
    (run_dir, summary)
});

fn completed() -> &'static Summary {
    &COMPLETED.1
}

#[test]
fn what_the_terminal_shows() {
    let text = text::render(completed(), Color::Plain);
    assert!(text.lines().all(|line| line.chars().count() <= 100));
    insta::assert_snapshot!(text);
}

#[test]
fn what_the_markdown_says() {
    insta::assert_snapshot!(markdown::render(completed()));
}

#[test]
fn a_killed_run_is_reported_as_far_as_it_got() {
    let dir = tempfile::tempdir().unwrap();
    let run_dir = fake_run::write(&dir.path().join("run"), Ending::Killed);
    let summary = Summary::read(&run_dir).unwrap();
    assert!(summary.is_unfinished());
    assert_eq!(summary.torn.len(), 1);
    let text = text::render(&summary, Color::Plain);
    let head: Vec<&str> = text.lines().take(2).collect();
    insta::assert_snapshot!(head.join("\n"));
}

#[test]
fn colour_only_adds_escapes() {
    let plain = text::render(completed(), Color::Plain);
    let ansi = text::render(completed(), Color::Ansi);
    assert!(!plain.contains('\u{1b}') && ansi.contains('\u{1b}'));
    let mut stripped = String::new();
    for (index, piece) in ansi.split('\u{1b}').enumerate() {
        let piece = if index == 0 {
            piece
        } else {
            piece.split_once('m').unwrap().1
        };
        stripped.push_str(piece);
    }
    assert_eq!(stripped, plain);
}

#[test]
fn plots_are_the_same_each_time_and_name_every_action() {
    let again = Summary::read(&COMPLETED.0).unwrap();
    for (target, same) in completed().targets.iter().zip(&again.targets) {
        let quantiles = plot::quantiles::plot(completed(), target);
        assert_eq!(quantiles, plot::quantiles::plot(&again, same));
        let timeline = plot::timeline::plot(completed(), target);
        assert_eq!(timeline, plot::timeline::plot(&again, same));
        for action in &target.actions {
            assert!(quantiles.contains(&format!("{} response", action.name)));
            assert!(timeline.contains(&action.name));
        }
    }
}

#[test]
fn a_run_killed_before_its_first_second_still_has_a_report() {
    let dir = tempfile::tempdir().unwrap();
    let run_dir = fake_run::start(&dir.path().join("run"));
    let summary = Summary::read(&run_dir).unwrap();
    let written = write(&summary, &run_dir, &Format::OF_LOADS, run_dir.path()).unwrap();
    assert_eq!(written.len(), 10);
    let text = text::render(&summary, Color::Plain);
    assert!(text.starts_with("INVALID · unfinished"), "{text}");
}

#[test]
fn reports_are_written_beside_the_results() {
    let folder = COMPLETED.0.path();
    let written = write(completed(), &COMPLETED.0, &Format::USUAL, folder).unwrap();
    let names: Vec<String> = written
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "report.md",
            "quantiles-asterisk-22.svg",
            "timeline-asterisk-22.svg",
            "quantiles-sim-ucm6xxx.svg",
            "timeline-sim-ucm6xxx.svg",
            "summary.json",
            "junit.xml",
        ]
    );
    for path in written {
        assert!(fs::metadata(path).unwrap().len() > 1000);
    }
}
