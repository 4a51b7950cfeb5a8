//! `docs/conformance.md`

use std::fmt::Write as _;

use ami_conform::case::{Case, Safety};
use ami_conform::cases;

use crate::{cell, check};

const HEAD: &str = "# The cases of amibench conform

Made from the catalogue: `UPDATE_DOCS=1 cargo test -p ami-conform --test documents` writes it again.
[conform.md](conform.md) says how to run them, [vendor-statements.md](vendor-statements.md) which statements of vendors they judge.

## How to read a verdict

| state | means |
|---|---|
| pass | it was seen to be kept |
| fail | it was seen to be broken: what was expected, what came, and the bytes |
| warn | allowed, but weaker than what is expected |
| not-applicable | the PBX, or the account, lacks what is judged: it is named |
| skipped | the operator left it out: `--allow`, a limit, Ctrl-C |
| inconclusive | nothing can be said, and why; nothing seen is never a pass |

*must* and *should* fail a run, *may* too where a PBX does it wrongly; *observe* only reports. Severity is what a client suffers:
*blocker* (the stream falls out of step, or nobody can log in), *major* (data is lost or taken for another's), *minor* (a special
case), *info*. A case rests on the AMI *specification*, the source of *Asterisk*, a *vendor*'s document, or the *consensus* of all
that were seen.

Cases beyond *quiet* need `--allow` with their class. What a PBX is known to break stands in `<pbx>.expected.toml`:
`amibench conform --write-expected` makes it, a reason is then to be written.
";

#[test]
fn the_page_of_the_catalogue_is_the_catalogue() {
    let mut text =
        format!("{HEAD}\n## Safety classes\n\n| class | cases | what they do |\n|---|---|---|\n");
    for safety in Safety::ALL {
        let count = cases::all().filter(|case| case.safety == *safety).count();
        writeln!(text, "| {safety} | {count} | {} |", cell(safety.does())).unwrap();
    }
    let mut areas: Vec<&str> = Vec::new();
    for area in cases::all().map(Case::area) {
        if !areas.contains(&area) {
            areas.push(area);
        }
    }
    writeln!(
        text,
        "\n{} cases in {} areas.",
        cases::all().count(),
        areas.len()
    )
    .unwrap();
    for area in areas {
        writeln!(text, "\n## {area}\n\n| case | requirement | weight | class | needs | rests on |\n|---|---|---|---|---|---|").unwrap();
        for case in cases::all().filter(|case| case.area() == area) {
            text += &row(case);
        }
    }
    check("conformance.md", &text);
}

fn row(case: &Case) -> String {
    let catches = case.catches.iter();
    let catches: String = catches.map(|bug| format!(" Catches: {bug}.")).collect();
    let formerly: String = case
        .aliases
        .iter()
        .map(|name| format!(" (once `{name}`)"))
        .collect();
    let needs: Vec<String> = case.needs.iter().map(ToString::to_string).collect();
    format!(
        "| `{}`{formerly} | {} | {}, {} | {} | {} | {}: {} |\n",
        case.id,
        cell(&format!("{}{catches}", case.requirement)),
        case.level,
        case.severity,
        case.safety,
        cell(&needs.join(", ")),
        case.authority,
        cell(case.source),
    )
}
