//! Which releases of Asterisk say which version of AMI in their banner: read from each release tag.

use std::fmt;

use super::Version;

/// Releases from one minor to another, as 13.5 to 13.12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Releases {
    from: (u16, u16),
    to: (u16, u16),
}

/// The last of its major has no end.
const OPEN: u16 = u16::MAX;

const fn of(major: u16, from: u16, to: u16) -> Releases {
    Releases {
        from: (major, from),
        to: (major, to),
    }
}

type Row = ((u16, u16, u16), &'static [Releases]);

const BY_VERSION: &[Row] = &[
    (
        (1, 0, 0),
        &[Releases {
            from: (0, 2),
            to: (1, 4),
        }],
    ),
    ((1, 1, 0), &[of(1, 6, 8)]),
    ((1, 2, 0), &[of(10, 0, OPEN)]),
    ((1, 3, 0), &[of(11, 0, OPEN)]),
    ((2, 0, 0), &[of(12, 0, 0)]),
    ((2, 1, 0), &[of(12, 1, 1)]),
    ((2, 2, 0), &[of(12, 2, 2)]),
    ((2, 3, 0), &[of(12, 3, 3)]),
    ((2, 4, 0), &[of(12, 4, 4)]),
    ((2, 5, 0), &[of(12, 5, OPEN), of(13, 0, 0)]),
    ((2, 6, 0), &[of(13, 1, 1)]),
    ((2, 7, 0), &[of(13, 2, 4)]),
    ((2, 8, 0), &[of(13, 5, 12), of(14, 0, 1)]),
    ((2, 9, 0), &[of(13, 13, 14)]),
    ((2, 10, 0), &[of(13, 15, 17)]),
    ((2, 10, 2), &[of(13, 18, 18)]),
    ((2, 10, 3), &[of(13, 19, 19)]),
    ((2, 10, 4), &[of(13, 20, 25)]),
    ((2, 10, 5), &[of(13, 26, 34)]),
    ((2, 10, 6), &[of(13, 35, OPEN)]),
    ((3, 1, 0), &[of(14, 2, 3)]),
    ((3, 2, 0), &[of(14, 4, 6)]),
    ((3, 2, 2), &[of(14, 7, OPEN)]),
    ((4, 0, 0), &[of(15, 0, 0)]),
    ((4, 0, 1), &[of(15, 1, 1)]),
    ((4, 0, 2), &[of(15, 2, 2)]),
    ((4, 0, 3), &[of(15, 3, OPEN)]),
    ((5, 0, 0), &[of(16, 0, 2)]),
    ((5, 0, 1), &[of(16, 3, 11)]),
    ((5, 0, 2), &[of(16, 12, 16)]),
    ((5, 0, 3), &[of(16, 17, 24)]),
    ((5, 0, 4), &[of(16, 25, 28)]),
    ((5, 0, 5), &[of(16, 29, OPEN)]),
    ((6, 0, 0), &[of(17, 0, 5)]),
    ((6, 0, 1), &[of(17, 6, OPEN)]),
    ((7, 0, 0), &[of(18, 0, 2)]),
    ((7, 0, 1), &[of(18, 3, 10)]),
    ((7, 0, 2), &[of(18, 11, 14)]),
    ((7, 0, 3), &[of(18, 15, OPEN)]),
    ((8, 0, 0), &[of(19, 0, 2)]),
    ((8, 0, 1), &[of(19, 3, 6)]),
    ((8, 0, 2), &[of(19, 7, OPEN)]),
    ((9, 0, 0), &[of(20, 0, OPEN)]),
    ((10, 0, 0), &[of(21, 0, OPEN)]),
    ((11, 0, 0), &[of(22, 0, OPEN)]),
    ((12, 0, 0), &[of(23, 0, OPEN)]),
];

/// Nobody, where no release says so.
pub(super) fn releases_of(version: Version) -> &'static [Releases] {
    let key = (version.major, version.minor, version.patch);
    let row = BY_VERSION.iter().find(|(known, _)| *known == key);
    row.map_or(&[], |(_, releases)| releases)
}

impl Releases {
    pub(super) fn holds(self, major: u16, minor: u16) -> bool {
        (self.from..=self.to).contains(&(major, minor))
    }

    pub(super) fn major(self) -> u16 {
        self.from.0
    }
}

impl fmt::Display for Releases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((major, minor), (last, end)) = (self.from, self.to);
        match (minor, end) {
            (0, OPEN) => write!(f, "{major}"),
            (_, OPEN) => write!(f, "{major}.{minor} and later {major}"),
            _ if self.from == self.to => write!(f, "{major}.{minor}"),
            _ => write!(f, "{major}.{minor} to {last}.{end}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_that_of_some_releases() {
        let check = |(major, minor, patch), expected: &str| {
            let version = Version {
                major,
                minor,
                patch,
            };
            let found: Vec<String> = releases_of(version)
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(found.join("; "), expected);
        };
        check((2, 8, 0), "13.5 to 13.12; 14.0 to 14.1");
        check((1, 0, 0), "0.2 to 1.4");
        check((5, 0, 5), "16.29 and later 16");
        check((2, 6, 0), "13.1");
        check((11, 0, 0), "22");
        check((7, 2, 0), "");
    }

    #[test]
    fn versions_stand_in_order_and_once() {
        assert!(BY_VERSION.is_sorted_by(|(one, _), (next, _)| one < next));
    }
}
