//! What a judge does to find defects out: a conversation for each area, written down with its moments.

use std::time::Duration;

use ami_sim::{Accounts, Defect, Fault, ManagerConf, Output, Profile, SessionKey};

use crate::talk::{SECRET, Talk};

pub(crate) struct Scene {
    pub(crate) talk: Talk,
    pub(crate) log: Vec<String>,
    names: Vec<SessionKey>,
}

/// The conversation that shows a defect of that name.
pub(crate) fn script(name: &str) -> fn(&mut Scene) {
    match name.split('.').next().unwrap() {
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
        let mut talk = Talk::new(profile, Accounts::bench(SECRET));
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
