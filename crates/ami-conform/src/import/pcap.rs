//! Captures of packets, pcap and pcapng, read block by block.

use std::io::BufRead;
use std::time::Duration;

use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

use super::packet::{self, NoSegment};
use super::stream::Flows;
use super::{Format, ImportError, Recording};

/// No packet of a network is as long, nor a block of what describes it.
const BLOCK_BYTES_MAX: usize = 4 << 20;
const NANOS: u128 = 1_000_000_000;

pub(super) fn read(
    file: impl BufRead + Send,
    stream: Option<usize>,
) -> Result<Recording, ImportError> {
    let failed = |offset: usize, error: &PcapError<&[u8]>| ImportError::Packets {
        offset: offset as u64,
        what: said(error),
    };
    let mut reader = create_reader(BLOCK_BYTES_MAX, file).map_err(|error| failed(0, &error))?;
    let mut capture = Capture::new(stream);
    loop {
        let offset = reader.consumed();
        match reader.next() {
            Ok((length, block)) => {
                capture.block(&block);
                reader.consume(length);
            }
            Err(PcapError::Incomplete(_)) => {
                reader.refill().map_err(|error| failed(offset, &error))?;
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::UnexpectedEof) => {
                let note = format!("the file ends within a packet, at byte {offset}");
                capture.recording.notes.push(note);
                break;
            }
            Err(error) => return Err(failed(offset, &error)),
        }
    }
    capture.finish()
}

fn said(error: &PcapError<&[u8]>) -> String {
    match error {
        PcapError::BufferTooSmall => format!("a block is over {} MiB", BLOCK_BYTES_MAX >> 20),
        PcapError::Incomplete(_) | PcapError::UnexpectedEof | PcapError::Eof => {
            "the file ends within its header".to_owned()
        }
        PcapError::ReadError => "it could not be read".to_owned(),
        _ => "a block is not as pcap or pcapng have it".to_owned(),
    }
}

struct Capture {
    recording: Recording,
    flows: Flows,
    interfaces: Vec<Interface>,
    /// Of the first packet, in ns.
    began: Option<u128>,
    last: Duration,
    in_pieces: u64,
    /// Link types that are not known, each once.
    unknown: Vec<i32>,
}

struct Interface {
    link: Linktype,
    /// Units of its times in a second.
    resolution: u64,
}

impl Capture {
    fn new(stream: Option<usize>) -> Self {
        Self {
            recording: Recording {
                format: Format::Packets,
                ..Recording::default()
            },
            flows: Flows::new(stream),
            interfaces: Vec::new(),
            began: None,
            last: Duration::ZERO,
            in_pieces: 0,
            unknown: Vec::new(),
        }
    }

    fn block(&mut self, block: &PcapBlockOwned<'_>) {
        match block {
            PcapBlockOwned::LegacyHeader(header) => self.interfaces.push(Interface {
                link: header.network,
                resolution: if header.is_nanosecond_precision() {
                    1_000_000_000
                } else {
                    1_000_000
                },
            }),
            PcapBlockOwned::Legacy(packet) => {
                let resolution = self.interfaces.first().map_or(1, |one| one.resolution);
                let units = u64::from(packet.ts_sec) * resolution + u64::from(packet.ts_usec);
                let captured = packet.data.len().min(packet.caplen as usize);
                self.packet(0, Some(units), &packet.data[..captured]);
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => self.interfaces.clear(),
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                self.interfaces.push(Interface {
                    link: interface.linktype,
                    resolution: interface
                        .ts_resolution()
                        .filter(|one| *one > 0)
                        .unwrap_or(1),
                });
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let units = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let captured = packet.data.len().min(packet.caplen as usize);
                self.packet(packet.if_id as usize, Some(units), &packet.data[..captured]);
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                let captured = packet.data.len().min(packet.origlen as usize);
                self.packet(0, None, &packet.data[..captured]);
            }
            PcapBlockOwned::NG(_) => {}
        }
    }

    /// Without a time it came with the one before.
    fn packet(&mut self, interface: usize, units: Option<u64>, data: &[u8]) {
        let Some(Interface { link, resolution }) = self.interfaces.get(interface) else {
            self.in_pieces += 1;
            return;
        };
        if let Some(units) = units {
            let nanos = u128::from(units) * NANOS / u128::from(*resolution);
            let since = nanos.saturating_sub(*self.began.get_or_insert(nanos));
            self.last = Duration::from_nanos(u64::try_from(since).unwrap_or(u64::MAX));
        }
        match packet::segment(*link, data) {
            Ok(segment) => self.flows.take(self.last, &segment),
            Err(NoSegment::Other) => {}
            Err(NoSegment::InPieces) => self.in_pieces += 1,
            Err(NoSegment::LinkType(link)) if self.unknown.contains(&link) => {}
            Err(NoSegment::LinkType(link)) => self.unknown.push(link),
        }
    }

    fn finish(mut self) -> Result<Recording, ImportError> {
        if self.in_pieces > 0 {
            self.recording.notes.push(format!(
                "{} packets were not read: fragments, or cut off within their headers",
                self.in_pieces
            ));
        }
        for link in &self.unknown {
            self.recording.notes.push(format!(
                "packets of link type {link} were not read: Ethernet, Linux cooked (`any`), BSD loopback and raw IP are known"
            ));
        }
        self.flows.finish(&mut self.recording)?;
        super::middle::begin_with_whole_messages(&mut self.recording);
        Ok(self.recording)
    }
}
