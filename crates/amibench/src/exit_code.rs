//! Every exit code of the program, and which one stands when several apply.

use std::process::ExitCode;

use ami_results::verdict::State;

/// In order of precedence: a failure of the product is never hidden by a box that cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Everything asked for held.
    Held,
    /// The generator could not hold its schedule, or nothing was observed.
    Inconclusive,
    /// A target could not be reached, or refused the login.
    Unreachable,
    /// A threshold failed.
    Failed,
    /// Usage, scenario or target: the user can mend it.
    BadInput,
    /// The operator ended it; the results so far are complete and readable.
    Interrupted,
    /// Results could not be written.
    NotWritten,
    /// Our bug.
    Bug,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Failed => 1,
            Self::BadInput => 2,
            Self::Unreachable => 3,
            Self::Inconclusive => 4,
            Self::Bug => 70,
            Self::NotWritten => 74,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<State> for Exit {
    fn from(state: State) -> Self {
        match state {
            State::Fail => Self::Failed,
            State::Inconclusive => Self::Inconclusive,
            State::Pass | State::Warn | State::NotApplicable | State::Skipped => Self::Held,
        }
    }
}

/// An error and the exit code that it leads to.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
}

/// Says which exit code an error leads to, where it is first met.
pub(crate) trait OrExit<T> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure> {
        self.map_err(|error| Failure {
            exit,
            error: error.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_bug_write_interrupt_input_failure_unreachable_inconclusive() {
        let mut exits = [
            Exit::Held,
            Exit::Bug,
            Exit::Failed,
            Exit::Interrupted,
            Exit::Inconclusive,
            Exit::BadInput,
            Exit::NotWritten,
            Exit::Unreachable,
        ];
        exits.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(exits.map(Exit::code), [70, 74, 130, 2, 1, 3, 4, 0]);
    }
}
