//! Bytes and seconds for people: written, and read from the command line.

/// Units of bytes with their powers of 1000, and of 1024 with an `i`.
const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/// A number of bytes for people: `2.9 TB`.
pub fn bytes(bytes: f64) -> String {
    let power = (bytes.max(1.0).log10() / 3.0)
        .floor()
        .min(UNITS.len() as f64 - 1.0);
    let digits = usize::from(power > 0.0);
    format!(
        "{:.digits$} {}",
        bytes / 1000f64.powf(power),
        UNITS[power as usize]
    )
}

/// Bytes as a person writes them: `256GB`, `1.5 TB`, `512MiB`, `64G`, `1e9`.
///
/// # Errors
/// What is wrong with `text`, and what is right.
pub fn parse_bytes(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let wrong = || format!("`{text}` is not a size of memory; write it as 16GB, 512MiB or 1.5TB");
    let is_unit = |c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E';
    // `1e9` and `2E` (exabytes) differ by what follows the letter.
    let at = text.char_indices().find(|&(at, c)| {
        is_unit(c)
            || (matches!(c, 'e' | 'E') && !text[at + 1..].starts_with(|c: char| c.is_ascii_digit()))
    });
    let (number, unit) = text.split_at(at.map_or(text.len(), |(at, _)| at));
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let unit = unit.to_ascii_lowercase();
    let (letter, base) = match unit.trim_end_matches('b').strip_suffix('i') {
        Some(letter) => (letter, 1024f64),
        None => (unit.trim_end_matches('b'), 1000f64),
    };
    let power = ["", "k", "m", "g", "t", "p", "e"]
        .iter()
        .position(|known| *known == letter)
        .ok_or_else(wrong)?;
    let bytes = number * base.powi(power as i32);
    if bytes.is_finite() && bytes > 0.0 {
        Ok(bytes)
    } else {
        Err(wrong())
    }
}

/// Seconds for people: `0.4 s`, `12 s`, `3 min`, `2.5 h`, `12 d`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 0.095 => "less than 0.1 s".into(),
        s if s < 9.5 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 2.0 * 86400.0 => format!("{:.1} h", s / 3600.0),
        s if s < 730.0 * 86400.0 => format!("{:.0} d", s / 86400.0),
        s => format!("{:.0} years", s / (365.25 * 86400.0)),
    }
}

/// A number for people: plain where that is short, else with an exponent.
pub fn short(value: f64) -> String {
    let plain = format!("{value}");
    if plain.len() <= 8 {
        plain
    } else {
        format!("{value:.3e}")
    }
}

/// The largest of numbers that are not negative; NaN if any is, 0 of none. (`f64::max` drops NaN, `total_cmp` puts those of x86 below all.)
pub fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    let larger = |a: f64, b: f64| if a.is_nan() || a >= b { a } else { b };
    values.into_iter().fold(0.0, larger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_said_in_the_nearest_unit() {
        assert_eq!(bytes(512.0), "512 B");
        assert_eq!(bytes(2.94e12), "2.9 TB");
        assert_eq!(bytes(1e30), "1000000000000.0 EB");
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, expected) in [
            ("256GB", 256e9),
            (" 1.5 tb ", 1.5e12),
            ("512MiB", 512.0 * 1048576.0),
            ("64G", 64e9),
            ("2Gi", 2.0 * 1073741824.0),
            ("1e9", 1e9),
            ("2E", 2e18),
            ("100", 100.0),
        ] {
            assert_eq!(parse_bytes(text), Ok(expected), "{text}");
        }
        for text in ["", "GB", "12XB", "-1GB", "0", "inf", "1e400", "many"] {
            let refused = parse_bytes(text).unwrap_err();
            assert!(refused.contains("16GB"), "{text}: {refused}");
        }
    }

    #[test]
    fn durations_keep_two_digits_or_so() {
        assert_eq!(duration(0.01), "less than 0.1 s");
        assert_eq!(duration(2.34), "2.3 s");
        assert_eq!(duration(59.7), "60 s");
        assert_eq!(duration(600.0), "10 min");
        assert_eq!(duration(36000.0), "10.0 h");
        assert_eq!(duration(86400.0 * 10.0), "10 d");
        assert_eq!(duration(1e12), "31688 years");
    }

    #[test]
    fn a_nan_is_the_largest_whatever_its_sign_and_place() {
        assert_eq!(largest([1.0, 3.0, 2.0]), 3.0);
        assert_eq!(largest([]), 0.0);
        for nan in [f64::NAN, -f64::NAN] {
            for k in 0..3 {
                let mut values = [1.0, 3.0, 2.0];
                values[k] = nan;
                assert!(largest(values).is_nan());
            }
        }
    }
}
