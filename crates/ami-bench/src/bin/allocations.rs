//! How often each contender allocates, for `cargo xtask bench`. A program of its own: who counts allocations slows them down.

use ami_bench::{GROUPS, Scale};
use serde::Serialize;

#[derive(Serialize)]
struct Counted {
    group: &'static str,
    contender: &'static str,
    per_unit: f64,
}

fn main() -> anyhow::Result<()> {
    let mut counted = Vec::new();
    for (_, make) in GROUPS {
        let group = make(Scale::Counted);
        for mut contender in group.contenders {
            contender.pass();
            // Of this thread alone, which is all that a contender has for itself.
            let allocations = allocation_counter::measure(|| contender.pass()).count_total;
            counted.push(Counted {
                group: group.name,
                contender: contender.name,
                per_unit: allocations as f64 / contender.units as f64,
            });
        }
    }
    println!("{}", serde_json::to_string(&counted)?);
    Ok(())
}
