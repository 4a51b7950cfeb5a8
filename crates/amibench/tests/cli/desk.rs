//! A desk to work at: a folder of its own with the files of a test, and the program started in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// No test takes nearly so long: one that does hangs.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// A load that is over in a second.
pub(crate) const SMALL: &str = r#"targets = ["sim-asterisk-22"]

[[group]]
name = "load"
sessions = 3

[[phase]]
name = "steady"
duration = "1s"
arrival = { constant = { rate = "40/s" } }
mix = [
    { share = 3, ping = {} },
    { share = 1, originate = { role = "answers", hold = "200ms" } },
]
"#;

pub(crate) struct Desk {
    folder: TempDir,
}

/// How the program ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn with(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_amibench"));
        command.args(args).current_dir(self.folder.path());
        for variable in [
            "TARGET", "SESSIONS", "RATE", "DURATION", "SEED", "WORKERS", "SECRET", "LOG",
        ] {
            command.env_remove(format!("AMIBENCH_{variable}"));
        }
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args))
    }

    /// Started, with its output kept for [`Running::end`].
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command(args);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running { child }
    }

    /// What is called, said and returned, as a reader of the terminal has it.
    pub(crate) fn transcript(&self, args: &[&str]) -> String {
        let Ran { code, out, err } = self.run(args);
        format!("$ amibench {}\n{out}{err}exit {code}\n\n", args.join(" "))
    }

    /// Waits until a file in a directory of this desk has more than `bytes`.
    pub(crate) fn wait_for(&self, directory: &str, file: &str, bytes: u64) {
        let directory = self.path(directory);
        let path = directory.join(file);
        let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
        let watched = WatchFlags::CREATE | WatchFlags::MODIFY | WatchFlags::MOVED_TO;
        inotify::add_watch(&events, self.folder.path(), watched).unwrap();
        let mut buffer = [0; 4096];
        while size(&path) <= bytes {
            // It may not be there yet; then the folder tells when it is.
            let _ = inotify::add_watch(&events, &directory, watched);
            if size(&path) > bytes {
                break;
            }
            let mut ready = [PollFd::new(&events, PollFlags::IN)];
            let within = Timespec::try_from(HANGS_AFTER).unwrap();
            let count = retry_on_intr(|| poll(&mut ready, Some(&within))).unwrap();
            assert!(count > 0, "{} does not grow", path.display());
            let _ = rustix::io::read(&events, &mut buffer);
        }
    }

    /// Every file of a directory of this desk, with its bytes.
    pub(crate) fn files(&self, directory: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(self.path(directory)).unwrap();
        let files = entries.map(|entry| entry.unwrap().path());
        files
            .map(|file| (file.clone(), fs::read(file).unwrap()))
            .collect()
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

pub(crate) fn ran(command: Command) -> Ran {
    let output = assert_cmd::Command::from_std(command)
        .timeout(HANGS_AFTER)
        .output()
        .unwrap();
    Ran::of(&output)
}

impl Ran {
    fn of(output: &std::process::Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// With its code and a text that it said on standard error.
    pub(crate) fn check(self, code: i32, said: &str) -> Self {
        self.check_any(&[code], said)
    }

    /// With one of these codes: a busy machine makes a run invalid, which is not always what a test is about.
    pub(crate) fn check_any(self, codes: &[i32], said: &str) -> Self {
        assert!(codes.contains(&self.code), "{self:?}");
        assert!(self.err.contains(said), "{self:?}");
        self
    }
}

/// The program under way; ended with its test.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn end(self) -> Ran {
        Ran::of(&self.child.wait_with_output().unwrap())
    }
}
