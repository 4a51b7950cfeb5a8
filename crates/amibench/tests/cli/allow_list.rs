//! What is ever sent stands on a list, which is written here: nothing else can be asked for in any way, and no verb sends it.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use ami_client::{Document, Target};
use ami_load::{Overrides, Plan, Scenario};
use ami_sim::{Account, Accounts, Handle, Profile, spawn_thread};

use crate::desk::{Desk, Ran, SMALL, ran};
use crate::sim;

const SECRET: &str = "hunter2";

/// What a scenario may ask: all of it only reads.
const QUERIES: [&str; 27] = [
    "Agents",
    "BridgeList",
    "ConfbridgeListRooms",
    "CoreSettings",
    "CoreShowChannels",
    "CoreStatus",
    "DeviceStateList",
    "ExtensionState",
    "ExtensionStateList",
    "Getvar",
    "IAXpeerlist",
    "ListCommands",
    "MailboxCount",
    "MailboxStatus",
    "ParkedCalls",
    "Parkinglots",
    "PJSIPShowAors",
    "PJSIPShowContacts",
    "PJSIPShowEndpoints",
    "PresenceState",
    "PresenceStateList",
    "QueueStatus",
    "QueueSummary",
    "SIPpeers",
    "SIPshowregistry",
    "Status",
    "VoicemailUsersList",
];

/// What the verbs send besides, each in a form of its own.
const OTHERS: [&str; 8] = [
    "Challenge",
    "Command",
    "Hangup",
    "Login",
    "Logoff",
    "Originate",
    "Ping",
    "UserEvent",
];

/// What cases of `conform` send besides.
const CASES: [&str; 20] = [
    "DBDel",
    "DBGet",
    "DBPut",
    "Events",
    "Filter",
    "GetConfig",
    "ListCategories",
    "ModuleCheck",
    "PJSIPShowRegistrationsInbound",
    "PJSIPShowRegistrationsOutbound",
    "PJSIPShowSubscriptionsInbound",
    "QueueAdd",
    "QueuePause",
    "QueueRemove",
    "QueueRule",
    "Queues",
    "Redirect",
    "Reload",
    "Setvar",
    "WaitEvent",
];

/// Harmful ones that stand in no profile, or have no class on some PBX.
const HARMFUL: [&str; 14] = [
    "AGI",
    "AOCMessage",
    "DAHDIRestart",
    "DBDelTree",
    "ExtensionStateReload",
    "LoggerRotate",
    "ModuleLoad",
    "QueueReset",
    "QueueWithdrawCaller",
    "Reload",
    "SendText",
    "SkypeLicenseStatusList",
    "UpdateConfig",
    "ZapRestart",
];

/// Every action of every PBX we know.
fn known() -> BTreeSet<String> {
    let profiles = Profile::names().map(|name| Profile::named(name).unwrap());
    let listed = profiles.flat_map(|profile| {
        let names = profile.commands.names().map(str::to_owned);
        names.collect::<Vec<_>>()
    });
    let more = HARMFUL.into_iter().chain(OTHERS).map(str::to_owned);
    let known: BTreeSet<String> = listed.chain(more).collect();
    assert!(known.len() > 150, "{} are too few", known.len());
    known
}

/// The name as it is, in other letters, and with another action hidden behind it.
fn spellings(name: &str) -> [String; 4] {
    [
        name.to_owned(),
        name.to_lowercase(),
        format!(" {name}"),
        format!("Status\\r\\nAction: {name}"),
    ]
}

/// Every action that is no query, with each way to write it.
fn no_queries() -> impl Iterator<Item = (String, String)> {
    let others = known()
        .into_iter()
        .filter(|name| !QUERIES.contains(&name.as_str()));
    others.flat_map(|name| spellings(&name).map(|spelling| (name.clone(), spelling)))
}

fn scenario_with(entry: &str) -> Result<Plan, String> {
    assert!(SMALL.contains("ping = {}"));
    parse(&SMALL.replace("ping = {}", entry))
}

const FLOW: &str = r#"
[[group]]
name = "load"
sessions = 1

[[phase]]
name = "steady"
duration = "1s"
arrival = { constant = { rate = "1/s" } }
mix = [{ flow = "ask" }]

[[flow]]
name = "ask"

[[flow.step]]
name = "step"
ping = {}
"#;

/// Read, and planned for a target that permits what `SMALL` needs.
fn parse(text: &str) -> Result<Plan, String> {
    let document = Document::embedded("small", Path::new(""), text);
    let scenario = Scenario::parse(&document).map_err(|error| error.to_string())?;
    let target = Document::embedded("pbx", Path::new(""), &sim::target("127.0.0.1:1"));
    let targets = vec![Target::parse("pbx", &target).unwrap()];
    Plan::resolve("small", &document, scenario, targets, &Overrides::default())
        .map_err(|error| error.to_string())
}

#[test]
fn a_step_of_a_flow_can_ask_for_nothing_else() {
    let step = |entry: &str| parse(&FLOW.replace("ping = {}", entry));
    step("ping = {}").unwrap();
    step("query = \"Status\"").unwrap();
    step("command = \"core show version\"").unwrap();
    for (_, spelling) in no_queries() {
        for entry in [
            format!("query = \"{spelling}\""),
            format!("query = {{ action = \"{spelling}\" }}"),
            format!("query = {{ action = \"Status\", Action = \"{spelling}\" }}"),
            format!("action = \"{spelling}\""),
            format!("command = \"{spelling}\""),
            format!("command = \"manager show command {spelling}\""),
        ] {
            assert!(step(&entry).is_err(), "{entry}");
        }
    }
}

#[test]
fn a_scenario_can_ask_for_nothing_else() {
    for (name, spelling) in no_queries() {
        for entry in [
            format!("query = \"{spelling}\""),
            format!("action = \"{spelling}\""),
            format!("\"{spelling}\" = {{}}"),
        ] {
            // `ping`, `originate` and the like are words of scenarios.
            if !entry.starts_with('"') || spelling != name.to_lowercase() {
                assert!(scenario_with(&entry).is_err(), "{entry}");
            }
        }
    }
    scenario_with("query = \"Status\"").unwrap();
}

#[test]
fn a_uri_can_ask_for_nothing_else() {
    for name in known() {
        for uri in [
            format!("ami://qa@pbx/{name}"),
            format!("ami://qa@pbx:5038/{name}"),
            format!("ami://qa@pbx/?action={name}"),
            format!("{name}://qa@pbx"),
        ] {
            assert!(Target::from_uri(&uri).is_err(), "{uri}");
        }
    }
    Target::from_uri("ami://qa@pbx").unwrap();
}

#[test]
fn one_line_can_ask_for_nothing_else() {
    let desk = Desk::new();
    for name in HARMFUL {
        for flags in [
            vec![format!("--{}", name.to_lowercase()), "1/s".to_owned()],
            vec!["--action".to_owned(), name.to_owned()],
            vec!["--query".to_owned(), name.to_owned()],
        ] {
            let mut args = vec!["load", "ami://qa@127.0.0.1:1", "--dry-run"];
            args.extend(flags.iter().map(String::as_str));
            desk.run(&args).check(2, "unexpected argument");
        }
        let record = ["record", "-t", "ami://qa@127.0.0.1:1", "--action", name];
        desk.run(&record).check(2, "invalid value");
    }
}

struct Listening {
    desk: Desk,
    sim: Handle,
}

impl Listening {
    fn start() -> Self {
        let accounts = Accounts::new(Account::new("bench", SECRET, "all", "all"));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let profile = Profile::named("asterisk-22").unwrap();
        let sim = spawn_thread(profile, address, accounts, 1).unwrap();
        let target = sim::target(&sim.addr().to_string());
        let desk = Desk::new()
            .with("secret", SECRET)
            .with("pbx.toml", &target)
            .with(
                "guarded.toml",
                &format!("environment = \"production\"\n{target}"),
            )
            .with(
                "small.toml",
                &SMALL.replace("ping = {} }", "ping = {} }, { query = \"Status\" }"),
            );
        Self { desk, sim }
    }

    /// The actions that came with one command, of which these are some.
    fn check(&self, args: &[&str], some: &[&str]) {
        let before = self.sim.counters();
        let mut command = self.desk.command(args);
        command.env("AMIBENCH_SECRET", SECRET);
        let told: Ran = ran(command);
        let after = self.sim.counters();
        let came: Vec<&str> = after
            .actions
            .iter()
            .filter(|(name, count)| **count > before.actions_of(name))
            .filter(|(name, _)| *name != "unknown")
            .map(|(name, _)| name.as_str())
            .collect();
        for name in some {
            assert!(came.contains(name), "{args:?} sent only {came:?}: {told:?}");
        }
        let cases: &[&str] = if args[0] == "conform" { &CASES } else { &[] };
        let lists = [&QUERIES[..], &OTHERS, cases];
        let allowed = |name: &&&str| lists.iter().any(|list| list.contains(*name));
        let others: Vec<&&str> = came.iter().filter(|name| !allowed(name)).collect();
        assert!(others.is_empty(), "{args:?} sent {others:?}");
    }
}

#[test]
fn no_verb_sends_anything_else() {
    let pbx = Listening::start();
    pbx.check(&["doctor", "pbx.toml"], &["Login", "ListCommands"]);
    let load = ["load", "small.toml", "-t", "pbx.toml", "-o", "run"];
    pbx.check(&load, &["Login", "Ping", "Originate", "Status", "Logoff"]);
    pbx.check(
        &[
            "load",
            "small.toml",
            "-t",
            "guarded.toml",
            "--confirm",
            "guarded",
        ],
        &["Login", "Ping", "Originate"],
    );
    let uri = format!("ami://bench@{}", pbx.sim.addr());
    pbx.check(&["load", &uri, "--ping", "20/s", "-d", "1s"], &["Ping"]);
    let originates = ["load", "-t", "pbx.toml", "--originate", "5/s", "-d", "1s"];
    pbx.check(&originates, &["Originate"]);
    let record = ["record", "-t", "pbx.toml", "-d", "100ms"];
    pbx.check(&record, &["Login", "Status", "ListCommands", "Logoff"]);
    // Unknown actions are counted as such.
    let conform = [
        "conform",
        "-q",
        "-t",
        "pbx.toml",
        "--allow",
        "noisy,creates-state,originates-call",
        "--only",
        "error,event,originate,call,queue,response",
    ];
    pbx.check(&conform, &["Login", "UserEvent", "Originate", "QueueAdd"]);
    let cleanup = ["cleanup", "--run", "run", "-t", "pbx.toml"];
    pbx.check(&cleanup, &["CoreShowChannels"]);
}
