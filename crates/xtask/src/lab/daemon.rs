//! Starts and stops the Asterisk of a chroot: detached from the terminal, found again by its pid.
//!
//! A pid counts only while it is an `asterisk` whose root is our chroot: a reused number is not.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

use super::ami::Ami;
use super::lock::Lock;
use super::{LOOPBACK, Lab, Pbx, mounts};

/// Descriptors for thousands of sessions (one or three each) and their calls.
const OPEN_FILES: u64 = 65_536;
/// Asterisk loads in 1 to 3 s, on a loaded machine in 20.
const BOOT_LIMIT: Duration = Duration::from_secs(90);
/// How long Asterisk may take to hang up and leave before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);

/// What `stop` found.
#[derive(Debug)]
pub(crate) enum Stopped {
    Gracefully,
    Killed,
    WasDown,
}

impl Lab {
    /// Held while the chroot or the daemon of a PBX is changed.
    pub(crate) fn lock(&self, pbx: &Pbx) -> Result<Lock> {
        Lock::take(&self.home(pbx).join("lock"))
    }

    /// The pid of the running daemon.
    pub(crate) fn pid(&self, pbx: &Pbx) -> Option<Pid> {
        let number: i32 = fs::read_to_string(self.pid_file(pbx))
            .ok()?
            .trim()
            .parse()
            .ok()?;
        let root = self.root(pbx).canonicalize().ok()?;
        let same_root = fs::read_link(format!("/proc/{number}/root")).is_ok_and(|it| it == root);
        let name = fs::read_to_string(format!("/proc/{number}/comm")).unwrap_or_default();
        (same_root && name.trim() == "asterisk").then(|| Pid::from_raw(number))?
    }

    /// Starts the daemon and returns when it has booted fully. The caller holds the PBX's lock.
    pub(crate) fn start(&self, pbx: &Pbx) -> Result<()> {
        for port in [
            pbx.ami_port(),
            pbx.ami_tls_port(),
            pbx.http_port(),
            pbx.https_port(),
        ] {
            require_free(port)?;
        }
        self.write_config(pbx)?;
        mounts::mount_proc(&self.root(pbx))?;
        raise_limits()?;
        let mut child = spawn(&self.root(pbx), &self.console_log(pbx))?;
        fs::write(self.pid_file(pbx), format!("{}\n", child.id()))
            .context("writing the pid file")?;
        let booted = self.wait_until_booted(pbx, || {
            let ended = child.try_wait().context("asking for Asterisk's state")?;
            ended.map_or(Ok(()), |status| bail!("it ended with {status}"))
        });
        if booted.is_err() {
            // A half-booted PBX must not be found as running by the next `up`.
            let _ = child.kill().and_then(|()| child.wait());
            self.stop(pbx)?;
        }
        let log = self.console_log(pbx);
        booted.with_context(|| format!("{} did not boot; see {}", pbx.name, log.display()))
    }

    /// Ends the daemon, with force if it does not listen, and unmounts its `/proc`.
    pub(crate) fn stop(&self, pbx: &Pbx) -> Result<Stopped> {
        let stopped = match self.pid(pbx) {
            None => Stopped::WasDown,
            Some(pid) => {
                kill_process(pid, Signal::TERM).context("ending Asterisk")?;
                if self.wait_until_gone(pbx) {
                    Stopped::Gracefully
                } else {
                    kill_process(pid, Signal::KILL).context("killing Asterisk")?;
                    if !self.wait_until_gone(pbx) {
                        bail!("{} does not end, even when killed", pbx.name);
                    }
                    Stopped::Killed
                }
            }
        };
        mounts::unmount_all(&self.root(pbx))?;
        match fs::remove_file(self.pid_file(pbx)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context("removing the pid file")
            }
            _ => Ok(stopped),
        }
    }

    /// For a daemon that was found running: an `up` may have been interrupted while it booted.
    pub(crate) fn wait_for_running(&self, pbx: &Pbx) -> Result<()> {
        self.wait_until_booted(pbx, || match self.pid(pbx) {
            Some(_) => Ok(()),
            None => bail!("{} ended while it booted", pbx.name),
        })
    }

    fn wait_until_booted(&self, pbx: &Pbx, mut alive: impl FnMut() -> Result<()>) -> Result<()> {
        let secret = self.read_secret("bench")?;
        let limit = Instant::now() + BOOT_LIMIT;
        loop {
            alive()?;
            if let Some(mut ami) = Ami::connect(pbx.ami_port(), "system", &secret)? {
                ami.read_until(|block| block.get("Event") == "FullyBooted")?;
                return Ok(());
            }
            if Instant::now() > limit {
                bail!(
                    "nothing listens on port {} after {BOOT_LIMIT:?}",
                    pbx.ami_port()
                );
            }
            thread::sleep(POLL);
        }
    }

    fn wait_until_gone(&self, pbx: &Pbx) -> bool {
        let limit = Instant::now() + STOP_LIMIT;
        while self.pid(pbx).is_some() {
            if Instant::now() > limit {
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }
}

/// `setsid` and `chroot` both become what they start: the child's pid is Asterisk's.
fn spawn(root: &Path, log: &Path) -> Result<Child> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(log)
        .context("opening the log")?;
    Command::new("setsid")
        .arg("chroot")
        .arg(root)
        .args([
            "/usr/sbin/asterisk",
            "-U",
            "asterisk",
            "-G",
            "asterisk",
            "-fn",
        ])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("copying the log's descriptor")?)
        .stderr(log)
        .spawn()
        .context("starting setsid")
}

/// Set on ourselves, since the daemon inherits them: many descriptors, no core file.
fn raise_limits() -> Result<()> {
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(OPEN_FILES);
    let files = OPEN_FILES.min(most);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(files),
            maximum: Some(most),
        },
    )
    .context("raising the limit of open files")?;
    let core = getrlimit(Resource::Core);
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            ..core
        },
    )
    .context("forbidding core files")
}

fn require_free(port: u16) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => Err(error).with_context(|| {
            format!("{LOOPBACK}:{port} is taken, perhaps by another checkout's lab")
        }),
    }
}
