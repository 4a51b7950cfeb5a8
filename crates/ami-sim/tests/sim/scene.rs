//! What a judge does to find defects out: a conversation for each area, written down with its moments.

use std::time::Duration;

use ami_sim::{Account, Accounts, Defect, Fault, ManagerConf, Output, Profile, SessionKey};
use md5::{Digest, Md5};

use crate::talk::{SECRET, Talk};

pub(crate) struct Scene {
    pub(crate) talk: Talk,
    pub(crate) log: Vec<String>,
    names: Vec<SessionKey>,
}

const LOCAL: &str = "Channel: Local/answer@amibench";

fn accounts() -> Accounts {
    Accounts::bench(SECRET)
        .with(Account::new(
            "caller",
            SECRET,
            "call,user",
            "call,originate",
        ))
        .with(Account::new("reader", SECRET, "user", ""))
        .with(Account::new("open", "", "all", "all"))
}

/// The conversation that shows a defect of that name.
pub(crate) fn script(name: &str) -> fn(&mut Scene) {
    match name.split('.').next().unwrap() {
        "command" => commands,
        "auth" => auth,
        "event" if name.contains("filter") || name.contains("mask") => masks,
        "event" => events,
        "http" => crate::pages::web,
        _ => secured,
    }
}

impl Scene {
    pub(crate) fn new(name: &str, defect: Option<Defect>) -> Self {
        let mut profile = Profile::named("asterisk-22").unwrap();
        if name.starts_with("http.") {
            // Nothing else of it counts here.
            let conf = ManagerConf::parse("[general]\nwebenabled = yes\n", &profile).unwrap();
            let _ = conf.apply(&mut profile);
        }
        let mut accounts = accounts();
        if name == "auth.multiple.allowed" {
            accounts = accounts.one_login_each();
        }
        let mut talk = Talk::new(profile, accounts);
        if let Some(defect) = defect {
            talk.exchange.spoil(defect);
        }
        Self {
            talk,
            log: Vec::new(),
            names: Vec::new(),
        }
    }

    pub(crate) fn note(&mut self, what: impl Into<String>) {
        let line = format!("{:?} {}", self.talk.now, what.into());
        self.log.push(line);
    }

    fn open(&mut self) -> Option<SessionKey> {
        let key = self.talk.connect();
        match key {
            Some(key) => self.names.push(key),
            None => self.note("turned away"),
        }
        key
    }

    pub(crate) fn login(&mut self, user: &str, events: &str) -> SessionKey {
        let key = self.open().expect("there is room");
        let user = format!("Username: {user}");
        self.say(key, &["Action: Login", &user, "Secret: <secret>", events]);
        key
    }

    pub(crate) fn say(&mut self, key: SessionKey, lines: &[&str]) {
        self.talk.send(key, lines);
        self.listen();
    }

    fn send(&mut self, key: SessionKey, bytes: &[u8]) {
        self.talk.send_bytes(key, bytes);
        self.listen();
    }

    pub(crate) fn pass(&mut self, millis: u64) {
        self.talk.pass(Duration::from_millis(millis));
        self.listen();
    }

    /// Writes down what every session says; how it is cut into writes is no behaviour.
    fn listen(&mut self) {
        for (name, key) in self.names.clone().into_iter().enumerate() {
            let mut said = Vec::new();
            let mut end = None;
            while let Some(output) = self.talk.exchange.poll_output(key) {
                match output {
                    Output::Write(chunk) => said.extend_from_slice(chunk.bytes()),
                    Output::Stall(pause) => {
                        said.extend_from_slice(format!("({pause:?})").as_bytes())
                    }
                    other => end = Some(other),
                }
            }
            if !said.is_empty() {
                self.note(format!("{name}: {}", said.escape_ascii()));
            }
            if let Some(end) = end {
                self.note(format!("{name}: {end:?}"));
                self.talk.exchange.leave(key);
            }
        }
    }
}

fn commands(scene: &mut Scene) {
    let key = scene.login("bench", "Events: off");
    for _ in 0..12 {
        scene.say(
            key,
            &[
                "Action: Originate",
                LOCAL,
                "Application: Wait",
                "Data: 60",
                "Async: 1",
            ],
        );
    }
    scene.pass(100);
    for command in [
        "core show version",
        "core show channels",
        "manager show settings",
        "nosuchcmd",
        "module load x",
        "",
    ] {
        scene.say(key, &["Action: Command", &format!("Command: {command}")]);
    }
    let caller = scene.login("caller", "Events: off");
    scene.say(caller, &["Action: Command", "Command: core show version"]);
}

fn key_of(challenge: &str) -> String {
    let digest = Md5::new()
        .chain_update(challenge)
        .chain_update(SECRET)
        .finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A login by challenge; the key that was sent.
fn challenge_login(scene: &mut Scene, upper: Option<()>) -> String {
    let key = scene.open().unwrap();
    scene.listen();
    scene
        .talk
        .send(key, &["Action: Challenge", "AuthType: MD5"]);
    let heard = scene.talk.hear(key).text();
    scene.note(heard.escape_default().to_string());
    let challenge = heard
        .split("Challenge: ")
        .nth(1)
        .unwrap_or_default()
        .trim_end();
    let mut answer = key_of(challenge);
    if upper.is_some() {
        answer = answer.to_uppercase();
    }
    login_by_key(scene, key, &answer);
    answer
}

fn login_by_key(scene: &mut Scene, key: SessionKey, answer: &str) {
    let answer = format!("Key: {answer}");
    scene.say(
        key,
        &[
            "Action: Login",
            "Username: bench",
            "AuthType: MD5",
            &answer,
            "Events: off",
        ],
    );
    scene.pass(1500);
}

fn auth(scene: &mut Scene) {
    let listener = scene.login("bench", "Events: on");
    let stranger = scene.open().unwrap();
    for action in ["Ping", "CoreStatus"] {
        scene.say(stranger, &[&format!("Action: {action}")]);
    }
    scene.say(listener, &["Action: UserEvent", "UserEvent: Mark"]);
    scene.say(stranger, &["Action: Challenge", "AuthType: SHA"]);
    for _ in 0..2 {
        scene.say(stranger, &["Action: Challenge", "AuthType: MD5"]);
    }
    for login in [
        ["Username: bench", "Secret: wrong"],
        ["Username: nobody", "Secret: wrong"],
        ["Username: open", "Secret:"],
        ["Secret: <secret>", ""],
        ["Username: BENCH", "Secret: <secret>"],
    ] {
        let key = scene.open().unwrap();
        scene.say(key, &["Action: Login", login[0], login[1]]);
        scene.pass(1500);
        scene.say(key, &["Action: Ping"]);
    }
    let old = challenge_login(scene, None);
    challenge_login(scene, Some(()));
    let key = scene.open().unwrap();
    scene.say(key, &["Action: Challenge", "AuthType: MD5"]);
    login_by_key(scene, key, &old);
    let off = scene.login("bench", "Events: off");
    scene.pass(1500);
    scene.say(
        off,
        &["Action: Login", "Username: bench", "Secret: <secret>"],
    );
    scene.say(off, &["Action: ListCommands"]);
    let caller = scene.login("caller", "");
    scene.pass(1500);
    scene.say(caller, &["Action: CoreStatus"]);
    scene.say(caller, &["Action: Ping"]);
    let refused = scene.open().unwrap();
    // The right secret from an address that is not permitted looks like a wrong one.
    scene.talk.exchange.leave(refused);
}

fn masks(scene: &mut Scene) {
    let (speaker, reader) = (
        scene.login("bench", "Events: off"),
        scene.login("bench", "Events: off"),
    );
    let limited = scene.login("reader", "Events: off");
    for mask in ["off", "call", "user", "bogus", ",x", "64", "on", "call", ""] {
        for key in [reader, limited] {
            scene.say(key, &["Action: Events", &format!("EventMask: {mask}")]);
        }
        scene.say(speaker, &["Action: UserEvent", "UserEvent: Mark"]);
        scene.say(
            speaker,
            &[
                "Action: Originate",
                LOCAL,
                "Application: Wait",
                "Data: 0",
                "Async: 1",
            ],
        );
        scene.pass(3000);
    }
    scene.say(reader, &["Action: Events", "EventMask: user"]);
    for filter in [
        &["Operation: Add", "Filter: Event: UserEvent"][..],
        &["Operation: Add", "Filter: !UserEvent: Other"],
        &["Operation: Add", "Filter: ["],
        &["Operation: Add", "Filter:"],
        &["Operation: Add", "Filter: x", "MatchCriteria: bogus(x)"],
        &[
            "Operation: Add",
            "Filter: Mark",
            "MatchCriteria: action(exclude),name(UserEvent),header(UserEvent),method(exact)",
        ],
    ] {
        scene.say(reader, &[&["Action: Filter"], filter].concat());
        scene.say(speaker, &["Action: UserEvent", "UserEvent: Mark"]);
        scene.say(speaker, &["Action: UserEvent", "UserEvent: Other"]);
    }
}

fn events(scene: &mut Scene) {
    let (first, second) = (
        scene.login("bench", "Events: on"),
        scene.login("bench", "Events: user,system"),
    );
    for number in 0..6 {
        let number = format!("N: {number}");
        scene.say(
            first,
            &["Action: UserEvent", "UserEvent: Mark", &number, "M: x"],
        );
        scene.pass(10);
    }
    scene.say(first, &["Action: Reload", "Module: logger"]);
    scene.say(second, &["Action: WaitEvent", "Timeout: 2"]);
    scene.pass(500);
    scene.say(first, &["Action: UserEvent", "UserEvent: Wake"]);
    scene.say(second, &["Action: WaitEvent", "Timeout: 2"]);
    scene.pass(500);
    scene.say(second, &["Action: Ping"]);
    scene.pass(3000);
    let restart = Fault::named("restart.once").unwrap();
    scene.talk.exchange.plant(restart.planted());
    scene.say(first, &["Action: Ping"]);
}

/// What cannot be seen without a handshake has tests on sockets.
fn secured(scene: &mut Scene) {
    let fault = scene.talk.exchange.tls_fault();
    scene.note(format!("{fault:?}"));
    let key = scene.open().unwrap();
    scene.talk.exchange.secure(key);
    scene.say(
        key,
        &[
            "Action: Login",
            "Username: bench",
            "Secret: <secret>",
            "Events: off",
        ],
    );
    scene.say(key, &["Action: CoreSettings"]);
    for _ in 0..5 {
        scene.say(key, &["Action: Ping"]);
    }
    scene.send(key, "Action: Ping\r\n\r\n".repeat(100).as_bytes());
    let large = format!("X: {}", "x".repeat(700));
    scene.say(key, &["Action: Ping", &large, &large]);
    for line in ["Action: Ping\r\n", "ActionID: 1\r\n", "\r\n"] {
        scene.send(key, line.as_bytes());
    }
}
