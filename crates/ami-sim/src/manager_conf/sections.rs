//! The grammar of Asterisk's configuration files: sections, templates, comments.

use super::Note;

/// Blocks of comments inside each other; Asterisk counts as many.
const COMMENT_DEPTH_MAX: usize = 128;

#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) at: (usize, usize),
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
    pub(super) at: (usize, usize),
}

/// All sections but templates, in order, with what they inherit before their own.
pub(super) fn read(text: &str, warnings: &mut Vec<Note>) -> Result<Vec<Section>, Note> {
    let mut sections: Vec<Section> = Vec::new();
    let mut comments = Comments::default();
    // Which section the lines belong to.
    let mut open = None;
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = comments.strip(line);
        let blanks = line.len() - line.trim_start().len();
        let (at, line) = ((number + 1, blanks + 1), line.trim());
        if line.is_empty() {
            continue;
        }
        if let Some(head) = line.strip_prefix('[') {
            open = Some(begin(head, at, &mut sections)?);
        } else if line.starts_with('#') {
            warnings.push(Note::at(at, "directives such as #include are not followed"));
        } else {
            let Some(section) = open.and_then(|open| sections.get_mut::<usize>(open)) else {
                return Err(Note::at(at, "this line stands before the first [section]"));
            };
            match line.split_once('=') {
                None => warnings.push(Note::at(at, "a line without \"=\" says nothing")),
                Some((name, value)) => section.entries.push(Entry {
                    name: name.trim().to_owned(),
                    value: value.strip_prefix('>').unwrap_or(value).trim().to_owned(),
                    at,
                }),
            }
        }
    }
    sections.retain(|section| section.kind == Kind::Usual);
    Ok(sections)
}

/// `name](options)`; returns which section is open now.
fn begin(head: &str, at: (usize, usize), sections: &mut Vec<Section>) -> Result<usize, Note> {
    let Some((name, rest)) = head.split_once(']') else {
        return Err(Note::at(at, "the \"]\" of this section is missing"));
    };
    let mut section = Section {
        name: name.to_owned(),
        at,
        entries: Vec::new(),
        kind: Kind::Usual,
    };
    let named = |wanted: &str, sections: &[Section]| {
        sections
            .iter()
            .rposition(|section| section.name.eq_ignore_ascii_case(wanted))
            .ok_or_else(|| {
                let place = (at.0, at.1 + name.len() + 2);
                Note::at(
                    place,
                    format_args!("there is no section {wanted:?} before this line"),
                )
            })
    };
    // Whatever else follows the bracket is passed over.
    if let Some(options) = rest.strip_prefix('(') {
        let Some((options, _)) = options.split_once(')') else {
            return Err(Note::at(at, "the \")\" of this section is missing"));
        };
        for option in options.split(',') {
            match option {
                "!" => section.kind = Kind::Template,
                "+" => return named(name, sections),
                base => {
                    let base = named(base, sections)?;
                    section.entries.extend_from_slice(&sections[base].entries);
                }
            }
        }
    }
    sections.push(section);
    Ok(sections.len() - 1)
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
        let read = read(text, &mut Vec::new());
        let found = read.map_err(|note| note.to_string()).map(|sections| {
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
