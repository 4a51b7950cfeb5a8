//! Recorded sessions: transcripts of our own, captures of packets and logs of others.

use ami_conform::import;
use ami_proto::transcript::{Transcript, What};

/// Bytes that are said in so many of a file at most: base64 and hex make more of them, line ends of a log are added.
const FACTOR: usize = 2;

/// What is read can be written, and is then read as the same.
pub fn transcript(data: &[u8]) {
    match Transcript::parse(&String::from_utf8_lossy(data)) {
        Ok(transcript) => {
            let written = transcript.to_text();
            let again = Transcript::parse(&written).expect("what was written is read");
            assert_eq!(again.to_text(), written, "a second time changes nothing");
            let bytes: usize = transcript.server_chunks(0).map(<[u8]>::len).sum();
            // A byte that is no UTF-8 became a replacement character of three.
            assert!(bytes <= 3 * data.len());
        }
        Err(error) => assert!(error.to_string().starts_with("read a transcript")),
    }
}

/// pcap, pcapng, text logs and transcripts, told apart by their first bytes.
pub fn capture(data: &[u8]) {
    match import::read(data, None) {
        Ok(recording) => {
            let said = recording.entries.iter().map(|entry| match &entry.what {
                What::Client(bytes) | What::Server(bytes) => bytes.len(),
                What::Mark(_) => 0,
            });
            assert!(
                said.sum::<usize>() <= FACTOR * data.len(),
                "more was said than was read"
            );
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
