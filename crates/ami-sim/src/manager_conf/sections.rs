//! The grammar of Asterisk's configuration files: sections, templates, comments, and files that others include.

use std::sync::Arc;

use super::{Files, Note};

/// Files inside each other; Asterisk goes no deeper.
const INCLUDE_DEPTH_MAX: usize = 10;
/// Files of one configuration: one that includes itself twice would be 2¹⁰.
const FILES_MAX: usize = 1000;

/// Blocks of comments inside each other; Asterisk counts as many.
const COMMENT_DEPTH_MAX: usize = 128;

#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) at: Place,
    pub(super) entries: Vec<Entry>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Usual,
    /// There for others to inherit from.
    Template,
}

/// `name = value`, with where the name begins.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) at: Place,
}

/// Line and column, counted from 1, in the file itself or in one that it includes.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: Option<Arc<str>>,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// All sections but templates, in order, with what they inherit before their own.
pub(super) fn read(
    text: &str,
    files: &Files<'_>,
    warnings: &mut Vec<Note>,
) -> Result<Vec<Section>, Note> {
    let mut reader = Reader {
        files,
        warnings,
        sections: Vec::new(),
        files_read: 0,
    };
    reader.file(text, None, Inside::default())?;
    let mut sections = reader.sections;
    sections.retain(|section| section.kind == Kind::Usual);
    Ok(sections)
}

struct Reader<'a> {
    files: &'a Files<'a>,
    warnings: &'a mut Vec<Note>,
    sections: Vec<Section>,
    files_read: usize,
}

/// Where an included file stands: which section is open there, and in how many files.
#[derive(Clone, Copy, Default)]
struct Inside {
    open: Option<usize>,
    depth: usize,
}

impl Reader<'_> {
    fn file(&mut self, text: &str, file: Option<Arc<str>>, mut inside: Inside) -> Result<(), Note> {
        let mut comments = Comments::default();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = comments.strip(line);
            let blanks = line.len() - line.trim_start().len();
            let (file, line) = (file.clone(), line.trim());
            let at = Place {
                file,
                line: number + 1,
                column: blanks + 1,
            };
            if line.is_empty() {
                continue;
            }
            if let Some(head) = line.strip_prefix('[') {
                inside.open = Some(self.begin(head, at)?);
            } else if let Some(directive) = line.strip_prefix('#') {
                self.directive(directive, &at, inside)?;
            } else {
                self.entry(line, at, inside.open)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, line: &str, at: Place, open: Option<usize>) -> Result<(), Note> {
        let Some(section) = open.and_then(|open| self.sections.get_mut(open)) else {
            let text = "this line stands before the first [section]";
            return Err(Note::at(&at, text));
        };
        match line.split_once('=') {
            None => self
                .warnings
                .push(Note::at(&at, "a line without \"=\" says nothing")),
            Some((name, value)) => section.entries.push(Entry {
                name: name.trim().to_owned(),
                value: value.strip_prefix('>').unwrap_or(value).trim().to_owned(),
                at,
            }),
        }
        Ok(())
    }

    /// `#include FILE`, which must be there, and `#tryinclude FILE`; FILE may have `*` in it.
    fn directive(&mut self, text: &str, at: &Place, inside: Inside) -> Result<(), Note> {
        let (name, file) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let must_exist = name.eq_ignore_ascii_case("include");
        if !must_exist && !name.eq_ignore_ascii_case("tryinclude") {
            let text = format_args!("#{name} is not followed");
            self.warnings.push(Note::at(at, text));
            return Ok(());
        }
        let quotes: &[char] = &['"', '<', '>'];
        let file = file.trim().trim_matches(quotes);
        if file.is_empty() {
            let text = format_args!("#{name} names no file");
            self.warnings.push(Note::at(at, text));
            return Ok(());
        }
        let found = (self.files)(file);
        if found.is_empty() && must_exist {
            return Err(Note::at(at, format_args!("there is no file {file:?}")));
        }
        self.files_read += found.len();
        let inside = Inside {
            depth: inside.depth + 1,
            ..inside
        };
        if inside.depth > INCLUDE_DEPTH_MAX || self.files_read > FILES_MAX {
            let text = format_args!(
                "this is one file too many: {INCLUDE_DEPTH_MAX} inside each other and {FILES_MAX} in all are read"
            );
            return Err(Note::at(at, text));
        }
        for (name, text) in found {
            self.file(&text, Some(name.into()), inside)?;
        }
        Ok(())
    }

    /// `name](options)`; returns which section is open now.
    fn begin(&mut self, head: &str, at: Place) -> Result<usize, Note> {
        let Some((name, rest)) = head.split_once(']') else {
            return Err(Note::at(&at, "the \"]\" of this section is missing"));
        };
        let mut section = Section {
            name: name.to_owned(),
            at: at.clone(),
            entries: Vec::new(),
            kind: Kind::Usual,
        };
        let named = |wanted: &str, sections: &[Section]| {
            sections
                .iter()
                .rposition(|section| section.name.eq_ignore_ascii_case(wanted))
                .ok_or_else(|| {
                    let place = Place {
                        column: at.column + name.len() + 2,
                        ..at.clone()
                    };
                    let text = format_args!("there is no section {wanted:?} before this line");
                    Note::at(&place, text)
                })
        };
        // Whatever else follows the bracket is passed over.
        if let Some(options) = rest.strip_prefix('(') {
            let Some((options, _)) = options.split_once(')') else {
                return Err(Note::at(&at, "the \")\" of this section is missing"));
            };
            for option in options.split(',') {
                match option {
                    "!" => section.kind = Kind::Template,
                    "+" => return named(name, &self.sections),
                    base => {
                        let base = named(base, &self.sections)?;
                        section
                            .entries
                            .extend_from_slice(&self.sections[base].entries);
                    }
                }
            }
        }
        self.sections.push(section);
        Ok(self.sections.len() - 1)
    }
}

/// `; to the end of the line`, and `;-- over several lines --;`.
#[derive(Default)]
struct Comments {
    depth: usize,
}

impl Comments {
    /// The line without its comments; `\;` is a semicolon.
    fn strip(&mut self, line: &str) -> String {
        let mut kept = String::with_capacity(line.len());
        let mut rest = line;
        loop {
            if self.depth > 0 {
                let end = rest.find("--;");
                let start = rest
                    .find(";--")
                    .filter(|start| end.is_none_or(|end| *start + 2 < end));
                match (start, end) {
                    (Some(start), _) => {
                        self.depth = (self.depth + 1).min(COMMENT_DEPTH_MAX);
                        rest = &rest[start + 3..];
                    }
                    (None, Some(end)) => {
                        self.depth -= 1;
                        rest = &rest[end + 3..];
                    }
                    (None, None) => return kept,
                }
                continue;
            }
            let Some(at) = rest.find(';') else {
                kept.push_str(rest);
                return kept;
            };
            let (before, comment) = rest.split_at(at);
            if let Some(before) = before.strip_suffix('\\') {
                kept.push_str(before);
                kept.push(';');
                rest = &comment[1..];
            } else if comment.starts_with(";--") && !comment.starts_with(";---") {
                kept.push_str(before);
                self.depth = 1;
                rest = &comment[3..];
            } else {
                kept.push_str(before);
                return kept;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Named<'a> = (&'a str, &'a [(&'a str, &'a str)]);

    fn check(text: &str, expected: Result<&[Named<'_>], &str>) {
        let files = |name: &str| match name {
            "own" => vec![("own".to_owned(), "#include own\n".to_owned())],
            "two/*" => ["one", "other"]
                .map(|name| {
                    (
                        format!("two/{name}"),
                        format!("x = {name}\n[{name}]\ny = 1\n"),
                    )
                })
                .to_vec(),
            "bad" => vec![("bad".to_owned(), "\n [z\n".to_owned())],
            _ => Vec::new(),
        };
        let read = read(text, &files, &mut Vec::new());
        let placed = |note: Note| match &note.file {
            Some(file) => format!("{file}:{note}"),
            None => note.to_string(),
        };
        let found = read.map_err(placed).map(|sections| {
            let entries = |section: &Section| -> Vec<(String, String)> {
                let entries = section.entries.iter();
                entries
                    .map(|entry| (entry.name.clone(), entry.value.clone()))
                    .collect()
            };
            let sections = sections
                .iter()
                .map(|section| (section.name.clone(), entries(section)));
            sections.collect::<Vec<_>>()
        });
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let expected = expected.map_err(str::to_owned).map(|sections| {
            let sections = sections.iter();
            sections
                .map(|(name, entries)| ((*name).to_owned(), entries.iter().map(owned).collect()))
                .collect::<Vec<_>>()
        });
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn sections_inherit_in_the_order_of_their_bases() {
        check(
            "[t](!)\na=1\n[u](!,t)\nb => 2\n[v](u,t) ; x\nc=3\n[v](+)\nd=4=5\n",
            Ok(&[(
                "v",
                &[("a", "1"), ("b", "2"), ("a", "1"), ("c", "3"), ("d", "4=5")],
            )]),
        );
    }

    #[test]
    fn what_follows_the_bracket_at_once_counts_alone() {
        check(
            "[t](!)\na=1\n[ g ] (t)\n[h]b=2\r\nc=3\r\n",
            Ok(&[(" g ", &[]), ("h", &[("c", "3")])]),
        );
    }

    #[test]
    fn comments_end_with_the_line_or_their_block() {
        check(
            "[a]\nb = x\\;y ; z\n;-- c = 1\nd = 2 ;-- e --;\n f=3 --; g = 4\n;---- h\ni = \"5;6\"\n",
            Ok(&[("a", &[("b", "x;y"), ("g", "4"), ("i", "\"5")])]),
        );
    }

    #[test]
    fn files_stand_where_they_are_included() {
        check(
            "[a]\n#include \"two/*\"\nz = 2\n#tryinclude nosuch\n#exec date\n",
            Ok(&[
                ("a", &[("x", "one"), ("x", "other"), ("z", "2")]),
                ("one", &[("y", "1")]),
                ("other", &[("y", "1")]),
            ]),
        );
        check(
            "[a]\n #include <nosuch>\n",
            Err("2:2: there is no file \"nosuch\""),
        );
        check(
            "[a]\n#include bad\n",
            Err("bad:2:2: the \"]\" of this section is missing"),
        );
        check(
            "#include own\n",
            Err(
                "own:1:1: this is one file too many: 10 inside each other and 1000 in all are read",
            ),
        );
    }

    #[test]
    fn what_asterisk_refuses_is_an_error_with_its_place() {
        check("[a\n", Err("1:1: the \"]\" of this section is missing"));
        check(
            "\n [a](!\n",
            Err("2:2: the \")\" of this section is missing"),
        );
        check(
            "x = 1\n[a]\n",
            Err("1:1: this line stands before the first [section]"),
        );
        check(
            "[a](later)\n[later](!)\n",
            Err("1:4: there is no section \"later\" before this line"),
        );
        check(
            "[t](!)\n[a](t, t)\n",
            Err("2:4: there is no section \" t\" before this line"),
        );
        check(
            "[a](+)\n",
            Err("1:4: there is no section \"a\" before this line"),
        );
    }
}
