//! The lab: which PBXs there are, where they listen and where their files are.
//!
//! Everything lives in the git-ignored `lab/` of the workspace: `lab/<pbx>/` (chroot, pid, log),
//! `lab/secrets/<account>` and `lab/tls/`, the last two shared by all PBXs.

pub(crate) mod ami;
pub(crate) mod chroot;
pub(crate) mod config;
pub(crate) mod daemon;
mod lock;
mod mounts;
mod shared;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// The address of everything the lab listens on.
pub(crate) const LOOPBACK: &str = "127.0.0.1";

/// The PBXs this lab can run.
pub(crate) const PBXS: [Pbx; 2] = [
    Pbx {
        name: "asterisk-22",
        version: "Asterisk 22.",
        sources: &[
            Source {
                suite: "forky",
                script: "sid",
                mirror: DEBIAN,
            },
            Source {
                suite: "sid",
                script: "sid",
                mirror: DEBIAN,
            },
        ],
        packages: &["asterisk"],
        base_port: 22000,
    },
    Pbx {
        name: "asterisk-16",
        version: "Asterisk 16.",
        sources: &[
            Source {
                suite: "bullseye",
                script: "bullseye",
                mirror: DEBIAN,
            },
            Source {
                suite: "bullseye",
                script: "bullseye",
                mirror: DEBIAN_ARCHIVE,
            },
        ],
        packages: &["asterisk", "asterisk-voicemail"],
        base_port: 16000,
    },
];

const DEBIAN: &str = "http://deb.debian.org/debian";
const DEBIAN_ARCHIVE: &str = "http://archive.debian.org/debian";

/// One real Asterisk of the lab.
#[derive(Debug)]
pub(crate) struct Pbx {
    pub(crate) name: &'static str,
    /// What `asterisk -V` must begin with: a suite moves on, the lab's name promises a version.
    pub(crate) version: &'static str,
    /// Where its package is found, tried in order.
    pub(crate) sources: &'static [Source],
    pub(crate) packages: &'static [&'static str],
    base_port: u16,
}

/// A Debian suite on a mirror, with the debootstrap script that fits it (an older debootstrap
/// has none of the suite's own name).
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) suite: &'static str,
    pub(crate) script: &'static str,
    pub(crate) mirror: &'static str,
}

impl Pbx {
    pub(crate) fn ami_port(&self) -> u16 {
        self.base_port + 38
    }

    pub(crate) fn ami_tls_port(&self) -> u16 {
        self.base_port + 39
    }

    pub(crate) fn sip_port(&self) -> u16 {
        self.base_port + 60
    }

    pub(crate) fn http_port(&self) -> u16 {
        self.base_port + 88
    }

    pub(crate) fn https_port(&self) -> u16 {
        self.base_port + 89
    }

    pub(crate) fn named(name: &str) -> Result<&'static Self> {
        match PBXS.iter().find(|pbx| pbx.name == name) {
            Some(pbx) => Ok(pbx),
            None => bail!(
                "there is no PBX {name:?} in the lab; it has {}",
                names().join(", ")
            ),
        }
    }
}

fn names() -> Vec<&'static str> {
    PBXS.iter().map(|pbx| pbx.name).collect()
}

/// The lab's directory.
#[derive(Debug, Clone)]
pub(crate) struct Lab {
    dir: PathBuf,
}

impl Lab {
    pub(crate) fn of_workspace(workspace: &Path) -> Self {
        Self {
            dir: workspace.join("lab"),
        }
    }

    pub(crate) fn secret(&self, account: &str) -> PathBuf {
        self.dir.join("secrets").join(account)
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.dir.join("tls/lab.crt")
    }

    pub(crate) fn private_key(&self) -> PathBuf {
        self.dir.join("tls/lab.key")
    }

    pub(crate) fn home(&self, pbx: &Pbx) -> PathBuf {
        self.dir.join(pbx.name)
    }

    pub(crate) fn root(&self, pbx: &Pbx) -> PathBuf {
        self.home(pbx).join("root")
    }

    pub(crate) fn console_log(&self, pbx: &Pbx) -> PathBuf {
        self.home(pbx).join("console.log")
    }

    pub(crate) fn cdr(&self, pbx: &Pbx) -> PathBuf {
        self.root(pbx).join("var/log/asterisk/cdr-csv/Master.csv")
    }

    fn building(&self, pbx: &Pbx) -> PathBuf {
        self.home(pbx).join("building")
    }

    fn build_log(&self, pbx: &Pbx) -> PathBuf {
        self.home(pbx).join("build.log")
    }

    fn pid_file(&self, pbx: &Pbx) -> PathBuf {
        self.home(pbx).join("pid")
    }
}
