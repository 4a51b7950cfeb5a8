//! Names as users write them: found, or refused with those that are meant perhaps.

use std::fmt;

/// How alike two names must be, from 0 to 1, for one to be offered for the other.
const ALIKE: f64 = 0.75;
const OFFERED_MAX: usize = 3;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownName {
    kind: &'static str,
    given: String,
    near: Vec<&'static str>,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, given, near } = self;
        write!(f, "no {kind} is named {given:?}")?;
        match near.as_slice() {
            [] => f.write_str(": `amibench sim --list` names all"),
            near => write!(f, ": perhaps {}", near.join(" or ")),
        }
    }
}

pub(crate) fn find<T: Copy>(
    kind: &'static str,
    given: &str,
    mut all: impl Iterator<Item = T> + Clone,
    name: impl Fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    if let Some(found) = all.clone().find(|known| name(*known) == given) {
        return Ok(found);
    }
    let mut near: Vec<(f64, &'static str)> = all
        .by_ref()
        .map(|known| (strsim::jaro_winkler(given, name(known)), name(known)))
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    near.sort_by(|one, two| two.0.total_cmp(&one.0));
    near.truncate(OFFERED_MAX);
    Err(UnknownName {
        kind,
        given: given.to_owned(),
        near: near.into_iter().map(|(_, name)| name).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_offered_and_nothing_else() {
        let check = |given: &str, expected: &str| {
            let found = find(
                "fault",
                given,
                ["wire.cuts", "banner.late"].iter(),
                |name| name,
            );
            assert_eq!(found.unwrap_err().to_string(), expected);
        };
        check(
            "wire.cut",
            "no fault is named \"wire.cut\": perhaps wire.cuts",
        );
        check(
            "q",
            "no fault is named \"q\": `amibench sim --list` names all",
        );
    }
}
