//! Each simulated PBX is known for what it is, from a look at it.

use ami_conform::device::Device;
use ami_sim::Profile;

use crate::pbx;

/// What is made of each profile, and what does not go together there.
const KNOWN: &[(&str, &str, &[&str])] = &[
    ("asterisk-13", "Asterisk 13.7.0", &[]),
    ("asterisk-16", "Asterisk 16.28.0", &[]),
    ("asterisk-18", "Asterisk 18.26.4", &[]),
    ("asterisk-20", "Asterisk 20.6.0", &[]),
    ("asterisk-22", "Asterisk 22.10.1", &[]),
    ("freepbx-16", "FreePBX on Asterisk 16.30.0", &[]),
    ("mikopbx", "MikoPBX on Asterisk 22.7.0", &[RENAMED]),
    ("ucm6xxx", "Grandstream UCM on Asterisk 16.7.0", &[]),
    ("yeastar-s", "Yeastar S-Series on Asterisk 13.7.0", &[]),
    ("yeastar-tg", "Yeastar TG on Asterisk 1.8.32.3", &[]),
];
const RENAMED: &str =
    "the product is renamed: the banner says `PBX Call Manager`, not `Asterisk Call Manager`";

#[test]
fn every_profile_is_recognised() {
    let mut found = Vec::new();
    for profile in Profile::names() {
        let Device {
            dialect, conflicts, ..
        } = pbx::device(profile);
        found.push((profile, dialect.unwrap_or_default(), conflicts));
    }
    let known: Vec<_> = KNOWN
        .iter()
        .map(|(profile, dialect, conflicts)| {
            let conflicts = conflicts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>();
            (*profile, (*dialect).to_owned(), conflicts)
        })
        .collect();
    assert_eq!(found, known);
}
