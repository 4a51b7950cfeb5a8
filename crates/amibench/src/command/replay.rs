//! `amibench replay`: sends the client side of a recorded session to a PBX again, and says what is otherwise than it was.

use std::cell::RefCell;
use std::rc::Rc;

use ami_client::Target;
use ami_client::target::Environment;
use ami_conform::bench::Site;
use ami_conform::finding::Evidence;
use ami_conform::import::{LineEnds, Recording};
use ami_conform::log::Manners;
use ami_conform::observed::Observed;
use ami_conform::recorded;
use ami_conform::replay::comparison::{Compared, compare};
use ami_conform::replay::drive::{self, Fate, Plan, Replayed};
use ami_conform::replay::permission::Rules;
use ami_conform::replay::script::Script;
use ami_conform::suite::Selection;
use ami_load::run_tag::random_bits;
use ami_results::judgement::{self as row, How};
use ami_results::run_dir::RunDir;
use ami_results::verdict::State;
use anyhow::{Context as _, anyhow};
use tokio::task::LocalSet;

use crate::args::Replay;
use crate::command::conform::judge::{self, Way};
use crate::command::conform::progress::Progress;
use crate::command::verdicts::{self, Verdicts};
use crate::exit_code::{Exit, Failure, OrExit};
use crate::operator::Stop;
use crate::simulators::Simulators;
use crate::{catalogue, print, recording, refusal, results};

mod foreseen;
mod known;
mod rows;

pub(crate) fn run(replay: &Replay) -> Result<Exit, Failure> {
    let recording = recording::read(&replay.capture, replay.stream)?;
    let target = target(replay)?;
    let then = recorded::observe(&recording);
    let script = Script::of(&then);
    let plan = Plan {
        script: &script,
        rules: Rules {
            allow: replay.allow.iter().copied().collect(),
            dial: target.dial.clone(),
        },
        extens: replay.map_exten.clone(),
        pause_max: replay.longest_pause,
    };
    let secrets = recorded::secrets(&then);
    let foreseen = foreseen::list(&plan, &secrets);
    let in_production = target.environment == Environment::Production;
    let is_confirmed = !in_production || replay.confirm.contains(&target.name);
    if replay.dry_run || !is_confirmed {
        print::text(foreseen);
        if !is_confirmed {
            let name = &target.name;
            print::line(format_args!(
                "{name} is in production: nothing was sent; to send it, add --confirm {name}"
            ));
        }
        return Ok(Exit::Held);
    }
    if !script.asked().any(|asked| plan.foreseen(asked).is_ok()) {
        print::text(foreseen);
        return Err(anyhow!("nothing of this recording would be sent")).or_exit(Exit::Inconclusive);
    }
    let mut simulators = Simulators::default();
    let way = judge::way(&target, &mut simulators)?;
    let whom = ami_client::target::slug(&target.name);
    let folder = results::folder(replay.out.as_deref(), &format!("replay-{whom}"));
    let run_dir = results::create(&folder)?;
    let ended = send(&target, way, &plan)?;
    let recorded = (recording.line_ends, &then, &script);
    let exit = conclude(replay, &target, recorded, &ended, &run_dir)?;
    print::line(run_dir.path().display());
    results::link_latest(replay.out.as_deref(), &run_dir)?;
    Ok(exit)
}

fn target(replay: &Replay) -> Result<Target, Failure> {
    let given = &replay.target;
    let mut targets = catalogue::targets(given)?;
    let (Some(target), true) = (targets.pop(), targets.is_empty()) else {
        let error = anyhow!("{given} has several targets: a recording is sent to one at a time");
        return Err(error).or_exit(Exit::BadInput);
    };
    if target.http.is_some() {
        let error = anyhow!("{given} speaks AMI over HTTP, and only AMI itself is sent again");
        return Err(error).or_exit(Exit::BadInput);
    }
    Ok(target)
}

/// How it ended, and all that passed.
struct Ended {
    site: Rc<Site>,
    how: How,
    replayed: Replayed,
    unreachable: Option<String>,
}

/// The first Ctrl-C takes away what was made; the second leaves at once.
fn send(target: &Target, way: Way, plan: &Plan<'_>) -> Result<Ended, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Bug)?;
    let progress = Progress::shown();
    progress.add(plan.script.asked().count());
    let tag = format!("replay-{:08x}", random_bits() & 0xffff_ffff);
    let site = judge::site(target, way, tag);
    let fates = RefCell::new(Replayed::default());
    let ended = runtime.block_on(LocalSet::new().run_until(async {
        let mut stop = Stop::listen().or_exit(Exit::Bug)?;
        let mut told = |asked: &ami_conform::replay::script::Asked<'_>, fate: &Fate| {
            progress.one(&target.name, &asked.action());
            fates.borrow_mut().fates.insert(asked.number, fate.clone());
        };
        let sending = drive::run(&site, plan, &mut told);
        tokio::pin!(sending);
        let mut stopped = false;
        loop {
            tokio::select! {
                ended = &mut sending => return Ok(Some((ended, stopped))),
                () = stop.wished() => {
                    if stopped {
                        return Ok(None);
                    }
                    stopped = true;
                    site.stop();
                    print::error(format_args!(
                        "stopping, and taking away what was made; once more to leave at once"
                    ));
                }
            }
        }
    }))?;
    progress.clear();
    let (how, replayed, unreachable) = match ended {
        Some((Ok(replayed), false)) => (How::Completed, replayed, None),
        Some((Ok(replayed), true)) => (How::Interrupted, replayed, None),
        Some((Err(why), _)) => (How::Unreachable, Replayed::default(), Some(why.got)),
        None => {
            let mut replayed = fates.into_inner();
            let left = format!("whatever has an id that begins with {}", site.tag);
            replayed.left.push(left);
            (How::Interrupted, replayed, None)
        }
    };
    Ok(Ended {
        site,
        how,
        replayed,
        unreachable,
    })
}

/// Judges, prints and writes what came.
fn conclude(
    replay: &Replay,
    target: &Target,
    (line_ends, then, script): (LineEnds, &Observed<'_>, &Script<'_>),
    ended: &Ended,
    run_dir: &RunDir,
) -> Result<Exit, Failure> {
    let Ended { site, how, .. } = ended;
    let secrets = site.logins.secrets();
    let passed = Recording {
        entries: site.with_log(|log| log.masked(&secrets)),
        ..Recording::default()
    };
    let now = Observed::of(&passed.entries, |_| Manners::Proper);
    let compared = match how {
        How::Unreachable => Vec::new(),
        _ => compare(script, then, &ended.replayed, &now),
    };
    let judge = |observed: &Observed<'_>, line_ends: LineEnds| {
        recorded::judge(observed, line_ends, &Selection::default())
    };
    let (device, judgements) = judge(&recorded::observe(&passed), passed.line_ends);
    let (_, before) = judge(then, line_ends);
    let known = known::Known::of(target, &before)?;
    let name = &target.name;
    let excerpt = |evidence: &Evidence| recorded::excerpt(&passed, evidence, &secrets);
    let mut judged: Vec<row::Judgement> = judgements
        .iter()
        .map(|one| row::Judgement {
            expectation: known.expectation(one),
            ..verdicts::judgement(name, one, excerpt, &secrets)
        })
        .collect();
    judged.extend(compared.iter().map(|one| rows::of(name, one, excerpt)));
    if let Some(first) = judged.first_mut() {
        first.left.clone_from(&ended.replayed.left);
    }
    if *how == How::Unreachable {
        judged.clear();
    }
    let options = row::Options {
        allow: replay.allow.iter().map(ToString::to_string).collect(),
        ..row::Options::default()
    };
    let mut verdicts = Verdicts::of(verdicts::run("replay", options, &replay.labels));
    let subject = row::Device {
        unreachable: ended.unreachable.clone(),
        ..verdicts::subject(target, &target.endpoint.to_string())
    };
    let device = verdicts::device(subject, &device, judged.len());
    let device = rows::with_recording(device, replay, then, &ended.replayed);
    let exit = exit(*how, &judged, &compared);
    verdicts.add(device, judged, *how);
    verdicts.print(replay.cases.detail());
    if let Some(why) = &ended.unreachable {
        print::error(format_args!("{name}: {why}{}", refusal::more(target)));
    }
    verdicts::transcript(&run_dir.file("transcript.ami.jsonl"), name, site)
        .context("failed to write what passed")
        .or_exit(Exit::NotWritten)?;
    verdicts.write(run_dir, replay.names.naming())?;
    Ok(exit)
}

fn exit(how: How, judged: &[row::Judgement], compared: &[Compared]) -> Exit {
    let at_least = match how {
        How::Unreachable => return Exit::Unreachable,
        How::Interrupted => Exit::Interrupted,
        How::Completed => Exit::Held,
    };
    let is_decided = |one: &Compared| matches!(one.finding.state, State::Pass | State::Fail);
    if judged.iter().any(row::Judgement::is_wrong) {
        at_least.max(Exit::Failed)
    } else if !compared.iter().any(is_decided) {
        at_least.max(Exit::Inconclusive)
    } else {
        at_least
    }
}
