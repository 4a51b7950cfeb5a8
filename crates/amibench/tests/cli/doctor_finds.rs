//! Set-ups that are wrong in one way each: the first finding names the cause, and the advice below it what to do.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use ami_sim::{Account, Accounts, Handle, Profile, spawn_thread};
use serde_json::Value;

use crate::desk::{Desk, Ran};
use crate::sim::{SECRET, target};
use crate::unreachable::greeter;

/// A simulated PBX with accounts of the test's own.
fn pbx(profile: &str, accounts: Accounts) -> Handle {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    spawn_thread(Profile::named(profile).unwrap(), address, accounts, 1).unwrap()
}

fn bench(read: &str, write: &str) -> Accounts {
    Accounts::new(Account::new("bench", SECRET, read, write))
}

fn doctor(target: &str, args: &[&str]) -> Ran {
    let desk = Desk::new().with("secret", SECRET).with("pbx.toml", target);
    desk.run(&[&["doctor", "pbx.toml"], args].concat())
}

/// A well-known port on an address that only this process uses.
fn loopback(port: u16) -> String {
    let id = std::process::id();
    let [a, b, c] = [64 + (id >> 15) % 128, (id >> 7) % 256, 1 + id % 128];
    format!("127.{a}.{b}.{c}:{port}")
}

/// Ends with `code`; the finding that is told first begins with `first`, and its advice holds `advice`. On one line.
pub(crate) fn check(ran: &Ran, code: i32, first: &str, advice: &str) {
    assert_eq!(ran.code, code, "{ran:?}");
    let told: Vec<&str> = ran
        .out
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .collect();
    let told = told
        .join(" ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(told.starts_with(first), "expected {first:?}:\n{}", ran.out);
    assert!(told.contains(advice), "expected {advice:?}:\n{}", ran.out);
    let too_wide = |line: &&str| line.chars().count() > 80 && line.trim().contains(' ');
    let head = |line: &&str| !line.starts_with("pbx (") && !line.contains(".toml");
    let wide: Vec<&str> = ran.out.lines().filter(too_wide).filter(head).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn the_name_is_not_known() {
    let ran = doctor(&target("nowhere.invalid:5038"), &[]);
    check(
        &ran,
        3,
        "✗ connect no address is known for the name nowhere.invalid",
        "→ check `address` in pbx.toml",
    );
}

#[test]
fn the_manager_is_off() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let ran = doctor(&target(&address), &[]);
    let first = format!("✗ connect nothing listens on {address}: the manager is off, or elsewhere");
    check(&ran, 3, &first, "`enabled = yes`");
}

#[test]
fn the_access_list_of_a_vendor_that_closes_without_a_word_is_empty() {
    let address = greeter(&loopback(7777), b"");
    let ran = doctor(&target(&address), &[]);
    let first = format!(
        "✗ banner {address} closes without a word: its permitted IPs do not hold 127.0.0.1"
    );
    check(
        &ran,
        3,
        &first,
        "→ in Value-added Features > AMI > bench, Permitted IP(s): 127.0.0.1 / 255.255.255.255",
    );
}

#[test]
fn too_many_connections_wait_to_log_in() {
    let mut accounts = bench("all", "all");
    accounts.auth_limit = 0;
    let pbx = pbx("asterisk-22", accounts);
    let ran = doctor(&target(&pbx.addr().to_string()), &[]);
    let first = format!(
        "✗ banner {} closes without a banner: it turns away every connection now 1. too many connections wait to log in (`authlimit`",
        pbx.addr()
    );
    check(&ran, 3, &first, "→ try again in 30 s");
}

/// What stock Asterisk answers to a wrong secret, an unknown account and an address that the access list does not hold.
#[test]
fn the_secret_the_account_or_the_access_list_is_wrong() {
    let pbx = pbx(
        "asterisk-22",
        Accounts::new(Account::new("bench", "another", "all", "all")),
    );
    let stock = target(&pbx.addr().to_string());
    let first =
        "✗ login account bench is refused, and the PBX does not say why: Authentication failed";
    let ran = doctor(&stock, &[]);
    check(
        &ran,
        3,
        first,
        "1. its secret is not the one from secret 2. there is no account bench in manager.conf",
    );
    check(
        &ran,
        3,
        first,
        "3. its access list does not hold 127.0.0.1: under [bench] in manager.conf: `permit = 127.0.0.1/255.255.255.255`",
    );
    check(
        &ran,
        3,
        first,
        "→ Asterisk's log (notice) names the cause beside 127.0.0.1",
    );
    let ran = doctor(&stock.replace("\"bench\"", "\"nobody\""), &[]);
    check(
        &ran,
        3,
        "✗ login account nobody is refused",
        "2. there is no account nobody",
    );
}

#[test]
fn somebody_else_uses_the_account() {
    let accounts = bench("all", "all").one_login_each();
    let pbx = pbx("asterisk-22", accounts);
    let ran = doctor(&target(&pbx.addr().to_string()), &[]);
    check(
        &ran,
        3,
        "✗ sessions account bench may have one session only, and a test needs several",
        "→ set `allowmultiplelogin = yes`",
    );
    let mut other = TcpStream::connect(pbx.addr()).unwrap();
    write!(
        other,
        "Action: Login\r\nUsername: bench\r\nSecret: {SECRET}\r\n\r\n"
    )
    .unwrap();
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains("accepted") {
        let mut some = [0; 512];
        let length = other.read(&mut some).unwrap();
        heard.extend_from_slice(&some[..length]);
    }
    let ran = doctor(&target(&pbx.addr().to_string()), &[]);
    check(
        &ran,
        3,
        "✗ login account bench is in use, and may log in once only",
        "→ set `allowmultiplelogin = yes`",
    );
}

#[test]
fn write_classes_are_missing_in_the_words_of_the_vendor() {
    let stock = pbx("asterisk-22", bench("all", "originate"));
    let ran = doctor(&target(&stock.addr().to_string()), &[]);
    let first = "✗ calls account bench may not run Hangup, CoreShowChannels";
    check(
        &ran,
        2,
        first,
        "→ under [bench] in manager.conf, add to `write`: call, reporting",
    );
    let vendor = pbx("ucm6xxx", bench("all", "originate"));
    let ran = doctor(&target(&vendor.addr().to_string()), &[]);
    check(
        &ran,
        2,
        first,
        "→ in Value-added Features > AMI > bench, Privilege, tick: Call, Reporting",
    );
}

#[test]
fn class_call_may_not_be_read() {
    let pbx = pbx("asterisk-22", bench("system,user", "all"));
    let ran = doctor(&target(&pbx.addr().to_string()), &[]);
    let first = "✗ call events account bench may not read class call (only: system,user): its calls cannot be followed";
    check(
        &ran,
        2,
        first,
        "→ under [bench] in manager.conf, add to `read`: call",
    );
}

/// Where nobody may ask the console, the call shows it.
#[test]
fn class_call_may_not_be_read_and_only_a_call_shows_it() {
    let rights = "originate,call,reporting";
    let pbx = pbx("asterisk-22", bench("user", rights));
    let target = target(&pbx.addr().to_string());
    check(&doctor(&target, &[]), 0, "✓ connect", "");
    let ran = doctor(&target, &["--one-call"]);
    check(
        &ran,
        2,
        "✗ call answers it was up, but none of its events came: the account may not read class call",
        "→ under [bench] in manager.conf, add to `read`: call",
    );
    assert_eq!(pbx.counters().channels_up, 0);
}

#[test]
fn events_bear_no_timestamp() {
    let pbx = pbx("ucm6xxx", bench("all", "all"));
    let ran = doctor(&target(&pbx.addr().to_string()), &[]);
    check(
        &ran,
        0,
        "✓ connect",
        "· events bear no Timestamp: event delays cannot be measured → switch on Timestamp Events",
    );
}

#[test]
fn the_port_is_another_service_s() {
    let table: [(&[u8], &str); 4] = [
        (
            b"SSH-2.0-OpenSSH_9.2p1\r\n",
            "is an SSH server, not the manager: it began with \"SSH-2.0-OpenSSH_9.2p1\"",
        ),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "is a web server, not the manager",
        ),
        (
            b"SIP/2.0 400 Bad Request\r\n\r\n",
            "is a SIP server, not the manager",
        ),
        (b"220 mail ESMTP\r\n", "is another service, not the manager"),
    ];
    for (greeting, what) in table {
        let address = greeter("127.0.0.1:0", greeting);
        let ran = doctor(&target(&address), &[]);
        check(
            &ran,
            3,
            &format!("✗ banner {address} {what}"),
            "→ give the manager's port in pbx.toml: 5038 is usual",
        );
    }
}

/// AMI over HTTP, 8088: it waits for its client to speak.
#[test]
fn the_port_is_the_web_server_s() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut heard = [0; 64];
                let length = stream.read(&mut heard).unwrap_or(0);
                if heard[..length].starts_with(b"HEAD ") {
                    stream
                        .write_all(b"HTTP/1.1 404 Not Found\r\nServer: Asterisk\r\n\r\n")
                        .unwrap();
                }
            });
        }
    });
    let ran = doctor(&target(&address), &[]);
    check(
        &ran,
        3,
        &format!("✗ banner {address} is a web server, not the manager"),
        "→ give the manager's port",
    );
}

#[test]
fn the_port_is_that_of_sip() {
    let address = loopback(5060);
    let listener = TcpListener::bind(&address).unwrap();
    let ran = doctor(&target(&address), &[]);
    let first =
        format!("✗ banner {address} is silent: 5060 is the port of SIP, not of the manager");
    check(&ran, 3, &first, "→ give the manager's port");
    drop(listener);
}

#[test]
fn one_call_is_placed_followed_and_gone() {
    let pbx = pbx("asterisk-22", bench("all", "all"));
    let target = target(&pbx.addr().to_string());
    let ran = doctor(&target, &["--one-call"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let line = ran
        .out
        .lines()
        .find(|line| line.contains("call answers"))
        .unwrap();
    assert!(
        line.contains("✓ call answers  answered (reason 4) after "),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("gone: CoreShowChannels does not list it\n"),
        "{}",
        ran.out
    );
    let ran = doctor(&target, &["--one-call", "busy"]);
    assert!(
        ran.out.contains("✓ call busy     busy (reason 5) after "),
        "{}",
        ran.out
    );
    let counters = pbx.counters();
    assert_eq!((counters.calls_placed, counters.channels_up), (2, 0));
}

#[test]
fn a_call_that_ends_otherwise_is_told_in_words() {
    let pbx = pbx("asterisk-22", bench("all", "all"));
    let target = target(&pbx.addr().to_string());
    let busy = target.replace("Local/answer@", "Local/busy@");
    let ran = doctor(&busy, &["--one-call"]);
    check(
        &ran,
        1,
        "✗ call answers busy (reason 5) after ",
        "→ Local/busy@amibench is in use, or takes no more calls",
    );
    let ran = doctor(&target, &["--one-call", "nobody"]);
    check(
        &ran,
        2,
        "✗ call nobody not placed: the target maps answers, busy",
        "→ add [roles.nobody] to pbx.toml",
    );
    let forbidden = target.replace("Local/*@amibench", "Local/*@elsewhere");
    let ran = doctor(&forbidden, &["--one-call"]);
    check(
        &ran,
        2,
        "✗ role answers Local/answer@amibench → hold@amibench: not permitted",
        "add a [[limits.dial]]",
    );
    assert_eq!(pbx.counters().calls_placed, 1, "only the busy one");
}

#[test]
fn each_verb_has_its_needs() {
    let pbx = pbx("asterisk-22", bench("all", "originate"));
    let target = target(&pbx.addr().to_string());
    let ran = doctor(&target, &["--for", "snapshot"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(
        ran.out
            .starts_with(&format!("pbx ({}): ready for snapshot\n", pbx.addr())),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("· queries   not in the snapshot: Command, CoreSettings"),
        "{}",
        ran.out
    );
    let few = target.replace("max_sessions = 20", "max_sessions = 4");
    let ran = doctor(&few, &["--for", "conform"]);
    check(
        &ran,
        2,
        "✗ limits max_sessions permits 4, and conform needs 5",
        "→ raise `max_sessions` under [limits] in pbx.toml",
    );
}

#[test]
fn findings_are_data_too() {
    let pbx = pbx("asterisk-22", bench("user", "all"));
    let desk = Desk::new()
        .with("secret", SECRET)
        .with("pbx.toml", &target(&pbx.addr().to_string()))
        .with("gone.toml", &target("nowhere.invalid:5038"));
    // A target that must be mended is no less so for another that cannot be reached.
    let ran = desk
        .run(&["doctor", "gone.toml", "pbx.toml", "--format", "json"])
        .check(2, "");
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let [gone, pbx] = [0, 1].map(|index| &told["targets"][index]);
    assert_eq!(
        (&gone["target"], &gone["exit"], &gone["ready"]),
        (&"gone".into(), &3.into(), &false.into())
    );
    let first = &gone["findings"][0];
    assert_eq!(
        (&first["subject"], &first["state"], &first["cause"]),
        (&"connect".into(), &"mend".into(), &"name".into())
    );
    assert_eq!(
        (&pbx["target"], &pbx["exit"], &pbx["purpose"]),
        (&"pbx".into(), &2.into(), &"load".into())
    );
    assert_eq!(pbx["findings"][0]["cause"], "read-class-call");
    assert!(
        pbx["findings"][0]["steps"][0]
            .as_str()
            .unwrap()
            .contains("`read`")
    );
    let page = include_str!("../../../../docs/doctor.md");
    let (_, example) = page.split_once("```json\n").unwrap();
    let shown: Value = serde_json::from_str(example.split("```").next().unwrap()).unwrap();
    let shown = &shown["targets"][0];
    assert_eq!(keys(pbx), keys(shown));
    assert_eq!(keys(&pbx["findings"][0]), keys(&shown["findings"][0]));
}

fn keys(object: &Value) -> Vec<&String> {
    object.as_object().unwrap().keys().collect()
}
