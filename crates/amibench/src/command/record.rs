//! `amibench record`: what passes on the wire, written down: of a session of our own that asks and listens, or of an
//! application whose connections we relay; and again under pseudonyms.

use std::time::Duration;

use ami_client::connection::{RequestError, Step};
use ami_client::open::{Gate, OpenError, open};
use ami_client::{Clock, Connection, Document, Peer, Target};
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
mod output;
mod relay;
mod share;

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
    let (gate, clock) = (Gate::default(), Clock::start());
    let opened = tokio::select! {
        opened = open(&peer, config, &gate, clock) => opened,
        () = stop.wished() => return output.conclude(Exit::Interrupted),
    };
    let mut connection = match opened {
        Ok(connection) => connection,
        Err(error) => {
            // What the PBX said before it turned us away is in the capture.
            print::error(told(&error, target));
            return output.conclude(Exit::Unreachable);
        }
    };
    let end = tokio::select! {
        end = ask_and_listen(&mut connection, clock, questions, record.duration) => end,
        () = stop.wished() => match record.duration {
            None => End::Complete,
            Some(_) => End::Interrupted,
        },
        () = output.capture().ended() => End::Full,
    };
    connection.logoff(LOGOFF_WITHIN).await;
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
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    format!(
        "{}: {text}{}",
        target.name,
        refusal::referral(error, target)
    )
}

async fn ask_and_listen(
    connection: &mut Connection,
    clock: Clock,
    questions: Questions,
    duration: Option<Duration>,
) -> End {
    if let Err(error) = ask(connection, questions).await {
        return End::Lost(error.into());
    }
    if duration.is_none() {
        print::line("everything is answered; listening until Ctrl-C");
    }
    listen(connection, clock, duration).await
}

async fn ask(connection: &mut Connection, questions: Questions) -> Result<(), RequestError> {
    let questions = match questions {
        Questions::Chosen(questions) => questions,
        Questions::Usual => {
            let list = system::list_commands();
            let listed = connection
                .request(&list, Answer::Single, ANSWER_WITHIN)
                .await?;
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
        match connection.request(&action, answer, ANSWER_WITHIN).await {
            // That there is none is in the capture too; a late one goes by as nobody's.
            Err(error @ RequestError::TimedOut { .. }) => print::error(error),
            answered => drop(answered?),
        }
    }
    Ok(())
}

async fn listen(connection: &mut Connection, clock: Clock, duration: Option<Duration>) -> End {
    let until = clock.now() + duration.unwrap_or(FOREVER);
    loop {
        match connection.step(until, &mut |_, _| {}).await {
            Ok(Step::Disposition(_)) => {}
            Ok(Step::DeadlinePassed) => return End::Complete,
            Ok(Step::Ended) => return End::Lost(anyhow!("the PBX closed the connection")),
            Err(error) => {
                return End::Lost(anyhow::Error::from(error).context("the connection broke"));
            }
        }
    }
}
