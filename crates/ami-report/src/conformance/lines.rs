//! The judgements as JSON Lines again, each under the published schema: what a run has written, with the names that this
//! report has, and `naming` in the run's row. Where names were replaced, offsets and lengths are still those of the wire.

use ami_results::judgement::Row;
use serde_json::Value;

use super::Conformance;

pub fn render(conformance: &Conformance) -> String {
    let mut text = String::new();
    for (index, column) in conformance.columns.iter().enumerate() {
        // The columns of a run stand side by side.
        if index == 0 || conformance.columns[index - 1].run != column.run {
            let mut run = json(&Row::Run(column.run.clone()));
            run["naming"] = conformance.naming.slug().into();
            put(&mut text, &run);
        }
        put(&mut text, &json(&Row::Device(column.device.clone())));
        for judgement in column.judgements() {
            put(
                &mut text,
                &json(&Row::Judgement(Box::new(judgement.clone()))),
            );
        }
        if let Some(end) = &column.end {
            put(&mut text, &json(&Row::End(end.clone())));
        }
    }
    text
}

fn json(row: &Row) -> Value {
    serde_json::to_value(row).expect("rows are plain structs, which always serialise")
}

fn put(text: &mut String, row: &Value) {
    text.push_str(&row.to_string());
    text.push('\n');
}
