//! Captures loopback with dumpcap while a run lasts, and reads the segments back through tshark.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, Stdio};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::stream::Segment;
use crate::bench::product::Running;

/// Holds a second of everything, should dumpcap not be scheduled.
const BUFFER_MB: &str = "64";

#[derive(Debug)]
pub(super) struct Capture {
    process: Running,
    stderr: BufReader<ChildStderr>,
    file: PathBuf,
}

/// A finished capture.
#[derive(Debug)]
pub(super) struct Recording {
    file: PathBuf,
    /// How many packets, and how many were dropped, in dumpcap's words.
    pub(super) summary: String,
}

/// Says at once, before anything is built or run, what is missing.
pub(super) fn require_tools() -> Result<()> {
    for tool in ["dumpcap", "tshark"] {
        if Command::new(tool).arg("--version").output().is_err() {
            bail!("{tool} is not installed; on Debian: apt-get install tshark");
        }
    }
    Ok(())
}

impl Capture {
    /// Returns when packets are being captured.
    pub(super) fn start(port: u16, file: &Path) -> Result<Self> {
        let mut process = Command::new("dumpcap")
            .args([
                "-i",
                "lo",
                "-B",
                BUFFER_MB,
                "-f",
                &format!("tcp port {port}"),
            ])
            .arg("-w")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map(Running)
            .context("starting dumpcap")?;
        let mut stderr = BufReader::new(process.0.stderr.take().expect("it was piped"));
        let mut said = String::new();
        while !said.contains("File: ") {
            let length = stderr.read_line(&mut said).context("reading dumpcap")?;
            if length == 0 {
                bail!("dumpcap cannot capture: {}", said.trim());
            }
        }
        Ok(Self {
            process,
            stderr,
            file: file.to_owned(),
        })
    }

    pub(super) fn stop(mut self) -> Result<Recording> {
        kill_process(Pid::from_child(&self.process.0), Signal::INT).context("stopping dumpcap")?;
        let mut said = String::new();
        self.stderr
            .read_to_string(&mut said)
            .context("reading dumpcap")?;
        let status = self.process.0.wait().context("waiting for dumpcap")?;
        if !status.success() {
            bail!("dumpcap ended with {status}: {}", said.trim());
        }
        // It rewrites a line of progress; the summary is the last one.
        let summary = said.trim().rsplit(['\r', '\n']).next().unwrap_or_default();
        Ok(Recording {
            summary: summary.to_owned(),
            file: self.file,
        })
    }
}

impl Recording {
    /// Every segment with a payload, in the order of capture.
    pub(super) fn segments(&self) -> Result<Vec<Segment>> {
        let output = Command::new("tshark")
            .args(["-n", "-Y", "tcp.len > 0", "-T", "fields"])
            .args([
                "-e",
                "frame.time_epoch",
                "-e",
                "tcp.stream",
                "-e",
                "tcp.srcport",
            ])
            .args(["-e", "tcp.seq", "-e", "tcp.payload", "-r"])
            .arg(&self.file)
            .output()
            .context("starting tshark")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("tshark ended with {}: {}", output.status, said.trim());
        }
        let text = String::from_utf8(output.stdout).context("reading tshark")?;
        text.lines()
            .map(|line| segment(line).with_context(|| format!("a row of tshark: {line:?}")))
            .collect()
    }
}

/// One row: time, stream, source port, sequence number, payload in hexadecimal.
fn segment(row: &str) -> Option<Segment> {
    let mut fields = row.split('\t');
    Some(Segment {
        at: nanoseconds(fields.next()?)?,
        stream: fields.next()?.parse().ok()?,
        source_port: fields.next()?.parse().ok()?,
        sequence: fields.next()?.parse().ok()?,
        payload: bytes(fields.next()?)?,
    })
}

/// `1795262316.329513159`.
fn nanoseconds(epoch: &str) -> Option<u64> {
    let (seconds, fraction) = epoch.split_once('.')?;
    let fraction: u64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(seconds.parse::<u64>().ok()? * 1_000_000_000 + fraction)
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits = hexadecimal.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_tshark_is_a_segment() {
        let read = segment("1795262316.3295\t4\t22038\t17\t0d0A").unwrap();
        assert_eq!(read.at, 1_795_262_316_329_500_000);
        assert_eq!(
            (read.stream, read.source_port, read.sequence),
            (4, 22038, 17)
        );
        assert_eq!(read.payload, b"\r\n");
        for torn in ["", "1.0\t4\t1\t1", "1.0\t4\t1\t1\t0g", "x\t4\t1\t1\t0d"] {
            assert!(segment(torn).is_none(), "{torn:?}");
        }
    }
}
