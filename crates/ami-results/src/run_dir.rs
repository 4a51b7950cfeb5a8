//! The directory of one run: which files it has, how it is made and opened. `results/README.md` describes the format.
//! The manifest is replaced as a whole, the other files only grow: killed at any instant, a run stays readable.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::call::CallRecord;
use crate::delivery::DeliveryRow;
use crate::error_class::ErrorRow;
use crate::interval::{Gauge, IntervalRow};
use crate::interval_log::LogRows;
use crate::layout::Layout;
use crate::manifest::{FORMAT, Manifest};
use crate::outage::PresenceRow;
use crate::record::Record;
use crate::rows::{ReadError, Rows};
use crate::verdict::Verdict;

const MANIFEST: &str = "manifest.json";
const VERDICTS: &str = "verdicts.json";
pub(crate) const LATENCY: &str = "latency.hlog";
pub(crate) const INTERVALS: &str = "intervals.jsonl";
pub(crate) const GAUGES: &str = "gauges.jsonl";
pub(crate) const ERRORS: &str = "errors.jsonl";
pub(crate) const CALLS: &str = "calls.jsonl";
pub(crate) const SESSIONS: &str = "sessions.jsonl";
pub(crate) const DELIVERIES: &str = "deliveries.jsonl";
pub(crate) const RECORDS: &str = "records.jsonl";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    #[error("make the results directory {}: it exists already, give a new one", path.display())]
    Exists { path: PathBuf },
    #[error("make the results directory {}", path.display())]
    Create {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("open {}: it is no run directory, it has no {MANIFEST}", path.display())]
    NoManifest { path: PathBuf },
    #[error("read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("understand {}", path.display())]
    Parse {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("read {}: its format is {found}, this version reads up to {FORMAT}", path.display())]
    Newer { path: PathBuf, found: u64 },
}

/// A file of the run could not be written; what was written before stays readable.
#[derive(Debug, thiserror::Error)]
#[error("write {}", path.display())]
pub struct WriteError {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

impl RunDir {
    /// The directory must be new; its parents are made.
    pub fn create(path: &Path) -> Result<Self, CreateError> {
        let failed = |source| CreateError::Create {
            path: path.to_owned(),
            source,
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        match fs::create_dir(path) {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(CreateError::Exists {
                    path: path.to_owned(),
                })
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// A directory with a manifest that this version can read.
    pub fn open(path: &Path) -> Result<(Self, Manifest), OpenError> {
        let run_dir = Self {
            path: path.to_owned(),
        };
        let manifest = run_dir.manifest()?;
        Ok((run_dir, manifest))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub fn manifest(&self) -> Result<Manifest, OpenError> {
        let path = self.file(MANIFEST);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let path = self.path.clone();
                return Err(OpenError::NoManifest { path });
            }
            Err(source) => return Err(OpenError::Read { path, source }),
        };
        let parse = |source| OpenError::Parse {
            path: path.clone(),
            source,
        };
        let value: serde_json::Value = serde_json::from_slice(&text).map_err(parse)?;
        // Asked first: a newer manifest need not have the keys that ours has.
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(found) if found > u64::from(FORMAT) => Err(OpenError::Newer { path, found }),
            _ => serde_json::from_value(value).map_err(parse),
        }
    }

    /// Replaces the manifest as a whole: a reader sees the old one or the new one.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), WriteError> {
        let text = serde_json::to_vec_pretty(manifest)
            .expect("a manifest has string keys only, so it always serialises");
        replace(&self.file(MANIFEST), &text)
    }

    pub fn write_verdicts(&self, verdicts: &[Verdict]) -> Result<(), WriteError> {
        let text = serde_json::to_vec_pretty(verdicts)
            .expect("verdicts are plain structs, which always serialise");
        replace(&self.file(VERDICTS), &text)
    }

    /// None when none were asked for, or the run was killed before they were reached.
    pub fn verdicts(&self) -> Result<Vec<Verdict>, OpenError> {
        let path = self.file(VERDICTS);
        match fs::read(&path) {
            Ok(text) => {
                serde_json::from_slice(&text).map_err(|source| OpenError::Parse { path, source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(OpenError::Read { path, source }),
        }
    }

    pub fn histograms<'a>(&self, layout: &'a Layout) -> Result<LogRows<'a>, ReadError> {
        LogRows::open(&self.file(LATENCY), layout)
    }

    pub fn intervals(&self) -> Result<Rows<IntervalRow>, ReadError> {
        Rows::open(&self.file(INTERVALS))
    }

    pub fn gauges(&self) -> Result<Rows<Gauge>, ReadError> {
        Rows::open(&self.file(GAUGES))
    }

    pub fn errors(&self) -> Result<Rows<ErrorRow>, ReadError> {
        Rows::open(&self.file(ERRORS))
    }

    pub fn calls(&self) -> Result<Rows<CallRecord>, ReadError> {
        Rows::open(&self.file(CALLS))
    }

    pub fn presence(&self) -> Result<Rows<PresenceRow>, ReadError> {
        Rows::open(&self.file(SESSIONS))
    }

    pub fn deliveries(&self) -> Result<Rows<DeliveryRow>, ReadError> {
        Rows::open(&self.file(DELIVERIES))
    }

    /// Empty unless records were asked for.
    pub fn records(&self) -> Result<Rows<Record>, ReadError> {
        Rows::open(&self.file(RECORDS))
    }

    /// Lets `latest` beside this directory point to it.
    pub fn link_latest(&self) -> Result<(), WriteError> {
        let (Some(parent), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Ok(());
        };
        let temporary = parent.join(format!(".latest-{}", std::process::id()));
        let link = || {
            std::os::unix::fs::symlink(name, &temporary)?;
            fs::rename(&temporary, parent.join("latest")).inspect_err(|_| {
                let _ = fs::remove_file(&temporary);
            })
        };
        link().map_err(|source| WriteError {
            path: parent.join("latest"),
            source,
        })
    }
}

/// Replaces a file as a whole: a reader sees the old one or the new one.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), WriteError> {
    let write = |file: &mut BufWriter<File>| file.write_all(content);
    replace_with(path, |file| {
        write(file).map_err(|source| failed(path, source))
    })
}

/// The same, with content that may be long and may not come about.
pub fn replace_with<E: From<WriteError>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().display();
    let temporary = folder.join(format!(".{name}.new"));
    let failed = |source| E::from(failed(path, source));
    let written = || {
        let mut file = BufWriter::new(File::create(&temporary).map_err(failed)?);
        write(&mut file)?;
        let file = file
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        fs::rename(&temporary, path).map_err(failed)?;
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)
    };
    written().inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

fn failed(path: &Path, source: io::Error) -> WriteError {
    WriteError {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{CreateError, OpenError, RunDir, replace};

    #[test]
    fn a_directory_that_exists_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let error = RunDir::create(dir.path()).unwrap_err();
        assert!(matches!(error, CreateError::Exists { .. }));
    }

    #[test]
    fn parents_are_made_unless_a_file_is_in_the_way() {
        let dir = tempfile::tempdir().unwrap();
        assert!(RunDir::create(&dir.path().join("a/b/run")).is_ok());
        fs::write(dir.path().join("file"), "").unwrap();
        let error = RunDir::create(&dir.path().join("file/run")).unwrap_err();
        assert!(matches!(error, CreateError::Create { .. }));
    }

    #[test]
    fn what_is_no_run_or_a_newer_one_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let none = RunDir::open(dir.path()).unwrap_err();
        assert!(matches!(none, OpenError::NoManifest { .. }));
        fs::write(dir.path().join("manifest.json"), r#"{"format": 99}"#).unwrap();
        let newer = RunDir::open(dir.path()).unwrap_err();
        assert!(matches!(newer, OpenError::Newer { found: 99, .. }));
    }

    #[test]
    fn latest_points_to_the_last_linked() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["one", "two"] {
            let run_dir = RunDir::create(&dir.path().join(name)).unwrap();
            run_dir.link_latest().unwrap();
            let target = fs::read_link(dir.path().join("latest")).unwrap();
            assert_eq!(target.to_str(), Some(name));
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_replaced_file_leaves_no_temporary_behind() {
        let dir = tempfile::tempdir().unwrap();
        let run_dir = RunDir::create(&dir.path().join("run")).unwrap();
        let path = run_dir.file("report.md");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(path).unwrap(), b"two");
        assert_eq!(fs::read_dir(run_dir.path()).unwrap().count(), 1);
    }
}
