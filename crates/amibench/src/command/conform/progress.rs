//! The progress line; nothing at all where standard error is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn shown() -> Self {
        Self::of(ProgressBar::new(0))
    }

    pub(super) fn hidden() -> Self {
        Self::of(ProgressBar::hidden())
    }

    fn of(bar: ProgressBar) -> Self {
        let style = ProgressStyle::with_template("{bar:24.cyan/dim} {pos}/{len}  {elapsed}  {msg}");
        bar.set_style(style.expect("the template is a constant"));
        Self { bar }
    }

    pub(super) fn add(&self, cases: usize) {
        self.bar.inc_length(cases as u64);
    }

    pub(super) fn one(&self, target: &str, case: &'static str) {
        self.bar.inc(1);
        self.bar.set_message(format!("{target} {case}"));
    }

    /// While something else is printed.
    pub(super) fn hide(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
