//! Makes the Debian chroot of a PBX: built aside, then renamed, so that a chroot that is there is
//! whole. A chroot made by another recipe is made anew.

use std::fs::{self, File, Permissions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::lock::Lock;
use super::mounts;
use super::{Lab, Pbx, Source};

/// Says which recipe a chroot was made by.
const RECIPE_FILE: &str = "etc/lab-recipe";

const POLICY: &str = "#!/bin/sh\n# Packages start nothing: the lab does.\nexit 101\n";

const APT: &str = "Acquire::Check-Valid-Until \"false\";\nAcquire::Languages \"none\";\n\
                   Acquire::Retries \"3\";\nAPT::Install-Recommends \"false\";\n";

const DPKG: &str = "force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\n\
                    path-exclude=/usr/share/locale/*\n";

/// Whether the PBX can be had at all.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chroot {
    Ready,
    /// No mirror has the suite (or the version) any more.
    Gone(String),
}

impl Lab {
    /// Makes the chroot unless a whole one is there. The caller holds the PBX's lock.
    pub(crate) fn make_chroot(&self, pbx: &Pbx, lock: &Lock) -> Result<Chroot> {
        let root = self.root(pbx);
        let building = self.building(pbx);
        mounts::remove_tree(&building)?;
        if root.exists() {
            if fs::read_to_string(root.join(RECIPE_FILE)).is_ok_and(|made| made == recipe(pbx)) {
                return Ok(Chroot::Ready);
            }
            mounts::remove_tree(&root)?;
        }
        require_root_and_debootstrap()?;
        let mut causes = Vec::new();
        for source in pbx.sources {
            println!(
                "{}: bootstrapping {} from {}",
                pbx.name, source.suite, source.mirror
            );
            let log = LogFile::create(&self.build_log(pbx))?;
            match build(pbx, source, &building, &Tools { log: &log, lock })? {
                Chroot::Ready => {
                    fs::rename(&building, &root)
                        .with_context(|| format!("keeping the chroot {}", root.display()))?;
                    return Ok(Chroot::Ready);
                }
                Chroot::Gone(cause) => causes.push(cause),
            }
            mounts::remove_tree(&building)?;
        }
        Ok(Chroot::Gone(causes.join("; ")))
    }
}

fn recipe(pbx: &Pbx) -> String {
    format!(
        "{}\n{}\n{POLICY}{APT}{DPKG}",
        pbx.version,
        pbx.packages.join(" ")
    )
}

fn require_root_and_debootstrap() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        bail!("making a chroot needs root");
    }
    if Command::new("debootstrap")
        .arg("--version")
        .output()
        .is_err()
    {
        bail!("debootstrap is not installed; on Debian: apt-get install debootstrap");
    }
    Ok(())
}

/// What every command of a build gets.
struct Tools<'a> {
    log: &'a LogFile,
    lock: &'a Lock,
}

fn build(pbx: &Pbx, source: &Source, root: &Path, tools: &Tools<'_>) -> Result<Chroot> {
    fs::create_dir_all(root).with_context(|| format!("making {}", root.display()))?;
    let mut debootstrap = Command::new("debootstrap");
    debootstrap
        .arg("--variant=minbase")
        .arg(source.suite)
        .arg(root);
    debootstrap.args([source.mirror, source.script]);
    if let Err(error) = tools.run(&mut debootstrap) {
        // Said by debootstrap when the suite has left the mirror, and when there is no mirror.
        if tools.log.text()?.contains("Failed getting release file") {
            return Ok(Chroot::Gone(format!(
                "{} has no {}",
                source.mirror, source.suite
            )));
        }
        return Err(error);
    }
    install_file(&root.join("usr/sbin/policy-rc.d"), POLICY, 0o755)?;
    install_file(&root.join("etc/apt/apt.conf.d/00lab"), APT, 0o644)?;
    install_file(&root.join("etc/dpkg/dpkg.cfg.d/lab"), DPKG, 0o644)?;
    tools.run(chrooted(root).args(["apt-get", "update"]))?;
    tools.run(
        chrooted(root)
            .args(["apt-get", "install", "--yes"])
            .args(pbx.packages),
    )?;
    tools.run(chrooted(root).args(["apt-get", "clean"]))?;
    let version = chrooted(root).args(["/usr/sbin/asterisk", "-V"]).output();
    let version = String::from_utf8(version.context("asking for the version")?.stdout)?;
    if !version.starts_with(pbx.version) {
        return Ok(Chroot::Gone(format!(
            "{} has {} now",
            source.suite,
            version.trim()
        )));
    }
    install_file(&root.join(RECIPE_FILE), &recipe(pbx), 0o644)?;
    Ok(Chroot::Ready)
}

/// `chroot ROOT`, to which the command and its arguments are added.
pub(crate) fn chrooted(root: &Path) -> Command {
    let mut command = Command::new("chroot");
    command
        .arg(root)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C");
    command
}

impl Tools<'_> {
    fn run(&self, command: &mut Command) -> Result<()> {
        command.stdin(self.lock.as_stdin()?);
        command
            .stdout(self.log.0.try_clone()?)
            .stderr(self.log.0.try_clone()?);
        let status = command
            .status()
            .with_context(|| format!("starting {command:?}"))?;
        if !status.success() {
            bail!(
                "{command:?} ended with {status}; it said: {}",
                self.log.last_lines()?
            );
        }
        Ok(())
    }
}

/// Everything the tools said during one build.
struct LogFile(File);

impl LogFile {
    fn create(path: &Path) -> Result<Self> {
        let options = File::options()
            .create(true)
            .truncate(true)
            .write(true)
            .read(true)
            .open(path);
        Ok(Self(
            options.with_context(|| format!("making {}", path.display()))?,
        ))
    }

    /// Read through the descriptor the children write to: between commands its position is free.
    fn text(&self) -> Result<String> {
        let mut bytes = Vec::new();
        let mut file = &self.0;
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn last_lines(&self) -> Result<String> {
        let text = self.text()?;
        let lines: Vec<&str> = text.lines().collect();
        Ok(lines[lines.len().saturating_sub(4)..].join(" | "))
    }
}

fn install_file(path: &Path, text: &str, mode: u32) -> Result<()> {
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
        .with_context(|| format!("writing {}", path.display()))
}
