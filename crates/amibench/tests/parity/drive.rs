//! Plays a scene on wires, never through the client's session: what is sent and heard becomes a transcript.
//!
//! Beside the scene's own sessions there is one that only looks whether calls are up; it is in no transcript.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use ami_client::wire::Wire;
use ami_proto::transcript::{Entry, Mark, Transcript, TranscriptHeader, What};
use ami_proto::{Decoder, Limits};
use anyhow::{Context, Result, bail, ensure};
use md5::{Digest, Md5};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use crate::normalise::{Fields, fields_of, value};
use crate::place::{Pbx, Place};
use crate::scene::{Await, Calm, Login, Scene, Step};
use crate::wildcard::matches;

/// For a message, and for calls to end.
const WITHIN: Duration = Duration::from_secs(20);
/// How often is looked whether anything came or is up.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Looks in a row that must find nothing new, in the course of a scene and at its end: records come late.
const QUIET_LOOKS: u32 = 4;
const FINAL_LOOKS: u32 = 8;
const READ_BYTES: usize = 64 << 10;

struct Line {
    name: String,
    wire: Wire,
    decoder: Decoder,
    heard: Vec<(Fields, Awaited)>,
    closed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Yes,
    NotYet,
}

struct Player<'a> {
    place: &'a Place,
    lines: Vec<Line>,
    /// Session 0 of its own.
    lookout: Line,
    began_at: Instant,
    entries: Vec<Entry>,
    variables: BTreeMap<String, String>,
}

/// Plays it, and leaves no channel behind even when it fails.
pub(crate) async fn play(scene: &Scene, place: &Place, pbx: &Pbx) -> Result<Transcript> {
    let mut player = Player::arrive(scene, place).await?;
    if let Err(error) = player.perform(scene).await {
        let heard = player.last_words();
        player.hang_up_own().await?;
        return Err(error.context(heard));
    }
    let mut header = TranscriptHeader::captured(pbx.corpus(), "");
    header.note.clone_from(&scene.about);
    Ok(Transcript {
        header,
        entries: player.entries,
    })
}

impl<'a> Player<'a> {
    async fn arrive(scene: &Scene, place: &'a Place) -> Result<Self> {
        let mut player = Self {
            place,
            lines: Vec::new(),
            lookout: Line::open("lookout", place).await?,
            began_at: Instant::now(),
            entries: Vec::new(),
            variables: BTreeMap::new(),
        };
        let secret = place.secret("bench")?;
        let login = format!(
            "Action: Login\r\nUsername: bench\r\nSecret: {secret}\r\nEvents: security\r\n\r\n"
        );
        player.lookout.wire.write_all(login.as_bytes()).await?;
        player.lookout.hear_event("SuccessfulAuth").await?;
        player.none_up().await?;
        player.began_at = Instant::now();
        for (conn, session) in (0..).zip(&scene.sessions) {
            player.lines.push(Line::open(&session.name, place).await?);
            player.note(conn, What::Mark(Mark::Open));
        }
        for session in &scene.sessions {
            if let Some(login) = &session.login {
                player.log_in(&session.name, login).await?;
            }
        }
        Ok(player)
    }

    async fn log_in(&mut self, session: &str, login: &Login) -> Result<()> {
        let Login { account, events } = login;
        let text = format!(
            "Action: Login\r\nActionID: login\r\nUsername: {account}\r\nSecret: {{secret:{account}}}\r\n\
             Events: {events}\r\n\r\n"
        );
        let line = self.line(Some(session))?;
        self.lookout.heard.clear();
        self.say(line, &text).await?;
        let answer = BTreeMap::from([
            ("Response".to_owned(), "Success".to_owned()),
            ("ActionID".to_owned(), "login".to_owned()),
        ]);
        self.hear(line, &answer).await?;
        // Who logs in next must not hear of this one.
        self.lookout.hear_event("SuccessfulAuth").await
    }

    async fn perform(&mut self, scene: &Scene) -> Result<()> {
        for (index, step) in scene.steps.iter().enumerate() {
            self.take(step)
                .await
                .with_context(|| format!("step {}: {step:?}", index + 1))?;
        }
        self.calm(Calm::HungUp).await
    }

    async fn take(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Send(step) => {
                let lines = step.send.trim_matches('\n').lines();
                let text: String = lines.map(|line| format!("{line}\r\n")).collect();
                let line = self.line(step.on.as_deref())?;
                self.say(line, &format!("{text}\r\n")).await
            }
            Step::Raw(step) => {
                let line = self.line(step.on.as_deref())?;
                self.say(line, &step.raw).await
            }
            Step::Await(step) => self.await_message(step).await,
            Step::Closed(step) => {
                let line = self.line(Some(&step.closed))?;
                let limit = Instant::now() + WITHIN;
                while !self.lines[line].closed {
                    self.read_before(limit).await?;
                }
                Ok(())
            }
            Step::Settle(step) => self.calm(step.settle).await,
        }
    }

    fn line(&self, name: Option<&str>) -> Result<usize> {
        let Some(name) = name else { return Ok(0) };
        self.lines
            .iter()
            .position(|line| line.name == name)
            .with_context(|| format!("there is no session {name:?}"))
    }

    async fn await_message(&mut self, step: &Await) -> Result<()> {
        let line = self.line(step.on.as_deref())?;
        let message = self.hear(line, &step.headers).await?;
        for (variable, header) in &step.take {
            let value = value(&message, header)
                .with_context(|| format!("the message has no {header}: {message:?}"))?;
            self.variables.insert(variable.clone(), value.to_owned());
        }
        Ok(())
    }

    /// Sends a text with its variables filled in; the transcript has placeholders for secrets.
    async fn say(&mut self, line: usize, text: &str) -> Result<()> {
        let text = self.filled(text);
        let (mut sent, mut noted) = (Vec::new(), Vec::new());
        for (index, part) in text.split("{secret:").enumerate() {
            let (account, rest) = match index {
                0 => (None, part),
                _ => {
                    let (account, rest) = part.split_once('}').context("an open brace")?;
                    (Some(account), rest)
                }
            };
            if let Some(account) = account {
                sent.push(self.place.secret(account)?);
                noted.push("<secret>".to_owned());
            }
            sent.push(rest.to_owned());
            noted.push(rest.to_owned());
        }
        let (mut sent, mut noted) = (sent.concat(), noted.concat());
        if let Some((before, after)) = text.split_once("{key:") {
            let (account, after) = after.split_once('}').context("an open brace")?;
            sent = format!("{before}{}{after}", self.key(account)?);
            noted = format!("{before}<key>{after}");
        }
        self.note(line, What::Client(noted.into_bytes()));
        let wire = &mut self.lines[line].wire;
        wire.write_all(sent.as_bytes()).await?;
        Ok(wire.flush().await?)
    }

    fn filled(&self, text: &str) -> String {
        let fill = |text: String, (name, value): (&String, &String)| {
            text.replace(&format!("{{{name}}}"), value)
        };
        self.variables.iter().fold(text.to_owned(), fill)
    }

    /// What answers the challenge that a step has taken under this name.
    fn key(&self, account: &str) -> Result<String> {
        let challenge = self.variables.get("challenge");
        let challenge = challenge.context("no step has taken a challenge")?;
        let mut digest = Md5::new();
        digest.update(challenge);
        digest.update(self.place.secret(account)?);
        let bytes = digest.finalize();
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The first message with these headers that nobody has awaited yet.
    async fn hear(&mut self, line: usize, headers: &BTreeMap<String, String>) -> Result<Fields> {
        let wanted: Vec<(&str, String)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), self.filled(value)))
            .collect();
        let limit = Instant::now() + WITHIN;
        loop {
            let found = self.lines[line].heard.iter_mut().find(|(fields, awaited)| {
                let fits = |(name, pattern): &(&str, String)| {
                    value(fields, name).is_some_and(|value| matches(pattern, value))
                };
                *awaited == Awaited::NotYet && wanted.iter().all(fits)
            });
            if let Some((fields, awaited)) = found {
                *awaited = Awaited::Yes;
                return Ok(fields.clone());
            }
            ensure!(!self.lines[line].closed, "the PBX has ended the session");
            self.read_before(limit).await?;
        }
    }

    /// Reads whatever comes next on any session.
    async fn read_before(&mut self, limit: Instant) -> Result<()> {
        let mut buffer = vec![0; READ_BYTES];
        let lines = &mut self.lines;
        let read = poll_fn(|cx| {
            for (index, line) in lines
                .iter_mut()
                .enumerate()
                .filter(|(_, line)| !line.closed)
            {
                let mut into = ReadBuf::new(&mut buffer);
                if let Poll::Ready(read) = Pin::new(&mut line.wire).poll_read(cx, &mut into) {
                    return Poll::Ready(read.map(|()| (index, into.filled().len())));
                }
            }
            Poll::Pending
        });
        let Ok(read) = timeout_at(limit, read).await else {
            bail!("it does not come");
        };
        let (index, length) = read?;
        self.take_in(index, &buffer[..length]);
        Ok(())
    }

    fn take_in(&mut self, index: usize, bytes: &[u8]) {
        let line = &mut self.lines[index];
        if bytes.is_empty() {
            line.closed = true;
            return self.note(index, What::Mark(Mark::Fin));
        }
        let mut rest = bytes;
        while let Some(frame) = line.decoder.decode(&mut rest) {
            line.heard.push((fields_of(&frame), Awaited::NotYet));
        }
        self.note(index, What::Server(bytes.to_vec()));
    }

    /// Waits until nothing new was heard for some looks in a row, and until no channel is up.
    async fn calm(&mut self, calm: Calm) -> Result<()> {
        let limit = Instant::now() + WITHIN;
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut quiet = 0;
        let mut known = self.entries.len();
        let enough = match calm {
            Calm::Quiet => QUIET_LOOKS,
            Calm::HungUp => FINAL_LOOKS,
        };
        while quiet < enough {
            let until = looks.tick();
            tokio::pin!(until);
            loop {
                tokio::select! {
                    biased;
                    read = self.read_before(limit) => read.context("waiting for quiet")?,
                    _ = &mut until => break,
                }
            }
            let up = self.channels_up().await?.len();
            let still = known == self.entries.len() && (calm == Calm::Quiet || up == 0);
            quiet = if still { quiet + 1 } else { 0 };
            known = self.entries.len();
            ensure!(Instant::now() < limit, "{up} channels stay up");
        }
        Ok(())
    }

    /// Calls of others, or of the scene before, would be heard in this one.
    async fn none_up(&mut self) -> Result<()> {
        let limit = Instant::now() + WITHIN;
        let mut looks = interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            let up = self.channels_up().await?;
            if up.is_empty() {
                return Ok(());
            }
            ensure!(Instant::now() < limit, "there are calls already: {up:?}");
        }
    }

    /// Names and Uniqueids.
    async fn channels_up(&mut self) -> Result<Vec<(String, String)>> {
        self.lookout.heard.clear();
        let action = b"Action: CoreShowChannels\r\nActionID: look\r\n\r\n";
        self.lookout.wire.write_all(action).await?;
        self.lookout.hear_event("CoreShowChannelsComplete").await?;
        let of = |fields: &Fields, name: &str| value(fields, name).unwrap_or_default().to_owned();
        let heard = self.lookout.heard.iter().map(|(fields, _)| fields);
        Ok(heard
            .filter(|fields| value(fields, "Event") == Some("CoreShowChannel"))
            .map(|fields| (of(fields, "Channel"), of(fields, "Uniqueid")))
            .collect())
    }

    /// After a failure: ends the channels whose Uniqueid one of the scene's sessions has heard.
    async fn hang_up_own(&mut self) -> Result<()> {
        let up = self.channels_up().await?;
        let heard = |id: &str| {
            let mut all = self.lines.iter().flat_map(|line| &line.heard);
            all.any(|(fields, _)| value(fields, "Uniqueid") == Some(id))
        };
        let own: String = up
            .iter()
            .filter(|(_, id)| heard(id))
            .map(|(channel, _)| format!("Action: Hangup\r\nChannel: {channel}\r\n\r\n"))
            .collect();
        self.lookout.wire.write_all(own.as_bytes()).await?;
        self.channels_up().await.map(drop)
    }

    fn last_words(&self) -> String {
        let lines = self.lines.iter().map(|line| {
            let messages = line.heard.iter().rev().take(12).rev();
            let texts: Vec<String> = messages
                .map(|(fields, _)| {
                    let fields = fields
                        .iter()
                        .map(|(name, value)| format!("{name}: {value}"));
                    format!("    {}", fields.collect::<Vec<_>>().join(" | "))
                })
                .collect();
            format!("{} heard last:\n{}", line.name, texts.join("\n"))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn note(&mut self, line: usize, what: What) {
        self.entries.push(Entry {
            at: self.began_at.elapsed(),
            conn: u32::try_from(line).expect("scenes have few sessions"),
            what,
        });
    }
}

impl Line {
    async fn open(name: &str, place: &Place) -> Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            wire: place.connect().await?,
            decoder: Decoder::client(Limits::default()),
            heard: Vec::new(),
            closed: false,
        })
    }

    /// Its own login too, which must not be news to the sessions of the scene.
    async fn hear_event(&mut self, name: &str) -> Result<()> {
        let limit = Instant::now() + WITHIN;
        let is = |(fields, _): &(Fields, Awaited)| value(fields, "Event") == Some(name);
        while !self.heard.iter().any(is) {
            self.read(limit).await?;
        }
        Ok(())
    }

    async fn read(&mut self, limit: Instant) -> Result<()> {
        let mut buffer = vec![0; READ_BYTES];
        let Ok(read) = timeout_at(limit, self.wire.read(&mut buffer)).await else {
            bail!("the PBX does not say which channels are up");
        };
        let mut rest = match read? {
            0 => bail!("the PBX has closed the session that looks after it"),
            length => &buffer[..length],
        };
        while let Some(frame) = self.decoder.decode(&mut rest) {
            self.heard.push((fields_of(&frame), Awaited::NotYet));
        }
        Ok(())
    }
}
