//! What a user can get wrong: each ends with 2 before anything is sent, and says where it is and what would be right.

use std::fmt::Write as _;
use std::fs;

use crate::desk::{Desk, SMALL};
use crate::sim;

/// Loads `small.toml` after one replacement in it, and one in the target.
struct Broken {
    desk: Desk,
    told: String,
}

impl Broken {
    fn new() -> Self {
        let nobody = "192.0.2.1:5038";
        let desk = Desk::new()
            .with("secret", "hunter2\n")
            .with("pbx.toml", &sim::target(nobody));
        Self {
            desk,
            told: String::new(),
        }
    }

    fn scenario(&mut self, from: &str, to: &str) -> &mut Self {
        assert!(SMALL.contains(from), "{from}");
        fs::write(self.desk.path("small.toml"), SMALL.replacen(from, to, 1)).unwrap();
        writeln!(self.told, "# {from} → {to}").unwrap();
        self.run(&["load", "small.toml"])
    }

    fn target(&mut self, from: &str, to: &str) -> &mut Self {
        let whole = sim::target("192.0.2.1:5038");
        assert!(whole.contains(from), "{from}");
        fs::write(self.desk.path("small.toml"), SMALL).unwrap();
        fs::write(self.desk.path("pbx.toml"), whole.replacen(from, to, 1)).unwrap();
        writeln!(self.told, "# {from} → {to}").unwrap();
        self.run(&["load", "small.toml", "--target", "pbx.toml"])
    }

    fn run(&mut self, args: &[&str]) -> &mut Self {
        let told = self.desk.transcript(args);
        assert!(told.ends_with("exit 2\n\n"), "{told}");
        let said = told.replacen(&args.join(" "), "", 1);
        assert!(!said.contains("hunter2"), "{said}");
        assert!(!self.desk.path("results").exists(), "nothing ran");
        self.told.push_str(&told);
        self
    }

    fn told(&self) -> &str {
        &self.told
    }
}

#[test]
fn logins_and_events_are_asked_for_where_they_make_sense() {
    let mut broken = Broken::new();
    broken
        .scenario("ping = {}", "login = {}, group = \"load\"")
        .scenario("ping = {}", "login = { secret = \"s\" }")
        .scenario("ping = {}", "user-event = { bytes = 9000 }")
        .scenario("sessions = 3", "sessions = 3\nmeasure = \"event-delay\"")
        .scenario(
            "sessions = 3",
            "sessions = 3\nevents = \"user\"\nmeasure = \"event-delay\"",
        )
        .scenario("sessions = 3", "sessions = 3\nmeasure = \"delay\"");
    insta::assert_snapshot!(broken.told());
}

#[test]
fn a_scenario_is_read_strictly() {
    let mut broken = Broken::new();
    broken
        .scenario("sessions = 3", "sesions = 3")
        .scenario("sessions = 3", "sessions = 3\nsessions = 4")
        .scenario("sessions = 3", "sessions = \"three\"")
        .scenario("sessions = 3", "sessions = 0")
        .scenario("\"1s\"", "\"1 second\"")
        .scenario("\"40/s\"", "\"40 per second\"")
        .scenario("constant", "steady")
        .scenario("ping = {}", "pong = {}")
        .scenario("ping = {}", "query = \"Reload\"")
        .scenario("ping = {}", "ping = {}, query = \"Status\"")
        .scenario("ping = {}", "ping = {}, group = \"others\"")
        .scenario("role = \"answers\"", "role = \"voicemail\"")
        .scenario("name = \"steady\"", "name = \"Steady state\"")
        .scenario("[[group]]", "thresholds = [\"ping.p99 < 1ms\"]\n[[group]]")
        .scenario(
            "[[group]]",
            "thresholds = [\"pong.response.p99 < 1ms\"]\n[[group]]",
        )
        .scenario(
            "[[group]]",
            "thresholds = [\"all.failed.rate < 3\"]\n[[group]]",
        )
        .scenario("[[group]]", "[[group]")
        .scenario("[[group]]", "[[groups]]");
    insta::assert_snapshot!(broken.told());
}

#[test]
fn arrivals_and_thresholds_are_read_strictly() {
    let mut broken = Broken::new();
    let constant = "{ constant = { rate = \"40/s\" } }";
    for arrival in [
        "{ constant = { rate = \"0/s\" } }",
        "{ ramp = { from = \"0/s\", to = \"0/s\" } }",
        "{ ramp = { from = \"10/s\" } }",
        "{ step = { from = \"10/s\", every = \"1s\" } }",
        "{ step = { from = \"10/s\", by = \"1/s\", down-by = \"1/s\", every = \"1s\" } }",
        "{ step = { from = \"10/s\", by = \"1/s\", every = \"1s\", to = \"5/s\" } }",
        "{ step = { from = \"10/s\", by = \"1/s\", every = \"0s\" } }",
        "{ poisson = { rate = \"1.5/s\" } }",
        "{ burst = { size = 0, every = \"1s\" } }",
        "{ burst = { rate = \"5/s\", every = \"1s\" } }",
        "{ closed = { think = 5 } }",
        "{ closed = {}, constant = { rate = \"40/s\" } }",
    ] {
        broken.scenario(constant, arrival);
    }
    for threshold in [
        "{ limit = \"ping.p99 < 1ms\", abort = true }",
        "{ limit = \"pong.response.p99 < 1ms\", abort = true }",
        "{ limit = \"ping.response.p99 < 1ms\", delay = \"10s\" }",
        "{ limit = \"ping.response.p99 < 1ms\", abort = true, delay = \"soon\" }",
        "{ limit = \"ping.response.p99 < 1ms\", abort = 1 }",
        "{ limit = \"ping.response.p99 < 1ms\", phase = \"stedy\" }",
        "{ limit = \"ping.response.p99 < 1ms\", target = \"ucm\" }",
        "{ limit = \"ping.response.p99 < 1ms\", stop = true }",
        "{ abort = true }",
        "7",
        "\"all.rate >= 99%\"",
    ] {
        broken.scenario(
            "[[group]]",
            &format!("thresholds = [{threshold}]\n[[group]]"),
        );
    }
    insta::assert_snapshot!(broken.told());
}

#[test]
fn a_share_of_a_load_or_its_beginning_that_means_nothing() {
    let mut broken = Broken::new();
    fs::write(broken.desk.path("small.toml"), SMALL).unwrap();
    broken
        .run(&["load", "small.toml", "--segment", "5/4"])
        .run(&["load", "small.toml", "--segment", "2/4"])
        .run(&["load", "small.toml", "--start-at", "noon"])
        .run(&["load", "small.toml", "--start-at", "2999-01-01T00:00:00Z"])
        .run(&["load", "small.toml", "--warm-up", "soon"]);
    insta::assert_snapshot!(broken.told());
}

#[test]
fn a_target_is_read_strictly() {
    let mut broken = Broken::new();
    broken
        .target("account = ", "acount = ")
        .target("secret_file = \"secret\"", "secret = \"hunter2\"")
        .target("secret_file = \"secret\"", "secret_file = \"nowhere\"")
        .target("secret_file = \"secret\"", "")
        .target("secret_file = \"secret\"", "secret_command = \"exit 3\"")
        .target("secret_file", "secret_env = \"A\"\nsecret_file")
        .target("max_sessions = 20", "max_sessions = -20")
        .target("address = \"", "address = \"http://")
        .target("address = ", "simulate = \"asterisk-22\"\naddress = ")
        .target("address = \"192.0.2.1:5038\"", "simulate = \"asterisk-21\"")
        .target("exten = \"hold\"", "")
        .target("\"Local/answer@amibench\"", "\"answer\"");
    insta::assert_snapshot!(broken.told());
}

#[test]
fn a_target_permits_what_its_file_says_and_no_more() {
    let mut broken = Broken::new();
    broken
        .target("[[limits.dial]]\nchannel = \"Local/*@amibench\"\ncontext = \"amibench\"", "")
        .target("channel = \"Local/*@amibench\"", "channel = \"Local/*@elsewhere\"")
        .target("\"Local/answer@amibench\"", "\"Local/112@amibench\"")
        .target(
            "context = \"amibench\"\n\n[roles.answers]\nchannel = \"Local/answer@amibench\"",
            "context = \"*\"\n[[limits.dial]]\nchannel = \"PJSIP/*\"\n[roles.answers]\nchannel = \"PJSIP/200@trunk-1\"",
        )
        .target("max_sessions = 20", "max_sessions = 4")
        .target("max_actions_per_s = 1000", "max_actions_per_s = 39")
        .target("max_calls_up = 100", "max_calls_up = 1")
        .target("max_calls_per_s = 50", "max_calls_per_s = 9")
        .target("max_calls_total = 1000", "max_calls_total = 9");
    insta::assert_snapshot!(broken.told());
}

#[test]
fn a_name_or_a_flag_that_means_nothing() {
    let mut broken = Broken::new();
    broken
        .run(&["load", "quikstart"])
        .run(&["load", "nofile.toml"])
        .run(&["load", "quickstart", "--target", "nobody"])
        .run(&["load", "quickstart", "--target", "nofile.toml"])
        .run(&[
            "load",
            "quickstart",
            "--target",
            "ami://qa:hunter2@192.0.2.1",
        ])
        .run(&["load", "quickstart", "--target", "http://192.0.2.1"])
        .run(&["load", "ami://192.0.2.1", "--ping", "1/s"])
        .run(&[
            "load",
            "quickstart",
            "--target",
            "pbx.toml",
            "--target",
            "pbx.toml",
        ])
        .run(&["load", "quickstart", "--rate", "fast"])
        .run(&["load", "quickstart", "--ping", "1/s"])
        .run(&["load", "quickstart", "--label", "firmware"])
        .run(&["load"])
        .run(&["lode"])
        .run(&["doctor", "nobody"])
        .run(&["report", "nothing"])
        .run(&["cleanup", "--run", "nothing"])
        .run(&["sim", "--profile", "asterisk-21"])
        .run(&[
            "sim",
            "--profile",
            "asterisk-22",
            "--listen",
            "0.0.0.0:5038",
        ]);
    insta::assert_snapshot!(broken.told());
}
