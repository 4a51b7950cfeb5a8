//! How fast bytes become messages, beside the peers: one group of `cargo xtask bench` alone.

use std::path::Path;

use anyhow::Result;

use super::contest::Contest;
use super::machine::{self, Policy};

const ROUNDS: u32 = 41;

pub(crate) fn run(workspace: &Path) -> Result<()> {
    let contest = Contest::build(workspace)?;
    machine::print(workspace, Policy::Other);
    for group in contest.rounds(ROUNDS, &["decode", "loopback"])? {
        println!("\n{}", group.group);
        for it in &group.contenders {
            println!("  {:<30} {:>12.0} a second", it.name, it.per_second);
        }
        for it in &group.ratios {
            println!("  {} is {:.2} x {}", it.of, it.median, it.to);
        }
    }
    Ok(())
}
