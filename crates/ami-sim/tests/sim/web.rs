//! AMI over HTTP: what real ones answered to the requests of `corpora/http`, and what only time shows.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ami_sim::{
    Addresses, After, Exchange, ManagerConf, Pbx, Profile, Reading, SessionKey, WebReader,
};
use md5::{Digest as _, Md5};
use serde_json::Value;

use crate::talk::Talk;

/// The accounts of the captures.
const CONF: &str = "
[general]
webenabled = yes
timestampevents = yes
[bench]
secret = hunter2
read = all
write = all
[denied]
secret = hunter2
deny = 0.0.0.0/0
[nobodyelse]
secret = hunter2
";

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(120);

struct Browser {
    talk: Talk,
    /// Ids in the order in which they were first seen.
    seen: BTreeMap<&'static str, Vec<String>>,
}

/// How the corpora call ids, and what stands before each.
const IDS: [(&str, &str); 2] = [("session", "mansession_id=\""), ("nonce", " nonce=\"")];

impl Browser {
    fn new(profile: &str) -> Self {
        Self::with(profile, CONF)
    }

    fn with(profile: &str, conf: &str) -> Self {
        let mut profile = Profile::named(profile).unwrap();
        let accounts = ManagerConf::parse(conf, &profile)
            .unwrap()
            .apply(&mut profile);
        Self {
            talk: Talk::new(profile, accounts),
            seen: IDS.map(|(name, _)| (name, Vec::new())).into(),
        }
    }

    fn addresses() -> Addresses {
        Addresses {
            local: "127.0.0.1:8088".parse().unwrap(),
            remote: "127.0.0.1:40000".parse().unwrap(),
        }
    }

    fn exchange(&mut self) -> &mut Exchange {
        &mut self.talk.exchange
    }

    /// Sends a request and leaves it alone, unless it is answered at once.
    fn ask(&mut self, request: &str) -> Result<(String, bool), SessionKey> {
        let mut reader = WebReader::default();
        reader.push(self.filled(request).as_bytes());
        let now = self.talk.now;
        let ticket = match reader.read() {
            Reading::Request(request) => self.exchange().ask_web(now, Self::addresses(), &request),
            Reading::Refused(refusal) => {
                let response = self.exchange().web_refusal(now, &refusal, After::Close);
                return Ok((self.named(response.bytes), response.after == After::Close));
            }
            Reading::Partial => panic!("{request} is not all"),
        };
        self.take(ticket).ok_or(ticket)
    }

    fn take(&mut self, ticket: SessionKey) -> Option<(String, bool)> {
        let response = self.exchange().take_web(ticket)?;
        let closes = response.after == After::Close;
        Some((self.named(response.bytes), closes))
    }

    /// The response, and whether the connection is closed; time passes until it is there.
    fn get(&mut self, request: &str) -> (String, bool) {
        let ticket = match self.ask(request) {
            Ok(response) => return response,
            Err(ticket) => ticket,
        };
        let end = self.talk.now + PATIENCE;
        while let Some(at) = self.exchange().poll_timeout().filter(|at| *at <= end) {
            self.talk.now = self.talk.now.max(at);
            let now = self.talk.now;
            self.exchange().handle_timeout(now);
            if let Some(response) = self.take(ticket) {
                return response;
            }
        }
        panic!("{request} is not answered");
    }

    fn query(&mut self, query: &str) -> String {
        let request =
            format!("GET /rawman?{query} HTTP/1.1\r\nCookie: mansession_id={{session:0}}\r\n\r\n");
        body(&self.get(&request).0).to_owned()
    }

    /// With ids in place of their names, and proofs in place of `{digest …}`.
    fn filled(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, ids) in &self.seen {
            for (number, id) in ids.iter().enumerate() {
                text = text.replace(&format!("{{{name}:{number}}}"), id);
            }
        }
        let Some((head, rest)) = text.split_once("{digest ") else {
            return text;
        };
        let (digest, tail) = rest.split_once('}').unwrap();
        let fields: Vec<&str> = digest.split(' ').collect();
        let &[user, secret, method, uri, nonce, count] = fields.as_slice() else {
            panic!("{digest}");
        };
        let number: usize = nonce.strip_prefix("nonce:").unwrap().parse().unwrap();
        let nonce = &self.seen["nonce"][number];
        let (who, what) = (
            md5(&format!("{user}:asterisk:{secret}")),
            md5(&format!("{method}:{uri}")),
        );
        let response = md5(&format!("{who}:{nonce}:{count}:abcd:auth:{what}"));
        format!(
            "{head}Digest username=\"{user}\", realm=\"asterisk\", nonce=\"{nonce}\", uri=\"{uri}\", qop=auth, \
             nc={count}, cnonce=\"abcd\", response=\"{response}\", opaque=\"{nonce}\"{tail}"
        )
    }

    /// With names in place of ids, as in the corpora.
    fn named(&mut self, bytes: Vec<u8>) -> String {
        let mut text = String::from_utf8(bytes).unwrap();
        for (name, mark) in IDS {
            let ids = self.seen.get_mut(name).unwrap();
            if let Some((_, rest)) = text.split_once(mark)
                && !ids.iter().any(|id| id == &rest[..8])
            {
                ids.push(rest[..8].to_owned());
            }
            for (number, id) in ids.iter().enumerate() {
                text = text.replace(id.as_str(), &format!("{{{name}:{number}}}"));
            }
        }
        text
    }
}

fn md5(text: &str) -> String {
    let digest = Md5::new().chain_update(text).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn body(response: &str) -> &str {
    response.split_once("\r\n\r\n").unwrap().1
}

/// What differs from run to run has a name in the corpora.
fn without_times(response: &str) -> String {
    let challenged = response.contains("\r\nChallenge: ");
    let lines = response.split_inclusive('\n').map(|line| {
        for (head, name) in [
            ("Date: ", "date"),
            ("Timestamp: ", "timestamp"),
            ("Challenge: ", "challenge"),
        ] {
            if line.starts_with(head) {
                return format!("{head}{{{name}}}\r\n");
            }
        }
        if challenged && line.starts_with("Content-Length: ") {
            return "Content-Length: {length}\r\n".to_owned();
        }
        line.to_owned()
    });
    let text: String = lines.collect();
    match text.split_once(" timestamp='") {
        Some((head, rest)) => {
            let (_, tail) = rest.split_once('\'').unwrap();
            format!("{head} timestamp='{{timestamp}}'{tail}")
        }
        None => text,
    }
}

fn check(profile: &str, file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../corpora/http")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let mut browser = Browser::new(profile);
    let exchanges: Vec<Value> = text
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(exchanges.len() > 60);
    for exchange in &exchanges {
        let request = exchange["request"].as_str().unwrap();
        let (response, closed) = browser.get(request);
        let expected = exchange["response"].as_str().unwrap();
        assert_eq!(without_times(&response), expected, "{profile}: {request}");
        assert_eq!(
            closed,
            exchange["closed"].as_bool().unwrap(),
            "{profile}: {request}"
        );
    }
}

#[test]
fn asterisk_16_answers_over_http_byte_by_byte() {
    check("asterisk-16", "asterisk-16.28.0.jsonl");
}

#[test]
fn asterisk_22_answers_over_http_byte_by_byte() {
    check("asterisk-22", "asterisk-22.10.1.jsonl");
}

const LOGIN: &str = "GET /rawman?action=login&username=bench&secret=hunter2 HTTP/1.1\r\n\r\n";

#[test]
fn a_session_lives_for_the_timeout_after_its_last_request_and_five_seconds_without_a_login() {
    let mut browser = Browser::new("asterisk-22");
    browser.get(LOGIN);
    for (pause, expected) in [
        (59_999, "Pong"),
        (59_999, "Pong"),
        (60_000, "Permission denied"),
    ] {
        browser.talk.pass(Duration::from_millis(pause));
        let answer = browser.query("action=ping");
        assert!(answer.contains(expected), "{pause}: {answer}");
    }
    let mut browser = Browser::new("asterisk-22");
    browser.get("GET /rawman?action=challenge&authtype=md5 HTTP/1.1\r\n\r\n");
    let challenge = browser.query("action=challenge&authtype=md5");
    browser.talk.pass(Duration::from_millis(4999));
    assert_eq!(browser.query("action=challenge&authtype=md5"), challenge);
    browser.talk.pass(Duration::from_secs(5));
    assert_ne!(browser.query("action=challenge&authtype=md5"), challenge);
}

#[test]
fn a_wait_looks_once_a_second_while_other_requests_are_answered() {
    let mut browser = Browser::new("asterisk-22");
    browser.get(&LOGIN.replace(" HTTP", "&events=user HTTP"));
    let wait = "GET /rawman?action=waitevent HTTP/1.1\r\nCookie: mansession_id={session:0}\r\n\r\n";
    browser.query("action=waitevent&timeout=0");
    let ticket = browser.ask(wait).unwrap_err();
    browser.talk.pass(Duration::from_millis(300));
    browser.query("action=userevent&userevent=A");
    assert!(browser.take(ticket).is_none());
    browser.talk.pass(Duration::from_millis(700));
    let (answer, _) = browser.take(ticket).unwrap();
    assert!(answer.contains("\r\nUserEvent: A\r\n"), "{answer}");
    let start = browser.talk.now;
    browser.get(wait);
    assert_eq!(
        browser.talk.now - start,
        Duration::from_secs(50),
        "ten seconds before the session would end"
    );
}

#[test]
fn a_second_wait_sends_the_first_away_with_nothing() {
    let mut browser = Browser::new("asterisk-22");
    browser.get(&LOGIN.replace(" HTTP", "&events=user HTTP"));
    browser.query("action=waitevent&timeout=0");
    let wait = "GET /mxml?action=waitevent HTTP/1.1\r\nCookie: mansession_id={session:0}\r\n\r\n";
    let first = browser.ask(wait).unwrap_err();
    let second = browser.ask(wait).unwrap_err();
    assert_eq!(body(&browser.take(first).unwrap().0), "");
    assert!(browser.take(second).is_none());
}

#[test]
fn a_nonce_is_stale_after_a_minute() {
    let mut browser = Browser::new("asterisk-22");
    let ask = |nonce: u32, count: u32| {
        let digest =
            format!("{{digest bench hunter2 GET /arawman?action=ping nonce:{nonce} {count:08x}}}");
        format!("GET /arawman?action=ping HTTP/1.1\r\nAuthorization: {digest}\r\n\r\n")
    };
    browser.get("GET /arawman?action=ping HTTP/1.1\r\n\r\n");
    assert!(browser.get(&ask(0, 1)).0.starts_with("HTTP/1.1 200"));
    browser.talk.pass(Duration::from_secs(40));
    assert!(browser.get(&ask(0, 2)).0.starts_with("HTTP/1.1 200"));
    browser.talk.pass(Duration::from_secs(23));
    let (stale, _) = browser.get(&ask(0, 3));
    assert!(
        stale.contains("nonce=\"{nonce:1}\"") && stale.contains("stale=true"),
        "{stale}"
    );
    assert!(browser.get(&ask(1, 1)).0.starts_with("HTTP/1.1 200"));
}

/// As both real ones took it from such accounts.
#[test]
fn an_empty_secret_is_proved_like_any_other_and_a_missing_one_as_null() {
    let conf = "[general]\nwebenabled = yes\n[empty]\nsecret =\n[none]\n";
    for (user, secret, expected) in [
        ("empty", "", "200"),
        ("empty", "(null)", "401"),
        ("none", "", "401"),
        ("none", "(null)", "200"),
    ] {
        let mut browser = Browser::with("asterisk-16", conf);
        browser.get("GET /arawman?action=ping HTTP/1.1\r\n\r\n");
        let digest =
            format!("{{digest {user} {secret} GET /arawman?action=ping nonce:0 00000001}}");
        let request =
            format!("GET /arawman?action=ping HTTP/1.1\r\nAuthorization: {digest}\r\n\r\n");
        let (answer, _) = browser.get(&request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {expected}")),
            "{user} {secret}: {answer}"
        );
    }
}

#[test]
fn without_webenabled_there_is_nothing() {
    let mut profile = Profile::named("asterisk-22").unwrap();
    let conf = CONF.replace("webenabled = yes", "");
    let accounts = ManagerConf::parse(&conf, &profile)
        .unwrap()
        .apply(&mut profile);
    let mut browser = Browser::new("asterisk-22");
    browser.talk.exchange = Exchange::new(Pbx::new(profile, accounts, 1, Duration::ZERO));
    assert!(browser.get(LOGIN).0.starts_with("HTTP/1.1 404"));
}

/// As in Asterisk each of them makes room for one session more that has not logged in.
#[test]
fn logins_over_http_are_taken_off_the_sessions_that_have_not_logged_in() {
    let mut browser = Browser::new("asterisk-22");
    browser.get(LOGIN);
    let admitted = (0..60).filter(|_| browser.talk.connect().is_some());
    assert_eq!(admitted.count(), 51);
}
