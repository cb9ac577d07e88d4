//! The linearisation `L_u w = −∇g(∇u)·∇w + tr(A ∇²w)`, `A = (∇²u)^{-1}`, and linear systems with it.

use super::composed::{Composed, System};
use super::differences::Differences;
use super::operator::MongeAmpere;
use super::preconditioner::Preconditioner;
use crate::calculus::Derivatives;
use crate::density::{Jet, Order};
use crate::error::{Error, Result};
use crate::krylov::{Gmres, Solved};
use crate::multigrid::Coefficients;
use crate::parallel::{BLOCK, dot, for_each_block, for_each_piece, max_of, mean};
use crate::symmetric::{determinant, identity_plus, inverse, packed_len, pairs};
use crate::torus::Torus;

/// Iterations between restarts of GMRES, and the most of them for one solve.
const RESTART: usize = 30;
const MOST_ITERATIONS: usize = 300;
/// What a cycle of GMRES by FFT must bring the residual down to for the next one to be by FFT too. An iteration with differences
/// costs about four of them, and takes about three for a digit where ten by FFT do not (benches/preconditioner).
const FAST: f64 = 1e-3;
/// A cycle that leaves more is the last: restarted GMRES no longer moves, by rounding or for good.
const STAGNANT: f64 = 0.9;
/// Multiples of the unit roundoff, times the norms of operator and solution, that a residual consists of at the end.
const ROUNDING: f64 = 8.0;

/// What systems with [`Linearised`] are preconditioned by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preconditioning {
    /// Differences in one dimension; in more Fourier, unless 30 iterations of it gain less than three digits: then differences for
    /// this right-hand side and the next ones with the same operator.
    #[default]
    Automatic,
    /// Constant coefficients in Fourier space: [`super::Preconditioner`].
    Fourier,
    /// Variable ones in finite differences: [`super::Differences`].
    Differences,
}

/// A system for which the workspace is ready.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Prepared {
    identity: f64,
    c: f64,
    /// Whether the fast way is open.
    composed: bool,
    differences: bool,
}

/// `L_u` frozen at a potential, with a preconditioned GMRES for `w − c L_u w = r` and for `−L_u w = r`.
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
    /// The preconditioner for high contrast, once it has been needed, with memory for what it makes of a vector.
    differences: Option<(Box<Differences>, Vec<f64>)>,
    preconditioning: Preconditioning,
    prepared: Option<Prepared>,
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
            differences: None,
            preconditioning: Preconditioning::Automatic,
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

    /// Chooses the preconditioner of the solves to come.
    pub fn precondition_by(&mut self, preconditioning: Preconditioning) {
        self.preconditioning = preconditioning;
        self.prepared = None;
    }

    /// Solves `w − c L_u w = r` to root-mean-square residual `tolerance`, or as far as rounding lets it.
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
        let outcome = self.attempt(operator, r, w, tolerance);
        let prepared = self.prepared.expect("just prepared");
        if outcome.is_ok()
            || prepared.differences
            || self.preconditioning == Preconditioning::Fourier
        {
            return outcome;
        }
        let Err(Error::NoConvergence { iterations, .. }) = outcome else {
            return outcome;
        };
        self.prepare_by(identity, c, true);
        let mut outcome = self.attempt(operator, r, w, tolerance);
        if matches!(outcome, Err(Error::NoConvergence { .. })) {
            // A potential with modes up to the grid's limit has no differences to speak of: the transform with patience.
            let chosen = std::mem::replace(&mut self.preconditioning, Preconditioning::Fourier);
            self.prepare_by(identity, c, false);
            outcome = self.attempt(operator, r, w, tolerance);
            self.preconditioning = chosen;
        }
        outcome.map(|solved| Solved {
            iterations: iterations + solved.iterations,
            ..solved
        })
    }

    /// Makes ready for several right-hand sides.
    fn prepare(&mut self, identity: f64, c: f64) {
        let ready = |p: &Prepared| (p.identity, p.c) == (identity, c);
        if self.prepared.as_ref().is_some_and(ready) {
            return;
        }
        let differences = match self.preconditioning {
            Preconditioning::Automatic => self.torus.dimension() == 1,
            chosen => chosen == Preconditioning::Differences,
        };
        self.prepare_by(identity, c, differences);
    }

    fn prepare_by(&mut self, identity: f64, c: f64, differences: bool) {
        let system = System {
            identity,
            c,
            preconditioner: &self.preconditioner,
            a: &self.a,
            drift: &self.jet.gradient,
        };
        let composed = match &mut self.composed {
            Some((composed, gmres, _)) => {
                gmres.recycle();
                composed.adopt(system)
            }
            None => false,
        };
        self.gmres.recycle();
        if differences {
            let points = self.torus.points();
            let (differences, _) = self
                .differences
                .get_or_insert_with(|| (Box::new(Differences::new(points)), Vec::new()));
            let coefficients = Coefficients {
                identity,
                c,
                a: &self.a,
                drift: &self.jet.gradient,
            };
            match self.composed.as_ref().filter(|_| composed) {
                Some((order, ..)) => {
                    let tiled = |field: &[f64], out: &mut [f64]| order.tiled(field, out);
                    differences.adopt(coefficients, &self.preconditioner, order.len(), tiled);
                }
                None => {
                    let as_it_is = |field: &[f64], out: &mut [f64]| out.copy_from_slice(field);
                    let nodes = self.torus.len();
                    differences.adopt(coefficients, &self.preconditioner, nodes, as_it_is);
                }
            }
        }
        self.prepared = Some(Prepared {
            identity,
            c,
            composed,
            differences,
        });
    }

    /// Solves the system prepared for.
    fn attempt(
        &mut self,
        operator: &mut MongeAmpere,
        r: &[f64],
        w: &mut [f64],
        tolerance: f64,
    ) -> Result<Solved> {
        let prepared = self.prepared.expect("prepared");
        let hasty = !prepared.differences && self.preconditioning == Preconditioning::Automatic;
        let share = match (hasty, prepared.differences) {
            (true, _) => FAST,
            (false, true) => STAGNANT,
            // The last resort has all its iterations.
            (false, false) => f64::INFINITY,
        };
        let outcome = if prepared.composed {
            self.solve_composed(r, w, tolerance, share)
        } else {
            self.solve_plainly(operator, r, w, tolerance, share)
        };
        match outcome {
            Err(Error::NoConvergence {
                residual,
                iterations,
                ..
            }) if residual <= self.rounding(prepared, w) => Ok(Solved {
                iterations,
                residual,
            }),
            outcome => outcome,
        }
    }

    /// Root-mean-square residual that rounding leaves of a solution w.
    fn rounding(&self, system: Prepared, w: &[f64]) -> f64 {
        let size = (dot(w, w) / w.len() as f64).sqrt();
        let norm = system.identity + system.c * self.spectral_radius();
        ROUNDING * f64::EPSILON * norm * size
    }

    /// The fast way.
    fn solve_composed(
        &mut self,
        r: &[f64],
        w: &mut [f64],
        tolerance: f64,
        demanded: f64,
    ) -> Result<Solved> {
        let prepared = self.prepared.expect("prepared");
        let (composed, gmres, [b, t]) = self.composed.as_mut().expect("the fast way is open");
        let mut differences = self.differences.as_mut().filter(|_| prepared.differences);
        // Rows that fill up a tile are zero: they count in the length but not in the norm.
        let share = (r.len() as f64 / b.len() as f64).sqrt();
        composed.tiled(r, b);
        gmres.demand(demanded);
        let apply = |v: &[f64], out: &mut [f64]| match &mut differences {
            Some((differences, solved)) => {
                solved.resize(v.len(), 0.0);
                differences.apply(v, solved);
                composed.apply(solved, out);
            }
            None => composed.apply(v, out),
        };
        let outcome = gmres.solve_composed(apply, b, t, share * tolerance);
        match differences {
            Some((differences, solved)) => {
                solved.resize(t.len(), 0.0);
                differences.apply(t, solved);
                composed.recover(solved, w);
            }
            None => composed.recover(t, w),
        }
        match outcome {
            Ok(solved) => Ok(Solved {
                residual: solved.residual / share,
                ..solved
            }),
            Err(Error::NoConvergence {
                what,
                residual,
                iterations,
                remedy,
                ..
            }) => Err(Error::NoConvergence {
                what,
                residual: residual / share,
                iterations,
                tolerance,
                remedy,
            }),
            Err(other) => Err(other),
        }
    }

    /// [`Self::solve_composed`] with the parts composed as they stand: for every calculus, and what the fast way must agree with.
    fn solve_plainly(
        &mut self,
        operator: &mut MongeAmpere,
        r: &[f64],
        w: &mut [f64],
        tolerance: f64,
        demanded: f64,
    ) -> Result<Solved> {
        let Prepared {
            identity,
            c,
            differences,
            ..
        } = self.prepared.expect("prepared");
        let mut gmres = std::mem::replace(&mut self.gmres, Gmres::new(0, 0, 0));
        gmres.demand(demanded);
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
            |v, out| {
                let this = &mut **this.borrow_mut();
                match this.differences.as_mut().filter(|_| differences) {
                    Some((differences, solved)) => {
                        solved.resize(v.len(), 0.0);
                        differences.apply(v, solved);
                        this.preconditioner.solve(identity, c, solved, out);
                    }
                    None => this.preconditioner.solve(identity, c, v, out),
                }
            },
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
    use crate::symmetric::extreme_eigenvalues;
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
                let of = &mut operator;
                linearised
                    .solve(of, identity, c, &r, &mut fast, 1e-11)
                    .unwrap();
                assert!(linearised.prepared.unwrap().composed, "{place}");
                linearised
                    .solve_plainly(of, &r, &mut plain, 1e-11, STAGNANT)
                    .unwrap();
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

    /// A few waves, so large that `λ_max(A)/λ_min(A)` over the nodes is `contrast`, and the operator they are for.
    fn of_contrast(points: &[usize], contrast: f64) -> (MongeAmpere, Linearised, Vec<f64>) {
        let (waves, g) = [
            (
                "cos(2*pi*x) + 0.2*sin(4*pi*x)",
                "0.8*cos(2*pi*x) + 0.4*sin(4*pi*x)",
            ),
            (
                "cos(2*pi*(x-0.1)) + 0.7*cos(2*pi*(y-0.3)) + 0.5*cos(2*pi*(x+y)) - 0.4*sin(2*pi*(x-y))",
                "0.8*cos(2*pi*y) + 0.5*sin(2*pi*(x+y))",
            ),
            (
                "cos(2*pi*(x-0.1)) + 0.7*cos(2*pi*(y-0.3)) + 0.8*sin(2*pi*z) + 0.3*cos(2*pi*(x+y-z))",
                "0.6*cos(2*pi*y) + 0.4*sin(2*pi*(x+z))",
            ),
        ][points.len() - 1];
        let (torus, d) = (Torus::new(points).unwrap(), points.len());
        let mut jet = Jet::zeros(d, torus.len(), Order::Hessian);
        let waves = Formula::parse(waves, d).unwrap();
        waves.jet(&torus.nodes(), &mut jet);
        let of = |size: f64| {
            let scaled = |h: &Vec<f64>| h.iter().map(|h| size * h).collect();
            let hessian: Vec<Vec<f64>> = jet.hessian.iter().map(scaled).collect();
            let eigenvalues = |i| extreme_eigenvalues(d, &identity_plus(d, &hessian, i));
            let least = -max_of(torus.len(), |i| -eigenvalues(i).0);
            let ratio = max_of(torus.len(), |i| eigenvalues(i).1) / least;
            if least > 0.0 { ratio } else { f64::INFINITY }
        };
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if of(middle) < contrast {
                low = middle;
            } else {
                high = middle;
            }
        }
        let calculus = Box::new(Spectral::new(&torus));
        let source = vec![0.0; torus.len()];
        let operator = MongeAmpere::from_values(source, density(g, d), calculus);
        let linearised = Linearised::new(&operator, Order::Gradient);
        let p = jet.value.iter().map(|p| low * p).collect();
        (operator, linearised, p)
    }

    fn rough(len: usize) -> Vec<f64> {
        (0..len)
            .map(|i| ((i * i) as f64 * 0.37).sin() + 0.2)
            .collect()
    }

    /// With r as rough as the grid can hold. In two dimensions, where the degeneracy is oblique and narrower than a spacing, up to sixty at contrast 1000.
    #[test]
    fn differences_need_few_iterations_at_any_contrast() {
        for (points, most, allowed) in [
            (&[64][..], 1e3, 12),
            (&[256], 1e3, 12),
            (&[32, 32], 1e3, 60),
            (&[64, 64], 1e3, 60),
            (&[16, 16, 16], 1e2, 30),
            (&[24, 24, 24], 1e2, 30),
        ] {
            for contrast in [10.0, 1e2, 1e3] {
                if contrast > most {
                    continue;
                }
                let (mut operator, mut linearised, p) = of_contrast(points, contrast);
                linearised.precondition_by(Preconditioning::Differences);
                let (r, mut w) = (rough(p.len()), vec![0.0; p.len()]);
                let mut rate = w.clone();
                linearised.freeze(&mut operator, &p, &mut rate).unwrap();
                let tolerance = 1e-8 * (dot(&r, &r) / r.len() as f64).sqrt();
                for (identity, c) in [(1.0, 1e-6), (1.0, 1e-3), (1.0, 1.0), (0.0, 1.0)] {
                    let of = &mut operator;
                    let solved = linearised.solve(of, identity, c, &r, &mut w, tolerance);
                    let iterations = solved.unwrap().iterations;
                    let place = format!("{points:?}, {contrast}, {identity} − {c} L");
                    assert!(iterations <= allowed, "{place}: {iterations}");
                }
            }
        }
    }

    #[test]
    fn both_preconditioners_give_the_same_solution() {
        for points in [&[54][..], &[18, 22], &[32, 12], &[10, 14, 18]] {
            let (mut operator, mut linearised, p) = of_contrast(points, 8.0);
            let (r, zeros) = (rough(p.len()), vec![0.0; p.len()]);
            let mut rate = zeros.clone();
            linearised.freeze(&mut operator, &p, &mut rate).unwrap();
            for (identity, c) in [(1.0, 1e-4), (1.0, 0.05), (0.0, 1.0)] {
                let mut solve = |way| {
                    let mut w = zeros.clone();
                    linearised.precondition_by(way);
                    let of = &mut operator;
                    linearised
                        .solve(of, identity, c, &r, &mut w, 1e-11)
                        .unwrap();
                    w
                };
                let by_fourier = solve(Preconditioning::Fourier);
                let by_differences = solve(Preconditioning::Differences);
                let error = sup_difference(&by_fourier, &by_differences) / sup(&by_fourier);
                assert!(error < 1e-9, "{points:?}, {identity} − {c} L: {error:e}");
            }
        }
    }

    #[test]
    fn a_preconditioner_that_was_not_updated_shows_in_the_iterations() {
        let (mut operator, mut linearised, p) = of_contrast(&[128], 100.0);
        let (r, mut w) = (rough(p.len()), vec![0.0; p.len()]);
        let mut rate = w.clone();
        let mut iterations = |linearised: &mut Linearised, of: &mut MongeAmpere| match linearised
            .solve_plainly(of, &r, &mut w, 1e-8, STAGNANT)
        {
            Ok(solved) => solved.iterations,
            Err(Error::NoConvergence { iterations, .. }) => iterations,
            Err(error) => panic!("{error}"),
        };
        linearised.freeze(&mut operator, &p, &mut rate).unwrap();
        linearised.prepare(1.0, 0.01);
        let stale = linearised.prepared;
        linearised
            .freeze(&mut operator, &vec![0.0; p.len()], &mut rate)
            .unwrap();
        (linearised.prepared, linearised.preconditioner) =
            (stale, Preconditioner::new(operator.calculus.as_ref()));
        let with_stale = iterations(&mut linearised, &mut operator);
        linearised.adopt();
        linearised.prepare(1.0, 0.01);
        let with_fresh = iterations(&mut linearised, &mut operator);
        assert!(with_stale > 3 * with_fresh, "{with_stale} {with_fresh}");
    }

    #[test]
    fn differences_take_over_where_the_transform_is_slow() {
        let (mut operator, mut linearised, p) = of_contrast(&[48, 48], 1e4);
        let (r, mut w) = (rough(p.len()), vec![0.0; p.len()]);
        let mut rate = w.clone();
        linearised.freeze(&mut operator, &p, &mut rate).unwrap();
        let of = &mut operator;
        let first = linearised
            .solve_shifted(of, 1e-6, &r, &mut w, 1e-9)
            .unwrap();
        assert!(linearised.prepared.unwrap().differences);
        let shifted: Vec<f64> = r.iter().rev().copied().collect();
        let next = linearised
            .solve_shifted(of, 1e-6, &shifted, &mut w, 1e-9)
            .unwrap();
        assert!(
            first.iterations > RESTART && next.iterations < RESTART,
            "{first:?} {next:?}"
        );
        // Mild data stay with the transform.
        let (mut operator, mut linearised, p) = of_contrast(&[48, 48], 5.0);
        linearised.freeze(&mut operator, &p, &mut rate).unwrap();
        linearised
            .solve_shifted(&mut operator, 1e-3, &r, &mut w, 1e-9)
            .unwrap();
        assert!(!linearised.prepared.unwrap().differences);
    }

    #[test]
    fn a_tolerance_below_rounding_gives_what_rounding_allows() {
        for points in [&[64][..], &[32, 32]] {
            for way in [Preconditioning::Fourier, Preconditioning::Differences] {
                let (mut operator, mut linearised, p) = of_contrast(points, 20.0);
                let (r, mut w) = (rough(p.len()), vec![0.0; p.len()]);
                let mut rate = w.clone();
                linearised.freeze(&mut operator, &p, &mut rate).unwrap();
                linearised.precondition_by(way);
                let solved = linearised.solve_shifted(&mut operator, 0.01, &r, &mut w, 1e-30);
                assert!(solved.unwrap().residual < 1e-11, "{points:?} {way:?}");
            }
        }
    }
}
