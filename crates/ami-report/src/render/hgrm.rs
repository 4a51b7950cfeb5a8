//! `.hgrm`: a histogram as the percentile text of HdrHistogram's tools, in milliseconds. PyPI's hdr-plot, the HdrHistogram
//! plotter and spreadsheets read it. Column widths and the words of the foot are theirs.

use ami_results::histogram::Histogram;

/// As the other writers do it.
const TICKS_PER_HALF: u32 = 5;
const NS_PER_MS: f64 = 1e6;
/// Of our one kind of histogram: 24 buckets of 2,048 hold 100 ns to 10 min with three digits.
const BUCKETS: u32 = 24;
const SUB_BUCKETS: u32 = 2048;

/// None of an empty histogram.
pub fn render(histogram: &Histogram) -> Option<String> {
    let ms = |nanoseconds: f64| nanoseconds / NS_PER_MS;
    let (mean, deviation) = (histogram.mean()?, histogram.standard_deviation()?);
    let max = histogram.max()?;
    let mut lines = vec![
        format!(
            "{:>12} {:>14} {:>10} {:>14}",
            "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
        ),
        String::new(),
    ];
    for step in histogram.shares(TICKS_PER_HALF) {
        let value = ms(step.value.min(max) as f64);
        let of_all = if step.share < 1.0 {
            format!("{:.2}", 1.0 / (1.0 - step.share))
        } else {
            "inf".to_owned()
        };
        lines.push(format!(
            "{value:>12.6} {:>14.12} {:>10} {of_all:>14}",
            step.share, step.count
        ));
    }
    lines.push(format!(
        "#[Mean    = {:>12.6}, StdDeviation   = {:>12.6}]",
        ms(mean),
        ms(deviation)
    ));
    lines.push(format!(
        "#[Max     = {:>12.6}, Total count    = {:>12}]",
        ms(max as f64),
        histogram.count()
    ));
    lines.push(format!(
        "#[Buckets = {BUCKETS:>12}, SubBuckets     = {SUB_BUCKETS:>12}]"
    ));
    lines.push(String::new());
    Some(lines.join("\n"))
}
