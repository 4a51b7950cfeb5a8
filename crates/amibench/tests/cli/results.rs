//! What a run leaves behind, and what it does where it cannot.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::desk::{Desk, SMALL, ran};

#[test]
fn a_directory_that_exists_is_left_alone() {
    let desk = Desk::new().with("small.toml", SMALL);
    std::fs::create_dir(desk.path("run")).unwrap();
    desk.run(&["load", "small.toml", "--out", "run"])
        .check(74, "run: it exists already, give a new one");
    assert_eq!(desk.files("run"), []);
}

#[test]
fn a_directory_that_cannot_be_made() {
    let desk = Desk::new().with("small.toml", SMALL);
    desk.run(&["load", "small.toml", "--out", "small.toml/run"])
        .check(
            74,
            "failed to prepare the results: make the results directory small.toml/run",
        );
}

/// A file may not grow beyond 4 kB, which no permission of the account gets around.
#[test]
fn a_disk_that_takes_no_more() {
    let desk = Desk::new().with("small.toml", SMALL);
    let load = desk.command(&["load", "small.toml", "--duration", "4s", "--out", "run"]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -f 8; trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(load.get_program())
        .args(load.get_args())
        .current_dir(load.get_current_dir().unwrap());
    ran(command)
        .check(74, "amibench: failed to write results: write run/")
        .check(74, "what was written until then: amibench report run");
    let report = desk.run(&["report", "run"]).check(0, "");
    assert!(report.out.contains("sim-asterisk-22"), "{report:?}");
}

/// Unmounted with its test.
struct TinyDisk<'a>(&'a Path);

impl TinyDisk<'_> {
    fn mount(path: &Path) -> Option<TinyDisk<'_>> {
        std::fs::create_dir(path).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=32k", "tmpfs"])
            .arg(path);
        let mounted = mount.status().is_ok_and(|status| status.success());
        mounted.then_some(TinyDisk(path))
    }
}

impl Drop for TinyDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn a_disk_that_is_full() {
    let desk = Desk::new().with("small.toml", SMALL);
    let path = desk.path("tiny");
    let Some(_disk) = TinyDisk::mount(&path) else {
        let reason = b"skipped: only root can mount a disk that is soon full\n";
        std::io::stderr().write_all(reason).unwrap();
        return;
    };
    let args = [
        "load",
        "small.toml",
        "--duration",
        "4s",
        "--rate",
        "100/s",
        "--out",
        "tiny/run",
    ];
    desk.run(&args).check(74, "No space left on device");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(path.join("run"))
        .arg(desk.path("run"))
        .status();
    assert!(copied.unwrap().success());
    let report = desk.run(&["report", "run"]).check(0, "");
    assert!(report.out.contains("sim-asterisk-22"), "{report:?}");
}
