//! `core show help …`, and what is said of commands that are not there.

use crate::action::Act;
use crate::action::command::{Printed, Run};
use crate::release::Release;

pub(super) const COMMANDS: &[(&str, Run)] = &[("core show help …", help)];

/// All that the consoles of the lab list: a command and what it does, ` -- ` between them.
const OLDER: &str = include_str!("help-16.txt");
const NEWER: &str = include_str!("help-22.txt");

/// Those of the nearer of the lab's two.
fn lines(base: Release) -> impl Iterator<Item = &'static str> {
    let text = if base.prints_newer_texts() {
        NEWER
    } else {
        OLDER
    };
    text.lines()
}

/// Only the list; of a single command the real one prints its usage.
fn help(act: &mut Act<'_>, words: &[&str]) -> Printed {
    let asked = words[3..].join(" ");
    let base = act.pbx.profile.base;
    let found: Vec<&str> = lines(base)
        .filter(|line| line.starts_with(&asked))
        .collect();
    if found.is_empty() {
        return Ok(format!("No such command '{asked}'.\n"));
    }
    let is_command = commands(base).any(|command| command.join(" ") == asked);
    if is_command {
        return Err("Not simulated\n".to_owned());
    }
    Ok(found.join("\n") + "\n")
}

/// The fixed words of each command; what is in brackets is not.
fn commands(base: Release) -> impl Iterator<Item = Vec<&'static str>> {
    lines(base).map(|line| {
        let names = line.split(" --").next().unwrap_or_default();
        let words = names.split(' ').filter(|word| !word.is_empty());
        words.take_while(|word| !word.starts_with('[')).collect()
    })
}

/// Of a line that is no command here.
pub(super) fn refusal(base: Release, line: &str, words: &[&str]) -> String {
    let is_real = commands(base).any(|command| {
        !command.is_empty()
            && command.len() <= words.len()
            && command.iter().zip(words).all(|(one, word)| fits(one, word))
    });
    if is_real {
        return "Not simulated\n".to_owned();
    }
    let near = nearest(base, words);
    format!("No such command '{line}' (type 'core show help {near}' for other possible commands)\n")
}

/// `{a|b}` is one of several.
fn fits(pattern: &str, word: &str) -> bool {
    let one = pattern.trim_matches(['{', '}']);
    one.split('|').any(|one| one.eq_ignore_ascii_case(word))
}

/// `find_best`: words up to the first one at which no command as long as that begins like them.
fn nearest(base: Release, words: &[&str]) -> String {
    let begins = |count: usize| {
        commands(base).any(|command| {
            let all_but_last = count - 1;
            command.len() == count
                && command
                    .iter()
                    .zip(&words[..all_but_last])
                    .all(|(one, word)| fits(one, word))
        })
    };
    let end = (1..=words.len())
        .find(|count| !begins(*count))
        .unwrap_or(words.len());
    words[..end].join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_commands_are_offered_as_the_lab_offers_them() {
        for release in [Release::new(16, 28, 0), Release::new(22, 10, 1)] {
            let check = |line: &str, expected: &str| {
                let words: Vec<&str> = line.split(' ').collect();
                assert_eq!(nearest(release, &words), expected, "{release} {line}");
            };
            check("nosuch", "nosuch");
            check("core show", "core show");
            check("core show nosuch", "core show nosuch");
            check("core stop nosuch", "core stop nosuch");
            check("sip show peers", "sip show");
            check("no such command", "no such");
            check("calendar show calendars", "calendar show");
        }
    }

    #[test]
    fn a_real_command_that_is_not_here_is_told_from_one_that_is_not_there() {
        let base = Release::new(22, 10, 1);
        let check = |line: &str, real: bool| {
            let words: Vec<&str> = line.split(' ').collect();
            let text = refusal(base, line, &words);
            assert_eq!(text == "Not simulated\n", real, "{line}: {text}");
        };
        check("core show threads", true);
        check("bridge technology suspend softmix", true);
        check("core show", false);
        check("sip show peers", false);
    }
}
