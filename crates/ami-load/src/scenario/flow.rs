//! Flows, feeds and queries with parameters as a user writes them.

use std::collections::BTreeMap;
use std::fmt;

use ami_client::{Document, DocumentError};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::{Originate, Ping};
use crate::cli_command::CliCommand;
use crate::query::{Parameter, Query};
use crate::rate::{Span, parse_duration};

/// Rows of a file that flows take their values from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Feed {
    pub name: Spanned<String>,
    /// CSV with a header row; relative to the scenario's folder.
    pub file: Spanned<String>,
    #[serde(default)]
    pub order: Order,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// One row after the other, and again from the first.
    #[default]
    Sequential,
    /// Drawn by lot, again and again.
    Random,
    /// One row after the other, each once.
    Unique,
}

/// What one arrival does, step by step on one session.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Flow {
    pub name: Spanned<String>,
    pub step: Vec<Step>,
}

/// Sends one action, or only awaits an event.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    pub name: Spanned<String>,
    /// The pause before it.
    pub think: Option<Think>,
    /// Without an answer by then the action has timed out.
    pub timeout: Option<Span>,
    pub ping: Option<Ping>,
    pub query: Option<Ask>,
    pub command: Option<CliCommand>,
    pub originate: Option<Originate>,
    pub hangup: Option<Hangup>,
    pub expect: Option<Expect>,
    /// The event that ends a list, where the PBX gives no other sign.
    pub until: Option<Spanned<String>>,
    /// Variables, each from a header of the response.
    #[serde(default)]
    pub capture: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(rename = "await")]
    pub awaits: Option<Await>,
}

impl Step {
    /// Whether it has keys that only an action gives a meaning to.
    pub(crate) fn expects_an_answer(&self) -> bool {
        self.timeout.is_some()
            || self.expect.is_some()
            || self.until.is_some()
            || !self.capture.is_empty()
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hangup {
    /// The step that originated it.
    pub call: Spanned<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    #[serde(default)]
    pub response: Expected,
    #[serde(default, rename = "where")]
    pub conditions: BTreeMap<String, Spanned<Condition>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum Expected {
    #[default]
    Success,
    Error,
}

/// An event on this session.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Await {
    pub event: Spanned<String>,
    #[serde(default, rename = "where")]
    pub conditions: BTreeMap<String, Spanned<Condition>>,
    #[serde(default = "usual_patience")]
    pub timeout: Span,
    #[serde(default)]
    pub capture: BTreeMap<Spanned<String>, Spanned<String>>,
}

fn usual_patience() -> Span {
    Span(std::time::Duration::from_secs(10))
}

/// Of a header: a text, or `{ matches = "…" }`.
#[derive(Clone, Debug)]
pub enum Condition {
    Is(String),
    Matches(String),
}

/// `"2s"`, `{ from = "1s", to = "3s" }` or `{ mean = "2s" }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Think {
    Fixed(Span),
    /// Any length in between is as likely.
    Between(Span, Span),
    /// Exponential, as of people who know nothing of each other.
    About(Span),
}

/// A query by name, or `{ action = "QueueStatus", Queue = "support" }`.
#[derive(Clone, Debug)]
pub struct Ask {
    pub query: Query,
    pub parameters: Vec<(Spanned<String>, Spanned<String>)>,
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            matches: String,
        }
        let form = "a text, or { matches = \"REGULAR EXPRESSION\" }";
        let table = |table: Table| Ok(Self::Matches(table.matches));
        deserializer.deserialize_any(TextOrTable::new(form, |text| Ok(Self::Is(text)), table))
    }
}

impl<'de> Deserialize<'de> for Think {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            from: Option<Span>,
            to: Option<Span>,
            mean: Option<Span>,
        }
        let form = "a duration, { from = \"1s\", to = \"3s\" } or { mean = \"2s\" }";
        let text = |text: String| match parse_duration(&text) {
            Ok(duration) => Ok(Self::Fixed(Span(duration))),
            Err(error) => Err(error.to_string()),
        };
        let table = move |table: Table| match (table.from, table.to, table.mean) {
            (Some(from), Some(to), None) if from <= to => Ok(Self::Between(from, to)),
            (None, None, Some(mean)) => Ok(Self::About(mean)),
            _ => Err(format!("a think time is {form}, `from` not after `to`")),
        };
        deserializer.deserialize_any(TextOrTable::new(form, text, table))
    }
}

/// Reads a value that is written as a text or as a table.
struct TextOrTable<F, G, T> {
    form: &'static str,
    text: F,
    table: G,
    of: std::marker::PhantomData<T>,
}

impl<F, G, T> TextOrTable<F, G, T> {
    fn new(form: &'static str, text: F, table: G) -> Self {
        Self {
            form,
            text,
            table,
            of: std::marker::PhantomData,
        }
    }
}

impl<'de, F, G, T, V> Visitor<'de> for TextOrTable<F, G, T>
where
    F: FnOnce(String) -> Result<V, String>,
    G: FnOnce(T) -> Result<V, String>,
    T: Deserialize<'de>,
{
    type Value = V;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.form)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<V, E> {
        (self.text)(text.to_owned()).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V, A::Error> {
        let table = T::deserialize(MapAccessDeserializer::new(map))?;
        (self.table)(table).map_err(A::Error::custom)
    }
}

impl Ask {
    /// One of its parameters, if the query may have it.
    pub(crate) fn parameter(
        &self,
        document: &Document,
        name: &Spanned<String>,
        value: &Spanned<String>,
    ) -> Result<Parameter, DocumentError> {
        let known = self.query.parameters();
        let Some(parameter) = known.iter().find(|known| known.name == name.get_ref()) else {
            let known: Vec<&str> = known.iter().map(|known| known.name).collect();
            let action = self.query.action_name();
            let message = match known.as_slice() {
                [] => format!("{action} has no parameters"),
                known => format!("{action} may have {}", known.join(", ")),
            };
            return Err(document.error_at(name.span(), message));
        };
        if !parameter.form.accepts(value.get_ref()) {
            let message = format!(
                "{} is a plain name: letters, digits and `_`",
                parameter.name
            );
            return Err(document.error_at(value.span(), message));
        }
        Ok(*parameter)
    }
}

impl<'de> Deserialize<'de> for Ask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AskVisitor)
    }
}

struct AskVisitor;

impl<'de> Visitor<'de> for AskVisitor {
    type Value = Ask;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a query, or { action = \"NAME\", PARAMETER = \"…\" }")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Ask, E> {
        Ok(Ask {
            query: Query::deserialize(name.into_deserializer())?,
            parameters: Vec::new(),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ask, A::Error> {
        let mut query = None;
        let mut parameters = Vec::new();
        while let Some(name) = map.next_key::<Spanned<String>>()? {
            if name.get_ref() == "action" {
                query = Some(map.next_value()?);
            } else {
                parameters.push((name, map.next_value()?));
            }
        }
        let query = query.ok_or_else(|| A::Error::missing_field("action"))?;
        Ok(Ask { query, parameters })
    }
}
