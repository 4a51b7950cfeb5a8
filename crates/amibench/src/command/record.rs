//! `amibench record`: what passes on the wire, written down: of a session of our own that asks and listens, or of an
//! application whose connections we relay; and again under pseudonyms.

use std::time::Duration;

use ami_client::{Clock, Document, OpenError, Peer, Target};
use ami_load::question::Question;
use ami_proto::action::system;
use ami_proto::session::{Answer, Secret};
use anyhow::anyhow;
use tokio::time::sleep;

use crate::args::Record;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::operator::Stop;
use crate::simulators::Simulators;
use crate::{access, catalogue, print, refusal};

mod contents;
mod line;
mod output;
mod relay;
mod share;

use line::{Line, Unopened, is_timeout};
use output::Output;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LOGOFF_WITHIN: Duration = Duration::from_secs(2);

/// Until somebody says otherwise, which is before the disk is full.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// At most 20 actions a second: a PBX that people use does not notice.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) fn run(record: &Record) -> Result<Exit, Failure> {
    let Some(given) = &record.target else {
        return share_again(record);
    };
    let target = target(given)?;
    let mut simulators = Simulators::default();
    let peer = simulators.peer(&target, 0)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Bug)?;
    match record.listen {
        Some(_) if target.http.is_some() => Err(anyhow!(
            "{given} speaks AMI over HTTP, and only connections of AMI itself are relayed"
        ))
        .or_exit(Exit::BadInput),
        Some(listen) => runtime.block_on(relay::run(record, &target, peer, listen)),
        None => {
            let questions = questions(record)?;
            let secret = access::secret(&target)?;
            runtime.block_on(session(record, &target, peer, secret, questions))
        }
    }
}

fn share_again(record: &Record) -> Result<Exit, Failure> {
    let from = record
        .from
        .as_ref()
        .expect("the parser wants a target or a file");
    share::share(from)?;
    Ok(Exit::Held)
}

fn target(given: &str) -> Result<Target, Failure> {
    let mut targets = catalogue::targets(given)?;
    match (targets.pop(), targets.is_empty()) {
        (Some(target), true) => Ok(target),
        _ => Err(anyhow!(
            "{given} has several targets: one is recorded at a time"
        ))
        .or_exit(Exit::BadInput),
    }
}

enum Questions {
    /// Everything that only reads and that the PBX has: what it does not know it would log as an offence.
    Usual,
    Chosen(Vec<Question>),
}

fn questions(record: &Record) -> Result<Questions, Failure> {
    let named = record.actions.iter().copied().map(Question::of);
    let chosen = match &record.script {
        Some(path) => {
            let document = Document::read(path).or_exit(Exit::BadInput)?;
            Question::parse(&document).or_exit(Exit::BadInput)?
        }
        None if record.actions.is_empty() => return Ok(Questions::Usual),
        None => named.collect(),
    };
    Ok(Questions::Chosen(chosen))
}

/// What ends a session of our own.
enum End {
    /// Everything that was asked for is in it.
    Complete,
    Interrupted,
    Full,
    Lost(anyhow::Error),
}

async fn session(
    record: &Record,
    target: &Target,
    mut peer: Peer,
    secret: Secret,
    questions: Questions,
) -> Result<Exit, Failure> {
    let mut stop = Stop::listen().or_exit(Exit::Bug)?;
    let output = Output::begin(record, target, std::slice::from_ref(&secret))?;
    peer.capture = Some(output.capture().clone());
    let config = access::session(target, secret, &record.events);
    let clock = Clock::start();
    let opened = tokio::select! {
        opened = Line::open(peer, target, config, clock) => opened,
        () = stop.wished() => return output.conclude(Exit::Interrupted),
    };
    let mut line = match opened {
        Ok(line) => line,
        Err(error) => {
            // What the PBX said before it turned us away is in the capture.
            print::error(match &error {
                Unopened::Wire(error) => told(error, target),
                Unopened::Web(error) => format!("{}: {}", target.name, with_causes(error)),
            });
            return output.conclude(Exit::Unreachable);
        }
    };
    let end = tokio::select! {
        end = ask_and_listen(&mut line, clock, questions, record.duration) => end,
        () = stop.wished() => match record.duration {
            None => End::Complete,
            Some(_) => End::Interrupted,
        },
        () = output.capture().ended() => End::Full,
    };
    line.logoff().await;
    let exit = match end {
        End::Complete | End::Full => Exit::Held,
        End::Interrupted => Exit::Interrupted,
        End::Lost(error) => {
            print::error(format_args!("{}: {error:#}", target.name));
            Exit::Unreachable
        }
    };
    output.conclude(exit)
}

fn told(error: &OpenError, target: &Target) -> String {
    let referral = refusal::referral(error, target);
    format!("{}: {}{referral}", target.name, with_causes(error))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

async fn ask_and_listen(
    line: &mut Line,
    clock: Clock,
    questions: Questions,
    duration: Option<Duration>,
) -> End {
    if let Err(error) = ask(line, questions).await {
        return End::Lost(error);
    }
    if duration.is_none() {
        print::line("everything is answered; listening until Ctrl-C");
    }
    line.listen(clock, duration).await
}

async fn ask(line: &mut Line, questions: Questions) -> anyhow::Result<()> {
    let questions = match questions {
        Questions::Chosen(questions) => questions,
        Questions::Usual => {
            let list = system::list_commands();
            let listed = line.request(&list, Answer::Single).await?;
            let mut usual = Question::usual();
            usual.retain(|question| question.action.name() != list.name());
            if listed.is_success() {
                let has = |question: &Question| listed.response().get(question.action.name());
                usual.retain(|question| has(question).is_some());
            }
            usual
        }
    };
    for Question { action, answer } in questions {
        sleep(PAUSE).await;
        match line.request(&action, answer).await {
            // That there is none is in the capture too; a late one goes by as nobody's.
            Err(error) if is_timeout(&error) => print::error(error),
            answered => drop(answered?),
        }
    }
    Ok(())
}
