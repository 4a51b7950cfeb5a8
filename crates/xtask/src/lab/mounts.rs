//! What is mounted below a chroot, and its removal: nothing is deleted through a mount.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Mounts `/proc` in the chroot unless it is there.
pub(crate) fn mount_proc(root: &Path) -> Result<()> {
    let proc = root.join("proc");
    if below(&proc)?.is_empty() {
        run(Command::new("mount")
            .args(["-t", "proc", "proc"])
            .arg(&proc))?;
    }
    Ok(())
}

/// Unmounts everything below `root`, the innermost first.
pub(crate) fn unmount_all(root: &Path) -> Result<()> {
    for mount in below(root)?.iter().rev() {
        run(Command::new("umount").arg(mount))?;
    }
    Ok(())
}

/// Deletes a chroot with everything in it, if it is there.
pub(crate) fn remove_tree(root: &Path) -> Result<()> {
    if !root.exists() {
        return Ok(());
    }
    unmount_all(root)?;
    let left = below(root)?;
    if !left.is_empty() {
        bail!("not removing {}: {left:?} is still mounted", root.display());
    }
    fs::remove_dir_all(root).with_context(|| format!("removing {}", root.display()))
}

/// Mount points at or below `root`, in the order they were mounted.
fn below(root: &Path) -> Result<Vec<PathBuf>> {
    let Ok(root) = root.canonicalize() else {
        return Ok(Vec::new());
    };
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("reading the mounts")?;
    Ok(mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|field| PathBuf::from(field.replace("\\040", " ")))
        .filter(|mount| mount.starts_with(&root))
        .collect())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
