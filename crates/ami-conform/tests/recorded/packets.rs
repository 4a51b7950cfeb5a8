//! Packets that were written here: out of order, twice, overlapping, lost, over VLAN and IPv6, in both formats.

use ami_conform::import::{self, Content, ImportError, Recording};
use ami_proto::transcript::{Mark, What};
use ami_results::verdict::State;
use etherparse::{PacketBuilder, SingleVlanHeader, VlanHeader, VlanId};

use super::state;

const CLIENT: u16 = 40_000;
const SERVER: u16 = 5038;
/// Numbers go over their end within the session.
const CLIENT_START: u32 = u32::MAX - 20;
const SERVER_START: u32 = u32::MAX - 40;

const BANNER: &str = "Asterisk Call Manager/5.0.1\r\n";
const PING: &str = "Action: Ping\r\nActionID: 1\r\n\r\n";
const PONG: &str = "Response: Success\r\nActionID: 1\r\nPing: Pong\r\n\r\n";
const EVENT: &str = "Event: Reload\r\nPrivilege: system,all\r\n\r\n";

#[derive(Clone, Copy)]
enum Link {
    Plain,
    Vlan,
    SixOverVlan,
}

/// A packet: who sends it, its place in what he says, and its bytes; flags as letters.
type Sent<'a> = (u16, u32, &'a str, &'a str);

fn frame(link: Link, (from, place, flags, text): Sent<'_>) -> Vec<u8> {
    let (to, start) = match from {
        CLIENT => (SERVER, CLIENT_START),
        _ => (CLIENT, SERVER_START),
    };
    let ethernet = PacketBuilder::ethernet2([1; 6], [2; 6]);
    let vlan = || {
        VlanHeader::Single(SingleVlanHeader {
            vlan_id: VlanId::try_new(7).unwrap(),
            ..SingleVlanHeader::default()
        })
    };
    let ip = match link {
        Link::Plain => ethernet.ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64),
        Link::Vlan => ethernet
            .vlan(vlan())
            .ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64),
        Link::SixOverVlan => ethernet.vlan(vlan()).ipv6([1; 16], [1; 16], 64),
    };
    // The number of a SYN is one before the first byte's.
    let before = u32::from(!flags.contains('S'));
    let mut tcp = ip.tcp(from, to, start.wrapping_add(place + before), 1024);
    for flag in flags.chars() {
        tcp = match flag {
            'S' => tcp.syn(),
            'A' => tcp.ack(1),
            'F' => tcp.fin(),
            _ => tcp.rst(),
        };
    }
    let mut bytes = Vec::new();
    tcp.write(&mut bytes, text.as_bytes()).unwrap();
    bytes
}

fn pcap(link: Link, sent: &[Sent<'_>]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    file.extend_from_slice(&[0; 8]);
    file.extend_from_slice(&[0xff, 0xff, 0, 0, 1, 0, 0, 0]);
    for (micros, sent) in (0_u32..).zip(sent) {
        let bytes = frame(link, *sent);
        let length = u32::try_from(bytes.len()).unwrap();
        for number in [1_700_000_000, micros, length, length] {
            file.extend_from_slice(&number.to_le_bytes());
        }
        file.extend_from_slice(&bytes);
    }
    file
}

fn read(sent: &[Sent<'_>]) -> Recording {
    import::read(&pcap(Link::Plain, sent)[..], None).unwrap()
}

const OPEN: [Sent<'_>; 3] = [
    (CLIENT, 0, "S", ""),
    (SERVER, 0, "SA", ""),
    (CLIENT, 0, "A", ""),
];

/// What each side said, as text, over all connections.
fn said(recording: &Recording) -> [String; 2] {
    let mut said = [String::new(), String::new()];
    for entry in &recording.entries {
        let (side, text) = match &entry.what {
            What::Client(bytes) => (0, String::from_utf8_lossy(bytes).into_owned()),
            What::Server(bytes) => (1, String::from_utf8_lossy(bytes).into_owned()),
            What::Mark(_) => continue,
        };
        said[side].push_str(&text);
    }
    said
}

fn place(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap()
}

fn check(name: &str, sent: &[Sent<'_>], resent: u64, reordered: u64) {
    let all = [&OPEN[..], sent].concat();
    let recording = read(&all);
    assert_eq!(
        said(&recording),
        [PING.to_owned(), [BANNER, PONG].concat()],
        "{name}"
    );
    let session = &recording.sessions[0];
    let figures = (
        session.missing,
        session.resent,
        session.reordered,
        session.begun,
    );
    assert_eq!(figures, (0, resent, reordered, true), "{name}");
    assert_eq!(
        (session.client.port(), session.server.port()),
        (CLIENT, SERVER)
    );
    for case in [
        "response.count.none-unsolicited",
        "framing.output.only-headers",
    ] {
        assert_eq!(state(&recording, case), State::Pass, "{name}: {case}");
    }
}

#[test]
fn every_byte_once_and_in_order() {
    let banner = (SERVER, 0, "A", BANNER);
    let ping = (CLIENT, 0, "A", PING);
    let pong = (SERVER, place(BANNER), "A", PONG);
    check("in order", &[banner, ping, pong], 0, 0);
    check("twice", &[banner, banner, ping, ping, pong, pong], 3, 0);
    let (one, two) = PONG.split_at(10);
    let one = (SERVER, place(BANNER), "A", one);
    let two = (SERVER, place(BANNER) + 10, "A", two);
    check("the second half first", &[banner, ping, two, one], 0, 1);
    check(
        "the second half twice",
        &[banner, ping, two, two, one],
        1,
        2,
    );
    check("half, then all", &[banner, ping, one, pong], 0, 0);
    let overlap = (SERVER, place(BANNER) + 4, "A", &PONG[4..20]);
    check("overlapping", &[banner, ping, one, overlap, two], 0, 0);
    check(
        "ahead, overlapping",
        &[banner, ping, two, overlap, one],
        0,
        2,
    );
    let probe = (SERVER, place(BANNER) - 1, "A", "x");
    check("a keep-alive probe", &[banner, probe, ping, pong], 1, 0);
}

#[test]
fn links_of_other_kinds() {
    let sent = [
        &OPEN[..],
        &[
            (SERVER, 0, "A", BANNER),
            (CLIENT, 0, "A", PING),
            (SERVER, place(BANNER), "FA", PONG),
        ],
    ]
    .concat();
    for link in [Link::Plain, Link::Vlan, Link::SixOverVlan] {
        let recording = import::read(&pcap(link, &sent)[..], None).unwrap();
        assert_eq!(said(&recording), [PING.to_owned(), [BANNER, PONG].concat()]);
        let end = recording.entries.last().unwrap();
        assert_eq!(end.what, What::Mark(Mark::Fin));
    }
}

#[test]
fn a_hole_is_said_and_what_stands_behind_it_was_met_in_the_middle() {
    let lost = place(BANNER) + place(PONG);
    let behind = &EVENT[10..];
    let recording = read(
        &[
            &OPEN[..],
            &[
                (SERVER, 0, "A", BANNER),
                (CLIENT, 0, "A", PING),
                (SERVER, place(BANNER), "A", PONG),
                (SERVER, lost + 10, "A", behind),
                (SERVER, lost + place(EVENT), "A", EVENT),
            ],
        ]
        .concat(),
    );
    assert_eq!(recording.sessions[0].missing, 10);
    assert!(
        recording.notes[0].contains("lacks 10 bytes"),
        "{:?}",
        recording.notes
    );
    assert!(
        recording.notes[1].contains("begin in the middle"),
        "{:?}",
        recording.notes
    );
    assert_eq!(said(&recording)[1], [BANNER, PONG, EVENT].concat());
    let conns: Vec<u32> = recording.entries.iter().map(|entry| entry.conn).collect();
    assert_eq!(conns.last(), Some(&1));
    for case in ["framing.output.begins-with-kind", "event.shape.privilege"] {
        assert_eq!(state(&recording, case), State::Pass, "{case}");
    }
}

#[test]
fn a_connection_met_in_the_middle_is_not_blamed_for_it() {
    let recording = read(&[
        (
            SERVER,
            500,
            "A",
            "ileged: x\r\n\r\nEvent: Reload\r\nPrivilege: system,all\r\n\r\n",
        ),
        (SERVER, 560, "A", PONG),
    ]);
    let session = &recording.sessions[0];
    assert_eq!((session.content, session.begun), (Content::Ami, false));
    assert_eq!(session.server.port(), SERVER);
    for case in [
        "banner.line.present",
        "action-id.echo.every-answer",
        "response.count.none-unsolicited",
    ] {
        assert_eq!(state(&recording, case), State::Inconclusive, "{case}");
    }
    assert_eq!(state(&recording, "event.shape.privilege"), State::Pass);
}

#[test]
fn what_fails_on_the_wire_fails_in_a_capture() {
    let pong = PONG.replace("ActionID: 1", "ActionID: 2");
    let sent = [
        (SERVER, 0, "A", BANNER),
        (CLIENT, 0, "A", PING),
        (SERVER, place(BANNER), "A", &*pong),
    ];
    let recording = read(&[&OPEN[..], &sent].concat());
    assert_eq!(
        state(&recording, "action-id.echo.every-answer"),
        State::Fail
    );
}

#[test]
fn one_session_is_taken_by_its_number() {
    let sent = [&OPEN[..], &[(CLIENT, 0, "A", "GET / HTTP/1.1\r\n\r\n")]].concat();
    let file = pcap(Link::Plain, &sent);
    let recording = import::read(&file[..], Some(1)).unwrap();
    assert_eq!(recording.sessions[0].content, Content::Http);
    assert!(recording.entries.is_empty());
    let error = import::read(&file[..], Some(2)).unwrap_err();
    assert!(matches!(
        error,
        ImportError::NoStream { asked: 2, found: 1 }
    ));
}

#[test]
fn a_block_that_is_none_names_its_place() {
    let mut file = pcap(Link::Plain, &OPEN);
    let second = 24 + 16 + frame(Link::Plain, OPEN[0]).len();
    file[second + 8..second + 12].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    let error = import::read(&file[..], None).unwrap_err();
    let ImportError::Packets { offset, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(offset, second as u64);
}
