//! The configuration files that a PBX shows and lets be changed; they only exist in memory and nothing reads them again.

use std::collections::BTreeMap;

/// Files that clients may make, and lines in each.
const FILES_MAX: usize = 100;
const LINES_MAX: usize = 10_000;

#[derive(Debug)]
pub(crate) struct ConfigFiles(BTreeMap<String, ConfigFile>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfigFile {
    pub(crate) categories: Vec<Category>,
}

/// A `[name]` and its `variable = value` lines; names may repeat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Category {
    pub(crate) name: String,
    pub(crate) lines: Vec<(String, String)>,
}

impl Category {
    pub(crate) fn value(&self, variable: &str) -> Option<&str> {
        let mut lines = self.lines.iter();
        lines
            .find(|(name, _)| name.eq_ignore_ascii_case(variable))
            .map(|(_, value)| value.as_str())
    }
}

impl ConfigFiles {
    pub(crate) fn new(texts: &BTreeMap<String, String>) -> Self {
        let files = texts.iter();
        Self(
            files
                .map(|(name, text)| (name.clone(), ConfigFile::parse(text)))
                .collect(),
        )
    }

    pub(crate) fn get(&self, name: &str) -> Option<&ConfigFile> {
        self.0.get(name)
    }

    /// False when there are too many files, or too many lines in this one.
    pub(crate) fn put(&mut self, name: &str, file: ConfigFile) -> bool {
        let lines: usize = file.categories.iter().map(|one| 1 + one.lines.len()).sum();
        let known = self.0.len() < FILES_MAX || self.0.contains_key(name);
        let fits = known && lines <= LINES_MAX;
        if fits {
            self.0.insert(name.to_owned(), file);
        }
        fits
    }
}

impl ConfigFile {
    /// `;` begins a comment; a line is a `[category]` or `name = value`, with `=>` as another spelling of `=`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut file = Self::default();
        for line in text.lines() {
            let line = line.split(';').next().unwrap_or_default().trim();
            if let Some(name) = line.strip_prefix('[') {
                let name = name.trim_end_matches(']').to_owned();
                file.categories.push(Category {
                    name,
                    lines: Vec::new(),
                });
            } else if let Some((name, value)) = line.split_once('=')
                && let Some(category) = file.categories.last_mut()
            {
                let value = value.strip_prefix('>').unwrap_or(value).trim();
                category
                    .lines
                    .push((name.trim().to_owned(), value.to_owned()));
            }
        }
        file
    }

    pub(crate) fn category(&self, name: &str) -> Option<&Category> {
        self.categories
            .iter()
            .find(|category| category.name == name)
    }

    pub(crate) fn category_mut(&mut self, name: &str) -> Option<&mut Category> {
        let mut all = self.categories.iter_mut();
        all.find(|category| category.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_asterisk_reads_it() {
        let text = "; a comment\n[general]\nkey = value ; more\nexten => 1,1,Answer()\n\n[empty]\n[6001]\n[6001]\n";
        let file = ConfigFile::parse(text);
        let names: Vec<&str> = file
            .categories
            .iter()
            .map(|category| category.name.as_str())
            .collect();
        assert_eq!(names, ["general", "empty", "6001", "6001"]);
        let general = file.category("general").unwrap();
        assert_eq!(general.value("KEY"), Some("value"));
        assert_eq!(general.value("exten"), Some("1,1,Answer()"));
    }

    #[test]
    fn files_are_bounded() {
        let mut files = ConfigFiles::new(&BTreeMap::new());
        let long = ConfigFile::parse(&format!("[a]\n{}", "b = c\n".repeat(LINES_MAX)));
        assert!(!files.put("long.conf", long));
        for at in 0..FILES_MAX {
            assert!(files.put(&at.to_string(), ConfigFile::default()));
        }
        assert!(!files.put("one too many", ConfigFile::default()));
        assert!(files.put("1", ConfigFile::default()));
    }
}
