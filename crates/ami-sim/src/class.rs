//! Event and action classes, and the two list parsers that `manager.c` applies to them, bugs included.

use std::fmt;

/// A set of classes as Asterisk numbers them; a decimal `EventMask` is such a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes(u32);

/// In the order in which a `Privilege:` header names them.
const NAMES: [(&str, Classes); 20] = [
    ("system", Classes::SYSTEM),
    ("call", Classes::CALL),
    ("log", Classes(1 << 2)),
    ("verbose", Classes(1 << 3)),
    ("command", Classes::COMMAND),
    ("specialcommand", Classes(1 << 29)),
    ("agent", Classes::AGENT),
    ("user", Classes::USER),
    ("config", Classes(1 << 7)),
    ("dtmf", Classes::DTMF),
    ("reporting", Classes(1 << 9)),
    ("cdr", Classes::CDR),
    ("dialplan", Classes::DIALPLAN),
    ("originate", Classes(1 << 12)),
    ("agi", Classes(1 << 13)),
    ("cc", Classes(1 << 15)),
    ("aoc", Classes(1 << 16)),
    ("test", Classes(1 << 17)),
    ("security", Classes::SECURITY),
    ("message", Classes::MESSAGE),
];

impl Classes {
    pub const NONE: Self = Self(0);
    /// INT_MAX, the bit pattern behind the word `all`.
    pub const ALL: Self = Self(0x7fff_ffff);
    pub const SYSTEM: Self = Self(1 << 0);
    pub const CALL: Self = Self(1 << 1);
    pub const COMMAND: Self = Self(1 << 4);
    pub const AGENT: Self = Self(1 << 5);
    pub const USER: Self = Self(1 << 6);
    pub const DTMF: Self = Self(1 << 8);
    pub const CDR: Self = Self(1 << 10);
    pub const DIALPLAN: Self = Self(1 << 11);
    pub const SECURITY: Self = Self(1 << 18);
    pub const MESSAGE: Self = Self(1 << 30);

    /// A `read =`, `write =` or `EventMask:` list (`get_perm`). Every item but the last is compared over its own length
    /// only, so that an empty item matches every class: `call,,user` grants all. True of every release.
    pub fn from_list(list: &str) -> Self {
        let named = NAMES.iter().chain(&[("all", Self::ALL)]);
        named
            .filter(|(name, _)| in_list(list, name))
            .fold(Self::NONE, |sum, (_, class)| sum | *class)
    }

    /// As it would be if an empty item named none.
    pub fn from_strict_list(list: &str) -> Self {
        let items: Vec<&str> = list.split(',').filter(|item| !item.is_empty()).collect();
        Self::from_list(&items.join(","))
    }

    /// What `EventMask:` and `Events:` say (`strings_to_mask`); `None` is an invalid mask.
    pub fn from_mask(mask: &str) -> Option<Self> {
        if mask.is_empty() {
            return None;
        }
        if mask.bytes().all(|byte| byte.is_ascii_digit()) {
            return decimal(mask);
        }
        let word = |words: &[&str]| words.iter().any(|word| mask.eq_ignore_ascii_case(word));
        if word(&["no", "false", "n", "f", "0", "off"]) {
            return Some(Self::NONE);
        }
        if word(&["yes", "true", "y", "t", "1", "on"]) {
            return Some(Self::ALL);
        }
        Some(Self::from_list(mask))
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn contains(self, all: Self) -> bool {
        self.0 & all.0 == all.0
    }

    pub fn intersects(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }
}

/// `atoi`, as the C library of a PBX does it: the low 32 bits of the number, of which a negative one is refused.
fn decimal(digits: &str) -> Option<Classes> {
    let wide = digits.parse::<i64>().unwrap_or(i64::MAX);
    let low = u32::try_from(wide & 0xffff_ffff).expect("32 bits fit");
    (low <= Classes::ALL.0).then_some(Classes(low))
}

/// `ast_instring` with a comma.
fn in_list(list: &str, name: &str) -> bool {
    let mut rest = list;
    while let Some((item, tail)) = rest.split_once(',') {
        if name.starts_with(item) {
            return true;
        }
        if tail.is_empty() {
            return false;
        }
        rest = tail;
    }
    rest == name
}

impl std::ops::BitOr for Classes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::ops::BitAnd for Classes {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// As in a `Privilege:` header; no class at all is `<none>`, as ListCommands prints it.
impl fmt::Display for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("<none>");
        }
        for (name, _) in NAMES.iter().filter(|(_, class)| self.intersects(*class)) {
            write!(f, "{name},")?;
        }
        f.write_str("all")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mask: &str, expected: Option<Classes>) {
        assert_eq!(Classes::from_mask(mask), expected, "{mask:?}");
    }

    #[test]
    fn masks_are_read_as_asterisk_reads_them() {
        check("on", Some(Classes::ALL));
        check("OFF", Some(Classes::NONE));
        check("none", Some(Classes::NONE));
        check("bogus,nonsense", Some(Classes::NONE));
        check("SYSTEM", Some(Classes::NONE));
        check("-1", Some(Classes::NONE));
        check("call,system", Some(Classes::CALL | Classes::SYSTEM));
        check("call,", Some(Classes::CALL));
        check(
            "s,user",
            Some(Classes::SYSTEM | Classes::SECURITY | Classes(1 << 29) | Classes::USER),
        );
        check("2147483647", Some(Classes::ALL));
        check("3", Some(Classes::SYSTEM | Classes::CALL));
        check("", None);
        check("4294967295", None);
    }

    #[test]
    fn an_empty_item_grants_every_class() {
        check("call,,user", Some(Classes::ALL));
        check(",x", Some(Classes::ALL));
        let strict = Classes::from_strict_list("call,,user");
        assert_eq!(strict, Classes::CALL | Classes::USER);
    }

    #[test]
    fn privileges_print_in_the_order_of_asterisk() {
        assert_eq!(
            (Classes::USER | Classes::SYSTEM).to_string(),
            "system,user,all"
        );
        assert_eq!(Classes::NONE.to_string(), "<none>");
    }
}
