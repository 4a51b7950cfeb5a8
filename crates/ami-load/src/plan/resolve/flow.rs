//! Flows as written, step by step into what a session does: every name is looked up here, and never again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ami_client::{Document, DocumentError};
use ami_proto::session::{Answer, AnswerOutcome};
use ami_results::layout::slug;
use toml::Spanned;

use super::{ACTION_TIMEOUT, check_name};
use crate::feed::Feed;
use crate::plan::flow::{
    Capture, Condition, Pause, PlannedAwait, PlannedFlow, PlannedStep, Sends, Test,
};
use crate::plan::{Asked, PlanError, What};
use crate::rate::Span;
use crate::scenario::Scenario;
use crate::scenario::flow::{
    Ask, Await, Condition as WrittenCondition, Expected, Flow, Step, Think,
};
use crate::template::{Names, Template, Variable};

/// A flow is a dialogue of some steps; a longer one is a program, which belongs elsewhere.
const STEPS_MAX: usize = 64;

pub(in crate::plan) fn resolve_feeds(
    document: &Document,
    scenario: &Scenario,
) -> Result<Vec<Feed>, PlanError> {
    let mut feeds: Vec<Feed> = Vec::new();
    for feed in &scenario.feed {
        let earlier = feeds.iter().map(|feed| feed.name.as_str());
        check_name(document, &feed.name, earlier.chain(["call"]))?;
        let path = document.resolve(feed.file.get_ref());
        feeds.push(Feed::read(feed.name.get_ref(), feed.order, &path)?);
    }
    Ok(feeds)
}

/// Their slugs are the first of the plan's actions.
pub(in crate::plan) fn resolve_flows(
    document: &Document,
    scenario: &Scenario,
    feeds: &[Feed],
    actions: &mut Vec<String>,
) -> Result<Vec<PlannedFlow>, DocumentError> {
    let mut flows: Vec<PlannedFlow> = Vec::new();
    for flow in &scenario.flow {
        let earlier = flows.iter().map(|flow| flow.name.as_str());
        check_name(document, &flow.name, earlier)?;
        flows.push(Resolving::new(document, flow, feeds).flow(actions)?);
    }
    Ok(flows)
}

/// A flow that nothing starts is a mistake.
pub(in crate::plan) fn check_used(
    document: &Document,
    scenario: &Scenario,
) -> Result<(), DocumentError> {
    for flow in &scenario.flow {
        let named = |name: &Spanned<String>| name.get_ref() == flow.name.get_ref();
        let mut entries = scenario.phase.iter().flat_map(|phase| phase.mix.get_ref());
        if !entries.any(|entry| entry.flow.as_ref().is_some_and(named)) {
            return Err(document.error_at(flow.name.span(), "no mix starts this flow"));
        }
    }
    Ok(())
}

/// A query with its parameters; only in a flow may they have variables.
pub(super) fn resolve_ask(
    document: &Document,
    ask: &Ask,
    names: &Names,
) -> Result<What, DocumentError> {
    let mut parameters = Vec::new();
    for (name, value) in &ask.parameters {
        let parameter = ask.parameter(document, name, value)?;
        let value = template(document, value.get_ref(), value.span(), names)?;
        parameters.push((parameter.name, value));
    }
    Ok(What::Query(Asked {
        query: ask.query,
        parameters,
    }))
}

struct Resolving<'a> {
    document: &'a Document,
    flow: &'a Flow,
    feeds: &'a [Feed],
    names: Names,
    captures: Vec<String>,
}

impl<'a> Resolving<'a> {
    fn new(document: &'a Document, flow: &'a Flow, feeds: &'a [Feed]) -> Self {
        let mut names = Names::of_every_flow();
        for (index, feed) in (0..).zip(feeds) {
            for (column, name) in feed.columns.iter().enumerate() {
                let variable = Variable::Column {
                    feed: index,
                    column,
                };
                names.add(format!("{}.{name}", feed.name), variable);
            }
        }
        Self {
            document,
            flow,
            feeds,
            names,
            captures: Vec::new(),
        }
    }

    fn flow(mut self, actions: &mut Vec<String>) -> Result<PlannedFlow, DocumentError> {
        let (document, flow) = (self.document, self.flow);
        if !(1..=STEPS_MAX).contains(&flow.step.len()) {
            let message = format!("a flow has 1 to {STEPS_MAX} steps");
            return Err(document.error_at(flow.name.span(), message));
        }
        let name = flow.name.get_ref();
        let action = self.register(actions, name.clone(), flow.name.span())?;
        let mut steps: Vec<PlannedStep> = Vec::new();
        for (index, step) in flow.step.iter().enumerate() {
            let earlier = steps.iter().map(|step| step.name.as_str());
            check_name(document, &step.name, earlier)?;
            let slug = format!("{name}-{}", step.name.get_ref());
            let action = self.register(actions, slug, step.name.span())?;
            steps.push(self.step(index, action, step)?);
        }
        Ok(PlannedFlow {
            name: name.clone(),
            action,
            captures: self.captures.len(),
            feed: self.feed(&steps)?,
            steps,
        })
    }

    /// The name under which results know it.
    fn register(
        &self,
        actions: &mut Vec<String>,
        slug: String,
        span: Range<usize>,
    ) -> Result<u16, DocumentError> {
        if actions.contains(&slug) {
            let message = format!("results would have two actions {slug}: rename one");
            return Err(self.document.error_at(span, message));
        }
        actions.push(slug);
        Ok(u16::try_from(actions.len() - 1).expect("actions are bounded by the tags"))
    }

    fn step(
        &mut self,
        index: usize,
        action: u16,
        step: &Step,
    ) -> Result<PlannedStep, DocumentError> {
        let span = step.name.span();
        let what = self.what(step)?;
        let is_originate = matches!(what, Some(What::Originate { .. }));
        let lacks = |message: &str| Err(self.document.error_at(span.clone(), message));
        match (&what, &step.awaits) {
            (None, None) => {
                return lacks(
                    "a step sends one of `ping`, `query`, `command`, `originate` and `hangup`, or has an `await`",
                );
            }
            (None, Some(_)) if step.expects_an_answer() => {
                return lacks(
                    "`timeout`, `expect`, `until` and `capture` are of an action, and this step sends none",
                );
            }
            (Some(_), Some(_)) if is_originate => {
                return lacks(
                    "an Originate completes with its OriginateResponse: put the `await` into a step after it",
                );
            }
            _ => {}
        }
        if is_originate {
            let name = format!("call.{}", step.name.get_ref());
            self.names.add(name, Variable::Call(index));
        }
        // What this step captures is known to the steps after it.
        let names = self.names.clone();
        let sends = what
            .map(|what| self.sends(step, what, &names))
            .transpose()?;
        let awaits = step.awaits.as_ref();
        let awaits = awaits
            .map(|awaits| self.awaits(awaits, &names))
            .transpose()?;
        Ok(PlannedStep {
            name: step.name.get_ref().clone(),
            action,
            think: match step.think {
                None => Pause::None,
                Some(Think::Fixed(Span(think))) => Pause::Fixed(think),
                Some(Think::Between(Span(from), Span(to))) => Pause::Between(from, to),
                Some(Think::About(Span(mean))) => Pause::About(mean),
            },
            sends,
            awaits,
        })
    }

    fn what(&self, step: &Step) -> Result<Option<What>, DocumentError> {
        let mut whats = Vec::new();
        whats.extend(step.ping.map(|_| What::Ping));
        if let Some(ask) = &step.query {
            whats.push(resolve_ask(self.document, ask, &self.names)?);
        }
        whats.extend(step.command.map(What::Command));
        whats.extend(step.originate.as_ref().map(What::originate));
        if let Some(hangup) = &step.hangup {
            let call = hangup.call.get_ref();
            match self.names.get(&format!("call.{call}")) {
                Some(Variable::Call(step)) => whats.push(What::Hangup { step }),
                _ => {
                    let message = format!(
                        "no step before this one that is named {call:?} originates a call: a flow hangs up its own \
                         calls only"
                    );
                    return Err(self.document.error_at(hangup.call.span(), message));
                }
            }
        }
        if whats.len() > 1 {
            let message =
                "a step sends at most one of `ping`, `query`, `command`, `originate` and `hangup`";
            return Err(self.document.error_at(step.name.span(), message));
        }
        Ok(whats.pop())
    }

    fn sends(&mut self, step: &Step, what: What, names: &Names) -> Result<Sends, DocumentError> {
        if let Some(until) = &step.until
            && what.answer() != Answer::List
        {
            let message = "`until` ends a list, and the answer to this action is none";
            return Err(self.document.error_at(until.span(), message));
        }
        let response = step.expect.as_ref().map(|expect| expect.response);
        let conditions = step.expect.as_ref().map(|expect| &expect.conditions);
        Ok(Sends {
            what,
            timeout: step.timeout.map_or(ACTION_TIMEOUT, |Span(timeout)| timeout),
            response: match response.unwrap_or_default() {
                Expected::Success => AnswerOutcome::Success,
                Expected::Error => AnswerOutcome::Error,
            },
            conditions: match conditions {
                Some(conditions) => self.conditions(conditions, names)?,
                None => Vec::new(),
            },
            until: step.until.as_ref().map(|until| until.get_ref().clone()),
            captures: self.captures(&step.capture)?,
        })
    }

    fn awaits(&mut self, awaits: &Await, names: &Names) -> Result<PlannedAwait, DocumentError> {
        Ok(PlannedAwait {
            event: awaits.event.get_ref().clone(),
            conditions: self.conditions(&awaits.conditions, names)?,
            timeout: awaits.timeout.0,
            captures: self.captures(&awaits.capture)?,
        })
    }

    fn conditions(
        &self,
        written: &BTreeMap<String, Spanned<WrittenCondition>>,
        names: &Names,
    ) -> Result<Vec<Condition>, DocumentError> {
        let condition = |(header, condition): (&String, &Spanned<WrittenCondition>)| {
            let span = condition.span();
            let test = match condition.get_ref() {
                WrittenCondition::Is(text) => Test::Is {
                    value: template(self.document, text, span, names)?,
                    written: text.clone(),
                },
                WrittenCondition::Matches(pattern) => {
                    let regex = regex_lite::Regex::new(pattern).map_err(|error| {
                        let message = format!("{pattern:?} is no regular expression: {error}");
                        self.document.error_at(span, message)
                    })?;
                    Test::Matches(regex)
                }
            };
            Ok(Condition {
                header: header.clone(),
                test,
            })
        };
        written.iter().map(condition).collect()
    }

    fn captures(
        &mut self,
        written: &BTreeMap<Spanned<String>, Spanned<String>>,
    ) -> Result<Vec<Capture>, DocumentError> {
        let mut captures = Vec::new();
        for (name, header) in written {
            let text = name.get_ref();
            if text.is_empty() || slug(text) != *text || text.contains('.') {
                let message = format!(
                    "{text:?} is no variable: use lower-case letters, digits, `_` and single dashes"
                );
                return Err(self.document.error_at(name.span(), message));
            }
            let slot = match self.names.get(text) {
                Some(Variable::Capture(slot)) => slot,
                Some(_) => {
                    let message = format!("every flow has a variable {text:?} already");
                    return Err(self.document.error_at(name.span(), message));
                }
                None => {
                    self.captures.push(text.clone());
                    let slot = self.captures.len() - 1;
                    self.names.add(text.clone(), Variable::Capture(slot));
                    slot
                }
            };
            captures.push(Capture {
                slot,
                header: header.get_ref().clone(),
            });
        }
        Ok(captures)
    }

    /// The feed that its values name. With two, rows would be dealt out of step.
    fn feed(&self, steps: &[PlannedStep]) -> Result<Option<u16>, DocumentError> {
        let templates = steps.iter().flat_map(PlannedStep::templates);
        let used: BTreeSet<u16> = templates.flat_map(Template::feeds).collect();
        if used.len() > 1 {
            let names = used
                .iter()
                .map(|feed| &*self.feeds[usize::from(*feed)].name);
            let message = format!(
                "a flow takes its values from one feed, and this one from {}: join the files",
                names.collect::<Vec<_>>().join(" and ")
            );
            return Err(self.document.error_at(self.flow.name.span(), message));
        }
        Ok(used.first().copied())
    }
}

/// A value with the variables that are in scope.
fn template(
    document: &Document,
    text: &str,
    span: Range<usize>,
    names: &Names,
) -> Result<Template, DocumentError> {
    Template::parse(text, names).map_err(|message| document.error_at(span, message))
}
