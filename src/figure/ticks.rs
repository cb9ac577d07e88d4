//! Candidates for the ticks of an axis, and how numbers are written on it.

use super::axis::{Range, Ruler, Tick};

/// Linear axes from many ticks to few: steps of 1, 2 or 5 times a power of ten, always with two ticks at least.
pub(super) fn linear_axes(range: Range) -> Vec<Ruler> {
    let (finest, coarsest) = (range.span() / 9.0, range.span() / 2.0);
    let exponents = finest.log10().floor() as i32..=coarsest.log10().ceil() as i32;
    exponents
        .flat_map(|exponent| [1.0, 2.0, 5.0].map(|digit| (digit, exponent)))
        .filter(|&(digit, exponent)| (finest..=coarsest).contains(&(digit * power(exponent))))
        .map(|(digit, exponent)| linear(range, digit, exponent))
        .collect()
}

/// Ticks at the multiples of `digit · 10^exponent`.
fn linear(range: Range, digit: f64, exponent: i32) -> Ruler {
    let step = digit * power(exponent);
    // A little outwards, since an end that is meant to be a tick may be off by round-off.
    let first = (range.low / step - 1e-6).ceil();
    let last = (range.high / step + 1e-6).floor();
    let taken = taken_out(first.abs().max(last.abs()) * step);
    let decimals = (taken - exponent).max(0) as usize;
    let tick = |index: u32| {
        let multiple = first + f64::from(index);
        Tick {
            at: multiple * step,
            label: decimal(multiple * digit * power(exponent - taken), decimals),
        }
    };
    Ruler {
        range,
        major: (0..=(last - first) as u32).map(tick).collect(),
        minor: Vec::new(),
        factor: (taken != 0).then(|| format!("×10^{{{}}}", whole(taken))),
    }
}

/// The power of ten written once at the end of the axis instead of in every label.
fn taken_out(largest: f64) -> i32 {
    if largest == 0.0 || (0.01..1e4).contains(&largest) {
        return 0;
    }
    // A little more, so that 0.001 stored just below itself counts as 10⁻³.
    (largest * (1.0 + 1e-12)).log10().floor() as i32
}

/// Logarithmic axes from many labels to few. Up to two decades there may be but one power of ten inside, so 2 and 5
/// (or 3) are labelled as well.
pub(super) fn log_axes(range: Range) -> Vec<Ruler> {
    let mut candidates = Vec::new();
    if range.span() < 2.0 {
        candidates.push(log(range, &[1, 2, 5], 1));
        candidates.push(log(range, &[1, 3], 1));
    }
    candidates.extend([1, 2, 3, 4, 5, 10, 20, 50, 100].map(|step| log(range, &[1], step)));
    candidates
}

/// Labels at the given multiples of every `step`-th decade, small ticks at 2, …, 9 or at the decades left out.
fn log(range: Range, multiples: &[i32], step: i32) -> Ruler {
    let (first, last) = (range.low.floor() as i32, range.high.ceil() as i32);
    let inside = |at: &f64| (range.low..=range.high).contains(at);
    let decimal_labels = first >= -2 && last <= 3;
    let labelled = (first..=last).filter(|decade| decade.rem_euclid(step) == 0);
    let major =
        labelled.flat_map(|decade| multiples.iter().map(move |&multiple| (multiple, decade)));
    let major = major.map(|(multiple, decade)| Tick {
        at: f64::from(decade) + f64::from(multiple).log10(),
        label: log_label(multiple, decade, decimal_labels),
    });
    let small = if step == 1 { 2..10 } else { 1..2 };
    let minor = (first..=last).flat_map(|decade| {
        small
            .clone()
            .map(move |m| f64::from(decade) + f64::from(m).log10())
    });
    Ruler {
        range,
        major: major.filter(|tick| inside(&tick.at)).collect(),
        minor: minor.filter(inside).collect(),
        factor: None,
    }
}

fn log_label(multiple: i32, decade: i32, as_decimal: bool) -> String {
    if as_decimal {
        return decimal(
            f64::from(multiple) * power(decade),
            (-decade).max(0) as usize,
        );
    }
    let power_of_ten = format!("10^{{{}}}", whole(decade));
    if multiple == 1 {
        power_of_ten
    } else {
        format!("{multiple}×{power_of_ten}")
    }
}

/// A number with a true minus sign and without a negative zero.
fn decimal(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    match (is_zero, value < 0.0) {
        (true, _) => "0".to_owned(),
        (_, true) => format!("−{digits}"),
        _ => digits,
    }
}

fn whole(number: i32) -> String {
    number.to_string().replace('-', "−")
}

fn power(exponent: i32) -> f64 {
    10f64.powi(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Scale;
    use crate::figure::axis::Run;

    fn labels(scale: Scale, low: f64, high: f64, length: f64) -> Vec<String> {
        let ruler = Ruler::new(scale, Range { low, high }, length, Run::Across);
        ruler.major.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn linear_ticks_are_short_numbers() {
        assert_eq!(
            labels(Scale::Linear, 0.0, 1.0, 450.0),
            ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            labels(Scale::Linear, -0.3, 0.3, 300.0),
            ["−0.2", "0", "0.2"]
        );
    }

    #[test]
    fn a_common_power_of_ten_is_taken_out() {
        let ruler = Ruler::new(
            Scale::Linear,
            Range {
                low: 0.0,
                high: 4e-5,
            },
            300.0,
            Run::Across,
        );
        assert_eq!(ruler.factor.as_deref(), Some("×10^{−5}"));
        assert_eq!(
            ruler.major.last().map(|tick| tick.label.as_str()),
            Some("4")
        );
        assert_eq!(
            Ruler::new(
                Scale::Linear,
                Range {
                    low: 0.0,
                    high: 4.0
                },
                300.0,
                Run::Up
            )
            .factor,
            None
        );
    }

    #[test]
    fn a_short_log_axis_labels_two_and_five_as_well() {
        let expected = ["10^{−3}", "2×10^{−3}", "5×10^{−3}", "10^{−2}"];
        assert_eq!(labels(Scale::Log, -3.05, -1.95, 450.0), expected);
        assert_eq!(labels(Scale::Log, -0.1, 1.1, 300.0), ["1", "2", "5", "10"]);
    }

    #[test]
    fn a_long_log_axis_leaves_decades_out_but_marks_them() {
        let ruler = Ruler::new(
            Scale::Log,
            Range {
                low: -16.0,
                high: 0.0,
            },
            200.0,
            Run::Across,
        );
        assert!(ruler.major.len() < 8, "{:?}", ruler.major);
        assert_eq!(ruler.minor.len(), 17);
    }

    #[test]
    fn zero_has_no_sign_and_minus_is_a_minus() {
        assert_eq!(decimal(-0.0004, 2), "0");
        assert_eq!(decimal(-0.25, 2), "−0.25");
        assert_eq!(log_label(2, -3, false), "2×10^{−3}");
    }
}
