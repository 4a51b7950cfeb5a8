//! Recorded sessions as verbs read them; what is wrong with a file is the operator's to mend.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ami_conform::import::{self, Recording};
use anyhow::{Context as _, anyhow};

use crate::exit_code::{Exit, Failure, OrExit};

/// `stream` picks one session of a capture of packets.
pub(crate) fn read(path: &Path, stream: Option<usize>) -> Result<Recording, Failure> {
    let name = path.display();
    let file = File::open(path)
        .with_context(|| format!("failed to open {name}"))
        .or_exit(Exit::BadInput)?;
    import::read(BufReader::new(file), stream)
        .map_err(|error| anyhow!("{name}: failed to {error}"))
        .or_exit(Exit::BadInput)
}
