//! What the documents show can be used as it stands.

use std::fs;
use std::path::{Path, PathBuf};

use ami_client::dial::permit;
use ami_client::{Document, Target};
use ami_sim::Fault;

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let entries = fs::read_dir(folder).unwrap();
    let pages = entries.map(|entry| entry.unwrap().path());
    pages
        .filter(|page| page.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The blocks that are whole target files: those that say where a PBX is.
fn targets(text: &str) -> Vec<&str> {
    let blocks = text.split("```toml\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    blocks
        .filter(|block| block.starts_with("address") || block.starts_with("simulate"))
        .collect()
}

#[test]
fn every_target_file_that_is_shown_is_one_and_permits_its_own_roles() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let shown = targets(&text);
        let of_a_vendor = page
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("pbx-");
        assert!(!of_a_vendor || !shown.is_empty(), "{}", page.display());
        for block in shown {
            let document = Document::embedded("shown", Path::new(""), block);
            let target = Target::parse("shown", &document)
                .unwrap_or_else(|error| panic!("{}: {error}", page.display()));
            for (name, role) in &target.roles {
                permit(role, &target.dial)
                    .unwrap_or_else(|why| panic!("{}: {name}: {why:?}", page.display()));
            }
            count += 1;
        }
    }
    assert!(count >= 5, "{count} targets");
}

/// The catalogue of faults has each of them at its number, and no others.
#[test]
fn every_fault_stands_in_the_catalogue() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/faults.md");
    let text = fs::read_to_string(page).unwrap();
    let rows = || {
        text.lines()
            .filter(|line| line.starts_with("| ") && line.contains('`'))
    };
    for fault in Fault::all() {
        let start = format!("| {} |", fault.number());
        let name = format!("`{}`", fault.name());
        let row = rows().find(|row| row.starts_with(&start));
        assert!(row.is_some_and(|row| row.contains(&name)), "{fault:?}");
    }
    let names = rows().flat_map(|row| row.split('`').skip(1).step_by(2));
    for name in names {
        assert!(Fault::named(name).is_ok(), "{name}");
    }
}

/// The pages that the program names are there.
#[test]
fn every_page_that_a_vendor_leads_to_is_there() {
    use ami_proto::dialect::vendor::Vendor;
    for vendor in [Vendor::Stock, Vendor::FreePbx, Vendor::Ucm, Vendor::Yeastar] {
        let page = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(vendor.words().page);
        assert!(page.is_file(), "{}", page.display());
    }
}
