//! Data files parse: TOML everywhere, and every line of a JSON Lines file.

use super::{Breach, File};

pub(super) fn check_toml(file: &File) -> Vec<Breach> {
    if !file.has_extension("toml") {
        return Vec::new();
    }
    match toml::from_str::<toml::Table>(&file.text) {
        Ok(_) => Vec::new(),
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let line = file.text[..start].matches('\n').count() + 1;
            vec![Breach::new(line, error.message())]
        }
    }
}

pub(super) fn check_json_lines(file: &File) -> Vec<Breach> {
    if !file.has_extension("jsonl") {
        return Vec::new();
    }
    let mut breaches = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if let Err(error) = serde_json::from_str::<serde_json::Value>(line) {
            breaches.push(Breach::new(index + 1, error.to_string()));
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    #[test]
    fn toml_that_does_not_parse_is_a_breach() {
        assert_eq!(
            found(check_toml, "scenarios/a.toml", "a = 1\n[b]\nc = 2\n"),
            []
        );
        assert_eq!(
            found(check_toml, "scenarios/a.toml", "a = 1\nb =\n")[0].0,
            2
        );
        assert_eq!(
            found(check_toml, "scenarios/a.toml", "a = 1\na = 2\n")[0].0,
            2
        );
    }

    #[test]
    fn a_line_that_is_not_json_is_a_breach() {
        assert_eq!(
            found(check_json_lines, "a.ami.jsonl", "{}\n[0.1, \"S\", null]\n"),
            []
        );
        assert_eq!(
            found(check_json_lines, "a.ami.jsonl", "{}\n[0.1,\n")[0].0,
            2
        );
    }
}
