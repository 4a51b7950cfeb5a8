//! Which events a session is told, beyond classes: the `eventfilter` lines of its account and what `Filter` adds.
//!
//! A filter looks at the whole text of an event. The newer ones that name an event or a header came with 18.26, 20.11,
//! 21.6 and 22.1; releases before do not look at their criteria.

use regex_lite::Regex;
use serde::Deserialize;
use thiserror::Error;

mod ere;

/// A session's filters have no bound in Asterisk; one that adds more than this is a mistake.
const FILTERS_MAX: usize = 10_000;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct EventFilters {
    include: Vec<Filter>,
    exclude: Vec<Filter>,
}

#[derive(Clone, Debug)]
struct Filter {
    event: Option<String>,
    header: Option<String>,
    pattern: Pattern,
}

#[derive(Clone, Debug)]
enum Pattern {
    /// It is enough that event and header are there.
    Anything,
    Regex(Regex),
    Exact(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Include,
    Exclude,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum FilterError {
    #[error("the regular expression does not compile")]
    Regex,
    #[error(
        "not understood: criteria are action(include|exclude), name(EVENT), header(NAME) and \
         method(regex|exact|starts_with|ends_with|contains|none), and a pattern needs a method"
    )]
    Format,
}

impl TryFrom<Vec<String>> for EventFilters {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        let mut filters = Self::default();
        for text in &texts {
            let added = filters.add_legacy(text);
            added.map_err(|error| format!("{text:?}: {error}"))?;
        }
        Ok(filters)
    }
}

impl EventFilters {
    /// A regular expression over the whole text, excluding what it finds after a `!`.
    pub(crate) fn add_legacy(&mut self, text: &str) -> Result<(), FilterError> {
        let (effect, regex) = match text.strip_prefix('!') {
            Some(regex) => (Effect::Exclude, regex),
            None => (Effect::Include, text),
        };
        let filter = Filter {
            event: None,
            header: None,
            pattern: Pattern::Regex(ere::compile(regex).ok_or(FilterError::Regex)?),
        };
        self.push(effect, filter);
        Ok(())
    }

    /// `criteria` and the pattern; without criteria as `add_legacy`, but for a pattern that must not be empty.
    pub(crate) fn add(&mut self, criteria: &str, pattern: &str) -> Result<(), FilterError> {
        if criteria.is_empty() {
            if pattern.is_empty() || pattern == "!" {
                return Err(FilterError::Format);
            }
            return self.add_legacy(pattern);
        }
        let criteria = Criteria::parse(criteria)?;
        let (effect, pattern) = match (criteria.effect, pattern.strip_prefix('!')) {
            (Some(effect), _) => (effect, pattern),
            (None, Some(pattern)) => (Effect::Exclude, pattern),
            (None, None) => (Effect::Include, pattern),
        };
        let filter = Filter {
            event: criteria.event.map(str::to_owned),
            header: criteria.header.map(str::to_owned),
            pattern: Pattern::new(criteria.method, pattern)?,
        };
        if filter.matches_everything() {
            return Err(FilterError::Format);
        }
        self.push(effect, filter);
        Ok(())
    }

    fn push(&mut self, effect: Effect, filter: Filter) {
        let list = match effect {
            Effect::Include => &mut self.include,
            Effect::Exclude => &mut self.exclude,
        };
        if list.len() < FILTERS_MAX {
            list.push(filter);
        }
    }

    /// Included by some filter, if there are such, and excluded by none.
    pub(crate) fn pass(&self, event: &[u8]) -> bool {
        if self.include.is_empty() && self.exclude.is_empty() {
            return true;
        }
        let text = String::from_utf8_lossy(event);
        let any = |filters: &[Filter]| filters.iter().any(|filter| filter.matches(&text));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }
}

/// What stands in `eventfilter(…)` or `MatchCriteria`.
#[derive(Default)]
struct Criteria<'a> {
    effect: Option<Effect>,
    event: Option<&'a str>,
    header: Option<&'a str>,
    method: &'a str,
}

impl<'a> Criteria<'a> {
    fn parse(text: &'a str) -> Result<Self, FilterError> {
        let mut criteria = Self {
            method: "none",
            ..Self::default()
        };
        for item in text.split(',').map(str::trim) {
            let (key, value) = item.split_once('(').ok_or(FilterError::Format)?;
            // Asterisk does not miss the bracket that closes the last one.
            let value = value.strip_suffix(')').unwrap_or(value).trim();
            match (key, value) {
                (_, "") => return Err(FilterError::Format),
                ("action", "include") => criteria.effect = Some(Effect::Include),
                ("action", "exclude") => criteria.effect = Some(Effect::Exclude),
                ("name", event) => criteria.event = Some(event),
                ("header", header) => criteria.header = Some(header),
                ("method", method) => criteria.method = method,
                _ => return Err(FilterError::Format),
            }
        }
        Ok(criteria)
    }
}

impl Pattern {
    fn new(method: &str, text: &str) -> Result<Self, FilterError> {
        Ok(match method {
            "none" if text.is_empty() => Self::Anything,
            "none" => return Err(FilterError::Format),
            "regex" => Self::Regex(ere::compile(text).ok_or(FilterError::Regex)?),
            "exact" => Self::Exact(text.to_owned()),
            "starts_with" => Self::StartsWith(text.to_owned()),
            "ends_with" => Self::EndsWith(text.to_owned()),
            "contains" => Self::Contains(text.to_owned()),
            _ => return Err(FilterError::Format),
        })
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Regex(regex) => regex.is_match(text),
            Self::Exact(wanted) => text == wanted,
            Self::StartsWith(wanted) => text.starts_with(wanted.as_str()),
            Self::EndsWith(wanted) => text.ends_with(wanted.as_str()),
            Self::Contains(wanted) => text.contains(wanted.as_str()),
        }
    }
}

impl Filter {
    fn matches_everything(&self) -> bool {
        let unnamed = self.event.is_none() && self.header.is_none();
        unnamed && matches!(self.pattern, Pattern::Anything)
    }

    fn matches(&self, text: &str) -> bool {
        let mut headers = text.split("\r\n").filter_map(|line| line.split_once(": "));
        if let Some(event) = &self.event
            && headers.next() != Some(("Event", event.as_str()))
        {
            return false;
        }
        match &self.header {
            None => self.pattern.matches(text),
            Some(name) => {
                headers.any(|(known, value)| known == name && self.pattern.matches(value))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str =
        "Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: A\r\nMark: yes\r\n\r\n";

    #[derive(Debug, PartialEq)]
    enum Fate {
        Passes,
        Stays,
    }
    use Fate::{Passes, Stays};

    fn legacy(filters: &[&str], expected: Fate) {
        let mut all = EventFilters::default();
        for filter in filters {
            all.add_legacy(filter).unwrap();
        }
        let fate = if all.pass(EVENT.as_bytes()) {
            Passes
        } else {
            Stays
        };
        assert_eq!(fate, expected, "{filters:?}");
    }

    #[test]
    fn an_event_is_included_first_and_excluded_then() {
        legacy(&[], Passes);
        legacy(&["Event: UserEvent"], Passes);
        legacy(&["Event: Newchannel"], Stays);
        legacy(&["Event: Newchannel", "A"], Passes);
        legacy(&["!Mark: no"], Passes);
        legacy(&["!Mark: yes"], Stays);
        legacy(&["UserEvent: A", "!Mark: yes"], Stays);
        legacy(&["UserEvent: B", "!Mark: no"], Stays);
    }

    #[test]
    fn an_expression_is_over_the_whole_event() {
        legacy(&["Event: U.*Mark"], Passes);
        legacy(&["^UserEvent: A"], Stays);
        legacy(&["Mark: yes$"], Stays);
        legacy(&["^Event: UserEvent"], Passes);
        legacy(&["event: userevent"], Stays);
    }

    /// What `Filter` with `MatchCriteria` answered on 22.10, and whether the event came after it.
    fn check(criteria: &str, pattern: &str, expected: Result<bool, FilterError>) {
        let mut filters = EventFilters::default();
        let added = filters.add(criteria, pattern);
        let result = added.map(|()| filters.pass(EVENT.as_bytes()));
        assert_eq!(result, expected, "{criteria:?} {pattern:?}");
    }

    #[test]
    fn criteria_name_events_headers_and_methods() {
        check(
            "name(UserEvent),header(Mark),method(exact)",
            "yes",
            Ok(true),
        );
        check(
            "name(UserEvent),header(Mark),method(exact)",
            "ye",
            Ok(false),
        );
        check("action(exclude),name(UserEvent)", "", Ok(false));
        check("name(Newchannel)", "", Ok(false));
        check("name(userevent)", "", Ok(false));
        check("header(Mark)", "", Ok(true));
        check("header(mark)", "", Ok(false));
        check("header(Mark),method(starts_with)", "ye", Ok(true));
        check("header(Mark),method(ends_with)", "es", Ok(true));
        check("header(Mark),method(contains)", "e", Ok(true));
        check("header(Mark),method(regex)", "^y.s$", Ok(true));
        check("header(Mark),method(exact)", "!yes", Ok(false));
        check("method(exact)", "x", Ok(false));
        check("name(UserEvent) , header(Mark)", "", Ok(true));
        check("name(UserEvent", "", Ok(true));
    }

    #[test]
    fn criteria_that_say_nothing_are_refused() {
        let format = Err(FilterError::Format);
        check("", "", format);
        check("", "!", format);
        check("bogus(x)", "a", format);
        check("name(X)", "a", format);
        check("name()", "", format);
        check("action(foo),method(regex)", "x", format);
        check("method(foo)", "x", format);
        check("action(include)", "x", format);
        check("header(X)", "x", format);
        check("method(regex)", "(", Err(FilterError::Regex));
    }
}
