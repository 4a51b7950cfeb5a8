//! How many instructions each contender takes for a unit: the same in every run, whatever the neighbours do.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::contest::Contest;

/// Where a pass begins and ends; only what is between is counted.
const PASS: &str = "--toggle-collect=*Contender*pass*";

#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) group: String,
    pub(crate) contender: String,
    pub(crate) per_unit: f64,
}

/// None where there is no valgrind.
pub(crate) fn count(contest: &Contest) -> Result<Option<Vec<Counted>>> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Ok(None);
    }
    let mut counted = Vec::new();
    for listed in contest.list()? {
        println!("  {}: {}", listed.group, listed.contender);
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", PASS])
            .args(contest.once(&listed))
            .output()
            .context("starting valgrind")?;
        let said = String::from_utf8_lossy(&output.stderr);
        let Some(instructions) = collected(&said).filter(|_| output.status.success()) else {
            bail!("valgrind ended with {}: {}", output.status, said.trim());
        };
        counted.push(Counted {
            group: listed.group,
            contender: listed.contender,
            per_unit: instructions as f64 / listed.units as f64,
        });
    }
    Ok(Some(counted))
}

/// `==123== Collected : 4567`; nothing collected means that the pass was not recognised.
fn collected(said: &str) -> Option<u64> {
    let (_, count) = said.split_once("Collected : ")?;
    let count = count.split_whitespace().next()?.parse().ok()?;
    (count > 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::collected;

    #[test]
    fn what_valgrind_collected_is_found() {
        for (said, expected) in [
            (
                "==7== Events    : Ir\n==7== Collected : 4567\n==7== \n",
                Some(4567),
            ),
            ("==7== Collected : 0\n", None),
            ("valgrind: no such file", None),
        ] {
            assert_eq!(collected(said), expected, "{said}");
        }
    }
}
