//! `judgements.csv`: a row for each judgement.

use std::io;

use ami_results::judgement::Outcome;

use super::Conformance;

const HEADER: [&str; 14] = [
    "target",
    "area",
    "case",
    "level",
    "authority",
    "severity",
    "safety",
    "state",
    "outcome",
    "expected",
    "got",
    "took_ns",
    "requirement",
    "naming",
];

pub fn render(conformance: &Conformance) -> String {
    let mut out = csv::Writer::from_writer(Vec::new());
    let mut write = || -> io::Result<()> {
        out.write_record(HEADER)?;
        for column in &conformance.columns {
            for one in column.judgements() {
                let took = one.took_ns.to_string();
                let outcome = one.outcome().map_or("", Outcome::slug);
                out.write_record([
                    &column.name,
                    one.area(),
                    &one.case,
                    &one.level,
                    &one.authority,
                    &one.severity,
                    &one.safety,
                    one.state.slug(),
                    outcome,
                    &one.expected,
                    &one.got,
                    &took,
                    &one.requirement,
                    conformance.naming.slug(),
                ])?;
            }
        }
        out.flush()
    };
    write().expect("rows are as long as the header, and a write to memory cannot fail");
    let bytes = out.into_inner().expect("it was flushed");
    String::from_utf8(bytes).expect("it was made of texts")
}
