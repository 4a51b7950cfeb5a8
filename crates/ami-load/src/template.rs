//! Values with variables in them, such as `${agents.queue}`: parsed once against the names in scope, rendered for each
//! flow that runs. Pure.

use crate::run_tag::{CallKey, RunTag};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(Variable),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// The tag of the run.
    Run,
    /// The number of the arrival.
    Number,
    Session,
    Target,
    /// Of the row that the flow took.
    Column {
        feed: u16,
        column: usize,
    },
    /// What an earlier step captured.
    Capture(usize),
    /// The ChannelId of the call that an earlier step originated, by the step.
    Call(usize),
}

/// The names that a value may use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Vec<(String, Variable)>);

/// What the variables stand for in one flow that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'a> {
    pub(crate) tag: &'a RunTag,
    pub(crate) target: &'a str,
    pub(crate) number: u64,
    pub(crate) session: u32,
    pub(crate) row: &'a [String],
    pub(crate) captures: &'a [Box<str>],
    pub(crate) calls: &'a [Option<CallKey>],
}

impl Names {
    /// What every flow knows.
    pub(crate) fn of_every_flow() -> Self {
        let names = [
            ("run", Variable::Run),
            ("number", Variable::Number),
            ("session", Variable::Session),
            ("target", Variable::Target),
        ];
        Self(names.map(|(name, is)| (name.to_owned(), is)).into())
    }

    pub(crate) fn add(&mut self, name: String, variable: Variable) {
        self.0.push((name, variable));
    }

    pub(crate) fn get(&self, name: &str) -> Option<Variable> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, variable)| *variable)
    }
}

impl Template {
    /// The error says what is wrong, without the place.
    pub(crate) fn parse(text: &str, names: &Names) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                return Err(format!("`${{` without its `}}` in {text:?}"));
            };
            let Some(variable) = names.get(name) else {
                let known: Vec<&str> = names.0.iter().map(|(name, _)| name.as_str()).collect();
                return Err(format!(
                    "no variable is named {name:?} here; there are: {}",
                    known.join(", ")
                ));
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Variable(variable));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The text, when there is no variable in it.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Those that its variables name.
    pub(crate) fn feeds(&self) -> impl Iterator<Item = u16> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(Variable::Column { feed, .. }) => Some(*feed),
            _ => None,
        })
    }

    pub(crate) fn render(&self, values: &Values<'_>) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Variable(variable) => values.of(*variable),
            })
            .collect()
    }
}

impl Values<'_> {
    /// A step that runs has seen every earlier step end well, so what they set is there.
    fn of(&self, variable: Variable) -> String {
        match variable {
            Variable::Run => self.tag.as_str().to_owned(),
            Variable::Number => self.number.to_string(),
            Variable::Session => self.session.to_string(),
            Variable::Target => self.target.to_owned(),
            Variable::Column { column, .. } => self.row[column].clone(),
            Variable::Capture(index) => self.captures[index].clone().into(),
            Variable::Call(step) => {
                self.calls[step].map_or_else(String::new, |key| self.tag.channel_id(key))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut names = Names::of_every_flow();
        names.add(
            "agents.queue".to_owned(),
            Variable::Column { feed: 0, column: 1 },
        );
        names.add("calls".to_owned(), Variable::Capture(0));
        names.add("call.dial".to_owned(), Variable::Call(0));
        names
    }

    fn check(text: &str, expected: Result<&str, &str>) {
        let tag = RunTag::parse("amib-0011aaff").unwrap();
        let call = CallKey {
            worker: 0,
            number: 7,
        };
        let values = Values {
            tag: &tag,
            target: "pbx",
            number: 41,
            session: 3,
            row: &["100".to_owned(), "support".to_owned()],
            captures: &["12".into()],
            calls: &[Some(call)],
        };
        let rendered = Template::parse(text, &names()).map(|template| template.render(&values));
        assert_eq!(
            rendered.as_deref().map_err(String::as_str),
            expected,
            "{text}"
        );
    }

    #[test]
    fn variables_are_replaced_and_all_else_is_text() {
        check("plain $5 {x}", Ok("plain $5 {x}"));
        check("", Ok(""));
        check("${agents.queue}", Ok("support"));
        check("q-${agents.queue}-${calls}${number}", Ok("q-support-1241"));
        check("${run} ${session} ${target}", Ok("amib-0011aaff 3 pbx"));
        check("${call.dial};2", Ok("amib-0011aaff-0-0000000007;2"));
    }

    #[test]
    fn what_is_unknown_is_told_with_what_is_known() {
        check(
            "${agents.que}",
            Err(
                "no variable is named \"agents.que\" here; there are: run, number, session, target, agents.queue, \
                 calls, call.dial",
            ),
        );
        check("${run", Err("`${` without its `}` in \"${run\""));
    }
}
