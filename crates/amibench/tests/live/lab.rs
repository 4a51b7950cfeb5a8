//! The PBXs of the lab, the program run against them, and a session of our own to see what is really there.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use ami_client::open::{Gate, open};
use ami_client::{Clock, Connection, Peer};
use ami_load::RunTag;
use ami_load::run_tag::random_bits;
use ami_proto::action::channel;
use ami_proto::session::{Answer, LoginForm, Secret, SessionConfig};
use ami_results::run_dir::RunDir;
use tempfile::TempDir;
use tokio::time::{Instant, interval};

pub(crate) const WITHIN: Duration = Duration::from_secs(10);
/// How often a list of channels is asked for while something is awaited.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Tests of one PBX take turns: each counts what is up on it.
static TURNS: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];
const PBXS: [(&str, u16); 2] = [("asterisk-22", 22038), ("asterisk-16", 16038)];

pub(crate) struct Pbx {
    pub(crate) name: &'static str,
    port: u16,
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Whether it runs for this checkout: the secrets of another one's lab are not here.
fn runs(port: u16) -> bool {
    let ours = workspace().join("lab/secrets/bench").is_file();
    ours && TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Past the capture of the test harness: who waits for the tests should know.
pub(crate) fn say(line: &str) {
    std::io::stderr()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}

impl Pbx {
    /// One that runs; one is enough where the packages of the other could not be had.
    pub(crate) fn running(name: &str) -> Option<Self> {
        let index = PBXS.iter().position(|(known, _)| *known == name).unwrap();
        let (name, port) = PBXS[index];
        if !runs(port) {
            let required = std::env::var("AMIBENCH_LAB").is_ok_and(|value| value == "required");
            let another = PBXS.iter().any(|(_, port)| runs(*port));
            assert!(
                another || !required,
                "no PBX of the lab runs, and AMIBENCH_LAB=required"
            );
            say(&format!(
                "skipped: {name} does not run; `cargo xtask pbx up` starts it"
            ));
            return None;
        }
        let turn = TURNS[index]
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        Some(Self {
            name,
            port,
            folder: tempfile::tempdir().unwrap(),
            _turn: turn,
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    /// The target file of this PBX with another account.
    pub(crate) fn target_of(&self, account: &str) -> String {
        let file = workspace().join(format!("scenarios/targets/{}.toml", self.name));
        let lab = workspace().join("lab").display().to_string();
        let text = fs::read_to_string(file).unwrap();
        text.replace("\"bench\"", &format!("{account:?}"))
            .replace("/secrets/bench", &format!("/secrets/{account}"))
            .replace("../../lab", &lab)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_amibench"));
        command
            .args(args)
            .current_dir(workspace())
            .stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn tls_port(&self) -> u16 {
        self.port + 1
    }

    /// The certificate that every PBX of the lab has, as PEM.
    pub(crate) fn certificate() -> PathBuf {
        workspace().join("lab/tls/lab.crt")
    }

    pub(crate) fn secret() -> PathBuf {
        workspace().join("lab/secrets/bench")
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }

    pub(crate) fn cdr_file(&self) -> PathBuf {
        workspace().join(format!(
            "lab/{}/root/var/log/asterisk/cdr-csv/Master.csv",
            self.name
        ))
    }

    /// A session that may do everything.
    pub(crate) async fn session(&self) -> Connection {
        self.listener("off").await
    }

    /// One that hears the events of this mask.
    pub(crate) async fn listener(&self, events: &str) -> Connection {
        let secret = fs::read_to_string(workspace().join("lab/secrets/bench")).unwrap();
        let config = SessionConfig {
            username: "bench".to_owned(),
            secret: Secret::new(secret.trim_end()),
            login: LoginForm::Md5,
            events: events.to_owned(),
            connection_id: random_bits(),
            login_deadline: WITHIN,
        };
        let peer = Peer::plain(format!("127.0.0.1:{}", self.port));
        open(&peer, config, &Gate::default(), Clock::start())
            .await
            .unwrap()
    }
}

/// The Uniqueids of every channel that is up.
pub(crate) async fn channels(session: &mut Connection) -> BTreeSet<String> {
    let action = channel::core_show_channels();
    let reply = session
        .request(&action, Answer::List, WITHIN)
        .await
        .unwrap();
    let ids = reply
        .events("CoreShowChannel")
        .map(|frame| frame.text("Uniqueid").unwrap().into_owned());
    ids.collect()
}

/// Those that a run made.
pub(crate) async fn of_run(session: &mut Connection, tag: &RunTag) -> usize {
    let up = channels(session).await;
    up.iter()
        .filter(|id| tag.key_in(id.as_bytes()).is_some())
        .count()
}

/// The tag of a run that has begun.
pub(crate) fn tag(run: &Path) -> Option<RunTag> {
    let (_, manifest) = RunDir::open(run).ok()?;
    RunTag::parse(&manifest.run_id)
}

/// Waits until a run has at least so many channels up.
pub(crate) async fn until_up(session: &mut Connection, run: &Path, least: usize) -> RunTag {
    let mut looks = interval(LOOK_EVERY);
    let began_at = Instant::now();
    loop {
        looks.tick().await;
        if let Some(tag) = tag(run)
            && of_run(session, &tag).await >= least
        {
            return tag;
        }
        assert!(
            began_at.elapsed() < WITHIN,
            "the run in {} makes no calls",
            run.display()
        );
    }
}

/// Waits until a run has none, and says how long that took.
pub(crate) async fn until_gone(
    session: &mut Connection,
    tag: &RunTag,
    within: Duration,
) -> Duration {
    let mut looks = interval(LOOK_EVERY);
    let began_at = Instant::now();
    loop {
        looks.tick().await;
        let left = of_run(session, tag).await;
        if left == 0 {
            return began_at.elapsed();
        }
        assert!(began_at.elapsed() < within, "{left} channels are left");
    }
}
