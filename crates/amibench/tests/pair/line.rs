//! A simulated PBX with its timers, and wires to it.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ami_client::open::{OpenError, open_wire};
use ami_client::wire::Wire;
use ami_client::{Clock, Connection};
use ami_proto::session::{LoginForm, Secret, SessionConfig};
use ami_sim::{Account, Accounts, Addresses, Profile, Simulator};
use tokio::io::DuplexStream;
use tokio::task::LocalSet;

pub(crate) const SECRET: &str = "correct horse";
/// What a simulated session and its client may have in the air.
const WIRE_BYTES: usize = 1 << 16;

pub(crate) struct Pbx {
    simulator: Simulator,
    pub(crate) clock: Clock,
}

/// How a client logs in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner<'a> {
    pub(crate) secret: &'a str,
    pub(crate) login: LoginForm,
    pub(crate) events: &'a str,
}

impl Default for Manner<'_> {
    fn default() -> Self {
        Self {
            secret: SECRET,
            login: LoginForm::Plain,
            events: "off",
        }
    }
}

/// Runs a test beside a PBX; its time is tokio's, which must be paused.
pub(crate) async fn beside<T: Future<Output = ()>>(profile: &str, test: impl FnOnce(Pbx) -> T) {
    let profile = Profile::named(profile).expect("a profile that ships");
    let accounts = Accounts::new(Account::new("bench", SECRET, "all", "all"));
    let simulator = Simulator::new(profile, accounts, 7);
    let timers = simulator.clone();
    let tasks = LocalSet::new();
    tasks.spawn_local(async move { timers.run_timers().await });
    let pbx = Pbx {
        simulator,
        clock: Clock::start(),
    };
    tasks.run_until(test(pbx)).await;
}

impl Pbx {
    pub(crate) fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// A connection whose other end the PBX serves.
    pub(crate) fn connect(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(WIRE_BYTES);
        let simulator = self.simulator.clone();
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let addresses = Addresses {
            local: nowhere,
            remote: nowhere,
        };
        tokio::task::spawn_local(async move { simulator.serve_wire(far, addresses).await });
        near
    }

    pub(crate) async fn log_in(&self, manner: Manner<'_>) -> Result<Connection, OpenError> {
        self.log_in_over(self.connect(), manner).await
    }

    pub(crate) async fn log_in_over(
        &self,
        wire: DuplexStream,
        manner: Manner<'_>,
    ) -> Result<Connection, OpenError> {
        let config = SessionConfig {
            username: "bench".to_owned(),
            secret: Secret::new(manner.secret),
            login: manner.login,
            events: manner.events.to_owned(),
            connection_id: 0x5eed,
            login_deadline: Duration::from_secs(10),
        };
        open_wire("pbx", Wire::Memory(wire), config, self.clock).await
    }

    /// How long something took in virtual time.
    pub(crate) async fn time<T>(&self, what: impl Future<Output = T>) -> (T, Duration) {
        let start = self.clock.now();
        let result = what.await;
        (result, self.clock.now() - start)
    }
}
