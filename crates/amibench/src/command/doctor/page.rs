//! What was found out about one target, as people read it: a line for each finding, what to do below it, one verdict.

use std::fmt;

use ami_client::Target;

use crate::exit_code::Exit;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Good,
    /// A fact, or something that was not checked.
    Note,
    Mend(Exit),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    mark: Mark,
    subject: String,
    fact: String,
    advice: Vec<String>,
}

impl Finding {
    pub(super) fn good(subject: &str, fact: impl Into<String>) -> Self {
        Self::new(Mark::Good, subject, fact.into())
    }

    pub(super) fn note(subject: &str, fact: impl Into<String>) -> Self {
        Self::new(Mark::Note, subject, fact.into())
    }

    /// Something that keeps the load from starting, and the exit code that stands for it.
    pub(super) fn mend(subject: &str, fact: impl Into<String>, exit: Exit) -> Self {
        Self::new(Mark::Mend(exit), subject, fact.into())
    }

    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }

    fn new(mark: Mark, subject: &str, fact: String) -> Self {
        Self {
            mark,
            subject: subject.to_owned(),
            fact,
            advice: Vec::new(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Page {
    title: String,
    makes_calls: MakesCalls,
    findings: Vec<Finding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MakesCalls {
    Yes,
    /// The target maps no role, so no scenario can call anything on it.
    No,
}

impl Page {
    pub(super) fn new(target: &Target) -> Self {
        let labels = target
            .labels
            .iter()
            .map(|(key, value)| format!(", {key} {value}"))
            .collect::<String>();
        Self {
            title: format!("{} ({}{labels})", target.name, target.endpoint),
            makes_calls: if target.roles.is_empty() {
                MakesCalls::No
            } else {
                MakesCalls::Yes
            },
            findings: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(super) fn add_all(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    pub(super) fn exit(&self) -> Exit {
        let exits = self.findings.iter().map(|finding| match finding.mark {
            Mark::Mend(exit) => exit,
            Mark::Good | Mark::Note => Exit::Held,
        });
        exits.max().unwrap_or(Exit::Held)
    }

    fn verdict(&self) -> String {
        let to_mend: Vec<&str> = self
            .findings
            .iter()
            .filter(|finding| matches!(finding.mark, Mark::Mend(_)))
            .map(|finding| finding.subject.as_str())
            .collect();
        match (self.exit(), self.makes_calls) {
            (Exit::Held, MakesCalls::Yes) => "ready for load".to_owned(),
            (Exit::Held, MakesCalls::No) => {
                "ready for load without calls: the target maps no role".to_owned()
            }
            (Exit::Unreachable, _) => format!("not reachable: see {}", to_mend.join(", ")),
            _ => format!("not ready: mend {}", to_mend.join(", ")),
        }
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.findings.iter().map(|finding| finding.subject.len());
        let width = widths.max().unwrap_or_default();
        writeln!(f, "{}", self.title)?;
        for finding in &self.findings {
            let mark = match finding.mark {
                Mark::Good => '✓',
                Mark::Note => '·',
                Mark::Mend(_) => '✗',
            };
            writeln!(f, "  {mark} {:width$}  {}", finding.subject, finding.fact)?;
            for advice in &finding.advice {
                writeln!(f, "    {:width$}  → {advice}", "")?;
            }
        }
        writeln!(f, "\n  {}", self.verdict())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ami_client::Document;
    use std::path::Path;

    fn check(findings: Vec<Finding>, exit: Exit, last_line: &str) {
        let text = "address = \"pbx\"\naccount = \"qa\"";
        let target = Target::parse("pbx", &Document::embedded("pbx", Path::new(""), text)).unwrap();
        let mut page = Page::new(&target);
        page.add_all(findings);
        assert_eq!(page.exit(), exit);
        assert_eq!(page.to_string().lines().last(), Some(last_line));
    }

    #[test]
    fn the_verdict_is_that_of_the_worst_finding() {
        let note = || Finding::note("clock", "unknown");
        let rights = || Finding::mend("rights", "no Hangup", Exit::BadInput);
        let login = || Finding::mend("login", "refused", Exit::Unreachable);
        let without = "  ready for load without calls: the target maps no role";
        check(vec![], Exit::Held, without);
        check(vec![note()], Exit::Held, without);
        check(
            vec![note(), rights()],
            Exit::BadInput,
            "  not ready: mend rights",
        );
        check(
            vec![login()],
            Exit::Unreachable,
            "  not reachable: see login",
        );
    }
}
