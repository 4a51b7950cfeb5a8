//! How widely and how fast a PBX is asked: no more than its operator permits, and in quiet cases hardly at all.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::case::Safety;
use crate::finding::Finding;

const WINDOW: Duration = Duration::from_secs(1);
/// No case places more calls than this, nor has more of them up.
const CALLS_OF_A_CASE: u64 = 4;

/// What the operator of a PBX permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub sessions: u32,
    pub actions_per_s: u32,
    pub calls_up: u32,
    pub calls_per_s: u32,
    pub calls_total: u64,
}

/// What nobody on a PBX notices: cases that are quiet go no faster, whatever is permitted.
pub const QUIET: Pace = Pace {
    sessions: 5,
    actions_per_s: 20,
    calls_up: 0,
    calls_per_s: 0,
    calls_total: 0,
};

/// Of a PBX that is ours alone.
pub const UNBOUND: Pace = Pace {
    sessions: u32::MAX,
    actions_per_s: u32::MAX,
    calls_up: u32::MAX,
    calls_per_s: u32::MAX,
    calls_total: u64::MAX,
};

/// What is open and what was sent, against what is permitted now.
#[derive(Debug)]
pub(crate) struct Meter {
    permitted: Pace,
    now: Cell<Pace>,
    open: Cell<u32>,
    placed: Cell<u64>,
    actions: RefCell<VecDeque<Instant>>,
    calls: RefCell<VecDeque<Instant>>,
}

impl Meter {
    pub(crate) fn new(permitted: Pace) -> Self {
        Self {
            permitted,
            now: Cell::new(permitted.at_most(QUIET)),
            open: Cell::new(0),
            placed: Cell::new(0),
            actions: RefCell::default(),
            calls: RefCell::default(),
        }
    }

    /// From now on as fast as cases of this class may be.
    pub(crate) fn turn(&self, safety: Safety) {
        self.now.set(match safety {
            Safety::Quiet => self.permitted.at_most(QUIET),
            _ => self.permitted,
        });
    }

    /// A case of calls begins only while it can end within what is permitted.
    pub(crate) fn admits(&self, safety: Safety) -> Result<(), Finding> {
        if safety != Safety::OriginatesCall {
            return Ok(());
        }
        self.has_left(CALLS_OF_A_CASE)?;
        let calls_up = self.permitted.calls_up;
        if u64::from(calls_up) < CALLS_OF_A_CASE {
            let why = format!(
                "the target permits {calls_up} calls at once (max_calls_up), a case may need {CALLS_OF_A_CASE}"
            );
            return Err(Finding::skipped(why));
        }
        Ok(())
    }

    /// One more call of a replay, beside those that are up.
    pub(crate) fn admits_call(&self, up: u32) -> Result<(), Finding> {
        self.has_left(1)?;
        let calls_up = self.permitted.calls_up;
        if up >= calls_up {
            let why = format!("the target permits {calls_up} calls at once (max_calls_up)");
            return Err(Finding::skipped(why));
        }
        Ok(())
    }

    fn has_left(&self, calls: u64) -> Result<(), Finding> {
        let calls_total = self.permitted.calls_total;
        if self.placed.get() + calls > calls_total {
            let why = format!("the target permits {calls_total} calls in all (max_calls_total)");
            return Err(Finding::skipped(why));
        }
        Ok(())
    }

    pub(crate) fn open(&self) -> Result<(), Finding> {
        let most = self.now.get().sessions;
        if self.open.get() >= most {
            let why = format!("more than the {most} sessions that are permitted would be needed");
            return Err(Finding::skipped(why));
        }
        self.open.set(self.open.get() + 1);
        Ok(())
    }

    pub(crate) fn close(&self) {
        self.open.set(self.open.get().saturating_sub(1));
    }

    /// Cuts what is to be sent into pieces of which each may be sent within a second.
    pub(crate) fn pieces<'b>(&self, bytes: &'b [u8]) -> Vec<&'b [u8]> {
        let Pace {
            actions_per_s,
            calls_per_s,
            ..
        } = self.now.get();
        let mut pieces = Vec::new();
        let (mut rest, mut length, mut sent) = (bytes, 0, Sent::default());
        while length < rest.len() {
            let message = message(&rest[length..]);
            let more = sent + Sent::of(message);
            let is_over = more.actions > actions_per_s.max(1) || more.calls > calls_per_s.max(1);
            if is_over && length > 0 {
                let (piece, behind) = rest.split_at(length);
                pieces.push(piece);
                (rest, length, sent) = (behind, 0, Sent::default());
            } else {
                (length, sent) = (length + message.len(), more);
            }
        }
        pieces.push(rest);
        pieces
    }

    /// Waits until these bytes may be sent, and counts them.
    pub(crate) async fn wait(&self, bytes: &[u8]) {
        let now = self.now.get();
        let sent = Sent::of(bytes);
        self.placed.set(self.placed.get() + u64::from(sent.calls));
        wait_for(&self.calls, sent.calls, now.calls_per_s).await;
        wait_for(&self.actions, sent.actions, now.actions_per_s).await;
    }
}

impl Pace {
    fn at_most(self, other: Self) -> Self {
        Self {
            sessions: self.sessions.min(other.sessions),
            actions_per_s: self.actions_per_s.min(other.actions_per_s),
            calls_up: self.calls_up.min(other.calls_up),
            calls_per_s: self.calls_per_s.min(other.calls_per_s),
            calls_total: self.calls_total.min(other.calls_total),
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    actions: u32,
    calls: u32,
}

impl Sent {
    /// By the lines that begin them: a frame that is broken counts as what it tries to be.
    fn of(bytes: &[u8]) -> Self {
        let mut sent = Self::default();
        for line in bytes.split(|&byte| byte == b'\n') {
            let line = line.to_ascii_lowercase();
            if let Some(action) = line.strip_prefix(b"action:") {
                sent.actions += 1;
                sent.calls += u32::from(action.trim_ascii() == b"originate");
            }
        }
        sent
    }
}

impl std::ops::Add for Sent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            actions: self.actions + other.actions,
            calls: self.calls + other.calls,
        }
    }
}

/// Up to the first empty line, with it; all where there is none.
fn message(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    end.map_or(bytes, |end| &bytes[..end + 4])
}

/// Waits until with `count` more there are at most `most` within a second; more than that go out when none else does.
async fn wait_for(times: &RefCell<VecDeque<Instant>>, count: u32, most: u32) {
    let count = count as usize;
    let most = most.max(1) as usize;
    loop {
        let now = Instant::now();
        let next = {
            let mut times = times.borrow_mut();
            while times.front().is_some_and(|&time| time + WINDOW <= now) {
                times.pop_front();
            }
            if count == 0 || times.len() + count <= most || times.is_empty() {
                times.extend(std::iter::repeat_n(now, count));
                return;
            }
            times.front().map(|&time| time + WINDOW)
        };
        sleep_until(next.unwrap_or(now)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: &[u8] = b"Action: Ping\r\nActionID: 1\r\n\r\n";

    #[tokio::test(start_paused = true)]
    async fn no_second_sees_more_than_permitted() {
        let meter = Meter::new(UNBOUND);
        let began = Instant::now();
        let mut at = Vec::new();
        for _ in 0..61 {
            meter.wait(PING).await;
            at.push(began.elapsed());
        }
        let most = QUIET.actions_per_s as usize;
        for window in at.windows(most + 1) {
            assert!(window[most] - window[0] >= WINDOW, "{window:?}");
        }
        meter.turn(Safety::Noisy);
        let before = Instant::now();
        meter.wait(&PING.repeat(500)).await;
        assert_eq!(before.elapsed(), Duration::ZERO);
    }

    #[test]
    fn a_flood_is_cut_where_the_target_permits_less() {
        let meter = Meter::new(Pace {
            actions_per_s: 100,
            ..UNBOUND
        });
        meter.turn(Safety::Noisy);
        let flood = PING.repeat(250);
        let pieces = meter.pieces(&flood);
        let counts: Vec<u32> = pieces.iter().map(|piece| Sent::of(piece).actions).collect();
        assert_eq!(counts, [100, 100, 50]);
        assert_eq!(pieces.concat(), flood);
        assert_eq!(meter.pieces(b"Acti"), [b"Acti"]);
    }

    #[test]
    fn calls_and_sessions_end_at_what_is_permitted() {
        let meter = Meter::new(Pace {
            sessions: 1,
            calls_total: 3,
            ..UNBOUND
        });
        meter.open().unwrap();
        meter.open().unwrap_err();
        meter.close();
        meter.open().unwrap();
        meter.admits(Safety::Noisy).unwrap();
        let why = meter.admits(Safety::OriginatesCall).unwrap_err();
        assert_eq!(
            why.got,
            "the target permits 3 calls in all (max_calls_total)"
        );
    }
}
