//! The fuzz targets without a fuzzer: the seeds, each also changed and cut short, the regressions, and what a fuzzer left.
#![expect(clippy::unwrap_used, reason = "what a test did not expect ends it")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ami_fuzz::seeds::workspace;
use ami_fuzz::{TARGETS, Target};

/// Of what a fuzzer left in a corpus: more would take longer than all other tests.
const CORPUS_MAX: usize = 100;
/// Changed bytes a seed; every place would take minutes.
const MUTATIONS: usize = 4;
const BYTES: &[u8] = b"\r\n:\0 \xffR-";
/// Seeds of a target that are also changed.
const CHANGED_MAX: usize = 40;

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = target.seeds.read().unwrap();
    assert!(!seeds.is_empty(), "{name} has seeds");
    for (index, (seed, bytes)) in seeds.iter().enumerate() {
        run(target, seed, bytes);
        for mutation in 0..MUTATIONS.min(bytes.len()) {
            if index * CHANGED_MAX / seeds.len() == (index + 1) * CHANGED_MAX / seeds.len() {
                continue;
            }
            let at = (index + mutation * bytes.len() / MUTATIONS) % bytes.len();
            let mut changed = bytes.clone();
            changed[at] = BYTES[(index + mutation) % BYTES.len()];
            run(target, &format!("{seed}, byte {at} changed"), &changed);
            run(target, &format!("{seed}, cut at {at}"), &bytes[..at]);
        }
    }
    let fuzz = workspace().join("crates/ami-proto/fuzz");
    for (kept, most) in [("regressions", usize::MAX), ("corpus", CORPUS_MAX)] {
        for (file, bytes) in files(&fuzz.join(kept).join(name)).iter().take(most) {
            run(target, file, bytes);
        }
    }
}

fn run(target: &Target, input: &str, bytes: &[u8]) {
    let ran = catch_unwind(AssertUnwindSafe(|| (target.run)(bytes)));
    assert!(ran.is_ok(), "{} fails on {input}", target.name);
}

/// None where there is no such folder.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect()
}

macro_rules! replayed {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*

        #[test]
        fn every_target_is_replayed() {
            let replayed = [$(stringify!($name)),*];
            assert_eq!(TARGETS.each_ref().map(|target| target.name), replayed);
        }
    };
}

replayed! {
    decode split round_trip differential session session_bytes server_session transcript capture scenario target manager_conf
    expectations pseudonyms
}

/// Each has its binary, its entry in the manifest, and no regressions without a target.
#[test]
fn the_fuzz_crate_has_every_target() {
    let fuzz = workspace().join("crates/ami-proto/fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for Target { name, .. } in &TARGETS {
        assert!(
            fuzz.join(format!("fuzz_targets/{name}.rs")).exists(),
            "{name}"
        );
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
    for entry in fs::read_dir(fuzz.join("regressions")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            TARGETS.iter().any(|target| target.name == name),
            "{name} is a target"
        );
    }
}

/// The alarm: what must fail does, and what need not does not.
#[test]
fn the_canary_sings_at_a_command_body() {
    let body = b"Asterisk Call Manager/2.8.0\r\nResponse: Follows\r\nx\n--END COMMAND--\r\n\r\n";
    assert!(catch_unwind(|| ami_fuzz::canary(body)).is_err());
    ami_fuzz::canary(&body[..body.len() - 1]);
}

/// The login must be reachable, or the target would test nothing behind it.
#[test]
fn session_bytes_gets_past_the_login() {
    let mut wire = b"\0Asterisk Call Manager/2.8.0\r\n".to_vec();
    wire.extend(b"Response: Success\r\nChallenge: 1\r\n\r\n".repeat(2));
    for slot in 0..3 {
        let id = format!("{:016x}-{slot}-{slot}", 0);
        wire.extend(format!("Response: Success\r\nActionID: {id}\r\nPing: Pong\r\n\r\n").bytes());
        wire.extend(format!("Event: XComplete\r\nActionID: {id}\r\n\r\n").bytes());
    }
    assert_ne!(ami_fuzz::session::bytes::ends(&wire), 0);
}
