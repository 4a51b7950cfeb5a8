//! A bench: where an active case works. It opens connections, hands out ids, and knows whether the PBX is alive.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use ami_client::Clock;
use ami_client::wire::Wire;
use ami_proto::session::Secret;
use ami_proto::transcript::Mark;
use tokio::sync::Mutex;

use crate::device::Device;
use crate::finding::Finding;
use crate::log::{Log, Manners, Side};
use crate::pace::{Meter, Pace, UNBOUND};
use crate::probe::{Got, Heard, Probe};
use crate::trace::Trace;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const BANNER_WITHIN: Duration = Duration::from_secs(5);
const LIVENESS_WITHIN: Duration = Duration::from_secs(5);

/// How connections to a PBX are made.
pub trait Dial: fmt::Debug {
    fn dial(&self) -> Pin<Box<dyn Future<Output = io::Result<Wire>> + '_>>;
}

/// Who logs in.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub username: String,
    pub secret: Secret,
}

/// What all connections of a run share.
#[derive(Debug)]
pub struct Site {
    dial: Box<dyn Dial>,
    pub credentials: Credentials,
    clock: Clock,
    log: RefCell<Log>,
    /// What tells our traces from those of others.
    pub tag: String,
    ids: Cell<u64>,
    pub(crate) meter: Meter,
    stopped: Cell<bool>,
    /// Asked whether the PBX lives; nothing else happens on it.
    control: Mutex<Option<Probe>>,
}

#[derive(Debug)]
pub struct Bench<'a> {
    pub(crate) site: Rc<Site>,
    pub device: &'a Device,
    traces: Vec<Trace>,
}

impl Site {
    pub fn new(
        dial: Box<dyn Dial>,
        credentials: Credentials,
        tag: String,
        clock: Clock,
    ) -> Rc<Self> {
        Self::paced(dial, credentials, tag, clock, UNBOUND)
    }

    /// Of a PBX that bears only so much.
    pub fn paced(
        dial: Box<dyn Dial>,
        credentials: Credentials,
        tag: String,
        clock: Clock,
        permitted: Pace,
    ) -> Rc<Self> {
        Rc::new(Self {
            dial,
            credentials,
            clock,
            log: RefCell::default(),
            tag,
            ids: Cell::new(0),
            meter: Meter::new(permitted),
            stopped: Cell::new(false),
            control: Mutex::new(None),
        })
    }

    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// All that passed so far.
    pub fn with_log<T>(&self, read: impl FnOnce(&Log) -> T) -> T {
        read(&self.log.borrow())
    }

    /// No further case is begun.
    pub fn stop(&self) {
        self.stopped.set(true);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.get()
    }

    pub(crate) fn next_id(&self) -> String {
        self.ids.set(self.ids.get() + 1);
        format!("{}-{}", self.tag, self.ids.get())
    }

    pub(crate) fn log(&self, conn: u32, side: Side, bytes: &[u8]) {
        let at = self.now();
        self.log.borrow_mut().chunk(at, conn, side, bytes);
    }

    pub(crate) fn mark(&self, conn: u32, mark: Mark) {
        let at = self.now();
        self.log.borrow_mut().mark(at, conn, mark);
    }

    /// A session of its own is answered; a lost one is opened again once.
    pub async fn is_alive(self: &Rc<Self>) -> bool {
        let mut control = self.control.lock().await;
        if let Some(probe) = &mut *control
            && pinged(probe).await
        {
            return true;
        }
        *control = log_in(self, "off").await.ok();
        match &mut *control {
            Some(probe) => pinged(probe).await,
            None => false,
        }
    }

    /// Says goodbye on the control session.
    pub async fn leave(&self) {
        if let Some(mut control) = self.control.lock().await.take() {
            control.send("Logoff", &[]).await;
            // It was only polite.
            let _ = control.next(LIVENESS_WITHIN).await;
        }
    }
}

/// Without the findings that an ordinary answer has: those would ask for life again.
async fn pinged(probe: &mut Probe) -> bool {
    let id = probe.send("Ping", &[]).await;
    loop {
        match probe.next(LIVENESS_WITHIN).await {
            Heard::Message(got) if got.has("ActionID", &id) => return true,
            Heard::Message(_) => {}
            Heard::End(_) | Heard::Silence => return false,
        }
    }
}

async fn connect(site: &Rc<Site>, manners: Manners) -> Result<Probe, Finding> {
    if site.with_log(Log::is_full) {
        return Err(Finding::inconclusive("more passed than can be kept"));
    }
    let place = Place::take(site)?;
    let dialled = tokio::time::timeout(CONNECT_WITHIN, site.dial.dial()).await;
    let wire = dialled
        .map_err(|_| Finding::inconclusive("no connection within 10 s"))?
        .map_err(|error| Finding::inconclusive(format!("no connection: {error}")))?;
    let at = site.now();
    let conn = site.log.borrow_mut().open(at, manners);
    Ok(Probe::new(wire, place, conn))
}

async fn greeted(site: &Rc<Site>, manners: Manners) -> Result<(Probe, Got), Finding> {
    let mut probe = connect(site, manners).await?;
    match probe.next(BANNER_WITHIN).await {
        Heard::Message(banner) => Ok((probe, banner)),
        Heard::End(_) => Err(Finding::inconclusive(
            "the connection was closed before a banner",
        )),
        Heard::Silence => Err(Finding::inconclusive("no banner within 5 s")),
    }
}

async fn log_in(site: &Rc<Site>, events: &str) -> Result<Probe, Finding> {
    log_in_with(site, events, Manners::Proper).await
}

async fn log_in_with(site: &Rc<Site>, events: &str, manners: Manners) -> Result<Probe, Finding> {
    let (mut probe, _) = greeted(site, manners).await?;
    let Credentials { username, secret } = &site.credentials;
    let id = probe
        .send(
            "Login",
            &[
                ("Username", username),
                ("Secret", secret.expose()),
                ("Events", events),
            ],
        )
        .await;
    loop {
        match probe.next(LIVENESS_WITHIN).await {
            Heard::Message(got) if got.has("ActionID", &id) && got.has("Response", "Success") => {
                return Ok(probe);
            }
            Heard::Message(got) if got.has("ActionID", &id) => {
                let why = format!("the login was refused: {}", got.summary());
                return Err(Finding::inconclusive(why));
            }
            Heard::Message(_) => {}
            Heard::End(_) | Heard::Silence => {
                return Err(Finding::inconclusive("the login was not answered"));
            }
        }
    }
}

/// The place of one session among those that are permitted; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) site: Rc<Site>,
}

impl Place {
    fn take(site: &Rc<Site>) -> Result<Self, Finding> {
        site.meter.open()?;
        Ok(Self {
            site: Rc::clone(site),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.site.meter.close();
    }
}

impl<'a> Bench<'a> {
    pub fn new(site: &Rc<Site>, device: &'a Device) -> Self {
        Self {
            site: Rc::clone(site),
            device,
            traces: Vec::new(),
        }
    }

    /// To be said before it is made.
    pub fn will_leave(&mut self, trace: Trace) {
        self.traces.push(trace);
    }

    pub(crate) fn take_traces(&mut self) -> Vec<Trace> {
        std::mem::take(&mut self.traces)
    }

    pub fn credentials(&self) -> &Credentials {
        &self.site.credentials
    }

    /// An ActionID, or another word, that nobody else uses.
    pub fn id(&self) -> String {
        self.site.next_id()
    }

    pub fn now(&self) -> Duration {
        self.site.now()
    }

    /// A connection on which nothing was said yet.
    pub async fn connect(&mut self) -> Result<Probe, Finding> {
        connect(&self.site, Manners::Rude).await
    }

    /// A connection whose banner was read, not logged in.
    pub async fn greeted(&mut self) -> Result<(Probe, Got), Finding> {
        greeted(&self.site, Manners::Rude).await
    }

    /// Logged in, without events.
    pub async fn session(&mut self) -> Result<Probe, Finding> {
        log_in(&self.site, "off").await
    }

    /// Logged in, without events; what is sent there may be rude.
    pub async fn rude_session(&mut self) -> Result<Probe, Finding> {
        log_in_with(&self.site, "off", Manners::Rude).await
    }

    /// Logged in, with the events of this mask.
    pub async fn listener(&mut self, events: &str) -> Result<Probe, Finding> {
        log_in(&self.site, events).await
    }
}
