//! Whether a function may be the f of a density: finite, smooth where sampled, and 1-periodic.

use super::{Jet, LogDensity, Order};
use crate::error::{Error, Result};
use crate::torus::Torus;

/// Quasi-random points at which f is compared with itself one period further.
const SAMPLES: usize = 256;
/// Largest difference over a period that rounding explains, relative to the largest value.
const ROUNDING: f64 = 1e-9;
/// Nodes along each axis at which derivatives are inspected: kinks and poles like to sit on nodes.
const COARSE: usize = 32;
const AXES: [&str; 3] = ["x", "y", "z"];

/// Checks that f has finite jets and is periodic with its gradient.
///
/// # Errors
/// [`Error::Density`] saying where f fails and what to write instead.
pub(super) fn check(f: &dyn LogDensity) -> Result<()> {
    let samples = quasi_random(f.dimension(), SAMPLES);
    let here = checked_jet(f, &samples)?;
    checked_jet(f, &Torus::new(&vec![COARSE; f.dimension()])?.nodes())?;
    for axis in 0..f.dimension() {
        let mut shifted = samples.clone();
        shifted[axis].iter_mut().for_each(|x| *x += 1.0);
        let there = checked_jet(f, &shifted)?;
        compare(axis, "f", &samples, &here.value, &there.value)?;
        for (i, (a, b)) in here.gradient.iter().zip(&there.gradient).enumerate() {
            compare(axis, &format!("∂f/∂{}", AXES[i]), &samples, a, b)?;
        }
    }
    Ok(())
}

/// The additive recurrence of the generalised golden ratio: `x_k = ½ + k (1/φ, 1/φ², …) mod 1`, φ^{d+1} = φ + 1.
fn quasi_random(dimension: usize, count: usize) -> Vec<Vec<f64>> {
    const RATIOS: [f64; 3] = [
        1.618_033_988_749_895,
        1.324_717_957_244_746,
        1.220_744_084_605_759_5,
    ];
    let ratio = RATIOS[dimension - 1];
    (1..=dimension as i32)
        .map(|power| {
            let step = ratio.powi(-power);
            (0..count)
                .map(|k| (0.5 + k as f64 * step).fract())
                .collect()
        })
        .collect()
}

/// The jet at `points`, all of it finite.
fn checked_jet(f: &dyn LogDensity, points: &[Vec<f64>]) -> Result<Jet> {
    let mut jet = Jet::zeros(f.dimension(), points[0].len(), Order::Hessian);
    f.jet(points, &mut jet);
    finite("f", points, &jet.value)?;
    for (what, components) in [
        ("the gradient of f", &jet.gradient),
        ("the Hessian of f", &jet.hessian),
    ] {
        components
            .iter()
            .try_for_each(|values| finite(what, points, values))?;
    }
    Ok(jet)
}

/// Refuses values that are NaN or infinite, naming the first point.
pub(super) fn finite(what: &str, points: &[Vec<f64>], values: &[f64]) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(i) => Err(Error::Density {
            reason: format!("{what} is {} at {}", values[i], place(points, i)),
            remedy: "keep the arguments of log, sqrt, divisors and powers positive everywhere"
                .into(),
        }),
    }
}

fn compare(
    axis: usize,
    what: &str,
    points: &[Vec<f64>],
    here: &[f64],
    there: &[f64],
) -> Result<()> {
    let scale = here
        .iter()
        .fold(1.0, |scale: f64, value| scale.max(value.abs()));
    let jumps = here.iter().zip(there).map(|(a, b)| b - a).enumerate();
    let (i, jump) = jumps
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
        .expect("there are samples");
    if jump.abs() <= ROUNDING * scale {
        return Ok(());
    }
    let name = AXES[axis];
    Err(Error::Density {
        reason: format!(
            "f is not periodic along {name}: {what} changes by {jump:.3e} over one period from {}",
            place(points, i)
        ),
        remedy: format!("write {name} only inside periodic functions such as cos(2*pi*{name})"),
    })
}

/// `(x, y) = (0.25, 0.5)`
pub(super) fn place(points: &[Vec<f64>], i: usize) -> String {
    let numbers: Vec<String> = points.iter().map(|x| format!("{:.6}", x[i])).collect();
    match numbers.as_slice() {
        [x] => format!("x = {x}"),
        _ => format!(
            "({}) = ({})",
            AXES[..points.len()].join(", "),
            numbers.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::density::Formula;

    fn checked(text: &str, dimension: usize) -> Result<()> {
        check(&Formula::parse(text, dimension).unwrap())
    }

    #[test]
    fn functions_that_are_not_periodic_are_refused_along_the_right_axis() {
        for (text, axis, remedy) in [
            ("x^2", "along x: f changes by", "cos(2*pi*x)"),
            (
                "cos(2*pi*x) + 0.001*y",
                "along y: f changes by 1.000e-3",
                "cos(2*pi*y)",
            ),
            ("sin(pi*(x + y))", "along x", "cos(2*pi*x)"),
            ("cos(2*pi*x)*cos(6*y)", "along y", "cos(2*pi*y)"),
            ("cos(2*pi*1.0000001*y)", "along y", "cos(2*pi*y)"),
        ] {
            let message = checked(text, 2).unwrap_err().to_string();
            assert!(
                message.contains(axis) && message.contains(remedy),
                "{message}"
            );
        }
    }

    #[test]
    fn functions_that_are_not_finite_or_not_smooth_are_refused_with_the_place() {
        for (text, said) in [
            ("log(cos(2*pi*x))", "f is NaN at x = "),
            ("log(1 + cos(2*pi*x))", "f is -inf at x = 0.5"),
            ("1/0", "f is inf"),
            // |sin πx| is periodic and continuous; its derivative is not defined at 0.
            (
                "sqrt(sin(pi*x)^2)",
                "the gradient of f is NaN at x = 0.000000",
            ),
        ] {
            let message = checked(text, 1).unwrap_err().to_string();
            assert!(message.contains(said), "{message}");
        }
    }

    #[test]
    fn steep_oscillating_periodic_functions_pass() {
        for text in [
            "3",
            "100*exp(2*sin(2*pi*(x - 3*y)))*cos(2*pi*40*y)",
            "cos(pi*x)^2*sin(pi*y)^2",
            "1e6 + tanh(5*cos(2*pi*x))",
        ] {
            checked(text, 2).unwrap();
        }
    }
}
