//! The file that a recording goes to: its name, its header, and what is said of it at the end.

use std::path::PathBuf;

use ami_client::Target;
use ami_client::capture::{self, Capture, Extent};
use ami_proto::session::Secret;
use ami_proto::transcript::TranscriptHeader;

use super::{contents, share};
use crate::args::Record;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::print;

pub(super) const SUFFIX: &str = ".ami.jsonl";

pub(super) struct Output {
    path: PathBuf,
    capture: Capture,
    /// Whether a file under pseudonyms is wanted too.
    share: bool,
}

impl Output {
    pub(super) fn begin(
        record: &Record,
        target: &Target,
        secrets: &[Secret],
    ) -> Result<Self, Failure> {
        let now = jiff::Timestamp::now();
        let path = record.out.clone().unwrap_or_else(|| {
            let time = now.strftime("%Y%m%dT%H%M%SZ");
            PathBuf::from(format!("{}-{time}{SUFFIX}", target.name))
        });
        let at = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let labels = target.labels.iter();
        let labels = labels.map(|(key, value)| format!("{key}={value}"));
        let notes: Vec<String> = record.note.clone().into_iter().chain(labels).collect();
        let header = TranscriptHeader {
            note: notes.join(", "),
            ..TranscriptHeader::captured(&target.name, at)
        };
        let capture = Capture::create(&path, &header, secrets, capture::BYTES_MAX);
        Ok(Self {
            capture: capture.or_exit(Exit::NotWritten)?,
            path,
            share: record.share,
        })
    }

    pub(super) fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Ends the file and says what is in it; `exit` is what it ends with when that succeeds.
    pub(super) fn conclude(self, exit: Exit) -> Result<Exit, Failure> {
        if self.capture.so_far().connections == 0 {
            self.capture.discard();
            print::error("nothing was captured: there was no connection");
            return Ok(exit.max(Exit::Inconclusive));
        }
        let captured = self.capture.finish().or_exit(Exit::NotWritten)?;
        if captured.extent == Extent::CutOff {
            let full = capture::BYTES_MAX / (1024 * 1024);
            print::error(format_args!(
                "the capture is full at {full} MB; what came later is not in it"
            ));
        }
        contents::print(&self.path)?;
        if self.share {
            share::share(&self.path)?;
        }
        Ok(exit)
    }
}
