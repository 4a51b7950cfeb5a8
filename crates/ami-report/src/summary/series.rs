//! Quantiles over time for a plot: histograms of neighbouring seconds merged into at most some hundred buckets.

use std::collections::BTreeMap;

use ami_results::histogram::Histogram;
use ami_results::totals::Quantiles;

/// A plot is about a thousand pixels wide.
const POINTS_MAX: u64 = 400;
/// Rows come nearly in order of time: a bucket this far behind the newest is closed.
const OPEN_MAX: usize = 4;

/// Seconds per point for a run of this length.
pub fn bucket_s(run_s: u64) -> u64 {
    run_s.div_ceil(POINTS_MAX).max(1)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Where its bucket begins.
    pub second: u64,
    pub length_s: u64,
    pub quantiles: Quantiles,
}

#[derive(Debug)]
pub(crate) struct Series {
    bucket_s: u64,
    open: BTreeMap<u64, Histogram>,
    closed: BTreeMap<u64, Quantiles>,
}

impl Series {
    pub(crate) fn new(bucket_s: u64) -> Self {
        Self {
            bucket_s,
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, second: u64, histogram: &Histogram) {
        let bucket = second / self.bucket_s * self.bucket_s;
        self.open.entry(bucket).or_default().merge(histogram);
        while self.open.len() > OPEN_MAX {
            self.close_first();
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Point> {
        while !self.open.is_empty() {
            self.close_first();
        }
        self.closed
            .into_iter()
            .map(|(second, quantiles)| Point {
                second,
                length_s: self.bucket_s,
                quantiles,
            })
            .collect()
    }

    fn close_first(&mut self) {
        let Some((second, histogram)) = self.open.pop_first() else {
            return;
        };
        let Some(quantiles) = Quantiles::of(&histogram) else {
            return;
        };
        self.closed
            .entry(second)
            .and_modify(|known| *known = joined(*known, quantiles))
            .or_insert(quantiles);
    }
}

/// What comes after a bucket was closed cannot be merged with it: the larger part stands for both, with the worst max.
pub(crate) fn joined(one: Quantiles, other: Quantiles) -> Quantiles {
    let larger = if other.count > one.count { other } else { one };
    Quantiles {
        max: one.max.max(other.max),
        ..larger
    }
}

#[cfg(test)]
mod tests {
    use ami_results::histogram::Histogram;

    use super::{Series, bucket_s};

    fn check(bucket_s: u64, rows: &[(u64, u64)], expected: &[(u64, u64, u64)]) {
        let mut series = Series::new(bucket_s);
        for &(second, value) in rows {
            let mut histogram = Histogram::new();
            histogram.record(value);
            series.add(second, &histogram);
        }
        let points: Vec<(u64, u64, u64)> = series
            .finish()
            .iter()
            .map(|point| {
                let millions = point.quantiles.max / 1_000_000;
                (point.second, point.quantiles.count, millions)
            })
            .collect();
        assert_eq!(points, expected);
    }

    #[test]
    fn rows_of_a_bucket_merge() {
        check(
            10,
            &[(1, 1_000_000), (9, 3_000_000), (10, 2_000_000)],
            &[(0, 2, 3), (10, 1, 2)],
        );
    }

    #[test]
    fn a_row_that_comes_late_still_shows_its_max() {
        let rows: Vec<(u64, u64)> = (0..6)
            .map(|second| (second, 1_000_000))
            .chain([(0, 9_000_000)])
            .collect();
        let expected: Vec<(u64, u64, u64)> = (0..6)
            .map(|second| (second, 1, if second == 0 { 9 } else { 1 }))
            .collect();
        check(1, &rows, &expected);
    }

    #[test]
    fn a_long_run_has_wider_buckets() {
        assert_eq!(bucket_s(0), 1);
        assert_eq!(bucket_s(400), 1);
        assert_eq!(bucket_s(3600), 9);
    }
}
