//! `amibench conform`: judges PBXs by the contract of AMI, side by side, and leaves what was found in a results directory.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use ami_client::{Document, Target};
use ami_conform::bench::Site;
use ami_conform::case::Safety;
use ami_conform::cases;
use ami_conform::device::Release;
use ami_conform::expectation::Expectations;
use ami_conform::suite::Selection;
use ami_report::conformance::USUAL;
use ami_results::run_dir::RunDir;
use anyhow::anyhow;
use tokio::task::LocalSet;

use crate::args::Conform;
use crate::command::report::judged;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::operator::Stop;
use crate::simulators::Simulators;
use crate::{catalogue, print, production, results};

mod expected;
pub(super) mod judge;
mod logins;
mod plan;
pub(super) mod progress;
mod written;

use judge::Judged;
use progress::Progress;
use written::Written;

/// What all targets of a run share.
struct Run {
    selection: Selection,
    written: RefCell<Written>,
    progress: Progress,
    /// Of targets that are being judged.
    sites: RefCell<Vec<Rc<Site>>>,
    stopped: Cell<bool>,
}

/// A target, and what is known of it.
struct Subject {
    target: Target,
    expectations: Option<Expectations>,
}

pub(crate) fn run(conform: &Conform) -> Result<Exit, Failure> {
    if conform.list {
        list();
        return Ok(Exit::Held);
    }
    let selection = Selection {
        only: conform.only.clone(),
        except: conform.except.clone(),
        level: conform.level,
        allow: conform.allow.iter().copied().collect(),
    };
    selection.check().or_exit(Exit::BadInput)?;
    if selection.cases().next().is_none() {
        return Err(anyhow!(
            "no case is selected: `amibench conform --list` names all"
        ))
        .or_exit(Exit::Inconclusive);
    }
    let subjects = subjects(conform)?;
    if conform.dry_run {
        print::text(plan::selected(&selection));
        return Ok(Exit::Held);
    }
    if selection.allow.contains(&Safety::Disruptive) {
        let targets = subjects.iter().map(|subject| &subject.target);
        production::confirm(targets, &conform.confirm, production::Wish::Disrupt)?;
    }
    print::text(plan::selected(&selection));
    let whom = match subjects.as_slice() {
        [one] => ami_client::target::slug(&one.target.name),
        all => format!("{}-targets", all.len()),
    };
    let folder = results::folder(conform.out.as_deref(), &format!("conform-{whom}"));
    let run_dir = results::create(&folder)?;
    let judged = judge_all(conform, selection, &subjects, &run_dir)?;
    if conform.write_expected {
        for (subject, judged) in subjects.iter().zip(&judged) {
            expected::write(conform, subject, judged)?;
        }
    }
    let exits = judged.iter().map(|one| one.exit(conform));
    let exit = exits.max().unwrap_or(Exit::Held);
    print::line(run_dir.path().display());
    results::link_latest(conform.out.as_deref(), &run_dir)?;
    Ok(exit)
}

fn list() {
    for case in cases::all() {
        let (id, level, safety) = (case.id, case.level, case.safety);
        print::line(format_args!(
            "{id:<44} {level:<8} {safety:<17} {}",
            case.requirement
        ));
    }
}

fn subjects(conform: &Conform) -> Result<Vec<Subject>, Failure> {
    let given = match &conform.expected {
        // It may be about to be made.
        Some(path) if conform.write_expected && !path.is_file() => None,
        Some(path) => Some(Document::read(path).or_exit(Exit::BadInput)?),
        None => None,
    };
    let mut names = BTreeSet::new();
    let mut subjects = Vec::new();
    for name in &conform.targets {
        for target in catalogue::targets(name)? {
            if !names.insert(target.name.clone()) {
                let name = target.name;
                return Err(anyhow!("two targets are named {name}")).or_exit(Exit::BadInput);
            }
            if let Some(asterisk) = &target.conform.asterisk
                && Release::parse(asterisk).is_none()
            {
                return Err(anyhow!(
                    "{}: conform.asterisk = {asterisk:?} is no release as 16.28",
                    target.origin
                ))
                .or_exit(Exit::BadInput);
            }
            let document = match (&given, &conform.expected) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(_)) => None,
                (None, None) => catalogue::expected(&target)?,
            };
            if conform.write_expected {
                expected::path(conform, &target)?;
            }
            let parsed = document.as_ref().map(Expectations::parse);
            subjects.push(Subject {
                target,
                expectations: parsed.transpose().or_exit(Exit::BadInput)?,
            });
        }
    }
    if conform.write_expected && conform.expected.is_some() && subjects.len() > 1 {
        return Err(anyhow!(
            "--expected names one file, and there are {} targets to write of",
            subjects.len()
        ))
        .or_exit(Exit::BadInput);
    }
    Ok(subjects)
}

/// All at once; the first Ctrl-C ends each at the end of its case, the second at once.
fn judge_all(
    conform: &Conform,
    selection: Selection,
    subjects: &[Subject],
    run_dir: &RunDir,
) -> Result<Vec<Judged>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Bug)?;
    let written = Written::create(conform, run_dir, subjects.len()).or_exit(Exit::NotWritten)?;
    let run = Run {
        selection,
        written: RefCell::new(written),
        progress: if conform.quiet {
            Progress::hidden()
        } else {
            Progress::shown()
        },
        sites: RefCell::default(),
        stopped: Cell::new(false),
    };
    let mut simulators = Simulators::default();
    let judged = runtime.block_on(LocalSet::new().run_until(async {
        let stop = Stop::listen().or_exit(Exit::Bug)?;
        run.judge(subjects, &mut simulators, stop).await
    }))?;
    run.progress.clear();
    for one in &judged {
        if let Some(why) = one.unreachable.as_ref().or(one.kept_out.as_ref()) {
            print::error(format_args!("{}: {why}", one.target));
        }
    }
    let concluded = run.written.into_inner().conclude();
    report(conform, run_dir)?;
    concluded.or_exit(Exit::NotWritten)?;
    Ok(judged)
}

/// What was found as far as it could be written: here as it is, and for others beside the results.
fn report(conform: &Conform, run_dir: &RunDir) -> Result<(), Failure> {
    let conformance = judged::read(&[run_dir.path().to_owned()])?;
    judged::print(&conformance, conform.cases.detail());
    let exported = judged::named(&conformance, conform.names.naming());
    judged::write(&exported, &USUAL, run_dir.path())?;
    Ok(())
}

impl Run {
    async fn judge(
        &self,
        subjects: &[Subject],
        simulators: &mut Simulators,
        mut stop: Stop,
    ) -> Result<Vec<Judged>, Failure> {
        let mut ways = Vec::new();
        for subject in subjects {
            ways.push(judge::way(&subject.target, simulators)?);
        }
        let judged = subjects.iter().map(|_| RefCell::new(Judged::default()));
        let judged: Vec<RefCell<Judged>> = judged.collect();
        let each = subjects.iter().zip(ways).zip(&judged);
        let all =
            all_of(each.map(|((subject, way), judged)| {
                Box::pin(judge::target(self, subject, way, judged))
            }));
        self.until_done(all, &mut stop).await;
        for (subject, judged) in subjects.iter().zip(&judged) {
            judge::end(self, subject, &mut judged.borrow_mut());
        }
        Ok(judged.into_iter().map(RefCell::into_inner).collect())
    }

    async fn until_done(&self, all: impl Future<Output = ()>, stop: &mut Stop) {
        tokio::pin!(all);
        loop {
            tokio::select! {
                () = &mut all => return,
                () = stop.wished() => {
                    if self.stopped.replace(true) {
                        print::error(format_args!("leaving at once"));
                        return;
                    }
                    print::error(format_args!(
                        "stopping at the end of the case under way; once more to leave at once"
                    ));
                    self.sites.borrow().iter().for_each(|site| site.stop());
                }
            }
        }
    }
}

/// Side by side on this task, until the last is done.
async fn all_of<F: Future<Output = ()> + Unpin>(futures: impl Iterator<Item = F>) {
    let mut open: Vec<F> = futures.collect();
    std::future::poll_fn(|context| {
        open.retain_mut(|future| std::pin::Pin::new(future).poll(context).is_pending());
        if open.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}
