//! `amibench doctor`: the first look at a target, silent on the PBX but for one login and a few questions.

use crate::args::Doctor;
use crate::exit_code::{Exit, Failure};

pub(crate) fn run(_doctor: &Doctor) -> Result<Exit, Failure> {
    Ok(Exit::Held)
}
