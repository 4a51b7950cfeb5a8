//! The dialplan of a profile in the order in which Asterisk lists it.

use crate::extension::Step;
use crate::profile::Profile;

pub(crate) struct ListedContext<'a> {
    pub(crate) name: &'a str,
    pub(crate) extensions: Vec<ListedExtension<'a>>,
    pub(crate) includes: &'a [String],
}

pub(crate) struct ListedExtension<'a> {
    pub(crate) exten: &'a str,
    pub(crate) hint: Option<&'a str>,
    pub(crate) steps: &'a [Step],
    /// Where its first priority would stand in extensions.conf.
    pub(crate) line: usize,
}

impl ListedExtension<'_> {
    /// A hint counts as one.
    pub(crate) fn priorities(&self) -> usize {
        usize::from(self.hint.is_some()) + self.steps.len()
    }
}

/// Those that were written down last come first.
pub(crate) fn contexts(profile: &Profile) -> Vec<ListedContext<'_>> {
    let mut names: Vec<&str> = Vec::new();
    for extension in &profile.extensions {
        for name in &extension.contexts {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let mut line = 1;
    let mut listed: Vec<ListedContext<'_>> = Vec::new();
    for name in names {
        // Its header comes before it, an empty line after it.
        line += 1;
        let mut extensions = extensions(profile, name);
        for extension in &mut extensions {
            extension.line = line;
            line += extension.priorities();
        }
        line += 1;
        extensions.sort_by_key(|extension| rank(extension.exten));
        listed.push(ListedContext {
            name,
            extensions,
            includes: profile.includes.get(name).map_or(&[], Vec::as_slice),
        });
    }
    listed.reverse();
    listed
}

/// As they were written, without their lines.
fn extensions<'a>(profile: &'a Profile, context: &str) -> Vec<ListedExtension<'a>> {
    let here = profile
        .extensions
        .iter()
        .filter(|extension| extension.contexts.iter().any(|name| name == context));
    let hint = |exten: &str| {
        let mut hints = profile.hints.iter();
        hints.find(|hint| hint.context == context && hint.exten == exten)
    };
    let mut listed: Vec<ListedExtension<'a>> = here
        .map(|extension| ListedExtension {
            exten: &extension.exten,
            hint: hint(&extension.exten).map(|hint| hint.watched.as_str()),
            steps: &extension.steps,
            line: 0,
        })
        .collect();
    for hint in profile.hints.iter().filter(|hint| hint.context == context) {
        if !listed.iter().any(|one| one.exten == hint.exten) {
            listed.push(ListedExtension {
                exten: &hint.exten,
                hint: Some(&hint.watched),
                steps: &[],
                line: 0,
            });
        }
    }
    listed
}

/// Literals before patterns, and of two patterns the longer one where the shorter ends.
fn rank(exten: &str) -> (bool, Vec<u8>) {
    let pattern = exten.starts_with('_');
    let mut bytes = exten.as_bytes().to_vec();
    if pattern {
        bytes.push(u8::MAX);
    }
    (pattern, bytes)
}
