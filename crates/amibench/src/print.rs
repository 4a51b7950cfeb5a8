//! What the program says. A reader that has seen enough, as `head` has, is no error, and no end of a run.

use std::fmt::Display;
use std::io::Write as _;

/// On standard output, as it is.
pub(crate) fn text(text: impl Display) {
    let _ = write!(std::io::stdout(), "{text}");
    let _ = std::io::stdout().flush();
}

/// On standard output.
pub(crate) fn line(line: impl Display) {
    text(format_args!("{line}\n"));
}

/// On standard error.
pub(crate) fn error(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "amibench: {line}");
}

/// On standard error, with the answer to be typed behind it.
pub(crate) fn question(text: impl Display) {
    let _ = write!(std::io::stderr(), "{text}");
    let _ = std::io::stderr().flush();
}
