//! One target: reached, read, planned, judged, and left as it was.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;

use ami_client::dial;
use ami_client::open::{connect, secure};
use ami_client::wire::Wire;
use ami_client::{Clock, Target};
use ami_conform::bench::{self, Dial, Site};
use ami_conform::device::{Release, Transport};
use ami_conform::expectation::Compared;
use ami_conform::logins::Logins;
use ami_conform::pace::Pace;
use ami_conform::reading::{self, Told};
use ami_conform::suite::{self, Judgement, Planned};
use ami_load::run_tag::random_bits;
use ami_results::judgement::{How, Outcome};
use ami_results::verdict::State;

use super::{Run, Subject, logins, plan, written};
use crate::args::Conform;
use crate::exit_code::{Exit, Failure};
use crate::simulators::{Simulators, Ways};
use crate::{print, refusal};

#[derive(Debug)]
struct Dialler {
    ways: Ways,
}

impl Dial for Dialler {
    fn dial(&self, way: bench::Way) -> Pin<Box<dyn Future<Output = io::Result<Wire>> + '_>> {
        Box::pin(async move {
            let peer = match way {
                bench::Way::Usual => Some(&self.ways.usual),
                bench::Way::Web => self.ways.web.as_ref(),
                bench::Way::Tls(_) | bench::Way::UnderTls => self.ways.tls.as_ref(),
            };
            let peer = peer.ok_or(io::ErrorKind::Unsupported)?;
            let stream = connect(&peer.address).await.map_err(io::Error::other)?;
            match (way, &peer.transport) {
                (bench::Way::UnderTls, _) => Ok(Wire::Tcp(stream)),
                (bench::Way::Tls(versions), ami_client::Transport::Tls(client)) => {
                    client.bare(stream, versions).await
                }
                _ => secure(peer, stream).await.map_err(io::Error::other),
            }
        })
    }
}

/// How a target is reached, and who logs in.
#[derive(Debug)]
pub(in crate::command) struct Way {
    ways: Ways,
    logins: Logins,
}

pub(in crate::command) fn way(
    target: &Target,
    simulators: &mut Simulators,
) -> Result<Way, Failure> {
    Ok(Way {
        logins: logins::of(target)?,
        ways: simulators.ways(target)?,
    })
}

/// What became of a target; filled as it comes, so that it is there whenever the run ends.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) target: String,
    pub(super) origin: String,
    /// What ids of this run begin with.
    pub(super) tag: String,
    /// How many cases were planned.
    pub(super) planned: usize,
    /// In the order of the catalogue once all are there.
    pub(super) judgements: Vec<(Judgement, Option<Compared>)>,
    /// What is wrong with the file of expectations as a whole.
    pub(super) objections: Vec<String>,
    pub(super) unreachable: Option<String>,
    /// Why the account was not let in, where only what needs no login could be judged.
    pub(super) kept_out: Option<String>,
    pub(super) how: Option<How>,
}

/// Judges it, and says meanwhile what comes of it.
pub(super) async fn target(run: &Run, subject: &Subject, way: Way, judged: &RefCell<Judged>) {
    let target = &subject.target;
    let tag = format!("conf-{:08x}", random_bits() & 0xffff_ffff);
    {
        let mut judged = judged.borrow_mut();
        judged.target.clone_from(&target.name);
        judged.origin.clone_from(&target.origin);
        judged.tag.clone_from(&tag);
    }
    let told = told(target, &way.ways);
    let address = way.ways.usual.address.clone();
    let site = site(target, way, tag);
    if run.stopped.get() {
        site.stop();
    }
    run.sites.borrow_mut().push(site.clone());
    let secrets = site.logins.secrets();
    let device = match reading::read(&site, told).await {
        Ok(device) => device,
        Err(why) => {
            let more = refusal::more(target);
            judged.borrow_mut().unreachable = Some(format!("{}{more}", why.got));
            run.written
                .borrow_mut()
                .unreachable(target, &address, &why.got);
            return;
        }
    };
    let planned = run.selection.plan(&device);
    judged.borrow_mut().planned = planned.len();
    run.progress
        .hide(|| print::text(plan::of_target(target, &address, &device, &planned)));
    run.progress.add(planned.len());
    run.written
        .borrow_mut()
        .device(target, &address, &device, planned.len());
    let today = jiff::Zoned::now().date();
    suite::run(&site, &device, &planned, &mut |judgement| {
        let expectations = subject.expectations.as_ref();
        let compared = expectations.and_then(|known| known.compare(judgement, today));
        site.with_log(|log| {
            let row = written::judgement(target, judgement, compared.as_ref(), (log, &secrets));
            run.written.borrow_mut().judgement(row);
        });
        run.progress.one(&target.name, judgement.case.id);
        judged.borrow_mut().take(judgement.clone(), compared);
    })
    .await;
    let kept_out = site.kept_out();
    judged.borrow_mut().kept_out = kept_out.map(|why| format!("{why}{}", refusal::more(target)));
    let how = if run.stopped.get() {
        How::Interrupted
    } else {
        How::Completed
    };
    judged.borrow_mut().conclude(how, &planned);
}

/// When nothing more will come of it.
pub(super) fn end(run: &Run, subject: &Subject, judged: &mut Judged) {
    let how = match (&judged.unreachable, judged.how) {
        (Some(_), _) => How::Unreachable,
        (None, how) => how.unwrap_or(How::Interrupted),
    };
    judged.how = Some(how);
    if let Some(known) = &subject.expectations {
        judged.objections = known.objections();
    }
    let sites = run.sites.borrow();
    let site = sites.iter().find(|site| site.tag == judged.tag);
    let mut written = run.written.borrow_mut();
    written.end(judged, site.map(|site| &**site));
}

pub(in crate::command) fn site(target: &Target, way: Way, tag: String) -> std::rc::Rc<Site> {
    let limits = &target.limits;
    let permitted = Pace {
        sessions: limits.max_sessions,
        actions_per_s: limits.max_actions_per_s,
        calls_up: limits.max_calls_up,
        calls_per_s: limits.max_calls_per_s,
        calls_total: limits.max_calls_total,
    };
    let dial = Box::new(Dialler { ways: way.ways });
    Site::paced(dial, way.logins, tag, Clock::start(), permitted)
}

fn told(target: &Target, ways: &Ways) -> Told {
    let plain = matches!(ways.usual.transport, ami_client::Transport::Plain);
    let speaks = [
        (Transport::Plain, plain),
        (Transport::Tls, ways.tls.is_some()),
        (Transport::Http, ways.web.is_some()),
    ];
    let web = target.conform.web.as_ref();
    let mut told = Told {
        speaks: speaks
            .into_iter()
            .filter_map(|(transport, spoken)| spoken.then_some(transport))
            .collect(),
        web_prefix: web.map(|web| web.prefix.clone()).unwrap_or_default(),
        release: target.conform.asterisk.as_deref().and_then(Release::parse),
        reads: target.conform.read.clone(),
        ..Told::default()
    };
    for (name, role) in &target.roles {
        match dial::permit(role, &target.dial) {
            Ok(()) => {
                told.roles.insert(name.clone(), role.clone());
            }
            Err(forbidden) => {
                let why = format!("role `{name}` may not be dialled: {forbidden}");
                told.barred.insert(name.clone(), why);
            }
        }
    }
    told
}

impl Judged {
    /// A judgement that is told again replaces the first.
    fn take(&mut self, judgement: Judgement, compared: Option<Compared>) {
        let mut all = self.judgements.iter_mut();
        match all.find(|(one, _)| one.case.id == judgement.case.id) {
            Some(first) => *first = (judgement, compared),
            None => self.judgements.push((judgement, compared)),
        }
    }

    fn conclude(&mut self, how: How, planned: &[Planned]) {
        let place = |id: &str| planned.iter().position(|one| one.case().id == id);
        self.judgements
            .sort_by_key(|(judgement, _)| place(judgement.case.id));
        self.how = Some(how);
    }

    pub(super) fn exit(&self, conform: &Conform) -> Exit {
        let mut exit = match self.how {
            Some(How::Unreachable) => return Exit::Unreachable,
            Some(How::Interrupted) | None => Exit::Interrupted,
            Some(How::Completed) if self.kept_out.is_some() => Exit::Unreachable,
            Some(How::Completed) => Exit::Held,
        };
        if self.judgements.iter().any(|(one, _)| !one.left.is_empty()) {
            exit = exit.max(Exit::Failed);
        }
        if conform.write_expected {
            return exit;
        }
        if !self.objections.is_empty() {
            exit = exit.max(Exit::Failed);
        }
        let exits = self.judgements.iter();
        let exits = exits.map(|(judgement, compared)| exit_of(conform, judgement, compared));
        let applied = |(one, _): &(Judgement, _)| {
            !matches!(one.finding.state, State::NotApplicable | State::Skipped)
        };
        if !self.judgements.iter().any(applied) {
            exit = exit.max(Exit::Inconclusive);
        }
        exits.fold(exit, Ord::max)
    }
}

fn exit_of(conform: &Conform, judgement: &Judgement, compared: &Option<Compared>) -> Exit {
    let state = judgement.finding.state;
    match compared.as_ref().map(|compared| compared.outcome) {
        Some(Outcome::AsExpected) => Exit::Held,
        Some(Outcome::Unexpected) if state == State::Inconclusive => Exit::Inconclusive,
        Some(Outcome::Unexpected | Outcome::Fixed | Outcome::Stale) => Exit::Failed,
        None if state == State::Warn && conform.strict => Exit::Failed,
        None => state.into(),
    }
}
