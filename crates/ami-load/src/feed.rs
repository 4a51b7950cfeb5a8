//! Feeds: rows of a CSV file, dealt to the flows of a run so that no two workers, and no two processes, take the same.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use thiserror::Error;

use crate::scenario::flow::Order;

/// A feed is held in memory, by every process of a run.
const BYTES_MAX: u64 = 64 << 20;
const ROWS_MAX: usize = 1_000_000;
const COLUMNS_MAX: usize = 64;
/// Half of the longest line that a PBX takes.
const VALUE_BYTES_MAX: usize = 512;
/// Streams of the seed for rows drawn by lot, past those of targets and sessions.
const ROW_STREAMS: u64 = 1 << 48;

#[derive(Debug)]
pub struct Feed {
    pub name: String,
    pub order: Order,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

#[derive(Debug, Error)]
pub enum FeedError {
    #[error("failed to read {path}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("failed to read {path}: it has over {BYTES_MAX} bytes")]
    TooLarge { path: PathBuf },
    /// The column is counted in fields, as CSV has them.
    #[error("{path}:{line}:{column}: {message}")]
    Invalid {
        path: PathBuf,
        line: u64,
        column: usize,
        message: String,
    },
}

impl Feed {
    pub fn read(name: &str, order: Order, path: &Path) -> Result<Self, FeedError> {
        let read = |source| FeedError::Read {
            path: path.to_owned(),
            source,
        };
        let mut text = Vec::new();
        let file = File::open(path).map_err(read)?;
        file.take(BYTES_MAX + 1)
            .read_to_end(&mut text)
            .map_err(read)?;
        if text.len() as u64 > BYTES_MAX {
            return Err(FeedError::TooLarge {
                path: path.to_owned(),
            });
        }
        Self::parse(name, order, &text).map_err(|(line, column, message)| FeedError::Invalid {
            path: path.to_owned(),
            line,
            column,
            message,
        })
    }

    /// An error is its line, its field and what is wrong there.
    fn parse(name: &str, order: Order, text: &[u8]) -> Result<Self, (u64, usize, String)> {
        let mut reader = ReaderBuilder::new().from_reader(text);
        let header = reader.headers().map_err(|error| broken(&error))?.clone();
        let columns = columns(&header)?;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| broken(&error))?;
            let line = record.position().map_or(0, csv::Position::line);
            if rows.len() == ROWS_MAX {
                return Err((line, 1, format!("a feed has at most {ROWS_MAX} rows")));
            }
            for (column, value) in (1..).zip(&record) {
                check_value(value).map_err(|message| (line, column, message))?;
            }
            rows.push(record.iter().map(str::to_owned).collect());
        }
        if rows.is_empty() {
            let message = "a feed has a row below its header".to_owned();
            return Err((2, 1, message));
        }
        Ok(Self {
            name: name.to_owned(),
            order,
            columns,
            rows,
        })
    }

    /// The row that is dealt `number`-th; none when each was dealt once and that was all.
    pub(crate) fn row(&self, seed: u64, target: u16, number: u64) -> Option<&[String]> {
        let rows = u64::try_from(self.rows.len()).expect("rows are bounded");
        let index = match self.order {
            Order::Sequential => number % rows,
            Order::Unique => Some(number).filter(|number| *number < rows)?,
            Order::Random => {
                let mut lot = ChaCha8Rng::seed_from_u64(seed);
                lot.set_stream(ROW_STREAMS * (1 + u64::from(target)) + number);
                lot.next_u64() % rows
            }
        };
        let index = usize::try_from(index).expect("it is an index");
        Some(&self.rows[index])
    }
}

fn columns(header: &StringRecord) -> Result<Vec<String>, (u64, usize, String)> {
    if header.is_empty() {
        let message = "a feed begins with a row of column names".to_owned();
        return Err((1, 1, message));
    }
    if header.len() > COLUMNS_MAX {
        let message = format!("a feed has at most {COLUMNS_MAX} columns");
        return Err((1, COLUMNS_MAX + 1, message));
    }
    let mut known = HashSet::new();
    for (column, name) in (1..).zip(header) {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(is_plain) {
            let message = format!(
                "{name:?} is no column name: use letters, digits, `_` and `-` in the first row"
            );
            return Err((1, column, message));
        }
        if !known.insert(name) {
            return Err((1, column, format!("the column {name:?} is there twice")));
        }
    }
    Ok(header.iter().map(str::to_owned).collect())
}

/// The value itself is not told: it may be personal.
fn check_value(value: &str) -> Result<(), String> {
    if value.contains(['\r', '\n', '\0']) {
        return Err("a value of a feed is one line, without CR, LF and NUL".to_owned());
    }
    if value.len() > VALUE_BYTES_MAX {
        let bytes = value.len();
        return Err(format!(
            "a value of a feed has at most {VALUE_BYTES_MAX} bytes, this one has {bytes}"
        ));
    }
    Ok(())
}

fn broken(error: &csv::Error) -> (u64, usize, String) {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            let column = usize::try_from((*expected_len).min(*len)).unwrap_or_default() + 1;
            let message = format!("this row has {len} fields and the header has {expected_len}");
            (line, column, message)
        }
        ErrorKind::Utf8 { err, .. } => {
            let message = "the file is not UTF-8 text".to_owned();
            (line, err.field() + 1, message)
        }
        _ => (line, 1, error.to_string()),
    }
}

/// Counts which row of a feed is next. Every worker of every process counts all arrivals, so they agree without a word.
#[derive(Debug, Default)]
pub(crate) struct Dealer {
    /// Of open phases, by target and feed.
    dealt: HashMap<(u16, u16), u64>,
    /// Of closed phases, by target, session among those that take rows, and feed: bounded by the sessions of a plan.
    turns: HashMap<(u16, u64, u16), u64>,
}

impl Dealer {
    /// For the next arrival of an open phase that takes a row of the feed.
    pub(crate) fn of_arrival(&mut self, target: u16, feed: u16) -> u64 {
        let dealt = self.dealt.entry((target, feed)).or_default();
        *dealt += 1;
        *dealt - 1
    }

    /// For the next turn of one of `sessions` that take rows of the feed in closed phases.
    pub(crate) fn of_turn(&mut self, target: u16, feed: u16, session: u64, sessions: u64) -> u64 {
        let turns = self.turns.entry((target, session, feed)).or_default();
        *turns += 1;
        (*turns - 1) * sessions + session
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn feed(order: Order) -> Feed {
        Feed::parse(
            "agents",
            order,
            b"queue,exten\nsales,100\nsupport,\"1,0\"\nhelp,\n",
        )
        .unwrap()
    }

    #[test]
    fn rows_are_dealt_in_their_order() {
        let first = |order, number| feed(order).row(7, 0, number).map(|row| row[0].clone());
        let sequential: Vec<_> = (0..5).map(|n| first(Order::Sequential, n)).collect();
        let names = ["sales", "support", "help", "sales", "support"];
        assert_eq!(sequential, names.map(|name| Some(name.to_owned())));
        assert_eq!(first(Order::Unique, 2).as_deref(), Some("help"));
        assert_eq!(first(Order::Unique, 3), None);
        let lots = |target| -> Vec<String> {
            let feed = feed(Order::Random);
            (0..64)
                .map(|n| feed.row(7, target, n).unwrap()[0].clone())
                .collect()
        };
        assert_eq!(lots(0), lots(0));
        assert_ne!(lots(0), lots(1));
        assert_eq!(lots(0).iter().collect::<HashSet<_>>().len(), 3);
        assert_eq!(feed(Order::Sequential).rows[1][1], "1,0");
    }

    #[test]
    fn a_file_that_is_no_feed_is_told_with_its_line_and_field() {
        let check = |text: &str, line: u64, column: usize, says: &str| {
            let (at, field, message) =
                Feed::parse("f", Order::Sequential, text.as_bytes()).unwrap_err();
            assert_eq!((at, field), (line, column), "{text:?}: {message}");
            assert!(message.contains(says), "{message}");
        };
        check("a,b\n1,2\n1\n", 3, 2, "has 1 fields and the header has 2");
        check("a,b\n1,2,3\n", 2, 3, "has 3 fields");
        check("a,a\n1,2\n", 1, 2, "\"a\" is there twice");
        check("a,b c\n1,2\n", 1, 2, "no column name");
        check("a,b\n", 2, 1, "a row below its header");
        check("", 1, 1, "a row of column names");
        check("a,b\n1,\"x\ny\"\n", 2, 2, "one line");
        check(
            &format!("a\n{}\n", "x".repeat(513)),
            2,
            1,
            "at most 512 bytes",
        );
        let (line, column, _) = Feed::parse("f", Order::Unique, b"a,b\n1,\xff\n").unwrap_err();
        assert_eq!((line, column), (2, 2));
    }

    proptest! {
        /// Sessions that take turns in any order take each number at most once.
        #[test]
        fn turns_never_share_a_row(sessions in 1u64..8, turns in prop::collection::vec(0u64..8, 0..60)) {
            let mut workers = [Dealer::default(), Dealer::default()];
            let mut seen = HashSet::new();
            for session in turns.into_iter().filter(|session| *session < sessions) {
                let worker = usize::try_from(session % 2).unwrap();
                prop_assert!(seen.insert(workers[worker].of_turn(0, 0, session, sessions)));
            }
        }
    }
}
