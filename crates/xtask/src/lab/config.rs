//! The configuration of a lab PBX: embedded files with `@NAME@` marks, written anew at each start.
//!
//! Of the package's own `/etc/asterisk` only a few harmless files are kept.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::chroot::chrooted;
use super::{Lab, Pbx};

/// A manager account: what it may read (events) and write (actions).
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    /// `None` leaves the key out, which grants nothing.
    read: Option<&'static str>,
    write: Option<&'static str>,
    /// Further lines of its section.
    extra: &'static str,
}

/// The account without a secret.
const NO_SECRET: &str = "no-secret";
/// The one that lets in who gives none.
const EMPTY_SECRET: &str = "empty-secret";

/// An account per privilege set. The last ones are named after what they lack.
pub(crate) const ACCOUNTS: [Account; 13] = [
    Account {
        name: "bench",
        read: Some("all"),
        write: Some("all"),
        extra: "",
    },
    Account {
        name: "all",
        read: Some("all"),
        write: Some("all"),
        extra: "",
    },
    Account {
        name: "readonly",
        read: Some("all"),
        write: None,
        extra: "",
    },
    Account {
        name: "originate-only",
        read: Some("call"),
        write: Some("originate"),
        extra: "",
    },
    Account {
        name: "callonly",
        read: Some("call"),
        write: Some("call"),
        extra: "",
    },
    Account {
        name: "noevents",
        read: None,
        write: Some("all"),
        extra: "",
    },
    Account {
        name: "denied",
        read: Some("all"),
        write: Some("all"),
        extra: "deny = 0.0.0.0/0.0.0.0\ndeny = ::/0\n",
    },
    Account {
        name: "limited",
        read: Some("call,reporting,user"),
        write: Some("call,reporting,user"),
        extra: "",
    },
    Account {
        name: "empty-item",
        read: Some("call,,user"),
        write: Some("call,,user"),
        extra: "",
    },
    Account {
        name: "single-login",
        read: Some("call"),
        write: Some("call"),
        extra: "allowmultiplelogin = no\n",
    },
    Account {
        name: NO_SECRET,
        read: Some("call"),
        write: Some("call"),
        extra: "",
    },
    // It may do nothing, since anybody may have it.
    Account {
        name: EMPTY_SECRET,
        read: None,
        write: None,
        extra: "",
    },
    Account {
        name: "switched-off",
        read: Some("call"),
        write: Some("call"),
        // What Asterisk cannot read makes it leave out the account.
        extra: "permit = nobody\n",
    },
];

const TEMPLATES: [(&str, &str); 16] = [
    ("asterisk.conf", include_str!("../../lab/asterisk.conf")),
    ("cdr.conf", include_str!("../../lab/cdr.conf")),
    (
        "cdr_manager.conf",
        include_str!("../../lab/cdr_manager.conf"),
    ),
    ("extensions.conf", include_str!("../../lab/extensions.conf")),
    ("features.conf", include_str!("../../lab/features.conf")),
    ("http.conf", include_str!("../../lab/http.conf")),
    ("logger.conf", include_str!("../../lab/logger.conf")),
    ("manager.conf", include_str!("../../lab/manager.conf")),
    ("modules.conf", include_str!("../../lab/modules.conf")),
    (
        "musiconhold.conf",
        include_str!("../../lab/musiconhold.conf"),
    ),
    ("pjsip.conf", include_str!("../../lab/pjsip.conf")),
    ("queues.conf", include_str!("../../lab/queues.conf")),
    (
        "res_parking.conf",
        include_str!("../../lab/res_parking.conf"),
    ),
    ("rtp.conf", include_str!("../../lab/rtp.conf")),
    ("stasis.conf", include_str!("../../lab/stasis.conf")),
    ("voicemail.conf", include_str!("../../lab/voicemail.conf")),
];

/// Taken over from the package: modules of the core complain without them.
const PACKAGED: [&str; 9] = [
    "acl.conf",
    "ccss.conf",
    "cel.conf",
    "confbridge.conf",
    "dnsmgr.conf",
    "indications.conf",
    "pjproject.conf",
    "resolver_unbound.conf",
    "udptl.conf",
];

impl Lab {
    /// Replaces `/etc/asterisk` of the PBX.
    pub(crate) fn write_config(&self, pbx: &Pbx) -> Result<()> {
        let root = self.root(pbx);
        let etc = root.join("etc/asterisk");
        keep_packaged(&etc)?;
        fs::create_dir_all(etc.join("keys")).context("making /etc/asterisk/keys")?;
        let marks = self.marks(pbx)?;
        for (name, template) in TEMPLATES {
            let text = fill(template, &marks).with_context(|| format!("filling {name}"))?;
            fs::write(etc.join(name), text).with_context(|| format!("writing {name}"))?;
        }
        for name in PACKAGED {
            fs::copy(packaged(&etc).join(name), etc.join(name))
                .with_context(|| format!("keeping the packaged {name}"))?;
        }
        fs::copy(self.certificate(), etc.join("keys/lab.crt"))
            .context("copying the certificate")?;
        fs::copy(self.private_key(), etc.join("keys/lab.key")).context("copying the key")?;
        // The PBX asks nobody outside.
        fs::write(root.join("etc/resolv.conf"), "").context("emptying resolv.conf")?;
        own_by_asterisk(&root)
    }

    fn marks(&self, pbx: &Pbx) -> Result<Vec<(&'static str, String)>> {
        let mut accounts = String::new();
        for account in &ACCOUNTS {
            account.write_section(&self.read_secret(account.name)?, &mut accounts);
        }
        Ok(vec![
            ("@AMI_PORT@", pbx.ami_port().to_string()),
            ("@AMI_TLS_PORT@", pbx.ami_tls_port().to_string()),
            ("@HTTP_PORT@", pbx.http_port().to_string()),
            ("@HTTPS_PORT@", pbx.https_port().to_string()),
            ("@SIP_PORT@", pbx.sip_port().to_string()),
            ("@SIP_SECRET@", self.read_secret("bench")?),
            ("@ACCOUNTS@", accounts),
        ])
    }
}

impl Account {
    fn write_section(&self, secret: &str, out: &mut String) {
        let classes = [("read", self.read), ("write", self.write)];
        writeln!(out, "\n[{}]", self.name).expect("a String takes everything");
        match self.name {
            NO_SECRET => {}
            EMPTY_SECRET => out.push_str("secret =\n"),
            _ => writeln!(out, "secret = {secret}").expect("a String takes everything"),
        }
        for (key, value) in classes {
            if let Some(value) = value {
                writeln!(out, "{key} = {value}").expect("a String takes everything");
            }
        }
        out.push_str(self.extra);
    }
}

fn fill(template: &str, marks: &[(&str, String)]) -> Result<String> {
    let text = marks
        .iter()
        .fold(template.to_owned(), |text, (mark, value)| {
            text.replace(mark, value)
        });
    match text.lines().find(|line| has_mark(line)) {
        Some(line) => bail!("nothing fills the mark in {line:?}"),
        None => Ok(text),
    }
}

/// A word in capitals between two signs; an address has one of them, a list of channels several.
fn has_mark(line: &str) -> bool {
    let words: Vec<&str> = line.split('@').collect();
    let capital = |letter: u8| letter.is_ascii_uppercase() || letter == b'_';
    let is_mark = |word: &&str| !word.is_empty() && word.bytes().all(capital);
    // Neither what stands before the first sign nor what follows the last is between two.
    words.iter().rev().skip(1).rev().skip(1).any(is_mark)
}

fn packaged(etc: &Path) -> std::path::PathBuf {
    etc.with_file_name("asterisk.packaged")
}

/// Moves the package's configuration aside, once.
fn keep_packaged(etc: &Path) -> Result<()> {
    if !packaged(etc).exists() {
        fs::rename(etc, packaged(etc)).context("moving the packaged configuration aside")?;
    } else if etc.exists() {
        fs::remove_dir_all(etc).context("removing the old configuration")?;
    }
    Ok(())
}

/// Only Asterisk and root read the secrets, and Asterisk may write what it writes.
fn own_by_asterisk(root: &Path) -> Result<()> {
    let script = "mkdir -p /run/asterisk && chmod -R o= /etc/asterisk && chown -R asterisk:asterisk \
                  /etc/asterisk /run/asterisk /var/lib/asterisk /var/log/asterisk /var/spool/asterisk";
    let output = chrooted(root)
        .args(["sh", "-c", script])
        .output()
        .context("starting chroot")?;
    if !output.status.success() {
        bail!(
            "setting the owner: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_filled() {
        let marks = [
            "@AMI_PORT@",
            "@AMI_TLS_PORT@",
            "@HTTP_PORT@",
            "@HTTPS_PORT@",
            "@SIP_PORT@",
            "@SIP_SECRET@",
            "@ACCOUNTS@",
        ]
        .map(|mark| (mark, "7".to_owned()));
        for (name, template) in TEMPLATES {
            assert!(fill(template, &marks).is_ok(), "{name}");
        }
        assert!(fill("port = @UNKNOWN@", &marks).is_err());
    }

    #[test]
    fn an_account_without_classes_gets_none() {
        let mut text = String::new();
        ACCOUNTS[2].write_section("s", &mut text);
        assert_eq!(text, "\n[readonly]\nsecret = s\nread = all\n");
    }
}
