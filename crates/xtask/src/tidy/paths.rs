//! The repository stands alone: it names no directory of the machine it was written on.

use super::{Breach, File};

/// First directories of absolute paths that mean somebody's workplace.
const WORKPLACES: [&str; 4] = ["work", "home", "farm", "Users"];

pub(super) fn check(file: &File) -> Vec<Breach> {
    // What a PBX said on the wire is kept as it was.
    if file.path.starts_with("corpora/") {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if let Some(place) = WORKPLACES.iter().find(|place| names_absolute(line, place)) {
            breaches.push(Breach::new(
                index + 1,
                format!("an absolute path below /{place}"),
            ));
        }
    }
    breaches
}

fn names_absolute(line: &str, place: &str) -> bool {
    line.match_indices(&format!("/{place}/")).any(|(at, _)| {
        let before = line[..at].chars().last();
        !before.is_some_and(|it| it.is_alphanumeric() || matches!(it, '.' | '_' | '-' | '}' | '/'))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    #[test]
    fn a_path_of_a_workplace_is_a_breach() {
        for place in WORKPLACES {
            let planted = format!("fine\nlet a = \"/{place}/x\";\n");
            assert_eq!(
                found(check, "crates/a/src/b.rs", &planted)[0].0,
                2,
                "{place}"
            );
            assert_eq!(found(check, "corpora/a.jsonl", &planted), []);
            let relative = format!("see docs/{place}/x and ../{place}/y");
            assert_eq!(found(check, "README.md", &relative), []);
        }
    }
}
