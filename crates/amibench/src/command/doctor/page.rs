//! What was found out about one target, as people and programs read it: the verdict, what to mend, then the facts.

use std::fmt;

use ami_client::Target;
use ami_proto::dialect::vendor::Vendor;
use serde::Serialize;

use super::Purpose;
use super::lines::wrap;
use crate::exit_code::Exit;
use crate::refusal::Diagnosis;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Good,
    /// A fact, or something that was not checked.
    Note,
    /// It keeps the purpose from being reached.
    Mend,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    subject: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    fact: String,
    likely: Vec<String>,
    steps: Vec<String>,
    /// What is read below the fact.
    details: Vec<String>,
    #[serde(skip)]
    exit: Exit,
}

impl Finding {
    pub(super) fn good(subject: &str, fact: impl Into<String>) -> Self {
        Self::new(State::Good, subject, fact.into())
    }

    pub(super) fn note(subject: &str, fact: impl Into<String>) -> Self {
        Self::new(State::Note, subject, fact.into())
    }

    /// Something that keeps the purpose from being reached, and the exit code that stands for it.
    pub(super) fn mend(subject: &str, fact: impl Into<String>, exit: Exit) -> Self {
        Self {
            exit,
            ..Self::new(State::Mend, subject, fact.into())
        }
    }

    pub(super) fn advise(mut self, step: impl Into<String>) -> Self {
        self.steps.push(step.into());
        self
    }

    pub(super) fn caused_by(mut self, cause: &'static str) -> Self {
        self.cause = Some(cause);
        self
    }

    pub(super) fn with_details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    fn new(state: State, subject: &str, fact: String) -> Self {
        Self {
            subject: subject.to_owned(),
            state,
            cause: None,
            fact,
            likely: Vec::new(),
            steps: Vec::new(),
            details: Vec::new(),
            exit: Exit::Held,
        }
    }

    fn is_to_mend(&self) -> bool {
        self.state == State::Mend
    }
}

impl From<Diagnosis> for Finding {
    fn from(found: Diagnosis) -> Self {
        Self {
            likely: found.likely,
            steps: found.steps,
            ..Self::mend(found.subject, found.fact, Exit::Unreachable).caused_by(found.cause)
        }
    }
}

#[derive(Debug)]
pub(super) struct Page {
    target: String,
    endpoint: String,
    labels: std::collections::BTreeMap<String, String>,
    purpose: Purpose,
    makes_calls: MakesCalls,
    findings: Vec<Finding>,
    /// Where it is written how to set up such a PBX.
    guide: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MakesCalls {
    Yes,
    /// The target maps no role, so no scenario can call anything on it.
    No,
}

/// A page as a program reads it. Keys do not change; texts may.
#[derive(Debug, Serialize)]
pub(super) struct Data<'a> {
    target: &'a str,
    address: &'a str,
    labels: &'a std::collections::BTreeMap<String, String>,
    purpose: Purpose,
    ready: bool,
    exit: u8,
    verdict: String,
    guide: &'a str,
    findings: Vec<&'a Finding>,
}

impl Page {
    pub(super) fn new(target: &Target, purpose: Purpose) -> Self {
        Self {
            target: target.name.clone(),
            endpoint: target.endpoint.to_string(),
            labels: target.labels.clone(),
            purpose,
            makes_calls: if target.roles.is_empty() {
                MakesCalls::No
            } else {
                MakesCalls::Yes
            },
            findings: Vec::new(),
            guide: Vendor::default().words().page,
        }
    }

    pub(super) fn recognise(&mut self, vendor: Vendor) {
        self.guide = vendor.words().page;
    }

    pub(super) fn add(&mut self, finding: impl Into<Finding>) {
        self.findings.push(finding.into());
    }

    pub(super) fn add_all(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    pub(super) fn exit(&self) -> Exit {
        let exits = self.findings.iter().map(|finding| finding.exit);
        exits.max().unwrap_or(Exit::Held)
    }

    pub(super) fn data(&self) -> Data<'_> {
        Data {
            target: &self.target,
            address: &self.endpoint,
            labels: &self.labels,
            purpose: self.purpose,
            ready: self.exit() == Exit::Held,
            exit: self.exit().code(),
            verdict: self.verdict(),
            guide: self.guide,
            findings: self.in_order().collect(),
        }
    }

    /// What is to be mended comes first.
    fn in_order(&self) -> impl Iterator<Item = &Finding> {
        let mends = self.findings.iter().filter(|finding| finding.is_to_mend());
        mends.chain(self.findings.iter().filter(|finding| !finding.is_to_mend()))
    }

    fn verdict(&self) -> String {
        let purpose = self.purpose;
        match (self.exit(), self.makes_calls) {
            (Exit::Held, MakesCalls::No) if purpose.calls() => {
                format!("ready for {purpose} without calls (the target maps no role)")
            }
            (Exit::Held, _) => format!("ready for {purpose}"),
            (Exit::Unreachable, _) => "no way in".to_owned(),
            _ => format!("not ready for {purpose}"),
        }
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self
            .findings
            .iter()
            .map(|finding| finding.subject.chars().count());
        let width = widths.max().unwrap_or_default();
        let labels = self
            .labels
            .iter()
            .map(|(key, value)| format!(", {key} {value}"));
        let labels: String = labels.collect();
        writeln!(
            f,
            "{} ({}{labels}): {}",
            self.target,
            self.endpoint,
            self.verdict()
        )?;
        for (index, finding) in self.in_order().enumerate() {
            let mends = self
                .findings
                .iter()
                .filter(|finding| finding.is_to_mend())
                .count();
            if mends > 0 && index == mends {
                writeln!(f)?;
            }
            write_finding(f, finding, width)?;
        }
        if self.exit() != Exit::Held {
            writeln!(f, "\n  how to set up such a PBX: {}", self.guide)?;
        }
        Ok(())
    }
}

fn write_finding(f: &mut fmt::Formatter<'_>, finding: &Finding, width: usize) -> fmt::Result {
    let mark = match finding.state {
        State::Good => '✓',
        State::Note => '·',
        State::Mend => '✗',
    };
    let indent = " ".repeat(width + 6);
    let head = format!("  {mark} {:width$}  ", finding.subject);
    f.write_str(&wrap(&head, &finding.fact, &indent))?;
    for (number, likely) in (1..).zip(&finding.likely) {
        f.write_str(&wrap(
            &format!("{indent}{number}. "),
            likely,
            &format!("{indent}   "),
        ))?;
    }
    for step in &finding.steps {
        f.write_str(&wrap(&format!("{indent}→ "), step, &format!("{indent}  ")))?;
    }
    for detail in &finding.details {
        writeln!(f, "    {detail}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ami_client::Document;
    use std::path::Path;

    fn check(findings: Vec<Finding>, exit: Exit, expected: &str) {
        let text = "address = \"pbx\"\naccount = \"qa\"";
        let target = Target::parse("pbx", &Document::embedded("pbx", Path::new(""), text)).unwrap();
        let mut page = Page::new(&target, Purpose::Load);
        page.add_all(findings);
        assert_eq!(page.exit(), exit);
        assert_eq!(page.to_string(), expected);
    }

    #[test]
    fn what_is_to_be_mended_comes_first_and_gives_the_verdict() {
        let note = || Finding::note("clock", "unknown");
        let rights = || Finding::mend("rights", "no Hangup", Exit::BadInput).advise("add call");
        let ready = "pbx (pbx:5038): ready for load without calls (the target maps no role)\n";
        check(vec![], Exit::Held, ready);
        check(
            vec![note()],
            Exit::Held,
            &format!("{ready}  · clock  unknown\n"),
        );
        check(
            vec![note(), rights()],
            Exit::BadInput,
            "pbx (pbx:5038): not ready for load\n  ✗ rights  no Hangup\n            → add call\n\n  · clock   unknown\n\n  how to set up such a PBX: docs/pbx-asterisk.md\n",
        );
        let login = Diagnosis::new("login-refused", "login", "refused")
            .likely("this")
            .likely("that");
        check(
            vec![login.into()],
            Exit::Unreachable,
            "pbx (pbx:5038): no way in\n  ✗ login  refused\n           1. this\n           2. that\n\n  how to set up such a PBX: docs/pbx-asterisk.md\n",
        );
    }
}
