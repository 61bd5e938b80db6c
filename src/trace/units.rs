//! Figures as people read them: bytes, counts, rates and durations, the same way everywhere.
//!
//! Units are decimal, as on disks and in download sizes: 1 MB is 1,000,000 bytes.

use std::time::Duration;

/// A size: `512 B`, `12 KB`, `1.8 MB`, `14.6 GB`.
///
/// One decimal below ten; from a gigabyte on always, because there a tenth decides whether a model fits.
pub fn bytes(n_bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if n_bytes < 1_000 {
        return format!("{n_bytes} B");
    }
    let mut value = n_bytes as f64 / 1e3;
    let mut units = UNITS.iter().enumerate();
    let mut unit = units.next();
    // 999.95 and more would be written as 1000 of the smaller unit.
    while value >= 999.5 && units.len() > 0 {
        value /= 1e3;
        unit = units.next();
    }
    let (magnitude, name) = unit.unwrap_or((0, &"KB"));
    if magnitude >= 2 || value < 9.95 {
        format!("{value:.1} {name}")
    } else {
        format!("{value:.0} {name}")
    }
}

/// A whole number with its thousands set apart: `4,864`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of parameters: `445,696`, `3.15 million`, `7.24 billion`.
pub fn parameters(n: u64) -> String {
    match n {
        0..1_000_000 => count(n),
        1_000_000..999_995_000 => format!("{:.2} million", n as f64 / 1e6),
        _ => format!("{:.2} billion", n as f64 / 1e9),
    }
}

/// A number of parameters where there is little room: `446 K`, `3.2 M`, `494 M`, `7.2 B`.
pub fn parameters_short(n: u64) -> String {
    let (value, unit) = match n {
        0..999_500 => (n as f64 / 1e3, "K"),
        999_500..999_500_000 => (n as f64 / 1e6, "M"),
        _ => (n as f64 / 1e9, "B"),
    };
    match value < 99.5 {
        true => format!("{value:.1} {unit}"),
        false => format!("{value:.0} {unit}"),
    }
}

/// A speed in tokens: `1,234 tok/s`, `85 tok/s`, `4.2 tok/s`, `0.45 tok/s`; a dash where nothing was measured.
pub fn tokens_per_second(rate: f64) -> String {
    format!("{} tok/s", three_digits(rate))
}

/// A memory bandwidth: `32 GB/s`, `1.4 GB/s`; a dash where nothing was measured.
pub fn bytes_per_second(rate: f64) -> String {
    if rate.is_finite() && rate >= 0.0 {
        format!("{}/s", bytes(rate as u64))
    } else {
        "– B/s".to_owned()
    }
}

/// A computing speed, given in operations per second: `112 GFLOP/s`.
pub fn flops(rate: f64) -> String {
    format!("{} GFLOP/s", three_digits(rate / 1e9))
}

/// An entropy in bits, without the word: `5.6`; one that is not nothing is never written as nothing: `<0.1`.
pub fn bits(bits: f64) -> String {
    match bits > 0.0 && bits < 0.05 {
        true => "<0.1".to_owned(),
        false => format!("{bits:.1}"),
    }
}

/// A share of a whole, given as 0 to 1: `98 %`, `5.6 %`, `0.03 %`; one that is not nothing is never
/// written as nothing: `<0.01 %`.
pub fn percent(share: f64) -> String {
    if share > 0.0 && share < 5e-5 {
        return "<0.01 %".to_owned();
    }
    format!("{} %", three_digits(share * 100.0))
}

/// A time: `850 ns`, `12 µs`, `3.1 ms`, `1.2 s`, `2 min 5 s`, `1 h 2 min`.
pub fn duration(time: Duration) -> String {
    let secs = time.as_secs_f64();
    if secs < 1e-6 {
        return format!("{} ns", time.as_nanos());
    }
    for (limit, factor, unit) in [
        (999.5e-6, 1e6, "µs"),
        (0.9995, 1e3, "ms"),
        (59.95, 1.0, "s"),
    ] {
        if secs < limit {
            return format!("{} {unit}", three_digits(secs * factor));
        }
    }
    let whole = secs.round() as u64;
    if whole < 3_600 {
        format!("{} min {} s", whole / 60, whole % 60)
    } else {
        format!("{} h {} min", whole / 3_600, whole % 3_600 / 60)
    }
}

/// A time in seconds, as [`duration`] writes it; a dash for what is no time: a negative number, none,
/// or one that no clock shows.
pub fn seconds(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds).map_or_else(|_| "–".to_owned(), duration)
}

/// Two decimals below one, one below ten, none above; a dash for what is no number.
fn three_digits(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 0.995 => format!("{value:.2}"),
        size if size < 9.95 => format!("{value:.1}"),
        size if size < 999.5 => format!("{value:.0}"),
        _ if value > 0.0 => count(value.round() as u64),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_decimal_and_short() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 KB"),
            (12_345, "12 KB"),
            (999_499, "999 KB"),
            (999_999, "1.0 MB"),
            (1_794_856, "1.8 MB"),
            (41_000_000, "41 MB"),
            (14_600_000_000, "14.6 GB"),
            (u64::MAX, "18446.7 PB"),
        ];
        for (n_bytes, expected) in cases {
            assert_eq!(bytes(n_bytes), expected);
        }
    }

    #[test]
    fn counts_have_their_thousands_set_apart() {
        assert_eq!(
            [count(0), count(999), count(4_864), count(1_234_567)],
            ["0", "999", "4,864", "1,234,567"]
        );
        assert_eq!(parameters(445_696), "445,696");
        assert_eq!(parameters(3_151_296), "3.15 million");
        assert_eq!(parameters(999_999_999), "1.00 billion");
    }

    #[test]
    fn rates_keep_the_digits_that_matter() {
        assert_eq!(tokens_per_second(1234.4), "1,234 tok/s");
        assert_eq!(tokens_per_second(85.3), "85 tok/s");
        assert_eq!(tokens_per_second(4.21), "4.2 tok/s");
        assert_eq!(tokens_per_second(f64::INFINITY), "– tok/s");
        assert_eq!(bytes_per_second(32.1e9), "32.1 GB/s");
        assert_eq!(flops(112.4e9), "112 GFLOP/s");
        assert_eq!(
            [percent(0.98), percent(0.056), percent(0.0)],
            ["98 %", "5.6 %", "0 %"]
        );
    }

    #[test]
    fn durations_change_units_where_people_do() {
        let of = |secs: f64| seconds(secs);
        assert_eq!(duration(Duration::from_nanos(850)), "850 ns");
        assert_eq!(
            [of(12e-6), of(3.14e-3), of(0.9999), of(1.23)],
            ["12 µs", "3.1 ms", "1.0 s", "1.2 s"]
        );
        assert_eq!(
            [of(59.96), of(125.0), of(3_720.0)],
            ["1 min 0 s", "2 min 5 s", "1 h 2 min"]
        );
        assert_eq!([of(1e300), of(-1.0), of(f64::NAN)], ["–"; 3]);
    }
}
