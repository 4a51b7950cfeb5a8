//! Defects that show over TLS alone.

use super::super::{Course, Incoming, Row, Turn};
use super::{UNJUDGED, action, answer, input, setup};
use crate::server::TlsFault;
use crate::server_session::Transport;

/// What a PBX takes of one record, where it does not take all.
const RECORD_BYTES: usize = 1024;
/// Of so many actions one is lost.
const LOST_OF: u64 = 5;

pub(super) const ROWS: &[Row] = &[
    setup(
        ("tls.versions.old-only", UNJUDGED, "TLS 1.3 is not spoken"),
        |pbx| pbx.flaws.tls = Some(TlsFault::OnlyTls12),
    ),
    answer(
        (
            "tls.answers.other",
            UNJUDGED,
            "over TLS, CoreSettings leaves out the AMI version",
        ),
        |turn| {
            if is_secured(turn) {
                turn.each(|text| text.remove("AMIversion"));
            }
        },
    ),
    action(
        (
            "tls.record.every-fifth-lost",
            UNJUDGED,
            "over TLS, one action in five gets no answer",
        ),
        |turn| {
            if is_secured(turn) {
                turn.notes().count += 1;
                if turn.notes().count.is_multiple_of(LOST_OF) {
                    turn.course = Course::Answered;
                }
            }
        },
    ),
    input(
        (
            "tls.record.cut",
            UNJUDGED,
            "of what comes at once over TLS, 1,024 bytes are read",
        ),
        |incoming| {
            if over_tls(incoming) {
                incoming.bytes.truncate(RECORD_BYTES);
            }
        },
    ),
    action(
        (
            "tls.record.large-lost",
            UNJUDGED,
            "over TLS, an action over 1,024 bytes gets no answer",
        ),
        |turn| {
            let bytes: usize = turn.request.lines().map(|line| line.len() + 2).sum();
            if is_secured(turn) && bytes > RECORD_BYTES {
                turn.course = Course::Answered;
            }
        },
    ),
    input(
        (
            "tls.record.lines-lost",
            UNJUDGED,
            "over TLS, an action that comes line by line is lost",
        ),
        |incoming| {
            if over_tls(incoming) && !incoming.bytes.ends_with(b"\r\n\r\n") {
                incoming.bytes.clear();
            }
        },
    ),
    setup(
        (
            "tls.silent.kept",
            UNJUDGED,
            "who never says hello is not put out",
        ),
        |pbx| pbx.flaws.tls = Some(TlsFault::Patient),
    ),
    setup(
        (
            "tls.plaintext.answered",
            UNJUDGED,
            "who speaks in plain words is answered in plain words",
        ),
        |pbx| pbx.flaws.tls = Some(TlsFault::PlainToo),
    ),
    setup(
        (
            "tls.close.silent",
            UNJUDGED,
            "a session ends without a word of TLS",
        ),
        |pbx| pbx.flaws.tls = Some(TlsFault::NoCloseNotify),
    ),
];

fn is_secured(turn: &Turn<'_>) -> bool {
    turn.session.transport == Transport::Tls
}

fn over_tls(incoming: &Incoming<'_>) -> bool {
    incoming.session.transport == Transport::Tls
}
