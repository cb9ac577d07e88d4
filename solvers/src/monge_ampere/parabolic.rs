//! PMA as a system to be stepped: `∂_t p = F(p)`, with or without a tangent `∂_t e = L_{u_t} e`.
//!
//! The tangent e is the part of the first-order profile that remembers the plain start (THEORY §4). The Jacobian
//! of the pair is block triangular, `[[L, 0], [D²F[e, ·], L]]`, with the second variation
//!
//! ```text
//! D²F[e, w] = −∇eᵀ ∇²g(∇u) ∇w − tr(A ∇²e A ∇²w).
//! ```

use super::linearised::Linearised;
use super::operator::MongeAmpere;
use crate::calculus::Derivatives;
use crate::density::Order;
use crate::error::Result;
use crate::parallel::{axpy, for_each_block, sup};
use crate::symmetric::{packed_len, position};
use crate::time::{Size, System};

/// Weight of e against p in the error control: e is multiplied by ε wherever it is used, so a hundredth of the
/// accuracy of p is plenty.
const TANGENT_WEIGHT: f64 = 0.01;

/// A residual r of a solve with `1 − cL` moves log ρ by up to r/c in modes that are fast: below this c, solves are as much tighter as c
/// is smaller.
const LOOSE_FROM: f64 = 0.01;

/// Weight of log ρ against p in the error control. The estimate is the error of a companion of order 4, which in log ρ is 10 to 30 times
/// the error of the step, more at tight tolerances: with this weight the errors of log ρ and p at any time stay below the tolerance.
const LOG_DENSITY_WEIGHT: f64 = 0.1;

/// Rounding of p, magnified by `L_u` and by the coefficients of the stages, is not an error that shorter steps would make smaller. In units of
/// ε_mach times the spectral radius of `L_u` times sup |p|.
const ROUNDING: f64 = 100.0 * f64::EPSILON;

/// State `[p…]` of length N, or `[p…, e…]` of length 2N when made with a tangent.
pub struct Parabolic {
    pub(super) operator: MongeAmpere,
    pub(super) linearised: Linearised,
    /// Derivatives of e at the frozen state, for the coupling term.
    tangent: Option<Derivatives>,
    coupling: Vec<f64>,
    /// What rounding makes of the estimated error of log ρ.
    rounding: f64,
    /// A second linearisation for stage rates, so that the frozen one stays.
    stage: Option<Box<Linearised>>,
}

impl Parabolic {
    /// PMA alone.
    pub fn new(operator: MongeAmpere) -> Self {
        let linearised = Linearised::new(&operator, Order::Gradient);
        Self {
            operator,
            linearised,
            tangent: None,
            coupling: Vec::new(),
            rounding: 0.0,
            stage: None,
        }
    }

    /// PMA with a tangent.
    pub fn with_tangent(operator: MongeAmpere) -> Self {
        let linearised = Linearised::new(&operator, Order::Hessian);
        let stage = Linearised::new(&operator, Order::Gradient);
        let torus = operator.torus().clone();
        Self {
            operator,
            linearised,
            tangent: Some(Derivatives::zeros(&torus)),
            coupling: vec![0.0; torus.len()],
            rounding: 0.0,
            stage: Some(Box::new(stage)),
        }
    }

    fn nodes(&self) -> usize {
        self.operator.torus().len()
    }

    /// `out = D²F[e, w]` at the frozen state.
    pub fn second_variation(&mut self, w: &[f64], out: &mut [f64]) {
        let Self {
            operator,
            linearised,
            tangent,
            ..
        } = self;
        let e = tangent.as_ref().expect("made with a tangent");
        operator
            .calculus
            .derivatives(w, &mut linearised.derivatives);
        let (w, a, g) = (&linearised.derivatives, &linearised.a, &linearised.jet);
        let d = operator.torus().dimension();
        for_each_block(out, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                let node = start + k;
                *out = -bilinear(d, node, &g.hessian, &e.gradient, &w.gradient)
                    - trace_product(d, node, a, &e.hessian, &w.hessian);
            }
        });
        operator.calculus.project(out);
    }
}

/// `xᵀ M y` at a node.
#[inline(always)]
fn bilinear(d: usize, node: usize, m: &[Vec<f64>], x: &[Vec<f64>], y: &[Vec<f64>]) -> f64 {
    let mut sum = 0.0;
    for i in 0..d {
        for j in 0..d {
            sum += x[i][node] * m[position(d, i, j)][node] * y[j][node];
        }
    }
    sum
}

/// `tr(A X A Y)` at a node, all symmetric.
#[inline(always)]
fn trace_product(d: usize, node: usize, a: &[Vec<f64>], x: &[Vec<f64>], y: &[Vec<f64>]) -> f64 {
    let at = |m: &[Vec<f64>], i, j| m[position(d, i, j)][node];
    let product = |m: &[Vec<f64>], i, k| (0..d).map(|j| at(a, i, j) * at(m, j, k)).sum::<f64>();
    let mut sum = 0.0;
    for i in 0..d {
        for k in 0..d {
            sum += product(x, i, k) * product(y, k, i);
        }
    }
    debug_assert_eq!(a.len(), packed_len(d));
    sum
}

impl System for Parabolic {
    fn len(&self) -> usize {
        self.nodes() * if self.tangent.is_some() { 2 } else { 1 }
    }

    fn rate(&mut self, y: &[f64], out: &mut [f64]) -> Result<()> {
        let (p, e) = y.split_at(self.nodes());
        let (dp, de) = out.split_at_mut(self.operator.torus().len());
        match &mut self.stage {
            None => self.operator.rate(p, dp),
            Some(stage) => {
                stage.freeze(&mut self.operator, p, dp)?;
                stage.apply(&mut self.operator, e, de);
                Ok(())
            }
        }
    }

    fn linearise(&mut self, y: &[f64], rate: &mut [f64]) -> Result<()> {
        let (p, e) = y.split_at(self.nodes());
        let (dp, de) = rate.split_at_mut(self.operator.torus().len());
        self.linearised.freeze(&mut self.operator, p, dp)?;
        self.rounding = ROUNDING * self.linearised.spectral_radius() * sup(p);
        if let Some(tangent) = &mut self.tangent {
            self.linearised.apply(&mut self.operator, e, de);
            self.operator.calculus.derivatives(e, tangent);
        }
        Ok(())
    }

    fn solve(&mut self, c: f64, r: &[f64], k: &mut [f64], tolerance: f64) -> Result<usize> {
        let n = self.nodes();
        let tolerance = tolerance * (c / LOOSE_FROM).min(1.0);
        let ((r_p, r_e), (k_p, k_e)) = (r.split_at(n), k.split_at_mut(n));
        let Self {
            operator,
            linearised,
            ..
        } = self;
        let solved = linearised.solve_shifted(operator, c, r_p, k_p, tolerance)?;
        let mut iterations = solved.iterations;
        if self.tangent.is_some() {
            let mut rhs = std::mem::take(&mut self.coupling);
            self.second_variation(k_p, &mut rhs);
            for_each_block(&mut rhs, |_, v| v.iter_mut().for_each(|v| *v *= c));
            axpy(1.0, r_e, &mut rhs);
            let tolerance = tolerance / TANGENT_WEIGHT;
            let solved = self
                .linearised
                .solve_shifted(&mut self.operator, c, &rhs, k_e, tolerance);
            self.coupling = rhs;
            iterations += solved?.iterations;
        }
        Ok(iterations)
    }

    fn spectral_radius(&self) -> f64 {
        self.linearised.spectral_radius()
    }

    fn norm(&self, difference: &[f64]) -> f64 {
        let (p, e) = difference.split_at(self.nodes());
        if e.is_empty() {
            sup(p)
        } else {
            sup(p).max(TANGENT_WEIGHT * sup(e))
        }
    }

    /// The larger of the errors of p and of log ρ, which is `L_u e` since `∂_t p = f + log ρ`; of the tangent a hundredth.
    fn error(&self, e: &[f64], image: &[f64], tolerance: f64) -> Size {
        let (p, tangent) = e.split_at(self.nodes());
        let of_log_rho = tolerance / LOG_DENSITY_WEIGHT + self.rounding;
        let parts = [
            (sup(&image[..self.nodes()]) / of_log_rho, "log ρ"),
            (sup(p) / tolerance, "p"),
            (TANGENT_WEIGHT * sup(tangent) / tolerance, "the tangent e_t"),
        ];
        // A NaN is the largest.
        let largest = parts.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
        let (value, of) = largest.expect("three parts");
        Size { value, of }
    }
}
