//! Rows of a file, dealt to flows: each once where each is to be taken once, whoever takes it.

use std::fmt::Write as _;

use crate::bench::{Bench, constant};
use crate::fake_pbx::Manners;
use crate::flows::{check, of, scenario, step};

fn boxes(rows: u32, order: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = "number,name\n".to_owned();
    for row in 0..rows {
        writeln!(csv, "b{row},\"box, {row}\"").unwrap();
    }
    let file = folder.path().join("boxes.csv");
    std::fs::write(&file, csv).unwrap();
    let feed = format!("[[feed]]\nname = \"boxes\"\nfile = {file:?}\norder = \"{order}\"\n");
    (folder, feed)
}

const BOX: &str =
    "name = \"count\"\nquery = { action = \"MailboxCount\", Mailbox = \"${boxes.number}\" }";

#[test]
fn each_row_of_a_unique_feed_goes_to_one_arrival_over_all_workers() {
    for workers in [1, 3] {
        let pbx = Manners::usual().start();
        let (_folder, feed) = boxes(50, "unique");
        let text = feed + &scenario(6, &constant("100/s"), &step(BOX));
        let text = text.replace("mix = [", "mix = [{ ping = {} }, ");
        let ran = Bench::new(text)
            .target(pbx.address())
            .workers(workers)
            .run();
        check(&ran);
        let mut taken: Vec<String> = pbx
            .said("MailboxCount")
            .iter()
            .map(|said| said.get("Mailbox").to_owned())
            .collect();
        taken.sort_unstable();
        let mut rows: Vec<String> = (0..50).map(|row| format!("b{row}")).collect();
        rows.sort_unstable();
        assert_eq!(taken, rows, "{workers} workers");
    }
}

#[test]
fn sessions_of_a_closed_loop_stop_when_a_unique_feed_is_empty() {
    let pbx = Manners::usual().start();
    let (_folder, feed) = boxes(10, "unique");
    let text = feed + &scenario(4, "closed = {}", &step(BOX));
    let ran = Bench::new(text).target(pbx.address()).workers(2).run();
    check(&ran);
    assert_eq!(pbx.count("MailboxCount"), 10);
    let counts = ran.counts(0);
    // Each session learns once that there is nothing left.
    assert_eq!((of(&ran, 1).len(), counts.skipped), (10, 4));
}
