//! An exact solution of the flow, as near to a degenerate start as one likes.
//!
//! On the circle with uniform densities `∂_t p = log(1 + p″)`, so that `w = 1 + p″ = ρ` solves `∂_t w = (log w)″`. Poisson's kernel
//!
//! ```text
//! w = sinh s/(cosh s + cos 2πx) = (1 − r²)/(1 + 2r cos 2πx + r²) = 1 + 2 Σ_{m≥1} (−r)^m cos 2πmx,   s = s_0 + 4π² t,  r = e^{−s},
//! ```
//!
//! does: with `D = cosh s + cos 2πx` both sides are `4π² (1 + cosh s cos 2πx)/D²`. Its smallest and largest value are
//! `((1 − r)/(1 + r))^{±1}`. Two integrations in x, and one in t of `⟨∂_t p⟩ = ⟨log w⟩ = log(1 − r²)`, give
//!
//! ```text
//! p = −2 Σ_{m≥1} (−r)^m cos(2πmx)/(2πm)² + [Li₂(r²) − Li₂(r_0²)]/8π²,   KL(ρ|1) = −log(1 − r²).
//! ```

use mirrorflow_solvers::Torus;
use std::f64::consts::{PI, TAU};

/// Terms below this part of the first do not count.
const SMALLEST: f64 = 1e-19;

/// The solution at a time.
pub struct Poisson {
    r0: f64,
    r: f64,
}

impl Poisson {
    pub fn new(r0: f64, time: f64) -> Self {
        let r = r0 * (-TAU * TAU * time).exp();
        Self { r0, r }
    }

    /// p and log ρ at the nodes.
    pub fn on(&self, torus: &Torus) -> [Vec<f64>; 2] {
        let nodes = torus.nodes().remove(0);
        let p = nodes.iter().map(|&x| self.p(x)).collect();
        let log_density = nodes.iter().map(|&x| self.log_density(x)).collect();
        [p, log_density]
    }

    fn p(&self, x: f64) -> f64 {
        let mean =
            (dilogarithm(self.r * self.r) - dilogarithm(self.r0 * self.r0)) / (8.0 * PI * PI);
        let waves = coefficients(self.r).map(|(m, c)| c * (TAU * (m * x).fract()).cos());
        mean + waves.sum::<f64>()
    }

    fn log_density(&self, x: f64) -> f64 {
        let (below, cosine) = (1.0 - self.r, (PI * x).cos());
        (below * (1.0 + self.r)).ln() - (below * below + 4.0 * self.r * cosine * cosine).ln()
    }

    /// KL(ρ|1).
    pub fn entropy(&self) -> f64 {
        -(-self.r * self.r).ln_1p()
    }
}

/// p_0 of zero mean as a formula in one coordinate.
pub fn start(r: f64, coordinate: char) -> String {
    let terms: Vec<String> = coefficients(r)
        .map(|(m, c)| format!("{c:e}*cos(2*pi*{m}*{coordinate})"))
        .collect();
    terms.join(" + ").replace("+ -", "- ")
}

/// `m` and `−2(−r)^m/(2πm)²`, as long as they count.
fn coefficients(r: f64) -> impl Iterator<Item = (f64, f64)> {
    let term = move |m: i32| {
        (
            f64::from(m),
            -2.0 * (-r).powi(m) / (TAU * f64::from(m)).powi(2),
        )
    };
    (1..).map(term).take_while(|(_, c)| c.abs() > SMALLEST)
}

/// `Σ z^m/m²`.
fn dilogarithm(z: f64) -> f64 {
    let terms = (1..).map(|m: i32| z.powi(m) / f64::from(m).powi(2));
    terms.take_while(|term| *term > SMALLEST).sum()
}
