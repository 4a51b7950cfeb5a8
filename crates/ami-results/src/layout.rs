//! The names behind the indices of a [`crate::record::Record`]: targets, phases, actions. A histogram belongs to one
//! [`Tag`], written `target/phase/action/kind`; the layout bounds how many of them a run can have.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::recorder::Scope;

/// Histograms are about 200 kB each, two per tag: this bounds the recorder to some 200 MB at the very worst.
pub const TAGS_MAX: usize = 512;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Names")]
pub struct Layout {
    targets: Vec<String>,
    phases: Vec<Phase>,
    actions: Vec<Action>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    pub name: String,
    #[serde(rename = "starts_at_ns")]
    pub starts_at: u64,
    #[serde(rename = "ends_at_ns")]
    pub ends_at: u64,
    /// Indices of the actions that it offers.
    pub actions: Vec<u16>,
    /// Recorded like the others, but in no headline figure, no threshold and no total by action.
    #[serde(default)]
    pub warm_up: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    pub name: String,
    pub shape: Shape,
}

/// How an action is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// One Response and that is all (Ping).
    OnePhase,
    /// A Response now, the result later as an Event (Originate, async).
    TwoPhase,
    /// A Response, items, a Complete Event (CoreShowChannels).
    List,
    /// A Response, and an Event for everybody who listens (UserEvent).
    FanOut,
    /// Several actions of one arrival: they have records of their own, and this is the whole.
    Flow,
}

/// What a histogram holds. All but `Ack`, `Lag`, `Wait` and `Failed` are of successes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// completed − intended
    Response,
    /// completed − sent
    Service,
    /// acked − sent, whenever the PBX agreed, even if the completion got lost later; for a one-phase action that is
    /// Service, and not recorded twice
    Ack,
    /// first item − sent
    FirstItem,
    /// completed − sent, of a two-phase or list action
    Complete,
    /// picked up − intended, of every record: our fault
    Lag,
    /// sent − picked up, of every record that was sent: no free session, full socket
    Wait,
    /// received − happened, of events
    EventDelay,
    /// completed − intended of what was not a success
    Failed,
}

/// Which histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    pub target: u16,
    pub phase: u16,
    pub action: u16,
    pub kind: Kind,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LayoutError {
    #[error("name a {what}: {name:?} has no letter or digit")]
    NoSlug { what: &'static str, name: String },
    #[error("tell {what}s apart: two of them are written {slug} in result files")]
    SameSlug { what: &'static str, slug: String },
    #[error("find action {action} of phase {phase}: there are {count}")]
    NoSuchAction {
        phase: String,
        action: u16,
        count: usize,
    },
    #[error(
        "keep a histogram each for {tags} tags (target × phase × action × kind): at most {TAGS_MAX}, \
         use fewer targets or phases in one run"
    )]
    TooManyTags { tags: usize },
}

impl Layout {
    pub fn new(
        targets: Vec<String>,
        phases: Vec<Phase>,
        actions: Vec<Action>,
    ) -> Result<Self, LayoutError> {
        check_slugs("target", targets.iter().map(String::as_str))?;
        check_slugs("phase", phases.iter().map(|phase| phase.name.as_str()))?;
        check_slugs("action", actions.iter().map(|action| action.name.as_str()))?;
        let mut tags = 0;
        for phase in &phases {
            for &index in &phase.actions {
                let action =
                    actions
                        .get(usize::from(index))
                        .ok_or_else(|| LayoutError::NoSuchAction {
                            phase: phase.name.clone(),
                            action: index,
                            count: actions.len(),
                        })?;
                tags += targets.len() * action.shape.kinds().len();
            }
        }
        if tags > TAGS_MAX {
            return Err(LayoutError::TooManyTags { tags });
        }
        Ok(Self {
            targets,
            phases,
            actions,
        })
    }

    /// The same with other names, which must be as many and told apart as they were.
    pub fn with_targets(&self, targets: Vec<String>) -> Self {
        Self {
            targets,
            ..self.clone()
        }
    }

    pub fn targets(&self) -> &[String] {
        &self.targets
    }

    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }

    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    pub fn target(&self, index: u16) -> &str {
        &self.targets[usize::from(index)]
    }

    pub fn phase(&self, index: u16) -> &Phase {
        &self.phases[usize::from(index)]
    }

    pub fn action(&self, index: u16) -> &Action {
        &self.actions[usize::from(index)]
    }

    /// Nanoseconds until `now` in which what is in scope was offered, whatever the target.
    pub fn offered_for(&self, scope: Scope, now: u64) -> u64 {
        let offers = |phase: &Phase| scope.action.is_none_or(|one| phase.actions.contains(&one));
        let phases = (0..).zip(&self.phases);
        phases
            .filter(|(index, phase)| scope.holds_phase(*index, phase) && offers(phase))
            .map(|(_, phase)| phase.ends_at.min(now).saturating_sub(phase.starts_at))
            .sum()
    }

    /// `target/phase/action/kind`, slugs only.
    pub fn tag(&self, tag: Tag) -> String {
        format!(
            "{}/{}/{}/{}",
            slug(self.target(tag.target)),
            slug(&self.phase(tag.phase).name),
            slug(&self.action(tag.action).name),
            tag.kind
        )
    }

    /// The tag that [`Layout::tag`] wrote as `text`.
    pub fn find_tag(&self, text: &str) -> Option<Tag> {
        let mut parts = text.split('/');
        let tag = Tag {
            target: position(self.targets.iter().map(String::as_str), parts.next()?)?,
            phase: position(
                self.phases.iter().map(|phase| phase.name.as_str()),
                parts.next()?,
            )?,
            action: position(
                self.actions.iter().map(|action| action.name.as_str()),
                parts.next()?,
            )?,
            kind: Kind::from_slug(parts.next()?)?,
        };
        parts.next().is_none().then_some(tag)
    }
}

impl Tag {
    /// Before all others in order.
    pub(crate) const FIRST: Self = Self {
        target: 0,
        phase: 0,
        action: 0,
        kind: Kind::Response,
    };
}

impl Shape {
    /// The kinds of histogram that an action of this shape can fill.
    pub fn kinds(self) -> &'static [Kind] {
        match self {
            Self::OnePhase | Self::Flow => &[
                Kind::Response,
                Kind::Service,
                Kind::Lag,
                Kind::Wait,
                Kind::Failed,
            ],
            Self::FanOut => &[
                Kind::Response,
                Kind::Service,
                Kind::Lag,
                Kind::Wait,
                Kind::EventDelay,
                Kind::Failed,
            ],
            Self::TwoPhase => &Kind::ALL,
            Self::List => &[
                Kind::Response,
                Kind::Service,
                Kind::Ack,
                Kind::FirstItem,
                Kind::Complete,
                Kind::Lag,
                Kind::Wait,
                Kind::Failed,
            ],
        }
    }
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Response,
        Self::Service,
        Self::Ack,
        Self::FirstItem,
        Self::Complete,
        Self::Lag,
        Self::Wait,
        Self::EventDelay,
        Self::Failed,
    ];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Service => "service",
            Self::Ack => "ack",
            Self::FirstItem => "first-item",
            Self::Complete => "complete",
            Self::Lag => "lag",
            Self::Wait => "wait",
            Self::EventDelay => "event-delay",
            Self::Failed => "failed",
        }
    }

    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

/// Lower-case letters, digits, `.`, `_`; every other run of characters becomes one hyphen.
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for c in name.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '.' | '_') => slug.push(c),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.trim_matches('-').to_owned()
}

/// As written in a manifest, not yet checked.
#[derive(Deserialize)]
struct Names {
    targets: Vec<String>,
    phases: Vec<Phase>,
    actions: Vec<Action>,
}

impl TryFrom<Names> for Layout {
    type Error = LayoutError;

    fn try_from(names: Names) -> Result<Self, LayoutError> {
        Self::new(names.targets, names.phases, names.actions)
    }
}

fn check_slugs<'a>(
    what: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), LayoutError> {
    let mut seen = BTreeSet::new();
    for name in names {
        let slug = slug(name);
        if !slug.contains(|c: char| c.is_ascii_alphanumeric()) {
            return Err(LayoutError::NoSlug {
                what,
                name: name.to_owned(),
            });
        }
        if !seen.insert(slug.clone()) {
            return Err(LayoutError::SameSlug { what, slug });
        }
    }
    Ok(())
}

fn position<'a>(mut names: impl Iterator<Item = &'a str>, wanted: &str) -> Option<u16> {
    let index = names.position(|name| slug(name) == wanted)?;
    u16::try_from(index).ok()
}

#[cfg(test)]
mod tests {
    use super::{Action, Kind, Layout, LayoutError, Phase, Shape, Tag, slug};

    fn layout(targets: &[&str], phases: usize) -> Result<Layout, LayoutError> {
        let phase = |index: usize| Phase {
            name: format!("phase {index}"),
            starts_at: 0,
            ends_at: 1,
            actions: vec![0, 1],
            warm_up: false,
        };
        let action = |name: &str, shape| Action {
            name: name.to_owned(),
            shape,
        };
        Layout::new(
            targets.iter().map(|&name| name.to_owned()).collect(),
            (0..phases).map(phase).collect(),
            vec![
                action("ping", Shape::OnePhase),
                action("CoreShowChannels", Shape::List),
            ],
        )
    }

    #[test]
    fn names_become_slugs() {
        for (name, expected) in [
            ("asterisk-22", "asterisk-22"),
            ("UCM 6302, lab", "ucm-6302-lab"),
            ("  a//b  ", "a-b"),
            ("1.0.27_x", "1.0.27_x"),
            ("Zürich", "z-rich"),
        ] {
            assert_eq!(slug(name), expected);
        }
    }

    #[test]
    fn a_tag_is_found_by_its_text() {
        let layout = layout(&["Asterisk 22", "ucm"], 2).unwrap();
        for kind in Kind::ALL {
            let tag = Tag {
                target: 1,
                phase: 1,
                action: 1,
                kind,
            };
            assert_eq!(layout.find_tag(&layout.tag(tag)), Some(tag));
        }
        assert_eq!(layout.find_tag("ucm/phase-1/ping"), None);
        assert_eq!(layout.find_tag("ucm/phase-1/ping/lag/x"), None);
        assert_eq!(layout.find_tag("ucm/phase-1/ping/elapsed"), None);
    }

    #[test]
    fn names_that_cannot_be_told_apart_are_refused() {
        let same = layout(&["pbx 1", "PBX-1"], 1).unwrap_err();
        assert_eq!(
            same.to_string(),
            "tell targets apart: two of them are written pbx-1 in result files"
        );
        assert!(matches!(layout(&["…"], 1), Err(LayoutError::NoSlug { .. })));
    }

    #[test]
    fn the_number_of_tags_is_bounded() {
        let names: Vec<String> = (0..20).map(|index| format!("pbx-{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(layout(&names, 1).is_ok());
        assert_eq!(
            layout(&names, 2),
            Err(LayoutError::TooManyTags { tags: 520 })
        );
    }

    #[test]
    fn a_manifest_cannot_smuggle_in_a_bad_layout() {
        let text = r#"{"targets": ["a", "A"], "phases": [], "actions": []}"#;
        assert!(serde_json::from_str::<Layout>(text).is_err());
    }
}
