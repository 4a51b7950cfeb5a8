//! Reads from a PBX what it is and what the account may do there; also what passive cases look at.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ami_client::target::Role;
use ami_proto::frame::FrameKind;

use crate::bench::{Bench, Site};
use crate::cases::auth::{by_key, own_key};
use crate::device::{CommandFraming, Device, Reason, Release, Transport};
use crate::finding::Finding;
use crate::observed::Observed;
use crate::probe::{ANSWER_WITHIN, Got, Probe};

/// What the operator knows better than the wire shows.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub release: Option<Release>,
    pub reads: Option<BTreeSet<String>>,
    pub roles: BTreeMap<String, Role>,
    /// Roles that may not be dialled, and why not.
    pub barred: BTreeMap<String, String>,
    pub speaks: BTreeSet<Transport>,
    /// Of AMI over HTTP.
    pub web_prefix: String,
}

/// Lists that change nothing, asked for so that there is something to judge.
pub(crate) const SURVEY: &[&str] = &[
    "CoreStatus",
    "CoreShowChannels",
    "Status",
    "QueueStatus",
    "QueueSummary",
    "ParkedCalls",
    "BridgeList",
    "ExtensionStateList",
    "DeviceStateList",
    "PresenceStateList",
    "PJSIPShowEndpoints",
    "SIPpeers",
    "VoicemailUsersList",
];

/// What does not show stays unknown, with the reason; the error is that nobody could be connected to.
pub async fn read(site: &Rc<Site>, told: Told) -> Result<Device, Finding> {
    let mut device = Device {
        roles: told.roles,
        barred: told.barred,
        speaks: told.speaks,
        web_prefix: told.web_prefix,
        lesser: site.logins.lesser.keys().copied().collect(),
        ..Device::default()
    };
    let nothing_known = Device::default();
    let mut bench = Bench::new(site, &nothing_known);
    match bench.greeted().await?.1 {
        Some(banner) if banner.kind() == FrameKind::Banner => {
            let line = banner.frame().lines().next().unwrap_or_default();
            device.banner = String::from_utf8_lossy(line).into_owned();
        }
        _ => device.because("banner", "none came"),
    }
    match bench.listener("on").await {
        Ok(mut probe) => ask(&mut probe, &mut device, site).await,
        Err(why) => {
            device.because("all but the banner", &format!("unknown: {}", why.got));
            if !is_let_in_by_key(&mut bench).await {
                site.shut_out();
            }
        }
    }
    site.with_log(|log| {
        let observed = Observed::of(log.entries(), |conn| log.manners(conn));
        device.recognise(&observed);
    });
    if let Some(release) = told.release {
        device.release = Some(release);
        device.because("release", "the operator says so");
    }
    if told.reads.is_some() {
        device.reads = told.reads;
        device.because("read classes", "the operator says so");
    }
    Ok(device)
}

async fn is_let_in_by_key(bench: &mut Bench<'_>) -> bool {
    let answer = async {
        let (mut probe, _) = bench.greeted().await?;
        let key = own_key(bench, &mut probe).await?;
        by_key(bench, &mut probe, &key).await
    };
    let answer: Result<Got, Finding> = answer.await;
    answer.is_ok_and(|answer| answer.has("Response", "Success"))
}

/// One question after the other; one that is not answered leaves its part unknown.
async fn ask(probe: &mut Probe, device: &mut Device, site: &Site) {
    let mut unknown = Vec::new();
    match actions(probe).await {
        Ok(actions) => device.actions = actions,
        Err(why) => unknown.push(("actions", why)),
    }
    if let Err(why) = settings(probe, device).await {
        unknown.push(("release", why));
    }
    if let Err(why) = framing(probe, device, site).await {
        unknown.push(("Command framing", why));
    }
    if let Err(why) = survey(probe, device).await {
        unknown.push(("lists", why));
    }
    for (fact, why) in unknown {
        device.because(fact, &format!("unknown: {}", why.got));
    }
    probe.send("Logoff", &[]).await;
    // Whether it closes, and how, is judged from what was seen.
    let _ = probe.ends(ANSWER_WITHIN).await;
}

async fn actions(probe: &mut Probe) -> Result<Option<BTreeMap<String, String>>, Finding> {
    let answer = probe.ask("ListCommands", &[]).await?;
    if !answer.has("Response", "Success") {
        return Ok(None);
    }
    Ok(Some(listed(&answer)))
}

/// What an answer to ListCommands lists: an action, and what is said of it.
pub(crate) fn listed(answer: &Got) -> BTreeMap<String, String> {
    let ours = ["Response", "ActionID"];
    let frame = answer.frame();
    let listed = frame.headers().map(|header| {
        let name = String::from_utf8_lossy(header.name).into_owned();
        (name, header.text().into_owned())
    });
    listed
        .filter(|(name, _)| !ours.contains(&name.as_str()))
        .collect()
}

/// The classes of which an action needs one, as such a line ends: `Keepalive command.  (Priv: <none>)`.
pub(crate) fn classes(listed: &str) -> Option<impl Iterator<Item = &str>> {
    let (_, classes) = listed.rsplit_once("(Priv: ")?;
    Some(classes.trim_end().strip_suffix(')')?.split(','))
}

async fn settings(probe: &mut Probe, device: &mut Device) -> Result<(), Finding> {
    let answer = probe.ask("CoreSettings", &[]).await?;
    let version = answer.text("AsteriskVersion");
    let release = version.as_deref().and_then(Release::parse);
    match (&version, release) {
        (Some(version), Some(_)) => {
            device.because(
                "release",
                &format!("CoreSettings says AsteriskVersion {version}"),
            );
        }
        _ => device.because("release", "CoreSettings does not say it"),
    }
    device.version = version;
    device.release = release;
    Ok(())
}

async fn framing(probe: &mut Probe, device: &mut Device, site: &Site) -> Result<(), Finding> {
    let username = &site.logins.own.username;
    let user = format!("manager show user {username}");
    let answer = probe.ask("Command", &[("Command", &user)]).await?;
    device.framing = framing_of(&answer);
    match device.framing {
        None => device.because("Command framing", "the account may not run Command"),
        Some(CommandFraming::Follows) => {
            device.because(
                "Command framing",
                "`Response: Follows` up to `--END COMMAND--`",
            );
        }
        Some(CommandFraming::Output) => device.because("Command framing", "`Output:` headers"),
    }
    device.reads = read_classes(&String::from_utf8_lossy(answer.frame().bytes()));
    if device.reads.is_some() {
        device.because("read classes", "the console lists those of the account");
    }
    Ok(())
}

fn framing_of(answer: &Got) -> Option<CommandFraming> {
    let frame = answer.frame();
    if frame.body().is_some() {
        Some(CommandFraming::Follows)
    } else {
        frame.get("Output").map(|_| CommandFraming::Output)
    }
}

/// What a Command printed, whichever way it is framed.
pub(crate) fn text_of(answer: &Got) -> String {
    let frame = answer.frame();
    match frame.body() {
        Some(body) => String::from_utf8_lossy(body).into_owned(),
        None => {
            let lines = frame.get_all("Output").map(String::from_utf8_lossy);
            lines.fold(String::new(), |text, line| text + &line + "\n")
        }
    }
}

/// The line `read perm: call,user` of `manager show user`.
fn read_classes(console: &str) -> Option<BTreeSet<String>> {
    let line = console
        .lines()
        .find_map(|line| line.split_once("read perm:"))
        .map(|(_, classes)| classes)?;
    Some(line.trim().split(',').map(str::to_owned).collect())
}

async fn survey(probe: &mut Probe, device: &Device) -> Result<(), Finding> {
    let Some(actions) = &device.actions else {
        return Ok(());
    };
    for action in SURVEY
        .iter()
        .filter(|action| actions.contains_key(**action))
    {
        probe.send(action, &[]).await;
        probe.barrier_behind().await?;
    }
    Ok(())
}

impl Release {
    /// `22.10.1+dfsg`, `16.7.0`, `certified/18.9-cert1`.
    pub fn parse(version: &str) -> Option<Self> {
        let version = version.rsplit('/').next()?;
        let mut numbers = version.split(|c: char| !c.is_ascii_digit());
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?.parse().ok()?;
        Some(Self { major, minor })
    }
}

impl Device {
    fn because(&mut self, fact: &str, seen: &str) {
        self.reasons.push(Reason {
            fact: fact.to_owned(),
            seen: seen.to_owned(),
        });
    }
}
