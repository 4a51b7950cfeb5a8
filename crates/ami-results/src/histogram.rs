//! Durations in nanoseconds, 100 ns to 10 min with 3 significant digits; what lies beyond counts at the edge.
//! Wraps the HDR histogram so that recording cannot fail and an empty one has no quantiles instead of zeros.

use hdrhistogram::Histogram as Hdr;

/// Below the resolution of a clock read plus a channel hop.
pub const LOWEST_NS: u64 = 100;
/// Longer than any deadline a scenario may set.
pub const HIGHEST_NS: u64 = 600_000_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;

#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    hdr: Hdr<u64>,
}

/// `share` of all values, `count` of them, are at most `value`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    pub value: u64,
    pub share: f64,
    pub count: u64,
}

impl Histogram {
    pub fn new() -> Self {
        let hdr = Hdr::new_with_bounds(LOWEST_NS, HIGHEST_NS, SIGNIFICANT_DIGITS)
            .expect("the bounds are constants that the crate accepts");
        Self { hdr }
    }

    pub fn record(&mut self, nanoseconds: u64) {
        self.hdr
            .saturating_record(nanoseconds.clamp(LOWEST_NS, HIGHEST_NS));
    }

    pub fn merge(&mut self, other: &Self) {
        self.hdr
            .add(&other.hdr)
            .expect("all histograms have the same bounds");
    }

    pub fn clear(&mut self) {
        self.hdr.reset();
    }

    pub fn count(&self) -> u64 {
        self.hdr.len()
    }

    pub fn is_empty(&self) -> bool {
        self.hdr.is_empty()
    }

    /// Nanoseconds; None when nothing was recorded.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        (!self.is_empty()).then(|| {
            self.hdr
                .value_at_quantile(quantile)
                .min(self.hdr.max())
                .min(HIGHEST_NS)
        })
    }

    pub fn min(&self) -> Option<u64> {
        (!self.is_empty()).then(|| self.hdr.min())
    }

    pub fn max(&self) -> Option<u64> {
        (!self.is_empty()).then(|| self.hdr.max().min(HIGHEST_NS))
    }

    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.hdr.mean())
    }

    pub fn standard_deviation(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.hdr.stdev())
    }

    /// From the lowest value to the highest: which share of the values is at most that. The shares are `ticks` to each
    /// half of the way to all of them.
    pub fn shares(&self, ticks: u32) -> impl Iterator<Item = Share> + '_ {
        let mut count = 0;
        self.hdr.iter_quantiles(ticks).map(move |step| {
            count += step.count_since_last_iteration();
            Share {
                value: step.value_iterated_to().min(HIGHEST_NS),
                share: step.quantile_iterated_to(),
                count,
            }
        })
    }

    pub(crate) fn hdr(&self) -> &Hdr<u64> {
        &self.hdr
    }

    /// What was read back has our bounds, unless another tool wrote it: then its counts are folded into ours.
    pub(crate) fn from_hdr(hdr: Hdr<u64>) -> Self {
        let ours = Self::new();
        let bounds = |hdr: &Hdr<u64>| (hdr.low(), hdr.high(), hdr.sigfig());
        if bounds(&hdr) == bounds(&ours.hdr) {
            return Self { hdr };
        }
        let mut histogram = ours;
        for step in hdr.iter_recorded() {
            let value = step.value_iterated_to().clamp(LOWEST_NS, HIGHEST_NS);
            histogram
                .hdr
                .saturating_record_n(value, step.count_since_last_iteration());
        }
        histogram
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    use super::{HIGHEST_NS, Histogram, LOWEST_NS};

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::new();
        for &value in values {
            histogram.record(value);
        }
        histogram
    }

    #[test]
    fn an_empty_histogram_has_no_quantiles() {
        assert_eq!(Histogram::new().quantile(0.5), None);
        assert_eq!(Histogram::new().max(), None);
    }

    #[test]
    fn what_lies_beyond_the_bounds_counts_at_the_edge() {
        let histogram = of(&[0, u64::MAX]);
        assert_eq!(histogram.count(), 2);
        assert!(histogram.min().unwrap() <= LOWEST_NS);
        assert_eq!(histogram.max(), Some(HIGHEST_NS));
    }

    proptest! {
        // Unoptimised, a histogram of 25,000 buckets takes its time.
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Each value recorded is counted once, and a quantile is within 3 digits of the value it stands for.
        #[test]
        fn the_count_is_the_number_of_records(mut values in vec(LOWEST_NS..HIGHEST_NS, 1..200)) {
            let histogram = of(&values);
            prop_assert_eq!(histogram.count(), values.len() as u64);
            values.sort_unstable();
            let median = values[(values.len() - 1) / 2];
            let measured = histogram.quantile(0.5).unwrap();
            prop_assert!(measured.abs_diff(median) <= (median / 1000).max(64));
        }

        /// a + b = b + a = recording both.
        #[test]
        fn merging_commutes(a in vec(any::<u64>(), 0..50), b in vec(any::<u64>(), 0..50)) {
            let (mut ab, mut ba) = (of(&a), of(&b));
            ab.merge(&of(&b));
            ba.merge(&of(&a));
            let both: Vec<u64> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(&ab, &ba);
            prop_assert_eq!(ab, of(&both));
        }

        /// A histogram of other bounds keeps its count and, to 3 digits, its values.
        #[test]
        fn foreign_bounds_are_folded_into_ours(values in vec(1_000..HIGHEST_NS, 1..50)) {
            let mut foreign = hdrhistogram::Histogram::<u64>::new(3).unwrap();
            for &value in &values {
                foreign.record(value).unwrap();
            }
            let histogram = Histogram::from_hdr(foreign);
            prop_assert_eq!(histogram.count(), values.len() as u64);
            let max = values.iter().copied().max().unwrap();
            prop_assert!(histogram.max().unwrap().abs_diff(max) <= (max / 500).max(64));
        }
    }
}
