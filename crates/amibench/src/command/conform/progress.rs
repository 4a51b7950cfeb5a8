//! The progress line; nothing at all where standard error is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

#[derive(Debug)]
pub(in crate::command) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(in crate::command) fn shown() -> Self {
        Self::of(ProgressBar::new(0))
    }

    pub(in crate::command) fn hidden() -> Self {
        Self::of(ProgressBar::hidden())
    }

    fn of(bar: ProgressBar) -> Self {
        let style = ProgressStyle::with_template("{bar:24.cyan/dim} {pos}/{len}  {elapsed}  {msg}");
        bar.set_style(style.expect("the template is a constant"));
        Self { bar }
    }

    pub(in crate::command) fn add(&self, cases: usize) {
        self.bar.inc_length(cases as u64);
    }

    pub(in crate::command) fn one(&self, target: &str, case: &str) {
        self.bar.inc(1);
        self.bar.set_message(format!("{target} {case}"));
    }

    /// While something else is printed.
    pub(in crate::command) fn hide(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    pub(in crate::command) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
