//! The catalogue: all cases, by area.

use crate::case::Case;

mod banner;
mod header;

const AREAS: &[&[Case]] = &[banner::CASES, header::CASES];

/// In the order of the catalogue.
pub fn all() -> impl Iterator<Item = &'static Case> {
    AREAS.iter().copied().flatten()
}

pub fn find(name: &str) -> Option<&'static Case> {
    all().find(|case| case.is_called(name))
}
