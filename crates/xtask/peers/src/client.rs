//! The clients: where they come from, which version it is, and how their adapters are run.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ami_sim::Replaying;
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use xtask_peers::Asked;

use crate::case::Case;
use crate::given::Account;
use crate::judge::Design;
use crate::relay;

/// An adapter ends by itself before that.
const KILLED_AFTER: Duration = Duration::from_secs(10);
const LOOKED_AFTER_EVERY: Duration = Duration::from_millis(10);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    pub name: String,
    pub registry: Registry,
    /// What it does otherwise and says so.
    #[serde(default)]
    pub design: Vec<Design>,
    #[serde(default)]
    pub says: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Registry {
    #[serde(rename = "this workspace")]
    Ours,
    #[serde(rename = "crates.io")]
    Crates,
    #[serde(rename = "PyPI")]
    Pypi,
    #[serde(rename = "npm")]
    Npm,
}

/// How the bytes of the PBX come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Whole,
    /// Byte by byte.
    Cut,
}

/// Where everything is.
#[derive(Debug)]
pub struct Places {
    pub workspace: PathBuf,
}

impl Places {
    pub fn corpus(&self) -> PathBuf {
        self.workspace.join("corpora/frames")
    }

    fn peers(&self) -> PathBuf {
        self.workspace.join("crates/xtask/peers")
    }

    /// What `cargo xtask clients` installs.
    fn installed(&self) -> PathBuf {
        self.workspace.join("target/clients")
    }
}

impl Registry {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Crates => "crates.io",
            Self::Pypi => "PyPI",
            Self::Npm => "npm",
        }
    }
}

pub fn all() -> Result<Vec<Client>> {
    #[derive(Deserialize)]
    struct Clients {
        client: Vec<Client>,
    }
    let clients: Clients = toml::from_str(include_str!("../clients.toml"))?;
    Ok(clients.client)
}

impl Client {
    /// As two of them have the same name.
    pub fn full_name(&self) -> String {
        match self.registry {
            Registry::Ours => self.name.clone(),
            registry => format!("{} ({})", self.name, registry.name()),
        }
    }

    pub fn address(&self) -> String {
        let name = &self.name;
        match self.registry {
            Registry::Ours => "../crates/ami-client".to_owned(),
            Registry::Crates => format!("https://crates.io/crates/{name}"),
            Registry::Pypi => format!("https://pypi.org/project/{name}/"),
            Registry::Npm => format!("https://www.npmjs.com/package/{name}"),
        }
    }

    /// That which is installed, as the package says itself.
    pub fn version(&self, places: &Places) -> Result<String> {
        let version = match self.registry {
            Registry::Ours | Registry::Crates => self.version_of_lock(places)?,
            Registry::Pypi => self.version_of_wheel(places)?,
            Registry::Npm => {
                let package = format!("node_modules/{}/package.json", self.name);
                let text = read(&places.installed().join(package))?;
                let package: serde_json::Value = serde_json::from_str(&text)?;
                package["version"].as_str().map(str::to_owned)
            }
        };
        version.with_context(|| format!("no version of {}", self.full_name()))
    }

    fn version_of_lock(&self, places: &Places) -> Result<Option<String>> {
        let lock: toml::Table = toml::from_str(&read(&places.peers().join("Cargo.lock"))?)?;
        let packages = lock["package"].as_array().into_iter().flatten();
        let text = |package: &toml::Value, key| package.get(key)?.as_str().map(str::to_owned);
        let mut own = packages.filter(|one| text(one, "name").as_deref() == Some(&self.name));
        Ok(own.find_map(|package| text(package, "version")))
    }

    fn version_of_wheel(&self, places: &Places) -> Result<Option<String>> {
        let begin = format!("{}-", self.name.replace('-', "_"));
        let libraries = places.installed().join("venv/lib");
        for python in fs::read_dir(&libraries).with_context(|| missing(&libraries))? {
            for entry in fs::read_dir(python?.path().join("site-packages"))? {
                let name = entry?.file_name().to_string_lossy().into_owned();
                let version = name.strip_prefix(&begin);
                if let Some(version) = version.and_then(|rest| rest.strip_suffix(".dist-info")) {
                    return Ok(Some(version.to_owned()));
                }
            }
        }
        Ok(None)
    }

    fn adapter(&self, places: &Places) -> Result<Command> {
        let peers = places.peers();
        Ok(match self.registry {
            Registry::Ours | Registry::Crates => {
                // Its adapter was built beside this program.
                let own = std::env::current_exe()?;
                Command::new(own.with_file_name(&self.name))
            }
            Registry::Pypi => {
                let script = format!("python/with_{}.py", self.name.replace('-', "_"));
                let mut python = Command::new(places.installed().join("venv/bin/python"));
                python.arg("-B").arg(peers.join(script));
                python
            }
            Registry::Npm => {
                let mut node = Command::new("node");
                node.arg(peers.join(format!("node/{}.js", self.name)));
                node.env("NODE_PATH", places.installed().join("node_modules"));
                node
            }
        })
    }

    /// What it gives of a case, from a PBX that says it on a port of its own.
    pub fn meet(&self, case: &Case, places: &Places, delivery: Delivery) -> Result<Account> {
        let pbx = Replaying::of(case.entries())?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let pbx = ami_sim::spawn_replaying_thread(pbx, listen)?;
        let mut adapter = self.adapter(places)?;
        let asked = match case.asked {
            Asked::Ping => "ping",
            Asked::Command => "command",
        };
        let address = match delivery {
            Delivery::Whole => pbx.addr(),
            Delivery::Cut => relay::to(pbx.addr())?,
        };
        adapter.arg(address.port().to_string()).arg(asked);
        let ran = run(adapter).with_context(|| format!("the adapter of {}", self.full_name()));
        pbx.stop();
        Account::parse(&ran?)
    }
}

/// What it printed. One that does not end is killed, by its handle.
fn run(mut adapter: Command) -> Result<String> {
    let mut child = adapter
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| missing(Path::new(adapter.get_program())))?;
    let output = read_all(child.stdout.take());
    let errors = read_all(child.stderr.take());
    let ended = ended(&mut child)?;
    let text = |reader: thread::JoinHandle<String>| reader.join().unwrap_or_default();
    let (output, errors) = (text(output), text(errors));
    if !ended && output.is_empty() {
        bail!(
            "it said nothing and was killed after {} s: {errors}",
            KILLED_AFTER.as_secs()
        );
    }
    if output.is_empty() && !errors.is_empty() {
        bail!("{errors}");
    }
    Ok(output)
}

fn ended(child: &mut Child) -> Result<bool> {
    let begun = Instant::now();
    while begun.elapsed() < KILLED_AFTER {
        if child.try_wait()?.is_some() {
            return Ok(true);
        }
        thread::sleep(LOOKED_AFTER_EVERY);
    }
    child.kill()?;
    child.wait()?;
    Ok(false)
}

fn read_all(pipe: Option<impl std::io::Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| missing(path))
}

fn missing(path: &Path) -> String {
    format!(
        "{} is not there: `cargo xtask clients` installs it",
        path.display()
    )
}
