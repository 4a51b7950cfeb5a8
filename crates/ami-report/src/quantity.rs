//! Numbers as people read them: three digits and a unit.

/// `852 µs`, `1.23 ms`, `45.6 s`.
pub fn duration(nanoseconds: u64) -> String {
    let ns = nanoseconds as f64;
    // A value is shown in the larger unit when it would round up to 1000 of the smaller one.
    let (value, unit) = match ns {
        ns if ns < 999.5 => return format!("{nanoseconds} ns"),
        ns if ns < 999.5e3 => (ns / 1e3, "µs"),
        ns if ns < 999.5e6 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    format!("{} {unit}", three_digits(value))
}

/// `+12.3 s` since the run's origin.
pub fn instant(nanoseconds: u64) -> String {
    format!("+{:.1} s", nanoseconds as f64 / 1e9)
}

/// `20.0/s`
pub fn rate(per_second: f64) -> String {
    format!("{}/s", three_digits(per_second))
}

/// `1,234,567`
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `98.5 %`; what is not all never shows as 100 %, and what is not nothing never as 0 %.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    match percent {
        _ if part == 0 => "0 %".to_owned(),
        _ if part == whole => "100 %".to_owned(),
        percent if percent < 0.05 => "< 0.1 %".to_owned(),
        percent if percent >= 99.95 => "> 99.9 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

fn three_digits(value: f64) -> String {
    let decimals = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_have_three_digits() {
        for (nanoseconds, expected) in [
            (0, "0 ns"),
            (100, "100 ns"),
            (1_000, "1.00 µs"),
            (852_400, "852 µs"),
            (999_600, "1.00 ms"),
            (1_234_567, "1.23 ms"),
            (9_996_000, "10.0 ms"),
            (45_600_000_000, "45.6 s"),
            (600_000_000_000, "600 s"),
        ] {
            assert_eq!(super::duration(nanoseconds), expected);
        }
    }

    #[test]
    fn a_share_that_is_not_all_is_not_rounded_to_all() {
        for (part, whole, expected) in [
            (0, 0, "–"),
            (0, 5, "0 %"),
            (5, 5, "100 %"),
            (99_999, 100_000, "> 99.9 %"),
            (1, 100_000, "< 0.1 %"),
            (197, 200, "98.5 %"),
        ] {
            assert_eq!(super::share(part, whole), expected);
        }
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(super::count(7), "7");
        assert_eq!(super::count(1_234), "1,234");
        assert_eq!(super::count(1_234_567), "1,234,567");
    }
}
