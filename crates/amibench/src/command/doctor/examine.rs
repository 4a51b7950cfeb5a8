//! The conversation with a target: two sessions, one that listens and one that asks; each answer becomes a finding.

use std::net::SocketAddr;
use std::time::Duration;

use ami_client::connection::{Reply, RequestError};
use ami_client::open::{Gate, OpenError, Reached, open, open_noting};
use ami_client::{Clock, Connection, Peer, Target, Transport};
use ami_proto::action::{channel, system};
use ami_proto::dialect::recognition::Recognition;
use ami_proto::dialect::vendor::Vendor;
use ami_proto::session::{Answer, LoginForm, Secret};

use super::one_call::Sessions;
use super::page::{Finding, Page};
use super::settings::{self, Settings};
use super::{ANSWER_WITHIN, Purpose, clock, dialling, listen, one_call, probe, rights, tls};
use crate::access;
use crate::exit_code::Exit;
use crate::refusal::{self, Circumstances, Diagnosis};

const LOGOFF_WITHIN: Duration = Duration::from_secs(2);

/// Who is looked at, and for what.
pub(super) struct Patient {
    pub(super) target: Target,
    /// The simulator, where the target is simulated.
    pub(super) peer: Peer,
    pub(super) purpose: Purpose,
    /// The role to call.
    pub(super) one_call: Option<String>,
}

/// Two sessions of the account.
struct Admission {
    listening: Connection,
    asking: Connection,
    local: SocketAddr,
}

impl Patient {
    /// Fills a page as far as the target lets us.
    pub(super) async fn examine(&self, secret: Secret, clock: Clock) -> Page {
        let mut page = Page::new(&self.target, self.purpose);
        let us = access::our_address(&self.peer.address);
        let mut at = Circumstances::of(&self.target, us);
        match self.enter(secret, clock, &mut page, &mut at).await {
            Ok(admission) => self.stay(admission, clock, &mut page, &mut at).await,
            Err(diagnosis) => {
                page.add(diagnosis);
                self.read_file(&mut page);
            }
        }
        page.recognise(at.vendor);
        page
    }

    /// Connects and logs in twice, with the time of each step.
    async fn enter(
        &self,
        secret: Secret,
        clock: Clock,
        page: &mut Page,
        at: &mut Circumstances<'_>,
    ) -> Result<Admission, Diagnosis> {
        let (target, gate) = (&self.target, Gate::default());
        let mut steps = Steps::new(clock);
        let listening = access::session(target, secret.clone(), "on");
        let opened = open_noting(&self.peer, listening, &gate, clock, &mut |reached| {
            steps.note(reached, clock.now());
        })
        .await;
        page.add_all(steps.findings(&opened));
        at.us = steps.connected.map(|(local, ..)| local.ip()).or(at.us);
        let (listening, local) = match (opened, steps.connected) {
            (Ok(listening), Some((local, _, _))) => (listening, local),
            (Ok(_), None) => unreachable!("what is open was connected"),
            (Err(error), _) => return Err(self.diagnose(&error, at).await),
        };
        if let Transport::Tls(_) = self.peer.transport {
            page.add(tls::finding(&self.peer.address).await);
        }
        page.add(self.login(clock.now() - steps.banner_at));
        let asking = access::session(target, secret, "off");
        match open(&self.peer, asking, &gate, clock).await {
            Ok(asking) => Ok(Admission {
                listening,
                asking,
                local,
            }),
            Err(error) => {
                listening.logoff(LOGOFF_WITHIN).await;
                Err(refusal::of_second(&error, at))
            }
        }
    }

    /// With a closer look at a port that is silent.
    async fn diagnose(&self, error: &OpenError, at: &Circumstances<'_>) -> Diagnosis {
        match error {
            OpenError::NoBanner { address } => {
                refusal::silent(address, probe::silence(address).await, at)
            }
            error => refusal::of_open(error, at),
        }
    }

    fn login(&self, took: Duration) -> Finding {
        let form = match self.target.login {
            LoginForm::Plain => "plain: the secret crossed the wire as it is",
            LoginForm::Md5 => "MD5 challenge",
        };
        let (account, took) = (&self.target.account, Milliseconds(took));
        Finding::good("login", format!("{account} accepted in {took}, {form}"))
    }

    async fn stay(
        &self,
        admission: Admission,
        clock: Clock,
        page: &mut Page,
        at: &mut Circumstances<'_>,
    ) {
        let Admission {
            mut listening,
            mut asking,
            local,
        } = admission;
        match self.ask(&mut asking, page, at).await {
            Ok(settings) => {
                let told = settings.timestamps.as_deref();
                page.add_all(listen::findings(&mut listening, local, told, at).await);
            }
            Err(error) => page.add(broken_off(error)),
        }
        self.read_file(page);
        if let Some(name) = &self.one_call {
            let sessions = Sessions {
                listening: &mut listening,
                asking: &mut asking,
                clock,
            };
            page.add(call(name, sessions, page, at).await);
        }
        asking.logoff(LOGOFF_WITHIN).await;
        listening.logoff(LOGOFF_WITHIN).await;
    }

    /// What its file permits.
    fn read_file(&self, page: &mut Page) {
        if self.purpose.calls() || self.one_call.is_some() {
            page.add_all(dialling::roles(&self.target));
        }
        page.add(dialling::limits(&self.target, self.purpose));
    }

    /// What the PBX says of itself. `Err` when it stopped answering.
    async fn ask(
        &self,
        connection: &mut Connection,
        page: &mut Page,
        at: &mut Circumstances<'_>,
    ) -> Result<Settings, RequestError> {
        let told = connection
            .request(&system::core_settings(), Answer::Single, ANSWER_WITHIN)
            .await?;
        let commands = connection
            .request(&system::list_commands(), Answer::Single, ANSWER_WITHIN)
            .await?;
        at.vendor = at.vendor.seen_in_commands(&commands.response());
        page.add(version(&told, at));
        let mut recognition = Recognition::default();
        if let Some(banner) = connection.session().banner() {
            recognition.greeted(banner);
        }
        recognition.see(&told.response());
        recognition.see(&commands.response());
        page.add_all(rights::findings(&commands, self.purpose, at));
        let settings = if commands.response().get("Command").is_some() {
            settings::ask(connection, &self.target.account, &mut recognition).await?
        } else {
            Settings::default()
        };
        page.add_all(dialect(&recognition));
        if self.purpose.calls() {
            page.add(rights::call_events(settings.read.as_deref(), at));
        }
        page.add(clock::finding(connection).await?);
        let channels = connection
            .request(&channel::core_show_channels(), Answer::List, ANSWER_WITHIN)
            .await?;
        page.add(rights::channels_up(&channels));
        Ok(settings)
    }
}

fn version(told: &Reply, at: &Circumstances<'_>) -> Finding {
    let make = match at.vendor {
        Vendor::Stock => String::new(),
        known => format!("{}, ", known.words().name),
    };
    match told.response().text("AsteriskVersion") {
        Some(version) => Finding::good("version", format!("{make}Asterisk {version}")),
        None => Finding::note("version", format!("{make}not told: {}", told.message())),
    }
}

/// Whose AMI it is and why, and what does not go together.
fn dialect(recognition: &Recognition) -> Vec<Finding> {
    let Some(dialect) = recognition.dialect() else {
        return vec![Finding::note("dialect", "it does not show")];
    };
    let reasons = recognition.reasons().join("; ");
    let mut findings = vec![Finding::good("dialect", format!("{dialect}: {reasons}"))];
    let conflicts = recognition.conflicts().into_iter();
    findings.extend(conflicts.map(|conflict| Finding::note("conflict", conflict)));
    findings
}

/// Only where nothing else is to be mended first.
async fn call(name: &str, sessions: Sessions<'_>, page: &Page, at: &Circumstances<'_>) -> Finding {
    let role = match one_call::role(name, at) {
        Ok(role) => role,
        Err(finding) => return *finding,
    };
    if page.exit() != Exit::Held {
        return Finding::note(&format!("call {name}"), "not placed: mend the rest first");
    }
    let placed = one_call::place((name, role), sessions, at).await;
    placed.unwrap_or_else(broken_off)
}

fn broken_off(error: RequestError) -> Finding {
    let chain = anyhow::Error::from(error);
    Finding::mend("answers", format!("{chain:#}"), Exit::Unreachable)
        .caused_by("broken-off")
        .advise("the PBX hangs, restarts, or cuts off who asks: look at its log")
}

/// When each step of an opening was reached.
struct Steps {
    began_at: Duration,
    /// Our address, the PBX's, and when.
    connected: Option<(SocketAddr, SocketAddr, Duration)>,
    banner_at: Duration,
}

impl Steps {
    fn new(clock: Clock) -> Self {
        let now = clock.now();
        Self {
            began_at: now,
            connected: None,
            banner_at: now,
        }
    }

    fn note(&mut self, reached: Reached, now: Duration) {
        match reached {
            Reached::Gate => self.began_at = now,
            Reached::Connected { local, remote } => self.connected = Some((local, remote, now)),
            Reached::Banner => self.banner_at = now,
        }
    }

    fn findings(&self, opened: &Result<Connection, OpenError>) -> Vec<Finding> {
        let Some((local, remote, connected_at)) = self.connected else {
            return Vec::new();
        };
        let took = Milliseconds(connected_at.saturating_sub(self.began_at));
        let connect = format!("{remote} in {took}, from {}", local.ip());
        let mut findings = vec![Finding::good("connect", connect)];
        if let Ok(connection) = opened {
            let banner = connection.session().banner().unwrap_or("none");
            let after = Milliseconds(self.banner_at.saturating_sub(connected_at));
            findings.push(Finding::good("banner", format!("{banner}, after {after}")));
        }
        findings
    }
}

/// Durations of a first look: three digits are more than they are worth.
pub(super) struct Milliseconds(pub(super) Duration);

impl std::fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = self.0.as_secs_f64() * 1000.0;
        match ms {
            _ if ms < 10.0 => write!(f, "{ms:.2} ms"),
            _ => write!(f, "{ms:.0} ms"),
        }
    }
}
