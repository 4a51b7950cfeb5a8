//! Where the name of a PBX may stand: what differs between PBXs is data of dialects and profiles.
//!
//! Asterisk is the protocol's own name and free everywhere. Comments are prose.

use super::scan::scan;
use super::{Breach, File};

const PRODUCTS: [&str; 9] = [
    "ucm",
    "grandstream",
    "yeastar",
    "freepbx",
    "issabel",
    "mikopbx",
    "elastix",
    "vitalpbx",
    "xivo",
];

/// Folders and files whose business is one PBX, by the beginning of their path.
const HOMES: [&str; 6] = [
    "corpora/",
    "crates/ami-proto/src/dialect",
    "crates/ami-sim/profiles/",
    "crates/ami-sim/src/profile",
    "crates/xtask/",
    "scenarios/",
];

pub(super) fn check(file: &File) -> Vec<Breach> {
    let checked = file.is_rust() || file.has_extension("toml");
    if !checked || file.is_test() || HOMES.iter().any(|home| file.path.starts_with(home)) {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    if file.is_rust() {
        for (index, line) in scan(&file.text).iter().enumerate() {
            // A target is embedded under the name of its file.
            if !line.in_test && !line.text.contains("targets/") {
                check_line(&line.text, index + 1, &mut breaches);
            }
        }
    } else {
        for (index, line) in file.text.lines().enumerate() {
            let text = line.split_once('#').map_or(line, |(text, _)| text);
            check_line(text, index + 1, &mut breaches);
        }
    }
    breaches
}

fn check_line(text: &str, line: usize, breaches: &mut Vec<Breach>) {
    if let Some(product) = PRODUCTS.iter().find(|product| names(text, product)) {
        let text = format!("{product:?} belongs in dialects, profiles, scenarios and corpora");
        breaches.push(Breach::new(line, text));
    }
}

/// Whether the product begins a word in `text`: `is_ucm`, `IsUcm` and `UCM6XXX`, not `document`.
fn names(text: &str, product: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.match_indices(product).any(|(at, _)| {
        let before = text[..at].chars().last();
        let first = text[at..].chars().next();
        let inner = before.is_some_and(char::is_alphabetic);
        let camel = before.is_some_and(char::is_lowercase) && first.is_some_and(char::is_uppercase);
        !inner || camel
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    #[test]
    fn a_product_name_begins_a_word() {
        for text in [
            "is_ucm",
            "IsUcm",
            "\"UCM6XXX\"",
            "fn yeastar()",
            "Grandstream",
        ] {
            assert!(
                PRODUCTS.iter().any(|product| names(text, product)),
                "{text}"
            );
        }
        for text in ["document", "asterisk", "instrument"] {
            assert!(
                !PRODUCTS.iter().any(|product| names(text, product)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_pbx_is_named_only_at_home() {
        let planted = "//! Head.\n// ucm in prose\nif banner == \"UCM\" {}\n";
        let lines = |path| -> Vec<usize> {
            found(check, path, planted)
                .into_iter()
                .map(|(line, _)| line)
                .collect()
        };
        assert_eq!(lines("crates/ami-load/src/run.rs"), [3]);
        assert!(lines("crates/ami-proto/src/dialect/detect.rs").is_empty());
        assert!(lines("crates/ami-load/tests/run.rs").is_empty());
        assert_eq!(
            found(check, "crates/ami-load/Cargo.toml", "a = 1\nucm = 1 # ucm").len(),
            1
        );
        assert_eq!(
            found(check, "a.rs", "(\"sim-ucm\", \"targets/sim-ucm.toml\")"),
            []
        );
    }
}
