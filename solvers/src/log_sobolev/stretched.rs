//! Holley–Stroock on the circle in the coordinate that suits the density best.

use super::{LogSobolev, Method, UNIFORM, holley_stroock::range, refined};
use crate::torus::Torus;

/// Halvings of `[−1, 1]`.
const BISECTIONS: usize = 60;

/// `κ = max_θ 4π² (inf π)^{1−θ} (sup π)^{−(1+θ)} Z^{−2}`, `Z = ∫π^{−θ}`, over |θ| ≤ 1, for `π = e^{-f}` on the circle.
///
/// Let `ds = π^{−θ} dx/Z`, again a circle of length one. For `h(x) = h(s)` one has `h_x = h_s π^{−θ}/Z`, so
///
/// ```text
/// ∫ h_x² π dx   = ∫ h_s² (π^{1−θ}/Z) ds ≥ (inf π)^{1−θ} Z^{-1} ∫ h_s² ds            (1 − θ ≥ 0)
/// Ent_{π dx}(h²) = Ent_{Z π^{1+θ} ds}(h²) ≤ Z (sup π)^{1+θ} Ent_{ds}(h²)             (1 + θ ≥ 0, Holley–Stroock)
/// Ent_{ds}(h²)  ≤ (2/4π²) ∫ h_s² ds                                                 (uniform circle)
/// ```
///
/// together `Ent_π(h²) ≤ (2/κ) ∫h_x² π`; with μ = h²π the left side is KL(μ|π) and the right side I(μ|π)/(2κ). θ = 0 is Holley–Stroock itself.
/// ln κ is concave in θ: its derivative `2⟨ln π⟩_θ − ln inf π − ln sup π`, the mean under ds, decreases, and is bisected.
/// This combination of known steps was derived here; no source is known to us.
pub fn stretched(torus: &Torus, f: &[f64]) -> LogSobolev {
    let (fine, f) = refined(torus, f);
    let (inf_f, sup_f) = range(&fine, &f);
    let (mut low, mut high) = (-1.0, 1.0);
    for _ in 0..BISECTIONS {
        let theta = 0.5 * (low + high);
        // ln π = −f up to the mass, which cancels.
        if -2.0 * tilted(&f, theta).1 + inf_f + sup_f > 0.0 {
            low = theta;
        } else {
            high = theta;
        }
    }
    let theta = 0.5 * (low + high);
    let log_mass = tilted(&f, -1.0).0;
    let (log_inf, log_sup) = (-sup_f - log_mass, -inf_f - log_mass);
    let log_z = tilted(&f, theta).0 + theta * log_mass;
    LogSobolev {
        kappa: UNIFORM * ((1.0 - theta) * log_inf - (1.0 + theta) * log_sup - 2.0 * log_z).exp(),
        method: Method::Stretched,
    }
}

/// `ln ∫ e^{θf}` and the mean of f under the density `e^{θf}`.
fn tilted(f: &[f64], theta: f64) -> (f64, f64) {
    let top = f
        .iter()
        .map(|f| theta * f)
        .fold(f64::NEG_INFINITY, f64::max);
    let (mut mass, mut moment) = (0.0, 0.0);
    for f in f {
        let weight = (theta * f - top).exp();
        mass += weight;
        moment += weight * f;
    }
    (top + (mass / f.len() as f64).ln(), moment / mass)
}
