//! Writes and reads `judgements.jsonl`. Each row is handed to the kernel when it is written, so that a run that is killed
//! keeps what it has judged.

use std::io;
use std::path::{Path, PathBuf};

use super::{Device, End, FORMAT, Judgement, Row, Run};
use crate::append::AppendFile;
use crate::rows::{ReadError, Rows, Torn};
use crate::run_dir::WriteError;

/// In a run's directory.
pub const JUDGEMENTS: &str = "judgements.jsonl";

#[derive(Debug)]
pub struct JudgementLog {
    file: AppendFile,
}

impl JudgementLog {
    /// The file must be new.
    pub fn create(folder: &Path, run: Run) -> Result<Self, WriteError> {
        let path = folder.join(JUDGEMENTS);
        let file =
            AppendFile::create(path.clone()).map_err(|source| WriteError { path, source })?;
        let mut log = Self { file };
        log.write(&Row::Run(run))?;
        Ok(log)
    }

    pub fn write(&mut self, row: &Row) -> Result<(), WriteError> {
        let mut write = || -> io::Result<()> {
            self.file.json_line(row)?;
            self.file.flush()
        };
        write().map_err(|source| WriteError {
            path: self.file.path().to_owned(),
            source,
        })
    }
}

/// All that a run has judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgements {
    pub run: Run,
    /// In the order in which they were met.
    pub devices: Vec<Device>,
    /// One for each target and case, in the order in which they were first told.
    pub judgements: Vec<Judgement>,
    pub ends: Vec<End>,
    pub torn: Option<Torn>,
}

/// Reads after “failed to”.
#[derive(Debug, thiserror::Error)]
pub enum JudgementsError {
    #[error("open {}: it holds no judgements, it has no {JUDGEMENTS}", folder.display())]
    None { folder: PathBuf },
    #[error(transparent)]
    Rows(#[from] ReadError),
    #[error("understand {}, line {line}: {expected}", path.display())]
    Order {
        path: PathBuf,
        line: usize,
        expected: &'static str,
    },
    #[error("read {}: its format is {found}, this version reads up to {FORMAT}", path.display())]
    Newer { path: PathBuf, found: u32 },
}

/// Whether a directory holds judgements.
pub fn is_in(folder: &Path) -> bool {
    folder.join(JUDGEMENTS).is_file()
}

impl Judgements {
    pub fn read(folder: &Path) -> Result<Self, JudgementsError> {
        if !is_in(folder) {
            return Err(JudgementsError::None {
                folder: folder.to_owned(),
            });
        }
        let path = folder.join(JUDGEMENTS);
        let order = |line, expected| JudgementsError::Order {
            path: path.clone(),
            line,
            expected,
        };
        let mut rows = Rows::<Row>::open(&path)?;
        let run = match rows.next().transpose()? {
            Some(Row::Run(run)) if run.format > FORMAT => {
                let found = run.format;
                return Err(JudgementsError::Newer { path, found });
            }
            Some(Row::Run(run)) => run,
            _ => return Err(order(1, "the first row must be the run")),
        };
        let mut read = Self {
            run,
            devices: Vec::new(),
            judgements: Vec::new(),
            ends: Vec::new(),
            torn: None,
        };
        for (index, row) in rows.by_ref().enumerate() {
            read.take(row?)
                .map_err(|expected| order(index + 2, expected))?;
        }
        read.torn = rows.torn().cloned();
        Ok(read)
    }

    fn take(&mut self, row: Row) -> Result<(), &'static str> {
        let is_known = |target: &str| self.devices.iter().any(|device| device.target == target);
        match row {
            Row::Run(_) => return Err("there is one run in a file"),
            Row::Device(device) if is_known(&device.target) => {
                return Err("the device of this target stands in an earlier line");
            }
            Row::Device(device) => self.devices.push(device),
            Row::Judgement(judgement) if is_known(&judgement.target) => self.judge(*judgement),
            Row::End(end) if is_known(&end.target) => self.ends.push(end),
            Row::Judgement(_) | Row::End(_) => {
                return Err("the device of its target must stand in an earlier line");
            }
        }
        Ok(())
    }

    fn judge(&mut self, judgement: Judgement) {
        let mut told = self.judgements.iter_mut();
        let is_same =
            |one: &&mut Judgement| one.target == judgement.target && one.case == judgement.case;
        match told.find(is_same) {
            Some(earlier) => *earlier = judgement,
            None => self.judgements.push(judgement),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::io::Write as _;

    use super::super::{Device, End, Excerpt, FORMAT, How, Judgement, Options, Row, Run, Side};
    use super::{JUDGEMENTS, JudgementLog, Judgements};
    use crate::verdict::State;

    fn run(format: u32) -> Run {
        Run {
            format,
            version: "0.1.0".to_owned(),
            verb: "conform".to_owned(),
            catalogue: "sha256:00".to_owned(),
            started_at: jiff::Timestamp::UNIX_EPOCH,
            seed: 7,
            options: Options::default(),
            labels: BTreeMap::new(),
        }
    }

    fn device(target: &str) -> Row {
        Row::Device(Device {
            target: target.to_owned(),
            planned: 1,
            ..Device::default()
        })
    }

    fn judgement(target: &str, case: &str, state: State) -> Row {
        Row::Judgement(Box::new(Judgement {
            target: target.to_owned(),
            case: case.to_owned(),
            requirement: "A ping is answered.".to_owned(),
            level: "must".to_owned(),
            authority: "specification".to_owned(),
            severity: "major".to_owned(),
            safety: "quiet".to_owned(),
            source: "the specification".to_owned(),
            state,
            expected: String::new(),
            got: "Pong".to_owned(),
            took_ns: 5,
            evidence: vec![Excerpt::new(0, Side::Server, 12, b"Ping: Pong\r\n\xff")],
            left: Vec::new(),
            expectation: None,
        }))
    }

    fn end(target: &str) -> Row {
        Row::End(End {
            target: target.to_owned(),
            how: How::Completed,
            ended_at: jiff::Timestamp::UNIX_EPOCH,
            objections: Vec::new(),
        })
    }

    fn read(format: u32, rows: &[Row]) -> Result<Judgements, String> {
        let dir = tempfile::tempdir().unwrap();
        let mut log = JudgementLog::create(dir.path(), run(format)).unwrap();
        rows.iter().for_each(|row| log.write(row).unwrap());
        Judgements::read(dir.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_written_is_read_and_the_later_judgement_counts() {
        let rows = [
            device("a"),
            device("b"),
            judgement("a", "banner.line.one", State::Pass),
            judgement("b", "banner.line.one", State::Fail),
            judgement("a", "banner.line.one", State::Inconclusive),
            end("a"),
        ];
        let read = read(FORMAT, &rows).unwrap();
        assert_eq!(read.devices.len(), 2);
        assert_eq!(read.ends.len(), 1);
        assert_eq!(read.torn, None);
        let again: Vec<Row> = read
            .judgements
            .into_iter()
            .map(|one| Row::Judgement(Box::new(one)))
            .collect();
        assert_eq!(again, [rows[4].clone(), rows[3].clone()]);
    }

    #[test]
    fn what_is_out_of_order_names_its_line() {
        let cases = [
            (
                vec![judgement("a", "x.y.z", State::Pass)],
                "line 2: the device of its target",
            ),
            (
                vec![device("a"), device("a")],
                "line 3: the device of this target",
            ),
            (
                vec![device("a"), Row::Run(run(FORMAT))],
                "line 3: there is one run",
            ),
            (vec![end("a")], "line 2: the device of its target"),
        ];
        for (rows, expected) in cases {
            let error = read(FORMAT, &rows).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let error = read(FORMAT + 1, &[]).unwrap_err();
        assert!(error.contains("its format is 2"), "{error}");
    }

    #[test]
    fn other_files_are_refused_and_torn_ones_read() {
        let dir = tempfile::tempdir().unwrap();
        let error = || Judgements::read(dir.path()).unwrap_err().to_string();
        assert!(error().contains("it has no judgements.jsonl"));
        let path = dir.path().join(JUDGEMENTS);
        fs::write(&path, "").unwrap();
        assert!(error().contains("line 1: the first row must be the run"));
        fs::write(&path, "{\"row\":\"run\"}\n").unwrap();
        assert!(error().ends_with("judgements.jsonl, line 1"));
        fs::remove_file(&path).unwrap();
        let mut log = JudgementLog::create(dir.path(), run(FORMAT)).unwrap();
        log.write(&device("a")).unwrap();
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"row\":\"judge").unwrap();
        let read = Judgements::read(dir.path()).unwrap();
        assert_eq!(read.torn.map(|torn| torn.line), Some(3));
    }
}
