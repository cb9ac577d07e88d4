//! The linearisation `L_u w = −∇g(∇u)·∇w + tr(A ∇²w)`, `A = (∇²u)^{-1}`, and linear systems with it.

use super::composed::{Composed, System};
use super::operator::MongeAmpere;
use super::preconditioner::Preconditioner;
use crate::calculus::Derivatives;
use crate::density::{Jet, Order};
use crate::error::Result;
use crate::krylov::{Gmres, Solved};
use crate::parallel::{BLOCK, for_each_block, for_each_piece, max_of, mean};
use crate::symmetric::{determinant, identity_plus, inverse, packed_len, pairs};
use crate::torus::Torus;

/// Iterations between restarts of GMRES, and the most of them for one solve.
const RESTART: usize = 30;
const MOST_ITERATIONS: usize = 300;

/// `L_u` frozen at a potential, with an FFT-preconditioned GMRES for `w − c L_u w = r` and for `−L_u w = r`.
///
/// In divergence form `L_u w = ρ^{-1} ∇·(ρ A ∇w)`: spectrum ≤ 0, kernel the constants.
pub struct Linearised {
    torus: Torus,
    /// ∇g at the map, and ∇²g when asked for.
    pub(crate) jet: Jet,
    /// A at the nodes, packed.
    pub(crate) a: Vec<Vec<f64>>,
    pub(crate) derivatives: Derivatives,
    pub(crate) preconditioner: Preconditioner,
    gmres: Gmres,
    /// The fast way to solve, with its right-hand side and its solution, where there is one.
    composed: Option<(Composed, Gmres, [Vec<f64>; 2])>,
    /// Multiples of the identity and of L_u for which the workspace is prepared, and whether the fast way is open.
    prepared: Option<(f64, f64, bool)>,
}

impl Linearised {
    /// Workspace for `operator`; `order` is [`Order::Gradient`], or [`Order::Hessian`] when ∇²g is wanted too.
    pub fn new(operator: &MongeAmpere, order: Order) -> Self {
        let torus = operator.torus().clone();
        let d = torus.dimension();
        let composed = Composed::new(operator.calculus.as_ref()).map(|composed| {
            let len = composed.len();
            let gmres = Gmres::new(len, RESTART, MOST_ITERATIONS);
            (composed, gmres, [vec![0.0; len], vec![0.0; len]])
        });
        Self {
            jet: Jet::zeros(d, torus.len(), order),
            a: vec![vec![0.0; torus.len()]; packed_len(d)],
            derivatives: Derivatives::zeros(&torus),
            preconditioner: Preconditioner::new(operator.calculus.as_ref()),
            gmres: Gmres::new(torus.len(), RESTART, MOST_ITERATIONS),
            composed,
            prepared: None,
            torus,
        }
    }

    /// Freezes the coefficients at p and writes `rate = F(p)`.
    ///
    /// # Errors
    /// As [`MongeAmpere::rate`].
    pub fn freeze(
        &mut self,
        operator: &mut MongeAmpere,
        p: &[f64],
        rate: &mut [f64],
    ) -> Result<()> {
        self.freeze_unprojected(operator, p, rate)?;
        operator.calculus.project(rate);
        Ok(())
    }

    /// [`Self::freeze`] before the projection of a dealiased calculus.
    pub(crate) fn freeze_unprojected(
        &mut self,
        operator: &mut MongeAmpere,
        p: &[f64],
        rate: &mut [f64],
    ) -> Result<()> {
        operator.differentiate(p);
        operator.target.jet(&operator.map, &mut self.jet);
        operator.assemble_with(&self.jet.value, rate)?;
        invert(
            self.torus.dimension(),
            &operator.derivatives.hessian,
            &mut self.a,
        );
        self.adopt();
        Ok(())
    }

    /// Takes the coefficients just frozen.
    fn adopt(&mut self) {
        self.preconditioner.adopt(&self.a);
        self.prepared = None;
    }

    /// Turns the frozen `L_u = −b·∇ + A:∇²` into `−S_b b·∇ + S_a A:∇²`: the linearisation of a function of `log det ∇²u` and `g(∇u)`.
    pub fn scale(&mut self, drift: &[f64], diffusion: &[f64]) {
        for b in &mut self.jet.gradient {
            multiply(b, drift);
        }
        for a in &mut self.a {
            multiply(a, diffusion);
        }
        self.adopt();
    }

    /// `A = (∇²u)^{-1}` at the nodes, packed, until [`Self::scale`].
    pub fn inverse_hessian(&self) -> &[Vec<f64>] {
        &self.a
    }

    /// `out = L_u w`.
    pub fn apply(&mut self, operator: &mut MongeAmpere, w: &[f64], out: &mut [f64]) {
        operator.calculus.derivatives(w, &mut self.derivatives);
        let (gradient, hessian) = (&self.derivatives.gradient, &self.derivatives.hessian);
        let (b, a) = (&self.jet.gradient, &self.a);
        let d = self.torus.dimension();
        for_each_block(out, |start, out| {
            let range = start..start + out.len();
            out.fill(0.0);
            for (b, gradient) in b.iter().zip(gradient) {
                let terms = b[range.clone()].iter().zip(&gradient[range.clone()]);
                for (out, (b, gradient)) in out.iter_mut().zip(terms) {
                    *out -= b * gradient;
                }
            }
            for (component, (i, j)) in pairs(d).enumerate() {
                let twice = if i == j { 1.0 } else { 2.0 };
                let terms = a[component][range.clone()]
                    .iter()
                    .zip(&hessian[component][range.clone()]);
                for (out, (a, hessian)) in out.iter_mut().zip(terms) {
                    *out += twice * a * hessian;
                }
            }
        });
        operator.calculus.project(out);
    }

    /// Solves `w − c L_u w = r` to root-mean-square residual `tolerance`.
    ///
    /// # Errors
    /// [`crate::Error::NoConvergence`].
    pub fn solve_shifted(
        &mut self,
        operator: &mut MongeAmpere,
        c: f64,
        r: &[f64],
        w: &mut [f64],
        tolerance: f64,
    ) -> Result<Solved> {
        self.solve(operator, 1.0, c, r, w, tolerance)
    }

    /// Solves `⟨w⟩ − L_u w = r`: `−L_u w = r − ⟨w⟩` with the constant `⟨w⟩` (the mean of w) that makes it solvable.
    ///
    /// # Errors
    /// [`crate::Error::NoConvergence`].
    pub fn solve_poisson(
        &mut self,
        operator: &mut MongeAmpere,
        r: &[f64],
        w: &mut [f64],
        tolerance: f64,
    ) -> Result<Solved> {
        self.solve(operator, 0.0, 1.0, r, w, tolerance)
    }

    /// `identity·w − c L_u w = r`, plus the mean of w where `identity` is zero.
    fn solve(
        &mut self,
        operator: &mut MongeAmpere,
        identity: f64,
        c: f64,
        r: &[f64],
        w: &mut [f64],
        tolerance: f64,
    ) -> Result<Solved> {
        self.prepare(identity, c);
        match (&mut self.composed, self.prepared) {
            (Some((composed, gmres, [b, t])), Some((_, _, true))) => {
                // Rows that fill up a tile are zero: they count in the length but not in the norm.
                let share = (r.len() as f64 / b.len() as f64).sqrt();
                composed.tiled(r, b);
                let apply = |v: &[f64], out: &mut [f64]| composed.apply(v, out);
                let solved = gmres.solve_composed(apply, b, t, share * tolerance)?;
                composed.recover(t, w);
                Ok(Solved {
                    residual: solved.residual / share,
                    ..solved
                })
            }
            _ => self.solve_plainly(operator, identity, c, r, w, tolerance),
        }
    }

    /// Makes ready for several right-hand sides.
    fn prepare(&mut self, identity: f64, c: f64) {
        if matches!(self.prepared, Some((i, k, _)) if (i, k) == (identity, c)) {
            return;
        }
        let system = System {
            identity,
            c,
            preconditioner: &self.preconditioner,
            a: &self.a,
            drift: &self.jet.gradient,
        };
        let fast = match &mut self.composed {
            Some((composed, gmres, _)) => {
                gmres.recycle();
                composed.adopt(system)
            }
            None => false,
        };
        self.gmres.recycle();
        self.prepared = Some((identity, c, fast));
    }

    /// [`Self::solve`] with the parts composed as they stand: for every calculus, and what the fast way must agree with.
    fn solve_plainly(
        &mut self,
        operator: &mut MongeAmpere,
        identity: f64,
        c: f64,
        r: &[f64],
        w: &mut [f64],
        tolerance: f64,
    ) -> Result<Solved> {
        let mut gmres = std::mem::replace(&mut self.gmres, Gmres::new(0, 0, 0));
        let this = std::cell::RefCell::new(&mut *self);
        let outcome = gmres.solve(
            |v, out| {
                this.borrow_mut().apply(operator, v, out);
                let constant = if identity == 0.0 { mean(v) } else { 0.0 };
                for_each_block(out, |start, out| {
                    for (out, v) in out.iter_mut().zip(&v[start..]) {
                        *out = identity * v - c * *out + constant;
                    }
                });
            },
            |v, out| this.borrow_mut().preconditioner.solve(identity, c, v, out),
            r,
            w,
            tolerance,
        );
        self.gmres = gmres;
        outcome
    }

    /// Bound on the spectral radius of `L_u`: `max_x Σ_ij |A_ij| (r_i r_j)^{1/2}`, r_i the largest eigenvalue of −∂_ii on the
    /// grid; `d (πn)² λ_max(A)` is attained by a mode along the diagonal (THEORY §2).
    pub fn spectral_radius(&self) -> f64 {
        let d = self.torus.dimension();
        let root: Vec<f64> = self
            .preconditioner
            .symbols()
            .iter()
            .map(|s| s.radius().sqrt())
            .collect();
        max_of(self.torus.len(), |node| {
            pairs(d)
                .enumerate()
                .map(|(component, (i, j))| {
                    let twice = if i == j { 1.0 } else { 2.0 };
                    twice * self.a[component][node].abs() * root[i] * root[j]
                })
                .sum()
        })
    }
}

/// `A = (I + ∇²p)^{-1}` at the nodes.
fn invert(d: usize, hessian: &[Vec<f64>], a: &mut [Vec<f64>]) {
    let mut components: [&mut [f64]; 6] = Default::default();
    for (slot, component) in components.iter_mut().zip(a) {
        *slot = component;
    }
    let work = packed_len(d) * hessian[0].len();
    for_each_piece(components, BLOCK, work, &|block, mut a| {
        for k in 0..a[0].len() {
            let m = identity_plus(d, hessian, block * BLOCK + k);
            let inverse = inverse(d, &m, determinant(d, &m));
            for (a, value) in a[..packed_len(d)].iter_mut().zip(inverse) {
                a[k] = value;
            }
        }
    });
}

fn multiply(field: &mut [f64], factor: &[f64]) {
    for_each_block(field, |start, field| {
        for (value, factor) in field.iter_mut().zip(&factor[start..]) {
            *value *= factor;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calculus::Spectral;
    use crate::density::{Density, Formula, LogDensity};
    use crate::parallel::{sup, sup_difference};
    use std::f64::consts::TAU;
    use std::sync::Arc;

    fn density(formula: &str, d: usize) -> Arc<dyn LogDensity> {
        let shape = Arc::new(Formula::parse(formula, d).unwrap());
        Arc::new(Density::new(shape).unwrap())
    }

    /// `L_u` at a potential that is not symmetric in anything, on its grid.
    fn frozen(points: &[usize]) -> (MongeAmpere, Linearised) {
        let torus = Torus::new(points).unwrap();
        let d = points.len();
        let (f, g) = match d {
            2 => (
                "0.3*cos(2*pi*(x - y))",
                "0.5*cos(2*pi*y) + 0.2*sin(2*pi*(x + y))",
            ),
            _ => (
                "0.3*cos(2*pi*(x - z))",
                "0.5*cos(2*pi*y) + 0.2*sin(2*pi*(x + z))",
            ),
        };
        let calculus = Box::new(Spectral::new(&torus));
        let mut operator = MongeAmpere::new(&*density(f, d), density(g, d), calculus);
        let wave = |x: &[f64]| {
            let all: f64 = x.iter().sum();
            0.4 * (TAU * x[0]).cos() + 0.2 * (TAU * x[d - 1]).sin() + 0.2 * (TAU * all).cos()
        };
        let p: Vec<f64> = (0..torus.len())
            .map(|i| wave(&torus.node(i)) / (TAU * TAU))
            .collect();
        let mut linearised = Linearised::new(&operator, Order::Gradient);
        let mut rate = vec![0.0; torus.len()];
        linearised.freeze(&mut operator, &p, &mut rate).unwrap();
        (operator, linearised)
    }

    /// The same equation two ways, with and without the identity, on grids whose lines do and do not fill whole tiles.
    #[test]
    fn the_fast_way_solves_what_the_plain_one_does() {
        for points in [&[32, 24][..], &[18, 22], &[16, 12, 20], &[10, 14, 6]] {
            let (mut operator, mut linearised) = frozen(points);
            let len = operator.torus().len();
            let r: Vec<f64> = (0..len)
                .map(|i| ((i * i) as f64 * 0.37).sin() + 0.2)
                .collect();
            for (identity, c) in [(1.0, 1e-4), (1.0, 0.05), (0.0, 1.0)] {
                let (mut fast, mut plain) = (vec![0.0; len], vec![0.0; len]);
                let place = format!("{points:?}, {identity} − {c} L");
                let mut solve = |plainly: bool, w: &mut [f64]| {
                    let way = match plainly {
                        true => Linearised::solve_plainly,
                        false => Linearised::solve,
                    };
                    way(&mut linearised, &mut operator, identity, c, &r, w, 1e-11).unwrap()
                };
                solve(false, &mut fast);
                solve(true, &mut plain);
                assert!(matches!(linearised.prepared, Some((_, _, true))), "{place}");
                let error = sup_difference(&fast, &plain) / sup(&plain);
                assert!(error < 1e-9, "{place}: {error:e}");
            }
        }
    }

    /// The residual that the fast way reports is that of the equation, by the operator as it stands.
    #[test]
    fn the_reported_residual_is_that_of_the_equation() {
        let (mut operator, mut linearised) = frozen(&[18, 22]);
        let len = operator.torus().len();
        let r: Vec<f64> = (0..len).map(|i| (i as f64 * 1.7).cos()).collect();
        let (mut w, mut image, c) = (vec![0.0; len], vec![0.0; len], 0.01);
        let solved = linearised
            .solve_shifted(&mut operator, c, &r, &mut w, 1e-6)
            .unwrap();
        linearised.apply(&mut operator, &w, &mut image);
        let squares = (0..len).map(|i| (r[i] - w[i] + c * image[i]).powi(2));
        let residual = (squares.sum::<f64>() / len as f64).sqrt();
        assert!(residual < 1e-6 && (residual / solved.residual - 1.0).abs() < 1e-6);
    }
}
