//! SIPp from Debian's sip-tester, in the lab's chroot with the newest Debian: a call is one OPTIONS,
//! which nobody answers.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use super::sink::{Sink, kept};
use super::{RATE, Turn};
use crate::bench::machine::Policy;
use crate::lab::{LOOPBACK, Lab, Pbx};

const SCENARIO: &str = include_str!("options.xml");
/// Where the scenario lies, as SIPp sees it.
const SCENARIO_PATH: &str = "/tmp/xtask-bench-options.xml";
const PROGRAM: &str = "usr/bin/sipp";

/// The lab empties the chroot's resolv.conf, so that the PBX asks nobody. Only the installer sees the
/// host's: it is mounted in a namespace of its own, which ends with it.
const INSTALL: &str = "mount --bind /etc/resolv.conf \"$0/etc/resolv.conf\" && \
     exec chroot \"$0\" apt-get install --yes --no-install-recommends sip-tester";

/// SIPp, or why there is none.
#[derive(Debug)]
pub(super) enum Sipp {
    Here { root: PathBuf },
    Missing { cause: String },
}

impl Sipp {
    /// Installs it into the chroot of the PBX where that has none.
    pub(super) fn find(lab: &Lab, pbx: &Pbx) -> Self {
        let root = lab.root(pbx);
        if root.join(PROGRAM).exists() {
            return Self::Here { root };
        }
        match install(lab, pbx, &root) {
            Ok(()) => Self::Here { root },
            Err(error) => Self::Missing {
                cause: format!("{error:#}"),
            },
        }
    }

    pub(super) fn turn(&self, policy: Policy, seconds: u32) -> Result<Turn> {
        let root = match self {
            Self::Here { root } => root,
            Self::Missing { cause } => return Err(anyhow!("{cause}")),
        };
        let scenario = root.join(SCENARIO_PATH.trim_start_matches('/'));
        fs::write(&scenario, SCENARIO).context("writing SIPp's scenario")?;
        let sink = Sink::open()?;
        let sent = RATE * seconds;
        let output = policy
            .command("chroot")
            .arg(root)
            .args(["/usr/bin/sipp", "-sf", SCENARIO_PATH, "-i", LOOPBACK])
            .args([
                "-r",
                &RATE.to_string(),
                "-rp",
                "1000",
                "-m",
                &sent.to_string(),
            ])
            // The finest timer it has, and no limit on calls that would slow it.
            .args([
                "-timer_resol",
                "1",
                "-l",
                &RATE.to_string(),
                "-nr",
                "-nostdin",
            ])
            .arg(format!("{LOOPBACK}:{}", sink.port))
            .stdin(Stdio::null())
            .output()
            .context("starting SIPp")?;
        fs::remove_file(&scenario).context("removing SIPp's scenario")?;
        let arrivals = sink.close();
        let Some(kept) = kept(&arrivals, RATE) else {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!(
                "SIPp ended with {} and sent nothing: {}",
                output.status,
                said.trim()
            );
        };
        let lost = u64::from(sent).saturating_sub(kept.asked.count);
        let mut remark = format!(", rate {:+.3} %", kept.rate_error);
        if lost > 0 {
            let _ = write!(remark, ", {lost} of {sent} did not arrive");
        }
        Ok(Turn {
            figures: kept.asked,
            forgiven: Some(kept.own_rate),
            remark,
        })
    }
}

fn install(lab: &Lab, pbx: &Pbx, root: &Path) -> Result<()> {
    if !root.exists() {
        bail!("it needs the lab: `cargo xtask pbx up {}`", pbx.name);
    }
    let lock = lab.lock(pbx)?;
    let output = Command::new("unshare")
        .args(["--mount", "--", "sh", "-c", INSTALL])
        .arg(root)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C")
        .stdin(lock.as_stdin()?)
        .output()
        .context("starting unshare")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or_default();
        bail!("sip-tester cannot be installed in the chroot: {last}");
    }
    Ok(())
}
