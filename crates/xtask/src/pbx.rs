//! `cargo xtask pbx …`: the verbs of the lab.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::thread;

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::lab::ami::{Ami, Block};
use crate::lab::chroot::{Chroot, chrooted};
use crate::lab::daemon::Stopped;
use crate::lab::{Lab, PBXS, Pbx};
use crate::workspace;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make what is missing and start the PBXs (all when none is named)
    Up { names: Vec<String> },
    /// Stop the PBXs (all when none is named); their chroots stay
    Down { names: Vec<String> },
    /// Show ports, state and channels; exit 0 when all asked for are up
    Status { names: Vec<String> },
    /// Place calls that belong to no run, and print their Uniqueids
    Foreign {
        name: String,
        count: u32,
        /// The PBX ends them after this long
        #[arg(long, default_value_t = 600)]
        seconds: u32,
    },
    /// List the channels that are up
    Channels { name: String },
    /// Run a command on the PBX's console
    Cli { name: String, command: String },
}

pub(crate) fn run(verb: Verb) -> Result<ExitCode> {
    let lab = Lab::of_workspace(&workspace::dir());
    match verb {
        Verb::Up { names } => up(&lab, &names),
        Verb::Down { names } => down(&lab, &names),
        Verb::Status { names } => status(&lab, &names),
        Verb::Foreign {
            name,
            count,
            seconds,
        } => foreign(&lab, Pbx::named(&name)?, count, seconds),
        Verb::Channels { name } => channels(&lab, Pbx::named(&name)?),
        Verb::Cli { name, command } => cli(&lab, Pbx::named(&name)?, &command),
    }
}

fn chosen(names: &[String]) -> Result<Vec<&'static Pbx>> {
    if names.is_empty() {
        return Ok(PBXS.iter().collect());
    }
    names.iter().map(|name| Pbx::named(name)).collect()
}

/// How bringing up one PBX ended.
enum Raised {
    Up(String),
    Gone(String),
}

fn up(lab: &Lab, names: &[String]) -> Result<ExitCode> {
    let pbxs = chosen(names)?;
    if !rustix::process::geteuid().is_root() {
        bail!("the lab needs root: it makes chroots and mounts /proc in them");
    }
    lab.make_shared()?;
    let results: Vec<(&Pbx, Result<Raised>)> = thread::scope(|scope| {
        let threads: Vec<_> = pbxs
            .iter()
            .map(|&pbx| (pbx, scope.spawn(move || raise(lab, pbx))))
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().expect("bringing up a PBX does not panic")
        };
        threads
            .into_iter()
            .map(|(pbx, thread)| (pbx, join(thread)))
            .collect()
    });
    let (mut running, mut missing, mut failed) = (0, 0, 0);
    for (pbx, result) in results {
        match result {
            Ok(Raised::Up(how)) => {
                running += 1;
                println!("{}: {how}", pbx.name);
            }
            Ok(Raised::Gone(cause)) => {
                missing += 1;
                eprintln!("{}: cannot be had: {cause}", pbx.name);
            }
            Err(error) => {
                failed += 1;
                eprintln!("{}: error: {error:#}", pbx.name);
            }
        }
    }
    // A suite that left its mirror is nobody's fault here, unless that PBX was asked for by name.
    let whole = failed == 0 && running > 0 && (missing == 0 || names.is_empty());
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn raise(lab: &Lab, pbx: &Pbx) -> Result<Raised> {
    let lock = lab.lock(pbx)?;
    if let Some(pid) = lab.pid(pbx) {
        lab.wait_for_running(pbx)?;
        return Ok(Raised::Up(format!("is up already, pid {pid}")));
    }
    if let Chroot::Gone(cause) = lab.make_chroot(pbx, &lock)? {
        return Ok(Raised::Gone(cause));
    }
    lab.start(pbx)?;
    Ok(Raised::Up(format!(
        "up, AMI on 127.0.0.1:{}",
        pbx.ami_port()
    )))
}

fn down(lab: &Lab, names: &[String]) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for pbx in chosen(names)? {
        let stopped = lab.lock(pbx).and_then(|_lock| lab.stop(pbx));
        match stopped {
            Ok(Stopped::Gracefully) => println!("{}: stopped", pbx.name),
            Ok(Stopped::Killed) => println!("{}: killed, it did not stop", pbx.name),
            Ok(Stopped::WasDown) => println!("{}: was down", pbx.name),
            Err(error) => {
                eprintln!("{}: error: {error:#}", pbx.name);
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn status(lab: &Lab, names: &[String]) -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    println!(
        "pbx          version  state     pid      AMI    TLS   HTTP  HTTPS  channels  CDR file"
    );
    for pbx in chosen(names)? {
        let state = State::of(lab, pbx);
        if !matches!(state, State::Up { .. }) {
            code = ExitCode::FAILURE;
        }
        let (version, word, pid, channels) = match state {
            State::Up {
                version,
                pid,
                channels,
            } => (version, "up", pid, channels.to_string()),
            State::Silent { pid } => ("-".to_owned(), "silent", pid, "-".to_owned()),
            State::Down => ("-".to_owned(), "down", "-".to_owned(), "-".to_owned()),
            State::Absent => ("-".to_owned(), "not made", "-".to_owned(), "-".to_owned()),
        };
        println!(
            "{:<11}  {version:<7}  {word:<8}  {pid:<6}  {}  {}  {}  {}  {channels:>8}  {}",
            pbx.name,
            pbx.ami_port(),
            pbx.ami_tls_port(),
            pbx.http_port(),
            pbx.https_port(),
            lab.cdr(pbx).display(),
        );
    }
    Ok(code)
}

enum State {
    Up {
        version: String,
        pid: String,
        channels: usize,
    },
    /// The process runs, but does not answer on AMI.
    Silent {
        pid: String,
    },
    Down,
    Absent,
}

impl State {
    fn of(lab: &Lab, pbx: &Pbx) -> Self {
        if !lab.root(pbx).exists() {
            return Self::Absent;
        }
        let Some(pid) = lab.pid(pbx).map(|pid| pid.to_string()) else {
            return Self::Down;
        };
        let asked = session(lab, pbx, "off").and_then(|mut ami| {
            let settings = ami.request("CoreSettings", &[])?;
            Ok((settings, ami.list("CoreShowChannels")?.len()))
        });
        match asked {
            Ok((settings, channels)) => {
                let version = settings.get("AsteriskVersion");
                let version = version
                    .split(['~', '+', '-'])
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                Self::Up {
                    version,
                    pid,
                    channels,
                }
            }
            Err(_) => Self::Silent { pid },
        }
    }
}

fn foreign(lab: &Lab, pbx: &Pbx, count: u32, seconds: u32) -> Result<ExitCode> {
    let mut ami = session(lab, pbx, "call")?;
    let limit = format!("TIMEOUT(absolute)={seconds}");
    for number in 0..count {
        let id = format!("foreign-{}-{number}", std::process::id());
        let headers = [
            ("Channel", "Local/answer@foreign"),
            ("Application", "Wait"),
            ("Data", "3600"),
            ("CallerID", "\"Somebody else\" <5550000>"),
            ("Variable", limit.as_str()),
            ("Async", "true"),
            ("ActionID", &id),
        ];
        let answer = ami.request("Originate", &headers)?;
        if answer.get("Response") != "Success" {
            bail!("originate: {}", answer.get("Message"));
        }
        let placed = ami.read_until(|block| {
            block.get("Event") == "OriginateResponse" && block.get("ActionID") == id
        })?;
        if placed.get("Response") != "Success" {
            bail!("a foreign call failed, reason {}", placed.get("Reason"));
        }
        print_lines(&[placed.get("Uniqueid").to_owned()])?;
    }
    Ok(ExitCode::SUCCESS)
}

fn channels(lab: &Lab, pbx: &Pbx) -> Result<ExitCode> {
    let list = session(lab, pbx, "off")?.list("CoreShowChannels")?;
    let columns: [&str; 7] = [
        "Uniqueid",
        "Linkedid",
        "AccountCode",
        "ChannelStateDesc",
        "Duration",
        "Application",
        "Channel",
    ];
    let rows = list
        .iter()
        .map(|channel| columns.map(|column| field(channel, column)).join("\t"));
    print_lines(
        &std::iter::once(columns.join("\t"))
            .chain(rows)
            .collect::<Vec<_>>(),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// For output that is piped: a reader that has seen enough is no error.
fn print_lines(lines: &[String]) -> Result<()> {
    match io::stdout().write_all((lines.join("\n") + "\n").as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("printing"),
        _ => Ok(()),
    }
}

fn field<'a>(channel: &'a Block, name: &str) -> &'a str {
    match channel.get(name) {
        "" => "-",
        value => value,
    }
}

fn cli(lab: &Lab, pbx: &Pbx, command: &str) -> Result<ExitCode> {
    let status = chrooted(&lab.root(pbx))
        .args(["/usr/sbin/asterisk", "-rx", command])
        .status();
    Ok(if status.context("starting chroot")?.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn session(lab: &Lab, pbx: &Pbx, events: &str) -> Result<Ami> {
    match Ami::connect(pbx.ami_port(), events, &lab.read_secret("bench")?)? {
        Some(ami) => Ok(ami),
        None => bail!(
            "{} is down; `cargo xtask pbx up {}` starts it",
            pbx.name,
            pbx.name
        ),
    }
}
