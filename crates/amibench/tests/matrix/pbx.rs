//! A simulated PBX in memory and in paused time, and a judge beside it.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;

use ami_client::target::Role;
use ami_client::tls::{Fingerprint, TlsClient, TlsSettings};
use ami_client::wire::Wire;
use ami_client::{Clock, Document, Target};
use ami_conform::bench::{Dial, Site, Way};
use ami_conform::device::{Device, Transport};
use ami_conform::logins::{Credentials, Lesser, Logins};
use ami_conform::reading::{self, Told};
use ami_conform::suite::{self, Judgement, Planned, Selection};
use ami_proto::session::Secret;
use ami_sim::{Account, Accounts, Addresses, LIMITED_CLASSES, Profile, Simulator, Tls};
use tokio::task::LocalSet;

use crate::PLANTED;

pub(crate) const SECRET: &str = "correct horse";
/// What a simulated session and its client may have in the air.
const WIRE_BYTES: usize = 1 << 16;

#[derive(Debug)]
struct InMemory {
    simulator: Simulator,
    tls: Tls,
    client: TlsClient,
}

impl Dial for InMemory {
    fn dial(&self, way: Way) -> Pin<Box<dyn Future<Output = io::Result<Wire>> + '_>> {
        let (near, far) = tokio::io::duplex(WIRE_BYTES);
        let simulator = self.simulator.clone();
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let addresses = Addresses {
            local: nowhere,
            remote: nowhere,
        };
        let tls = self.tls.clone();
        tokio::task::spawn_local(async move {
            match way {
                Way::Usual => {
                    simulator.serve_wire(far, addresses).await;
                }
                Way::Tls(_) | Way::UnderTls => {
                    simulator.serve_tls(&tls, far, addresses).await;
                }
                Way::Web => simulator.serve_web(far, addresses).await,
            }
        });
        Box::pin(async move {
            match way {
                Way::Tls(versions) => self.client.bare(near, versions).await,
                _ => Ok(Wire::Memory(near)),
            }
        })
    }
}

/// Judges a PBX of this profile by these cases, and by the planted one; `spoil` may make it a bad one.
pub(crate) fn judge(
    profile: &str,
    spoil: impl FnOnce(&Simulator),
    selection: &Selection,
) -> Vec<Judgement> {
    look(profile, spoil, selection).1
}

/// What a look at a PBX of this profile shows.
pub(crate) fn device(profile: &str) -> Device {
    let little = Selection {
        only: vec!["banner.line.present".to_owned()],
        ..Selection::default()
    };
    look(profile, |_| {}, &little).0
}

fn look(
    profile: &str,
    spoil: impl FnOnce(&Simulator),
    selection: &Selection,
) -> (Device, Vec<Judgement>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let name = profile;
        let profile = Profile::named(name).unwrap();
        let accounts = Accounts::new(Account::new("bench", SECRET, "all", "all"));
        let accounts = accounts.with_lesser(SECRET);
        let simulator = Simulator::new(profile, accounts, 7);
        spoil(&simulator);
        let timers = simulator.clone();
        let tasks = LocalSet::new();
        tasks.spawn_local(async move { timers.run_timers().await });
        tasks.run_until(judged(name, simulator, selection)).await
    })
}

/// What the shipped target of a profile dials.
fn roles(profile: &str) -> BTreeMap<String, Role> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/targets");
    let path = folder.join(format!("sim-{profile}.toml"));
    let document = Document::read(&path).unwrap();
    Target::parse(profile, &document).unwrap().roles
}

async fn judged(
    profile: &str,
    simulator: Simulator,
    selection: &Selection,
) -> (Device, Vec<Judgement>) {
    let logins = Logins {
        own: Credentials {
            username: "bench".to_owned(),
            secret: Secret::new(SECRET),
        },
        lesser: Lesser::all(SECRET, LIMITED_CLASSES),
    };
    let tls = Tls::self_signed();
    let settings = TlsSettings::pinned(Fingerprint::of(tls.certificate()));
    let dial = Box::new(InMemory {
        simulator,
        tls,
        client: TlsClient::new(&settings).unwrap(),
    });
    let site = Site::new(dial, logins, "conf-00000000".to_owned(), Clock::start());
    let told = Told {
        speaks: [Transport::Plain, Transport::Tls, Transport::Http].into(),
        roles: roles(profile),
        ..Told::default()
    };
    let device = reading::read(&site, told).await.unwrap();
    let mut plan = selection.plan(&device);
    plan.push(Planned::Run(&PLANTED));
    let judgements = suite::run(&site, &device, &plan, &mut |_| {}).await;
    (device, judgements)
}
