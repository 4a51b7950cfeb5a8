//! Where a scene is played: on a simulated PBX in this process and in virtual time, or on a real one of the lab.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ami_client::wire::Wire;
use ami_proto::transcript::Transcript;
use ami_sim::{Account, Accounts, Addresses, Profile, Sense, Simulator};
use anyhow::{Context, Result, bail};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use crate::drive::play;
use crate::scene::Scene;

/// What a simulated session and its client may have in the air.
const WIRE_BYTES: usize = 1 << 16;
/// The account that lets in who gives none.
const EMPTY_SECRET: &str = "empty-secret";
const SIMULATED_SECRET: &str = "5eed5eed5eed5eed5eed5eed5eed5eed";

/// A PBX of the lab, and the profile that must not be told from it.
#[derive(Debug)]
pub(crate) struct Pbx {
    pub(crate) name: &'static str,
    /// The folder of its captures.
    corpus: &'static str,
    port: u16,
}

pub(crate) const PBXS: [Pbx; 2] = [
    Pbx {
        name: "asterisk-16",
        corpus: "asterisk-16.28.0",
        port: 16038,
    },
    Pbx {
        name: "asterisk-22",
        corpus: "asterisk-22.10.1",
        port: 22038,
    },
];

#[derive(Clone, Debug)]
pub(crate) enum Place {
    Simulated(Simulator),
    Lab { port: u16 },
}

/// The accounts of the lab with what they may read and write.
const ACCOUNTS: [(&str, &str, &str); 6] = [
    ("bench", "all", "all"),
    ("all", "all", "all"),
    ("readonly", "all", ""),
    ("originate-only", "call", "originate"),
    ("callonly", "call", "call"),
    ("noevents", "", "all"),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Of all accounts.
pub(crate) fn lab_secrets() -> Result<Vec<String>> {
    let files = fs::read_dir(workspace().join("lab/secrets"))?;
    let texts = files.map(|file| Ok(fs::read_to_string(file?.path())?.trim().to_owned()));
    texts.collect()
}

impl Pbx {
    /// Whether it runs for this checkout.
    pub(crate) fn is_up(&self) -> bool {
        let ours = workspace().join("lab/secrets/bench").is_file();
        ours && std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
    }

    pub(crate) fn capture_file(&self, scene: &Scene) -> PathBuf {
        let folder = workspace().join("corpora/transcripts").join(self.corpus);
        folder.join(format!("{}.ami.jsonl", scene.name))
    }

    pub(crate) fn captured(&self, scene: &Scene) -> Result<Transcript> {
        let path = self.capture_file(scene);
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "{} is not there; AMIBENCH_CAPTURE=1 makes it from the lab",
                path.display()
            )
        })?;
        Ok(Transcript::parse(&text)?)
    }

    pub(crate) fn corpus(&self) -> &'static str {
        self.corpus
    }

    /// Plays a scene beside a PBX of its profile; hours of it take no time.
    pub(crate) fn simulate(&self, scene: &Scene) -> Result<Transcript> {
        let profile = Profile::named(self.name).context("no such profile")?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()?;
        let tasks = LocalSet::new();
        tasks.block_on(&runtime, async {
            let simulator = Simulator::new(profile, accounts(), 7);
            let timers = simulator.clone();
            tokio::task::spawn_local(async move { timers.run_timers().await });
            play(scene, &Place::Simulated(simulator), self).await
        })
    }

    pub(crate) fn play_for_real(&self, scene: &Scene) -> Result<Transcript> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(play(scene, &Place::Lab { port: self.port }, self))
    }
}

fn accounts() -> Accounts {
    let mut denied = Account::new("denied", SIMULATED_SECRET, "all", "all");
    let everybody = denied.acl.add(Sense::Deny, "0.0.0.0/0,::/0");
    everybody.expect("two networks");
    let no_secret = Account {
        secret: None,
        ..Account::new("no-secret", "", "call", "call")
    };
    let others = [no_secret, Account::new(EMPTY_SECRET, "", "", "")];
    ACCOUNTS
        .iter()
        .map(|(name, read, write)| Account::new(name, SIMULATED_SECRET, read, write))
        .chain(others)
        .fold(Accounts::new(denied), Accounts::with)
}

impl Place {
    pub(crate) async fn connect(&self) -> Result<Wire> {
        match self {
            Self::Lab { port } => Ok(Wire::Tcp(
                TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).await?,
            )),
            Self::Simulated(simulator) => {
                let (near, far) = tokio::io::duplex(WIRE_BYTES);
                let simulator = simulator.clone();
                let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let addresses = Addresses {
                    local: nowhere,
                    remote: nowhere,
                };
                tokio::task::spawn_local(async move { simulator.serve_wire(far, addresses).await });
                Ok(Wire::Memory(near))
            }
        }
    }

    pub(crate) fn secret(&self, account: &str) -> Result<String> {
        match self {
            _ if account == EMPTY_SECRET => Ok(String::new()),
            Self::Simulated(_) => Ok(SIMULATED_SECRET.to_owned()),
            Self::Lab { .. } => {
                let file = workspace().join("lab/secrets").join(account);
                let text = fs::read_to_string(&file)
                    .with_context(|| format!("the secret of the account {account}"))?;
                match text.trim() {
                    "" => bail!("{} is empty", file.display()),
                    secret => Ok(secret.to_owned()),
                }
            }
        }
    }
}
