//! Defects that show over TLS alone.

use super::super::{Course, Incoming, Row, Turn};
use super::{action, answer, input, setup};
use crate::server::TlsFault;
use crate::server_session::Transport;

/// What a record of TLS holds at most.
const RECORD_MAX: usize = 16 * 1024;
/// Of so many actions one is lost.
const LOST_OF: u64 = 5;

pub(super) const ROWS: &[Row] = &[
    setup(
        (
            "tls.versions.old-only",
            "tls.version.offered",
            "TLS 1.3 is not spoken",
        ),
        |pbx| pbx.flaws.tls = Some(TlsFault::OnlyTls12),
    ),
    answer(
        (
            "tls.answers.other",
            "tls.answers.as-plain",
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
            "tls.record.one-each",
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
    setup(
        (
            "tls.record.twice-as-much",
            "tls.record.over-1024",
            "of a record, 2,048 bytes are read at once, as stock Asterisk does not",
        ),
        |pbx| pbx.flaws.tls_record_bytes = 2048,
    ),
    setup(
        (
            "tls.record.whole",
            "tls.record.large-action",
            "a record is read whatever its size, as stock Asterisk does not",
        ),
        |pbx| pbx.flaws.tls_record_bytes = RECORD_MAX,
    ),
    input(
        (
            "tls.record.lines-lost",
            "tls.record.line-each",
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
            "tls.silence.put-out",
            "who never says hello is not put out",
        ),
        |pbx| pbx.flaws.tls = Some(TlsFault::Patient),
    ),
    setup(
        (
            "tls.plaintext.answered",
            "tls.plain.unanswered",
            "who speaks in plain words is answered in plain words",
        ),
        |pbx| pbx.flaws.tls = Some(TlsFault::PlainToo),
    ),
    setup(
        (
            "tls.close.silent",
            "tls.end.announced",
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
