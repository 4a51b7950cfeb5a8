//! Every fault there is: its name, its number, what it does, where it acts.

use super::parcel::{On, Rewrite};
use super::pieces::Pieces;
use super::{AcceptFault, InputFault, Kind, Row};
use crate::server::TlsFault;

mod answer;
mod bytes;
mod greeting;

pub(super) const ROWS: &[&[Row]] = &[ACCEPT, greeting::ROWS, WIRE, answer::ROWS, bytes::ROWS, TLS];

const fn row(name: &'static str, number: u8, what: &'static str, kind: Kind) -> Row {
    Row {
        name,
        number,
        what,
        kind,
    }
}

const fn rewrite(
    name: &'static str,
    number: u8,
    what: &'static str,
    on: On,
    rewrite: Rewrite,
) -> Row {
    row(name, number, what, Kind::Rewrite(on, rewrite))
}

const ACCEPT: &[Row] = &[
    row(
        "accept.refused",
        1,
        "the port is closed",
        Kind::Accept(AcceptFault::Refused),
    ),
    row(
        "accept.unanswered",
        1,
        "the port's queue is full: a connect gets no answer at all",
        Kind::Accept(AcceptFault::Unanswered),
    ),
    row(
        "accept.silent",
        2,
        "takes the connection and never says a word",
        Kind::Accept(AcceptFault::Silent),
    ),
    row(
        "accept.closed",
        2,
        "takes the connection and closes it at once",
        Kind::Accept(AcceptFault::Closed),
    ),
    row(
        "accept.tls",
        37,
        "speaks TLS on the port for plain sessions",
        Kind::Accept(AcceptFault::SpeaksTls),
    ),
];

const WIRE: &[Row] = &[
    row(
        "wire.bytes",
        13,
        "every byte is a write of its own, the banner's too",
        Kind::Pieces(Pieces::Bytes),
    ),
    row(
        "wire.gathered",
        14,
        "what is said within 200 ms comes in one write",
        Kind::Pieces(Pieces::Gathered),
    ),
    row(
        "wire.cuts",
        15,
        "writes end anywhere, by the seed",
        Kind::Pieces(Pieces::Cuts),
    ),
    row(
        "wire.cut-ends",
        15,
        "writes end between CR and LF, and inside characters of several bytes",
        Kind::Pieces(Pieces::CutEnds),
    ),
    row(
        "wire.drip",
        16,
        "one byte a second",
        Kind::Pieces(Pieces::Drip),
    ),
    row(
        "link.late",
        39,
        "everything comes 1.2 s late, one thing after the other",
        Kind::Pieces(Pieces::Late),
    ),
    row(
        "link.jitter",
        39,
        "everything comes up to 300 ms late, by the seed",
        Kind::Pieces(Pieces::Jitter),
    ),
    row(
        "link.narrow",
        39,
        "3,000 bytes a second pass",
        Kind::Pieces(Pieces::Narrow),
    ),
    row(
        "reader.stopped",
        34,
        "reads nothing more of whoever is logged in",
        Kind::Input(InputFault::Stopped),
    ),
    row(
        "reader.slow",
        34,
        "reads one byte at a time",
        Kind::Input(InputFault::ByteByByte),
    ),
    row(
        "close.unread",
        10,
        "closes at the first byte after the login, and leaves the others unread",
        Kind::Input(InputFault::LeftUnread),
    ),
    row(
        "restart.once",
        36,
        "at the first action after a login all sessions end with Shutdown; nobody gets in for 2 s",
        Kind::Restart,
    ),
];

const fn tls(name: &'static str, what: &'static str, fault: TlsFault) -> Row {
    row(name, 37, what, Kind::Tls(fault))
}

const TLS: &[Row] = &[
    tls(
        "tls.close",
        "closes once the client has said hello",
        TlsFault::Close,
    ),
    tls(
        "tls.silent",
        "takes everything and says nothing",
        TlsFault::Silence,
    ),
    tls(
        "tls.alert",
        "answers the client's hello with the alert handshake_failure",
        TlsFault::Alert,
    ),
    tls(
        "tls.plain",
        "greets in plain words: the port is not for TLS at all",
        TlsFault::PlainBanner,
    ),
    tls(
        "tls.torn-hello",
        "stops in the middle of its first flight",
        TlsFault::TornFlight,
    ),
    tls(
        "tls.unfinished",
        "says its first flight and nothing after it",
        TlsFault::Unfinished,
    ),
    tls(
        "tls.alert-late",
        "says its first flight, and an alert to the client's answer",
        TlsFault::LateAlert,
    ),
    tls(
        "tls.old",
        "speaks nothing newer than TLS 1.1",
        TlsFault::OldVersion,
    ),
    tls("tls.expired", "its certificate is over", TlsFault::Expired),
    tls(
        "tls.not-yet",
        "its certificate is not valid yet",
        TlsFault::NotYetValid,
    ),
    tls(
        "tls.wrong-name",
        "its certificate is for another host",
        TlsFault::WrongName,
    ),
    tls(
        "tls.unknown-authority",
        "its certificate is from an authority that nobody knows",
        TlsFault::UnknownAuthority,
    ),
    tls(
        "tls.wants-certificate",
        "demands a certificate of the client",
        TlsFault::WantsCertificate,
    ),
    tls(
        "tls.no-close-notify",
        "ends a session without a word of TLS",
        TlsFault::NoCloseNotify,
    ),
    tls(
        "tls.tickets",
        "sends 64 session tickets behind its handshake",
        TlsFault::Tickets,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// 11: the client's own write; 35: the client's clock; 38: names are the resolver's.
    const NOT_MADE_HERE: [u8; 2] = [35, 38];

    #[test]
    fn every_number_of_the_catalogue_has_a_row_or_a_reason() {
        let rows = ROWS.iter().copied().flatten();
        let made: Vec<u8> = rows.map(|row| row.number).collect();
        for number in 1..=39 {
            assert_ne!(
                made.contains(&number),
                NOT_MADE_HERE.contains(&number),
                "{number}"
            );
        }
    }
}
