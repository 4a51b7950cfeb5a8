//! Writes the file of expectations of a target.

use ami_client::Target;
use ami_conform::expectation;
use anyhow::{Context as _, anyhow};

use super::Subject;
use super::judge::Judged;
use crate::args::Conform;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::{catalogue, print};

/// Where it will be written; asked before anything is sent.
pub(super) fn path(conform: &Conform, target: &Target) -> Result<std::path::PathBuf, Failure> {
    let path = conform
        .expected
        .clone()
        .or_else(|| catalogue::expected_path(target));
    path.ok_or_else(|| {
        anyhow!(
            "{} is no file to write expectations beside: --expected FILE says where",
            target.name
        )
    })
    .or_exit(Exit::BadInput)
}

/// Not of a target that was not judged to its end: what it lacks would look as if it did not apply.
pub(super) fn write(conform: &Conform, subject: &Subject, judged: &Judged) -> Result<(), Failure> {
    if judged.unreachable.is_some() {
        return Ok(());
    }
    let path = path(conform, &subject.target)?;
    let judgements: Vec<_> = judged
        .judgements
        .iter()
        .map(|(one, _)| one.clone())
        .collect();
    let title = format!("What is known of {}.", judged.target);
    let text = expectation::write(
        subject.expectations.as_ref(),
        &judgements,
        &judged.tag,
        &title,
    );
    ami_results::run_dir::replace(&path, text.as_bytes())
        .context("failed to write what is expected")
        .or_exit(Exit::NotWritten)?;
    print::line(path.display());
    Ok(())
}
