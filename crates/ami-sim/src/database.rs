//! The database of a PBX: values under `/family/key`, which actions, console commands and custom states share.

use std::collections::BTreeMap;

/// What clients may leave behind; a real one ends where its disk does.
const ENTRIES_MAX: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Database(BTreeMap<String, String>);

impl Database {
    /// `uuid` is the entry that a PBX makes for itself when it starts for the first time.
    pub(crate) fn new(uuid: String) -> Self {
        Self(BTreeMap::from([("/pbx/UUID".to_owned(), uuid)]))
    }

    pub(crate) fn get(&self, family: &str, key: &str) -> Option<&str> {
        self.0.get(&path(family, key)).map(String::as_str)
    }

    /// False when it is full.
    pub(crate) fn put(&mut self, family: &str, key: &str, value: &str) -> bool {
        let path = path(family, key);
        let fits = self.0.len() < ENTRIES_MAX || self.0.contains_key(&path);
        if fits {
            self.0.insert(path, value.to_owned());
        }
        fits
    }

    /// False when there was none.
    pub(crate) fn delete(&mut self, family: &str, key: &str) -> bool {
        self.0.remove(&path(family, key)).is_some()
    }

    /// How many there were: the entry itself and all below it.
    pub(crate) fn delete_tree(&mut self, family: &str, key: &str) -> usize {
        let before = self.0.len();
        let root = root(family, key);
        self.0.retain(|path, _| !covers(&root, path));
        before - self.0.len()
    }

    /// The entry itself and all below it; everything when both names are empty.
    pub(crate) fn tree(&self, family: &str, key: &str) -> impl Iterator<Item = (&str, &str)> {
        let root = root(family, key);
        self.0
            .iter()
            .filter(move |(path, _)| covers(&root, path))
            .map(|(path, value)| (path.as_str(), value.as_str()))
    }

    /// The entries of any family that bear this key.
    pub(crate) fn with_key(&self, key: &str) -> impl Iterator<Item = (&str, &str)> {
        let end = format!("/{key}");
        self.0
            .iter()
            .filter(move |(path, _)| path.ends_with(&end))
            .map(|(path, value)| (path.as_str(), value.as_str()))
    }
}

fn path(family: &str, key: &str) -> String {
    format!("/{family}/{key}")
}

fn root(family: &str, key: &str) -> String {
    match (family, key) {
        ("", _) => String::new(),
        (_, "") => format!("/{family}"),
        _ => path(family, key),
    }
}

fn covers(root: &str, path: &str) -> bool {
    path.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_an_entry_and_what_lies_below() {
        let mut database = Database::new("u".to_owned());
        for key in ["k", "k/sub", "k2"] {
            assert!(database.put("f", key, key));
        }
        let tree = |family, key| database.tree(family, key).map(|(path, _)| path).collect();
        let paths: Vec<&str> = tree("f", "k");
        assert_eq!(paths, ["/f/k", "/f/k/sub"]);
        let paths: Vec<&str> = tree("", "");
        assert_eq!(paths.len(), 4);
        assert_eq!(database.with_key("sub").count(), 1);
        assert_eq!(database.delete_tree("f", "k"), 2);
        assert!(database.delete("f", "k2") && !database.delete("f", "k2"));
        assert_eq!(database.get("f", "k2"), None);
    }

    #[test]
    fn it_is_bounded() {
        let mut database = Database::new(String::new());
        for at in 1..ENTRIES_MAX {
            assert!(database.put("f", &at.to_string(), ""));
        }
        assert!(!database.put("f", "one too many", ""));
        assert!(database.put("f", "1", "replaced"));
    }
}
