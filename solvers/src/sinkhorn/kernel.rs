//! The kernels, and the rule that says which grids resolve them.

use std::f64::consts::PI;

/// Kernel of entropic transport on the torus; both are products over the axes.
///
/// With the factor `(2πε)^{-d/2}` the first-order statements hold including constants; the two differ by about `e^{−1/8ε}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// `(2πε)^{-d/2} Σ_m exp(−|x−y+m|²/2ε)`, the heat kernel at time ε/2.
    Heat,
    /// `(2πε)^{-d/2} exp(−d_T(x,y)²/2ε)`.
    Geodesic,
}

/// A node sum of a Gaussian of variance ε/λ is exact to `e^{−2π²/RESOLUTION²} ≈ 3e-18` when `h ≤ RESOLUTION √(ε/λ)`.
pub const RESOLUTION: f64 = 0.7;

/// Smallest even number of nodes that resolves ε where the summed potential has curvature λ.
pub fn points_needed(epsilon: f64, curvature: f64) -> usize {
    let least = (curvature / epsilon).sqrt() / RESOLUTION;
    // A grid that meets the rule exactly is not to fail it by a rounding.
    (2.0 * (least * (1.0 - 1e-12) / 2.0).ceil()) as usize
}

/// Estimate of the relative error of the node sum along an axis: `2 e^{−2π²ε/(λh²)}` for the Gaussian, and for the geodesic kernel, which
/// has a kink at the antipode, `h²/(12ε) e^{−1/8ε}` besides.
pub fn quadrature_error(kernel: Kernel, epsilon: f64, curvature: f64, h: f64) -> f64 {
    let gaussian = 2.0 * (-2.0 * PI * PI * epsilon / (curvature * h * h)).exp();
    match kernel {
        Kernel::Heat => gaussian,
        Kernel::Geodesic => gaussian + h * h / (12.0 * epsilon) * (-1.0 / (8.0 * epsilon)).exp(),
    }
}

impl Kernel {
    /// log of the one-axis kernel at signed distance r ∈ (−1, 1), without the factor `(2πε)^{-1/2}`.
    pub fn log_value(self, epsilon: f64, r: f64) -> f64 {
        let nearest = r - r.round();
        let exponent = |m: f64| -(nearest + m) * (nearest + m) / (2.0 * epsilon);
        match self {
            Self::Geodesic => exponent(0.0),
            Self::Heat => {
                // Images beyond this are below 1e-17 of the nearest.
                let images = 1 + (80.0 * epsilon).sqrt().ceil() as i32;
                let sum: f64 = (-images..=images)
                    .map(|m| (exponent(f64::from(m)) - exponent(0.0)).exp())
                    .sum();
                exponent(0.0) + sum.ln()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_kernel_has_unit_mass_and_geodesic_nearly() {
        for epsilon in [2e-3, 0.02, 0.5] {
            let n = 400;
            let mass = |kernel: Kernel| {
                let sum: f64 = (0..n)
                    .map(|i| kernel.log_value(epsilon, i as f64 / n as f64).exp())
                    .sum();
                sum / n as f64 / (2.0 * PI * epsilon).sqrt()
            };
            assert!((mass(Kernel::Heat) - 1.0).abs() < 1e-13, "{epsilon}");
            let defect = (mass(Kernel::Geodesic) - 1.0).abs();
            let tail = (-1.0 / (8.0 * epsilon)).exp();
            assert!(defect <= tail + 1e-13, "{epsilon}: {defect} {tail}");
        }
    }

    #[test]
    fn the_rule_names_the_smallest_even_grid() {
        let n = points_needed(0.01, 1.0);
        assert_eq!(n, 16);
        assert!(1.0 / n as f64 <= RESOLUTION * 0.1 && 1.0 / (n - 2) as f64 > RESOLUTION * 0.1);
        assert!(quadrature_error(Kernel::Heat, 0.01, 1.0, RESOLUTION * 0.1) < 1e-17);
        assert!(quadrature_error(Kernel::Geodesic, 0.1, 1.0, 0.01) > 1e-6);
    }
}
