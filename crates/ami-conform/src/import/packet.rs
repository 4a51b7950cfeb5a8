//! From a captured packet to the TCP segment in it.

use std::net::SocketAddr;

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::Linktype;

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of TCP are bits")]
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) seq: u32,
    pub(super) syn: bool,
    pub(super) ack: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) payload: &'a [u8],
}

/// Why there is no segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoSegment {
    /// Something else than TCP.
    Other,
    /// Of a packet that was sent in pieces, or cut off within its headers.
    InPieces,
    LinkType(i32),
}

/// Before the protocol in the headers that Linux makes for `any`.
const SLL: (usize, usize) = (14, 16);
const SLL2: (usize, usize) = (0, 20);
/// The address family that BSD writes before packets on loopback.
const NULL_BYTES: usize = 4;

pub(super) fn segment(link: Linktype, data: &[u8]) -> Result<Segment<'_>, NoSegment> {
    let packet = match link {
        Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(data).ok(),
        Linktype::LINUX_SLL => cooked(data, SLL),
        Linktype::LINUX_SLL2 => cooked(data, SLL2),
        Linktype::NULL | Linktype::LOOP => data
            .get(NULL_BYTES..)
            .and_then(|data| LaxSlicedPacket::from_ip(data).ok()),
        // What BSD and others call a packet without a link header.
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | Linktype(12 | 14) => {
            LaxSlicedPacket::from_ip(data).ok()
        }
        Linktype(other) => return Err(NoSegment::LinkType(other)),
    };
    tcp(packet.ok_or(NoSegment::InPieces)?)
}

/// `at`: where the protocol stands, and where the packet begins.
fn cooked(data: &[u8], at: (usize, usize)) -> Option<LaxSlicedPacket<'_>> {
    let (protocol, packet) = at;
    let protocol = data.get(protocol..protocol + 2)?;
    let protocol = u16::from_be_bytes([protocol[0], protocol[1]]);
    Some(LaxSlicedPacket::from_ether_type(
        EtherType(protocol),
        data.get(packet..)?,
    ))
}

fn tcp(packet: LaxSlicedPacket<'_>) -> Result<Segment<'_>, NoSegment> {
    let (from, to) = match &packet.net {
        Some(LaxNetSlice::Ipv4(ip)) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        Some(LaxNetSlice::Ipv6(ip)) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        _ => return Err(NoSegment::Other),
    };
    match packet.transport {
        Some(TransportSlice::Tcp(tcp)) => Ok(Segment {
            from: SocketAddr::new(from, tcp.source_port()),
            to: SocketAddr::new(to, tcp.destination_port()),
            seq: tcp.sequence_number(),
            syn: tcp.syn(),
            ack: tcp.ack(),
            fin: tcp.fin(),
            rst: tcp.rst(),
            payload: tcp.payload(),
        }),
        Some(_) => Err(NoSegment::Other),
        None => Err(NoSegment::InPieces),
    }
}
