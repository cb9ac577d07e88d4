//! Holley–Stroock: a density of small oscillation inherits the inequality of the uniform one.

use super::{LogSobolev, Method, UNIFORM, refined};
use crate::supremum::supremum;
use crate::torus::Torus;

/// `κ = 4π² e^{−osc f}` on T^d, any d.
///
/// The uniform density on the unit torus has κ = 4π² (the circle: Émery & Yukich 1987; products: the smallest of the factors). Since
/// `Ent_π(F) = inf_c ∫[F ln(F/c) − F + c] dπ`, passing to `π = e^{-f}` costs the factor sup π on one side and inf π on the other:
/// Holley & Stroock, *Logarithmic Sobolev inequalities and stochastic Ising models* (1987).
pub fn holley_stroock(torus: &Torus, f: &[f64]) -> LogSobolev {
    LogSobolev {
        kappa: UNIFORM * (-oscillation(torus, f)).exp(),
        method: Method::HolleyStroock,
    }
}

/// `sup f − inf f` of the trigonometric interpolant, from a finer grid and the vertex of a quadratic there: O(h⁴), h the finer spacing.
pub fn oscillation(torus: &Torus, f: &[f64]) -> f64 {
    let (fine, f) = refined(torus, f);
    let (inf, sup) = range(&fine, &f);
    sup - inf
}

/// (inf f, sup f).
pub fn range(fine: &Torus, f: &[f64]) -> (f64, f64) {
    let negative: Vec<f64> = f.iter().map(|f| -f).collect();
    (-supremum(fine, &negative), supremum(fine, f))
}
