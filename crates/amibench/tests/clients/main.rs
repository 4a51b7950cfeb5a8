//! AMI clients of others against the simulated PBXs: what works on a real PBX works here. `cargo xtask clients` installs
//! them; without that the tests are skipped, unless `AMIBENCH_CLIENTS=required`.
#![expect(clippy::unwrap_used, reason = "what a test did not expect ends it")]

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use ami_client::document::Document;
use ami_client::target::{Endpoint, Role, Target};
use ami_sim::{Account, Accounts, Profile, spawn_thread};
use serde_json::Value;

const SECRET: &str = "a-secret-of-clients";
/// What one who reads all events hears of a call, whatever the PBX.
const EVENTS: [&str; 5] = ["Newchannel", "Newstate", "DialBegin", "DialEnd", "Hangup"];

struct Client {
    program: PathBuf,
    script: &'static str,
    modules: PathBuf,
}

fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.join("../..").canonicalize().unwrap()
}

fn installed(program: &str, script: &'static str) -> Option<Client> {
    let folder = workspace().join("target/clients");
    if folder.join("complete").exists() {
        let local = folder.join(program);
        return Some(Client {
            program: if local.exists() {
                local
            } else {
                program.into()
            },
            script,
            modules: folder.join("node_modules"),
        });
    }
    let required = std::env::var("AMIBENCH_CLIENTS").is_ok_and(|value| value == "required");
    assert!(!required, "no clients, and AMIBENCH_CLIENTS=required");
    let why = b"skipped: no clients of others are installed; `cargo xtask clients` does it\n";
    std::io::stderr().write_all(why).unwrap();
    None
}

fn panoramisk() -> Option<Client> {
    installed("venv/bin/python", "panoramisk_client.py")
}

fn asterisk_manager() -> Option<Client> {
    installed("node", "asterisk_manager_client.js")
}

impl Client {
    fn run(&self, at: SocketAddr, role: &Role) -> Value {
        let place = [&role.context, &role.exten].map(|part| part.as_deref().unwrap());
        let output = Command::new(&self.program)
            .arg(
                workspace()
                    .join("crates/amibench/tests/clients")
                    .join(self.script),
            )
            .args([&at.port().to_string(), SECRET, &role.channel])
            .args(place)
            .env("NODE_PATH", &self.modules)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", self.script);
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The profiles that place calls, each with how a call is answered there, as their targets say it.
fn profiles() -> Vec<(String, Role)> {
    let folder = workspace().join("scenarios/targets");
    let mut profiles = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("sim-") {
            continue;
        }
        let target = Target::parse(&name, &Document::read(&path).unwrap()).unwrap();
        if let (Endpoint::Simulated(profile), Some(role)) =
            (target.endpoint, target.roles.get("answers"))
        {
            profiles.push((profile, role.clone()));
        }
    }
    profiles.sort_by(|one, two| one.0.cmp(&two.0));
    profiles
}

fn on_every_profile(client: Option<Client>, check: impl Fn(&str, &Value)) {
    let Some(client) = client else { return };
    let profiles = profiles();
    assert!(profiles.len() >= 3);
    for (name, role) in profiles {
        let accounts = Accounts::new(Account::new("bench", SECRET, "all", "all"));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sim = spawn_thread(Profile::named(&name).unwrap(), address, accounts, 1).unwrap();
        let seen = client.run(sim.addr(), &role);
        for (key, expected) in [
            ("authenticated", Value::Bool(true)),
            ("ping", "Pong".into()),
            ("unknown", "Error".into()),
            (
                "originated",
                Value::from(vec!["OriginateResponse", "Success"]),
            ),
            ("complete", "CoreShowChannelsComplete".into()),
            ("hangup", Value::from(vec!["Success"])),
            ("goodbye", "Goodbye".into()),
            ("status", Value::from(vec!["Status", "Status"])),
        ] {
            assert_eq!(seen[key], expected, "{name}: {key} of {seen}");
        }
        let (local, _) = role.channel.split_once('@').unwrap();
        let channels = seen["channels"].as_array().unwrap();
        assert_eq!(channels.len(), 2, "{name}: {seen}");
        let of_call = |channel: &Value| channel.as_str().unwrap().starts_with(local);
        assert!(channels.iter().all(of_call), "{name}: {seen}");
        let heard = seen["events"].as_array().unwrap();
        for event in EVENTS {
            assert!(heard.contains(&event.into()), "{name}: no {event}: {seen}");
        }
        check(&name, &seen);
    }
}

#[test]
fn panoramisk_works_on_every_profile() {
    on_every_profile(panoramisk(), |_, _| {});
}

#[test]
fn asterisk_manager_works_on_every_profile() {
    on_every_profile(asterisk_manager(), |name, seen| {
        // It gives the text of `Command` in one piece, whichever way the PBX frames it.
        let text = seen["command"][1].as_str().unwrap();
        assert!(
            text.contains("Asterisk 1") || text.contains("Asterisk 2"),
            "{name}: {seen}"
        );
    });
}
