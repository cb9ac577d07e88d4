//! The state of a continuity equation: a density that is positive at every node.

use crate::elementary;
use crate::error::{Error, Result};
use crate::parallel::{for_each_block, max_of, mean_of};
use crate::torus::Torus;

/// `out = log ρ`.
///
/// # Errors
/// [`Error::Density`] where ρ ≤ 0, [`Error::NonFinite`].
pub(super) fn log_density(torus: &Torus, rho: &[f64], out: &mut [f64]) -> Result<()> {
    for_each_block(out, |start, out| {
        out.copy_from_slice(&rho[start..start + out.len()]);
        elementary::ln_slice(out);
    });
    if max_of(out.len(), |i| out[i].abs()).is_finite() {
        Ok(())
    } else {
        Err(explain(torus, rho))
    }
}

/// Names the smallest value, or the first that is not finite.
fn explain(torus: &Torus, rho: &[f64]) -> Error {
    if let Some(node) = rho.iter().position(|rho| !rho.is_finite()) {
        return Error::NonFinite {
            quantity: "ρ",
            when: format!("at x = {:?}", torus.node(node)),
            remedy: "use a smaller step".into(),
        };
    }
    let smaller = |a: &usize, b: &usize| rho[*a].total_cmp(&rho[*b]);
    let node = (0..rho.len()).min_by(smaller).unwrap_or(0);
    Error::Density {
        reason: format!(
            "ρ = {:.3e} at x = {:?} is not positive",
            rho[node],
            torus.node(node)
        ),
        remedy: "use a smaller step or more points, or a start that is farther from zero".into(),
    }
}

/// `out = c a b`, node by node.
pub(super) fn product(c: f64, a: &[f64], b: &[f64], out: &mut [f64]) {
    for_each_block(out, |start, out| {
        for (k, out) in out.iter_mut().enumerate() {
            *out = c * a[start + k] * b[start + k];
        }
    });
}

/// `k ← k + r − s`, then k gets the mean of r: the solution for r from the one for the part s of r that the Jacobian sees, with the
/// mass that the residual of the solve has spoilt made exact.
pub(super) fn complete(r: &[f64], s: &[f64], k: &mut [f64]) {
    for_each_block(k, |start, k| {
        for (i, k) in k.iter_mut().enumerate() {
            *k += r[start + i] - s[start + i];
        }
    });
    let excess = mean_of(k.len(), |i| k[i] - r[i]);
    for_each_block(k, |_, k| k.iter_mut().for_each(|k| *k -= excess));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_density_that_is_not_positive_is_refused_with_place_and_remedy() {
        let torus = Torus::new(&[8, 10]).unwrap();
        let mut out = vec![0.0; 80];
        for (bad, said) in [
            (0.0, "ρ = 0.000e0"),
            (-0.5, "ρ = -5.000e-1"),
            (f64::NAN, "non-finite"),
        ] {
            let mut rho = vec![1.0; 80];
            rho[13] = bad;
            let message = log_density(&torus, &rho, &mut out).unwrap_err().to_string();
            assert!(
                message.contains(said) && message.contains("[0.125, 0.3]"),
                "{message}"
            );
            assert!(message.contains("smaller step"), "{message}");
        }
        log_density(&torus, &[2.0; 80], &mut out).unwrap();
        assert!((out[79] - 2f64.ln()).abs() < 1e-15);
    }
}
