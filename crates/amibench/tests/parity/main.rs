//! The simulator held to real Asterisks: every scene is played on both, and nothing may tell them apart but what
//! `differences.toml` says. See README.md.
//!
//! Three tests a scene and PBX: the simulator beside the committed capture (always), the lab's PBX beside that capture and
//! beside the simulator (where the lab runs).

#![expect(clippy::expect_used, reason = "tests")]

mod canary;
mod capture;
mod compare;
mod differences;
mod drive;
mod normalise;
mod place;
mod scene;
mod wildcard;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::compare::differences;
use crate::differences::{Complaint, Differences};
use crate::normalise::{Session, sessions};
use crate::place::{PBXS, Pbx};
use crate::scene::Scene;

/// A PBX of the lab plays one scene after the other.
static TURNS: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];
/// A scene that differs on the lab is played again.
const PLAYS_MAX: usize = 3;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let scenes = Arc::new(scene::all().expect("the scenes can be read"));
    let known = Arc::new(Differences::read().expect("differences.toml can be read"));
    let trials = match std::env::var_os("AMIBENCH_CAPTURE") {
        Some(_) => on_lab(&scenes, capture),
        None => compared(&scenes, &known),
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn compared(scenes: &Arc<Vec<Scene>>, known: &Arc<Differences>) -> Vec<Trial> {
    let mut trials = canary::trials();
    for pbx in &PBXS {
        for scene in scenes.iter().cloned() {
            let known = Arc::clone(known);
            let name = format!("{}/{}", pbx.name, scene.name);
            trials.push(Trial::test(name, move || {
                outcome(beside_capture(pbx, &scene, &known))
            }));
        }
    }
    let live = Arc::clone(known);
    // A scene that the simulator cannot play has nothing that a fresh run could be compared with.
    let played = scenes.iter().filter(|scene| !known.is_pending(&scene.name));
    let played: Vec<Scene> = played.cloned().collect();
    trials.extend(on_lab(&played, move |pbx, scene| {
        beside_lab(pbx, scene, &live)
    }));
    let (scenes, known) = (Arc::clone(scenes), Arc::clone(known));
    trials.push(Trial::test("every-difference-applies", move || {
        outcome(every_difference_applies(&scenes, &known))
    }));
    trials
}

/// A test a scene on each PBX of the lab, ignored where none runs or nobody asked for it.
fn on_lab(
    scenes: &[Scene],
    test: impl Fn(&Pbx, &Scene) -> Result<Complaint> + Clone + Send + 'static,
) -> Vec<Trial> {
    let up = PBXS.each_ref().map(lab_is_up);
    // Minutes on a lab that nobody else uses: where it is required, as in CI, or to capture.
    let asked = lab_is_required() || std::env::var_os("AMIBENCH_CAPTURE").is_some();
    let mut trials = Vec::new();
    // By turns, so that the PBXs play at the same time.
    for scene in scenes {
        for ((pbx, turn), up) in PBXS.iter().zip(&TURNS).zip(up) {
            let (scene, test) = (scene.clone(), test.clone());
            let trial = Trial::test(format!("live/{}/{}", pbx.name, scene.name), move || {
                let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                outcome(test(pbx, &scene))
            });
            trials.push(trial.with_ignored_flag(!up || !asked));
        }
    }
    trials
}

/// One PBX is enough where the packages of the other could not be had.
fn lab_is_up(pbx: &Pbx) -> bool {
    let up = pbx.is_up();
    assert!(
        !lab_is_required() || PBXS.iter().any(Pbx::is_up),
        "no PBX of the lab runs, and AMIBENCH_LAB=required"
    );
    if !up {
        let line = format!(
            "skipped: {} does not run; `cargo xtask pbx up` starts it\n",
            pbx.name
        );
        std::io::stderr()
            .write_all(line.as_bytes())
            .expect("stderr is open");
    }
    up
}

fn lab_is_required() -> bool {
    std::env::var("AMIBENCH_LAB").is_ok_and(|value| value == "required")
}

fn beside_capture(pbx: &Pbx, scene: &Scene, known: &Differences) -> Result<Complaint> {
    let real = sessions(&pbx.captured(scene)?);
    Ok(simulator_beside(&real, pbx, scene, known))
}

fn simulator_beside(real: &[Session], pbx: &Pbx, scene: &Scene, known: &Differences) -> Complaint {
    let found = match pbx.simulate(scene) {
        // No race excuses that.
        Err(_) if known.is_pending(&scene.name) => return None,
        Err(error) => return Some(format!("the simulator cannot play it: {error:#}")),
        Ok(simulated) => {
            let swaps = known.swaps(&scene.name, pbx.name);
            differences(&sessions(&simulated), real, &swaps)
        }
    };
    known.judge(&scene.name, pbx.name, &found)
}

/// Plays of a real PBX must not differ at all, or the comparison asks for what a PBX does not promise. What threads settle is
/// not the same each time, what is wrong is.
fn beside_lab(pbx: &Pbx, scene: &Scene, known: &Differences) -> Result<Complaint> {
    let mut complaint = None;
    for _ in 0..PLAYS_MAX {
        let played = pbx.play_for_real(scene)?;
        complaint = real_beside_others(&sessions(&played), pbx, scene, known)?;
        let Some(complaint) = &mut complaint else {
            return Ok(None);
        };
        let file = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("parity")
            .join(pbx.name)
            .join(format!("{}.ami.jsonl", scene.name));
        capture::write(&file, played, &place::lab_secrets()?)?;
        write!(complaint, "\nits bytes are in {}", file.display())?;
    }
    Ok(complaint)
}

fn real_beside_others(
    real: &[Session],
    pbx: &Pbx,
    scene: &Scene,
    known: &Differences,
) -> Result<Complaint> {
    let swaps = known.swaps(&scene.name, pbx.name);
    let since = differences(real, &sessions(&pbx.captured(scene)?), &swaps);
    let since = known.certain(&scene.name, pbx.name, &since);
    if !since.is_empty() {
        let lines = since.join("\n");
        return Ok(Some(format!(
            "a fresh play is not as the capture:\n{lines}"
        )));
    }
    Ok(simulator_beside(real, pbx, scene, known))
}

fn capture(pbx: &Pbx, scene: &Scene) -> Result<Complaint> {
    let played = pbx.play_for_real(scene)?;
    capture::write(&pbx.capture_file(scene), played, &place::lab_secrets()?)?;
    Ok(None)
}

fn every_difference_applies(scenes: &[Scene], known: &Differences) -> Result<Complaint> {
    let names: Vec<String> = scenes.iter().map(|scene| scene.name.clone()).collect();
    let mut found = Vec::new();
    for pbx in &PBXS {
        for scene in scenes {
            // A scene that cannot be played fails under its own name.
            if let (Ok(simulated), Ok(real)) = (pbx.simulate(scene), pbx.captured(scene)) {
                found.push((
                    pbx.name,
                    differences(&sessions(&simulated), &sessions(&real), &[]),
                ));
            }
        }
    }
    Ok(known.idle(&names, &found))
}

fn outcome(result: Result<Complaint>) -> Result<(), Failed> {
    match result {
        Ok(None) => Ok(()),
        Ok(Some(complaint)) => Err(complaint.into()),
        Err(error) => Err(format!("{error:#}").into()),
    }
}
