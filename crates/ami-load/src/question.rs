//! What is asked of a PBX without a load: queries and console commands of the written lists, from a file or the usual ones.

use ami_client::{Document, DocumentError};
use ami_proto::action::{Action, system};
use ami_proto::session::Answer;
use serde::Deserialize;
use toml::Spanned;

use crate::cli_command::CliCommand;
use crate::query::Query;
use crate::scenario::flow::Ask;

/// A file of questions is written by hand; one that has more was not.
const QUESTIONS_MAX: usize = 1000;

/// These say nothing without a parameter.
const NEEDS_PARAMETERS: [&str; 5] = [
    "ExtensionState",
    "Getvar",
    "MailboxCount",
    "MailboxStatus",
    "PresenceState",
];

#[derive(Debug)]
pub struct Question {
    pub action: Action,
    pub answer: Answer,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    ask: Spanned<Vec<Spanned<Written>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    query: Option<Ask>,
    command: Option<CliCommand>,
}

impl Question {
    /// Every query that needs no parameter.
    pub fn usual() -> Vec<Self> {
        Query::all()
            .filter(|query| !NEEDS_PARAMETERS.contains(&query.action_name()))
            .map(Self::of)
            .collect()
    }

    /// A query without parameters.
    pub fn of(query: Query) -> Self {
        Self {
            action: Action::new(query.action_name()),
            answer: query.answer(),
        }
    }

    pub fn parse(document: &Document) -> Result<Vec<Self>, DocumentError> {
        let file: File = document.parse()?;
        let (span, asked) = (file.ask.span(), file.ask.into_inner());
        if !(1..=QUESTIONS_MAX).contains(&asked.len()) {
            let message = format!("a file asks 1 to {QUESTIONS_MAX} questions");
            return Err(document.error_at(span, message));
        }
        let question = |written| Self::resolve(document, written);
        asked.iter().map(question).collect()
    }

    fn resolve(document: &Document, written: &Spanned<Written>) -> Result<Self, DocumentError> {
        let unsendable =
            |error| document.error_at(written.span(), format!("it cannot be sent: {error}"));
        match written.get_ref() {
            Written {
                query: Some(ask),
                command: None,
            } => {
                let mut question = Self::of(ask.query);
                for (name, value) in &ask.parameters {
                    let parameter = ask.parameter(document, name, value)?;
                    let action = question.action.with(parameter.name, value.get_ref());
                    question.action = action.map_err(unsendable)?;
                }
                Ok(question)
            }
            Written {
                query: None,
                command: Some(command),
            } => Ok(Self {
                action: system::command(command.line()).map_err(unsendable)?,
                answer: Answer::Single,
            }),
            _ => Err(document.error_at(
                written.span(),
                "a question has one of `query` and `command`",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ami_proto::ActionId;

    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let document = Document::embedded("questions", Path::new(""), text);
        let questions = Question::parse(&document).map_err(|error| error.to_string())?;
        let sent = |question: Question| {
            let mut bytes = Vec::new();
            let id = ActionId::checked("1").unwrap();
            question.action.encode(&id, &mut bytes);
            String::from_utf8(bytes).unwrap()
        };
        Ok(questions.into_iter().map(sent).collect())
    }

    #[test]
    fn a_file_asks_what_stands_on_the_lists() {
        let asked = "[[ask]]\nquery = \"Status\"\n[[ask]]\nquery = { action = \"QueueStatus\", Queue = \"a b\" }\n[[ask]]\ncommand = \"core show version\"\n";
        let sent = read(asked).unwrap();
        assert!(sent[0].starts_with("Action: Status\r\n"), "{sent:?}");
        assert!(sent[1].contains("Queue: a b\r\n"), "{sent:?}");
        assert!(
            sent[2].contains("Command: core show version\r\n"),
            "{sent:?}"
        );
    }

    #[test]
    fn a_file_asks_nothing_else() {
        for (text, expected) in [
            ("[[ask]]\nquery = \"Hangup\"", "no query that may be sent"),
            (
                "[[ask]]\ncommand = \"core restart now\"",
                "no console command",
            ),
            (
                "[[ask]]\nquery = { action = \"Status\", Action = \"Hangup\" }",
                "Status may have Channel",
            ),
            (
                "[[ask]]\nquery = { action = \"Getvar\", Variable = \"SHELL(id)\" }",
                "plain name",
            ),
            (
                "[[ask]]\nquery = { action = \"Status\", Channel = \"a\\r\\nAction: Hangup\" }",
                "it cannot be sent",
            ),
            (
                "[[ask]]\nquery = \"Status\"\ncommand = \"core show version\"",
                "one of `query` and `command`",
            ),
            ("[[ask]]\n", "one of `query` and `command`"),
            ("ask = []", "1 to 1000 questions"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn the_usual_questions_need_nothing() {
        let usual = Question::usual();
        assert_eq!(usual.len(), Query::all().count() - NEEDS_PARAMETERS.len());
        assert!(
            NEEDS_PARAMETERS
                .iter()
                .all(|name| Query::named(name).is_some())
        );
    }
}
