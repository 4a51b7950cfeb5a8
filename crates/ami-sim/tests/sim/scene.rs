//! What a judge does to find defects out: a conversation for each area, written down with its moments.

use std::time::Duration;

use ami_sim::{Account, Accounts, Defect, Fault, ManagerConf, Output, Profile, SessionKey};
use md5::{Digest, Md5};

use crate::talk::{SECRET, Talk, value};

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

/// The conversation that shows whether a check holds.
pub(crate) fn script(check: &str) -> fn(&mut Scene) {
    match check.split('.').next().unwrap() {
        "connect" => connect,
        "framing" => framing,
        "response" => responses,
        "actionid" => action_ids,
        "list" | "raw" => lists,
        "command" => commands,
        "auth" => auth,
        "event" if check.contains("filter") || check.contains("mask") => masks,
        "event" => events,
        "originate" | "channel" => calls,
        "tls" => secured,
        "http" => crate::pages::web,
        "load" => loads,
        _ => store,
    }
}

impl Scene {
    pub(crate) fn new(check: &str, defect: Option<Defect>) -> Self {
        let release = match check {
            "command.format-follows" => "asterisk-13",
            _ => "asterisk-22",
        };
        let mut profile = Profile::named(release).unwrap();
        profile.timestamp_events = check == "event.timestamp";
        if check.starts_with("http.") {
            // Nothing else of it counts here.
            let conf = ManagerConf::parse("[general]\nwebenabled = yes\n", &profile).unwrap();
            let _ = conf.apply(&mut profile);
        }
        let mut accounts = accounts();
        if check == "auth.multiple.refused" {
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

fn connect(scene: &mut Scene) {
    let (first, second) = (scene.login("bench", ""), scene.login("bench", ""));
    let keys: Vec<SessionKey> = (0..51).filter_map(|_| scene.open()).collect();
    scene.listen();
    let end = scene.talk.exchange.handle_end();
    scene.note(format!("{end:?}"));
    scene.send(keys[0], b"Action: Ping\r\n\r\n");
    for _ in 0..29 {
        scene.pass(1000);
        scene.send(keys[1], b"X: y\r\n");
    }
    scene.pass(5000);
    scene.say(first, &["Action: CoreSettings"]);
    scene.talk.exchange.leave(first);
    scene.say(second, &["Action: Ping"]);
}

fn framing(scene: &mut Scene) {
    let key = scene.login("bench", "Events: user");
    let long = |length: usize| {
        format!(
            "Action: Ping\r\nActionID: 1\r\nX: {}\r\n\r\n",
            "x".repeat(length)
        )
    };
    let headers = |count: usize| format!("Action: Ping\r\n{}\r\n", "A: b\r\n".repeat(count - 1));
    for request in [
        "Action: Ping\n\n".to_owned(),
        "Action: Ping\nA: b\r\n\r\n\r\n".to_owned(),
        "Action: Ping\rX: y\r\n\r\n".to_owned(),
        long(1000),
        long(1019),
        long(2000),
        headers(128),
        headers(129),
        "hello world\r\nAction: Ping\r\n\r\n".to_owned(),
        "action: Ping\r\nACTIONID: 1\r\n\r\n".to_owned(),
        " Action: Ping\r\n\r\n".to_owned(),
        "Action : Ping\r\n\r\n".to_owned(),
        "Action:Ping\r\n\r\n".to_owned(),
        "Action:\t\tPing\r\n\r\n".to_owned(),
        "Action: Ping \r\n\r\n".to_owned(),
        "Action: pInG\r\n\r\n".to_owned(),
        "Action: Ping\r\nActionID: 1\r\nActionID: 2\r\n\r\n".to_owned(),
        "Action:\r\nAction: Ping\r\n\r\n".to_owned(),
        "\r\n\r\n\r\n".to_owned(),
        "Action: Ping\0xyz\r\n\r\n".to_owned(),
        "\0X: y\r\nAction: Ping\r\n\r\n".to_owned(),
        "Action: Ping\r\nActionID: \u{e9}\r\n\r\n".to_owned(),
        "Action: Ping\r\nActionID: 1\r\n\r\nAction: CoreShowChannels\r\nActionID: 2\r\n\r\nAction: Ping\r\nActionID: 3\r\n\r\n"
            .to_owned(),
        "Action: UserEvent\r\nUserEvent: Mark\r\n\r\n".to_owned(),
    ] {
        scene.send(key, request.as_bytes());
    }
    for byte in b"Action: Ping\r\n\r\n" {
        scene.send(key, &[*byte]);
    }
}

fn responses(scene: &mut Scene) {
    let stranger = scene.open().unwrap();
    scene.say(stranger, &["Action: Logoff"]);
    let key = scene.login("bench", "Events: off");
    scene.say(key, &["Action: Ping"]);
    scene.say(key, &["Action: Nope"]);
    let long = format!("Action: {}", "x".repeat(900));
    scene.say(key, &[&long]);
    scene.send(key, b"Action: Logoff\r\n\r\nAction: Ping\r\n\r\n");
}

fn action_ids(scene: &mut Scene) {
    let key = scene.login("bench", "Events: off");
    scene.say(key, &["Action: Ping"]);
    scene.say(key, &["Action: Ping", "ActionID:"]);
    scene.say(key, &["Action: Ping", "ActionID: Ab \r c  "]);
    for length in [64, 137, 138, 244] {
        let id = format!("ActionID: {}", "i".repeat(length));
        scene.say(key, &["Action: CoreShowChannels", &id]);
    }
    scene.say(key, &["Action: WaitEvent", "Timeout: 0", "ActionID: w"]);
    scene.pass(100);
}

fn lists(scene: &mut Scene) {
    let key = scene.login("bench", "Events: off");
    scene.say(key, &["Action: CoreShowChannels", "ActionID: 1"]);
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
    scene.say(key, &["Action: CoreShowChannels", "ActionID: 2"]);
    scene.say(key, &["Action: Status", "ActionID: 3"]);
    for action in ["Queues", "QueueRule", "SIPshowpeer"] {
        scene.say(
            key,
            &[
                &format!("Action: {action}"),
                "ActionID: 4",
                "Peer: 1",
                "Rule: 1",
            ],
        );
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

fn calls(scene: &mut Scene) {
    let key = scene.login("bench", "Events: call,dialplan");
    let target = ["Context: amibench", "Exten: hold", "Priority: 1"];
    let originate = |scene: &mut Scene, headers: &[&str]| {
        scene.say(key, &[&["Action: Originate"], headers].concat());
        scene.pass(40_000);
    };
    originate(scene, &target);
    originate(scene, &[&["Channel: foo"], &target[..]].concat());
    originate(scene, &[LOCAL]);
    originate(scene, &[LOCAL, "Async: 1"]);
    originate(
        scene,
        &[LOCAL, "Context: amibench", "Exten: nope", "Priority: 1"],
    );
    originate(scene, &[&[LOCAL, "Timeout: abc"], &target[..]].concat());
    originate(scene, &[LOCAL, "Application: System", "Data: true"]);
    originate(scene, &[LOCAL, "Application: NoOp", "Data: ${CURL(x)}"]);
    originate(
        scene,
        &[
            "Channel: Local/busy@amibench",
            "Application: Wait",
            "Data: 1",
        ],
    );
    for channel in [
        "Local/busy@amibench",
        "Foo/x",
        "Local/answer@amibench",
        "Local/answer@amibench",
    ] {
        let channel = format!("Channel: {channel}");
        let more = [
            "Async: 1",
            "Variable: A=1,B=2",
            "Variable: C=3",
            "Application: Wait",
            "Data: 1",
        ];
        originate(scene, &[&[channel.as_str()], &more[..]].concat());
    }
    channels(scene, key);
}

fn channels(scene: &mut Scene, key: SessionKey) {
    let long = format!("ChannelId: {}", "c".repeat(150));
    for id in [
        "ChannelId: mine",
        "ChannelId: mine",
        "ChannelId: yours",
        "ChannelId: theirs",
        &long,
    ] {
        let call = [
            "Action: Originate",
            LOCAL,
            id,
            "Application: Wait",
            "Data: 300",
            "Async: 1",
        ];
        scene.say(key, &call);
        scene.pass(100);
    }
    scene.pass(5000);
    let up = scene
        .talk
        .ask(key, &["Action: CoreShowChannels", "ActionID: 1"]);
    scene.note(format!("{up:?}"));
    let name = |id: &str| {
        let found = up.iter().find(|item| value(item, "Uniqueid") == Some(id));
        let name = found.and_then(|item| value(item, "Channel"));
        format!("Channel: {}", name.unwrap_or("none"))
    };
    for action in [
        &["Action: Hangup", &name("mine")][..],
        &["Action: Hangup", "Channel: yours"],
        &["Action: Redirect"],
        &[
            "Action: Redirect",
            &name("theirs"),
            "Context: amibench",
            "Exten: nope",
            "Priority: 1",
        ],
        &["Action: Hangup", "Channel: /^Local\\/nobody/"],
        &["Action: Hangup", "Channel: /("],
        &["Action: Getvar", "Variable: UNSET"],
        &["Action: Getvar", "Variable: BASE64_DECODE(DQo=)"],
        &["Action: Getvar", "Variable: SHELL(echo x)"],
        &["Action: Status", "Variables: UNSET"],
    ] {
        scene.say(key, action);
        scene.pass(100);
    }
}

fn store(scene: &mut Scene) {
    let key = scene.login("bench", "Events: off");
    for action in [
        &[
            "Action: ExtensionState",
            "Exten: nobody",
            "Context: amibench",
        ][..],
        &["Action: QueueStatus", "Queue: no-such-queue"],
        &["Action: DBPut", "Family: amitest", "Key: a", "Val: b:c=d"],
        &["Action: DBGet", "Family: amitest", "Key: a"],
        &["Action: GetConfig", "Filename: /etc/hostname"],
        &["Action: ListCategories", "Filename: ../hostname"],
        &["Action: ModuleCheck", "Module: bogus"],
    ] {
        scene.say(key, action);
    }
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

fn loads(scene: &mut Scene) {
    let key = scene.login("bench", "Events: user");
    let patience = scene.talk.exchange.write_timeout(key);
    scene.note(format!("{patience:?}"));
    scene.say(key, &["Action: Ping"]);
    for _ in 0..6 {
        scene.say(key, &["Action: UserEvent", "UserEvent: Mark"]);
    }
    scene.say(key, &["Action: Command", "Command: manager show eventq"]);
    scene.send(key, "Action: Ping\r\nA: 1\r\nA: 2\r\n\r\n".as_bytes());
    let binary = scene.login("bench", "Events: off");
    scene.send(binary, b"\xff\xfe\r\n\r\n");
    let greedy = scene.login("bench", "Events: off");
    scene.send(greedy, "Action: ListCommands\r\n\r\n".repeat(20).as_bytes());
    scene.pass(3000);
    for _ in 0..40 {
        if let Some(key) = scene.open() {
            scene.say(
                key,
                &[
                    "Action: Login",
                    "Username: bench",
                    "Secret: <secret>",
                    "Events: off",
                ],
            );
        }
    }
}
