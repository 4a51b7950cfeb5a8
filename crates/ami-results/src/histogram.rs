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

    pub(crate) fn hdr(&self) -> &Hdr<u64> {
        &self.hdr
    }

    /// A histogram read back may have other bounds: its counts are folded into ours.
    pub(crate) fn from_hdr(hdr: &Hdr<u64>) -> Self {
        let mut histogram = Self::new();
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
