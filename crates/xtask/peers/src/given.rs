//! What an adapter wrote down: what its library gave, as it was given.

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::expected::lines;

/// Everything that a client said of a case.
#[derive(Debug, Default)]
pub struct Account {
    pub messages: Vec<Given>,
    pub refused: Option<String>,
    pub failed: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Given {
    pub how: How,
    pub headers: Vec<(String, Vec<u8>)>,
    pub text: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum How {
    Event,
    Answer,
    Other,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Line {
    Message {
        #[serde(rename = "as")]
        how: How,
        headers: Vec<(String, Value)>,
        text: Option<Vec<String>>,
    },
    Refused {
        refused: String,
    },
    Failed {
        failed: String,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    /// JSON knows no others, and few clients do.
    Bytes {
        bytes: Vec<u8>,
    },
}

impl Account {
    pub fn parse(text: &str) -> Result<Self> {
        let mut account = Self::default();
        for (number, line) in text.lines().enumerate() {
            let read = serde_json::from_str(line);
            match read.with_context(|| format!("line {} of an adapter: {line}", number + 1))? {
                Line::Message { how, headers, text } => {
                    account.messages.push(Given::new(how, headers, text));
                }
                Line::Refused { refused } => account.refused = Some(refused),
                Line::Failed { failed } => account.failed.push(failed),
            }
        }
        Ok(account)
    }
}

impl Given {
    fn new(how: How, headers: Vec<(String, Value)>, text: Option<Vec<String>>) -> Self {
        let headers = headers.into_iter().map(|(name, value)| match value {
            Value::Text(text) => (name, text.into_bytes()),
            Value::Bytes { bytes } => (name, bytes),
        });
        let (output, headers): (Vec<_>, Vec<_>) =
            headers.partition(|(name, _)| name.eq_ignore_ascii_case("Output"));
        let output = output.iter().flat_map(|(_, value)| {
            let value = String::from_utf8_lossy(value);
            let found = lines(&value);
            // An empty line is a line here.
            if found.is_empty() {
                vec![String::new()]
            } else {
                found
            }
        });
        let text = match text {
            Some(text) if !text.is_empty() => Some(lines(&text.join("\n"))),
            _ => Some(output.collect()).filter(|output: &Vec<String>| !output.is_empty()),
        };
        Self { how, headers, text }
    }

    pub fn values(&self, name: &str) -> Vec<&[u8]> {
        let named = |(found, _): &&(String, Vec<u8>)| same_name(found, name);
        let found = self.headers.iter().filter(named);
        found.map(|(_, value)| value.as_slice()).collect()
    }
}

/// Names are the same whatever their case. Fields of a type are named as the language wants it.
pub fn same_name(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    one.eq_ignore_ascii_case(other) || plain(one) == plain(other)
}
