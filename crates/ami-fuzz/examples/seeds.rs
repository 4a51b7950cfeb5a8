//! Writes what libFuzzer begins with into a folder: a dictionary, and a folder of seeds for each target.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::other("the folder is missing"))?;
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("ami.dict"), ami_fuzz::dictionary::text()?)?;
    for target in &ami_fuzz::TARGETS {
        let seeds = folder.join(target.name);
        fs::create_dir_all(&seeds)?;
        for (name, bytes) in target.seeds.read()? {
            fs::write(seeds.join(name), bytes)?;
        }
    }
    Ok(())
}
