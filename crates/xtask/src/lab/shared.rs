//! What all PBXs of the lab share: a secret for each account and one self-signed certificate.
//!
//! Both are made once and kept, so that a target file written for the lab stays true.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Lab;
use super::config::ACCOUNTS;
use super::lock::Lock;

impl Lab {
    /// Makes whatever is missing.
    pub(crate) fn make_shared(&self) -> Result<()> {
        let _lock = Lock::take(&self.dir.join("shared.lock"))?;
        for account in ACCOUNTS {
            let path = self.secret(account.name);
            if !path.exists() {
                write_secret(&path, &random_hex()?)?;
            }
        }
        if !self.certificate().exists() {
            self.make_certificate()?;
        }
        Ok(())
    }

    pub(crate) fn read_secret(&self, account: &str) -> Result<String> {
        let path = self.secret(account);
        let text = fs::read_to_string(&path).with_context(|| {
            format!("reading {}; `cargo xtask pbx up` makes it", path.display())
        })?;
        Ok(text.trim().to_owned())
    }

    /// The certificate appears last and whole: its presence means that the key is there too.
    fn make_certificate(&self) -> Result<()> {
        let certificate = self.certificate();
        let unfinished = certificate.with_extension("new");
        fs::create_dir_all(self.dir.join("tls")).context("making the lab's tls directory")?;
        let output = Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3650",
            ])
            .args(["-subj", "/CN=amibench lab"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"])
            .arg("-keyout")
            .arg(self.private_key())
            .arg("-out")
            .arg(&unfinished)
            .output()
            .context("starting openssl; on Debian: apt-get install openssl")?;
        if !output.status.success() {
            bail!(
                "openssl: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        fs::rename(&unfinished, &certificate).context("keeping the new certificate")
    }
}

fn write_secret(path: &Path, secret: &str) -> Result<()> {
    let dir = path.parent().expect("a secret lies in lab/secrets");
    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    let unfinished = path.with_extension("new");
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| writeln!(file, "{secret}"))
        .and_then(|()| fs::rename(&unfinished, path))
        .with_context(|| format!("writing {}", path.display()))
}

fn random_hex() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .context("reading /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
