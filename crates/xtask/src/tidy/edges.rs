//! Which crate may depend on which: the arrows of the architecture point one way.
//!
//! Development dependencies are exempt.

use toml::{Table, Value};

use super::{Breach, File};

const EDGES: [(&str, &[&str]); 11] = [
    (
        "ami-bench",
        &[
            "ami-client",
            "ami-load",
            "ami-proto",
            "ami-results",
            "ami-sim",
        ],
    ),
    ("ami-proto", &[]),
    ("ami-results", &[]),
    ("ami-client", &["ami-proto"]),
    ("ami-sim", &["ami-proto"]),
    ("ami-load", &["ami-client", "ami-proto", "ami-results"]),
    ("ami-conform", &["ami-client", "ami-proto", "ami-results"]),
    ("ami-report", &["ami-results"]),
    (
        "ami-fuzz",
        &[
            "ami-client",
            "ami-conform",
            "ami-load",
            "ami-proto",
            "ami-report",
            "ami-sim",
        ],
    ),
    (
        "amibench",
        &[
            "ami-client",
            "ami-conform",
            "ami-load",
            "ami-proto",
            "ami-report",
            "ami-results",
            "ami-sim",
        ],
    ),
    ("xtask", &[]),
];

pub(super) fn check(file: &File) -> Vec<Breach> {
    let Some(name) = crate_of_manifest(&file.path) else {
        return Vec::new();
    };
    let Some((_, allowed)) = EDGES.iter().find(|(from, _)| *from == name) else {
        return vec![Breach::new(
            1,
            format!("the crate {name} has no place among the edges"),
        )];
    };
    // A manifest that does not parse is another rule's.
    let manifest: Table = toml::from_str(&file.text).unwrap_or_default();
    let mut breaches = Vec::new();
    for (key, package) in dependencies(&manifest) {
        let ours = EDGES.iter().any(|(crate_name, _)| *crate_name == package);
        if ours && !allowed.contains(&package) {
            let text = format!("{name} must not depend on {package}");
            breaches.push(Breach::new(line_of(&file.text, key), text));
        }
    }
    breaches
}

/// `crates/<name>/Cargo.toml`.
fn crate_of_manifest(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?
        .strip_suffix("/Cargo.toml")
        .filter(|name| !name.contains('/'))
}

/// Key and package of every dependency that is built into the crate.
fn dependencies(manifest: &Table) -> Vec<(&str, &str)> {
    let platforms = manifest.get("target").and_then(Value::as_table);
    let platforms = platforms
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table);
    let sections = std::iter::once(manifest)
        .chain(platforms)
        .flat_map(|table| {
            let sections = ["dependencies", "build-dependencies"];
            sections
                .into_iter()
                .filter_map(|name| table.get(name)?.as_table())
        });
    let entries = sections.flat_map(Table::iter).map(|(key, value)| {
        let package = value.get("package").and_then(Value::as_str);
        (key.as_str(), package.unwrap_or(key))
    });
    entries.collect()
}

fn line_of(text: &str, key: &str) -> usize {
    let found = text.lines().position(|line| {
        let rest = line.trim_start().strip_prefix(key);
        rest.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    });
    found.map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    fn check_manifest(name: &str, text: &str, lines: &[usize]) {
        let breaches = found(check, &format!("crates/{name}/Cargo.toml"), text);
        let at: Vec<usize> = breaches.iter().map(|(line, _)| *line).collect();
        assert_eq!(at, lines, "{breaches:?}");
    }

    #[test]
    fn an_edge_against_the_arrows_is_a_breach() {
        check_manifest(
            "ami-proto",
            "[dependencies]\nmemchr = \"2\"\nami-client.workspace = true",
            &[3],
        );
        check_manifest(
            "ami-report",
            "[dependencies]\nami-results.workspace = true\n",
            &[],
        );
        check_manifest(
            "ami-sim",
            "[dev-dependencies]\nami-client.workspace = true\n",
            &[],
        );
        check_manifest(
            "ami-sim",
            "[build-dependencies]\nami-client = { path = \"x\" }\n",
            &[2],
        );
        check_manifest(
            "ami-sim",
            "[target.'cfg(unix)'.dependencies]\nami-load.workspace = true",
            &[2],
        );
        check_manifest(
            "ami-sim",
            "[dependencies]\nx = { package = \"ami-load\" }\n",
            &[2],
        );
        check_manifest("ami-new", "[dependencies]\n", &[1]);
    }
}
