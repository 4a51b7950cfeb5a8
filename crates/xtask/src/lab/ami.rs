//! The few words of AMI that the lab itself needs, on a blocking socket.
//!
//! Deliberately not `ami-proto`: the lab is what the protocol core is held to.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A healthy Asterisk answers within milliseconds; a hung one must not hang the lab.
const PATIENCE: Duration = Duration::from_secs(20);

/// A logged-in session of the account `bench`.
#[derive(Debug)]
pub(crate) struct Ami {
    stream: BufReader<TcpStream>,
}

/// Headers in the order they came.
#[derive(Debug, Default)]
pub(crate) struct Block(Vec<(String, String)>);

impl Block {
    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self
            .0
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}

impl Ami {
    /// `Ok(None)` when nothing listens on the port.
    pub(crate) fn connect(port: u16, events: &str, secret: &str) -> Result<Option<Self>> {
        let stream = match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(stream) => stream,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("connecting to port {port}")),
        };
        stream
            .set_read_timeout(Some(PATIENCE))
            .context("setting a read timeout")?;
        let mut ami = Self {
            stream: BufReader::new(stream),
        };
        let banner = ami.line()?;
        if !banner.starts_with("Asterisk Call Manager/") {
            bail!("port {port} is not AMI: its first line is {banner:?}");
        }
        let login = [
            ("Username", "bench"),
            ("Secret", secret),
            ("Events", events),
        ];
        let answer = ami.request("Login", &login)?;
        if answer.get("Response") != "Success" {
            bail!("login of bench at port {port}: {}", answer.get("Message"));
        }
        Ok(Some(ami))
    }

    /// Sends an action and reads up to its response.
    pub(crate) fn request(&mut self, action: &str, headers: &[(&str, &str)]) -> Result<Block> {
        let headers = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"));
        let text = format!("Action: {action}\r\n{}\r\n", headers.collect::<String>());
        self.stream
            .get_mut()
            .write_all(text.as_bytes())
            .with_context(|| format!("sending {action}"))?;
        self.read_until(|block| !block.get("Response").is_empty() && block.get("Event").is_empty())
    }

    /// The events of a list action, without the one that completes it.
    pub(crate) fn list(&mut self, action: &str) -> Result<Vec<Block>> {
        let answer = self.request(action, &[])?;
        if answer.get("Response") != "Success" {
            bail!("{action}: {}", answer.get("Message"));
        }
        let mut items = Vec::new();
        loop {
            let block = self.block()?;
            if block.get("EventList") == "Complete" {
                return Ok(items);
            }
            items.push(block);
        }
    }

    pub(crate) fn read_until(&mut self, wanted: impl Fn(&Block) -> bool) -> Result<Block> {
        loop {
            let block = self.block()?;
            if wanted(&block) {
                return Ok(block);
            }
        }
    }

    fn block(&mut self) -> Result<Block> {
        let mut block = Block::default();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(block);
            }
            if let Some((name, value)) = line.split_once(':') {
                block
                    .0
                    .push((name.to_owned(), value.trim_start().to_owned()));
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut bytes = Vec::new();
        self.stream
            .read_until(b'\n', &mut bytes)
            .context("waiting for the PBX's answer")?;
        if bytes.is_empty() {
            bail!("the PBX closed the connection");
        }
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }
}
