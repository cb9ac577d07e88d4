//! The asymptotic rate of Sinkhorn's iteration: the second eigenvalue of the two-step conditional expectation at its fixed point.
//!
//! At the fixed point `(p, q)` of one ε the plan `π = K_ε e^{−p/ε−f} e^{−q/ε−g}` has both marginals. An iteration carries a small change δp to
//! `E[E[δp|Y]|X]`, symmetric and ≥ 0 in L²(e^{-f}); its largest eigenvalue is 1, of the constants, and the next one is λ₂, so that KL decays by
//! λ₂² per iteration, at the rate `−2 log λ₂/ε` per unit of time. `(I − E[E[·|Y]|X])/ε → −L_{u_∞}` as ε → 0, and the rate is 2·gap + O(ε²)
//! (docs/exponential-convergence.md).

use super::davidson::Search;
use super::ground_state::GroundState;
use super::{GUARD, Mode, uncertainty};
use crate::error::{Error, Result};
use crate::parallel::{axpy, dot, sup, sup_difference};
use crate::sinkhorn::{HalfStep, Kernel, Sinkhorn};
use crate::torus::Torus;
use std::ops::ControlFlow;

/// The rate of KL along Sinkhorn at one ε near its fixed point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SinkhornRate {
    /// `−2 log λ₂/ε`.
    pub rate: f64,
    /// What the residual of the eigenvector, the distance to the fixed point and the sums over nodes may have done to it.
    pub error: f64,
}

/// Largest `sup|log ρ + f|` that is taken for the fixed point.
const FIXED: f64 = 1e-11;
/// Steps to it at most; what is left then is in the error.
const MOST_STEPS: usize = 40;
/// Residual asked of the eigenvector, relative to `1 − λ₂`; the error of λ₂ is its square.
const RESIDUAL: f64 = 1e-7;
const MOST_ITERATIONS: usize = 60;

/// Finds it from a potential `start` near the fixed point, with what is known of the limit: the matrix field
/// `b` = (∇²u_∞)^{-1} and the slowest modes of −L_{u_∞}, two or more.
///
/// # Errors
/// Those of the iteration, above all [`Error::TooCoarse`]; [`Error::Interrupted`].
pub fn sinkhorn_rate(
    torus: &Torus,
    kernel: Kernel,
    epsilon: f64,
    [source, target, start]: [&[f64]; 3],
    (b, modes): (&[Vec<f64>], &[Mode]),
    go_on: &dyn Fn(f64) -> ControlFlow<()>,
) -> Result<SinkhornRate> {
    let mut plan = Conditional::new(HalfStep::new(torus, kernel, epsilon), source, target, start);
    let log_density: Vec<f64> = source.iter().map(|f| -f).collect();
    let mut near = Near {
        ground: GroundState::new(torus, &log_density, Some(b)),
        epsilon,
    };
    let mut distance = plan.defect();
    for step in 0..MOST_STEPS {
        if go_on(step as f64 / MOST_STEPS as f64).is_break() {
            return Err(Error::Interrupted {
                when: "on the way to Sinkhorn's fixed point".into(),
            });
        }
        if distance <= FIXED {
            break;
        }
        plan.newton(&mut near);
        let now = plan.defect();
        if now.is_nan() || now >= distance {
            plan.back();
        }
        distance = plan.defect();
    }
    // One iteration of the kind that is checked says whether the grid resolves it.
    let mut checked = Sinkhorn::new(torus, kernel, epsilon, source, target, &plan.p)?;
    checked.step()?;
    let search = Search {
        count: 1,
        relative: RESIDUAL,
        absolute: 0.0,
        most_iterations: MOST_ITERATIONS,
    };
    let block = modes.iter().take(1 + GUARD);
    let block = block
        .map(|mode| plan.weighted(&mode.eigenfunction))
        .collect();
    let constant = plan.constant();
    let found = search.smallest(
        |v, out| plan.apply(v, out),
        |v, out| near.precondition(v, out),
        &constant,
        block,
    )?;
    let v = &found.vectors[0];
    let mut image = vec![0.0; v.len()];
    plan.apply(v, &mut image);
    let mu = dot(v, &image) / dot(v, v);
    axpy(-mu, v, &mut image);
    let residual = (dot(&image, &image) / dot(v, v)).sqrt();
    let apart = modes[1].eigenvalue - modes[0].eigenvalue;
    // A relative change of the plan changes E[E[·|Y]|X] by as much, the eigenvalue of (I − …)/ε by 1/ε of it; the distance to the
    // fixed point, of the slowest mode at worst, the eigenvalue by its part.
    let sums = checked.error_estimate() / (epsilon * epsilon);
    let of_mu = uncertainty(residual, apart) + sums + mu * distance / (mu * epsilon).min(1.0);
    Ok(SinkhornRate {
        rate: -2.0 * (-epsilon * mu).ln_1p() / epsilon,
        error: 2.0 / (1.0 - epsilon * mu) * of_mu,
    })
}

/// The inverse of `(I − E[E[·|Y]|X])/ε`, nearly: of `(1 − e^{−εs})/ε` where −L_{u_∞} is s, between `1/s + ε/2` and `1/s + ε`.
struct Near {
    ground: GroundState,
    epsilon: f64,
}

impl Near {
    fn precondition(&mut self, v: &[f64], out: &mut [f64]) {
        self.ground.precondition(v, out);
        axpy(self.epsilon, v, out);
    }
}

/// The plan of a potential p with `q` its image under the first half-step, and
/// `v ↦ e^{-f/2} (I − E[E[·|Y]|X]) e^{f/2} v/ε`, symmetric in the sum over nodes where p is the fixed point.
struct Conditional {
    half_step: HalfStep,
    f: Vec<f64>,
    g: Vec<f64>,
    p: Vec<f64>,
    q: Vec<f64>,
    /// p after the iteration.
    next: Vec<f64>,
    /// `next` of the p before.
    before: Vec<f64>,
    /// `e^{-f/2}`.
    root: Vec<f64>,
    given: Vec<f64>,
    sums: Vec<f64>,
    shifted: Vec<f64>,
}

impl Conditional {
    fn new(half_step: HalfStep, f: &[f64], g: &[f64], start: &[f64]) -> Self {
        let zeros = || vec![0.0; f.len()];
        Self {
            half_step,
            root: f.iter().map(|f| (-0.5 * f).exp()).collect(),
            f: f.to_vec(),
            g: g.to_vec(),
            p: start.to_vec(),
            q: zeros(),
            next: zeros(),
            before: zeros(),
            given: zeros(),
            sums: zeros(),
            shifted: zeros(),
        }
    }

    /// Iterates once from p; `sup|log ρ + f| = sup|next − p|/ε`.
    fn defect(&mut self) -> f64 {
        self.half_step.apply(&self.p, &self.f, &mut self.q);
        self.half_step.apply(&self.q, &self.g, &mut self.next);
        sup_difference(&self.next, &self.p) / self.half_step.epsilon()
    }

    /// `p + δ` with `(I − E[E[·|Y]|X]) δ = next − p`, nearly: Newton's step towards the fixed point, by conjugate gradients.
    fn newton(&mut self, near: &mut Near) {
        let epsilon = self.half_step.epsilon();
        let constant = self.constant();
        let off = |v: &mut [f64]| axpy(-dot(v, &constant), &constant, v);
        let mut residual: Vec<f64> = (0..self.p.len())
            .map(|i| self.root[i] * (self.next[i] - self.p[i]) / epsilon)
            .collect();
        off(&mut residual);
        let n = residual.len();
        let (mut delta, mut z, mut image) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        near.precondition(&residual, &mut z);
        off(&mut z);
        let mut direction = z.clone();
        let mut product = dot(&residual, &z);
        let enough = product * LEFT;
        for _ in 0..MOST_GRADIENTS {
            if product <= enough {
                break;
            }
            self.apply(&direction, &mut image);
            let length = product / dot(&direction, &image);
            axpy(length, &direction, &mut delta);
            axpy(-length, &image, &mut residual);
            off(&mut residual);
            near.precondition(&residual, &mut z);
            off(&mut z);
            let next = dot(&residual, &z);
            direction
                .iter_mut()
                .zip(&z)
                .for_each(|(d, z)| *d = z + next / product * *d);
            product = next;
        }
        self.before.copy_from_slice(&self.next);
        for ((p, delta), root) in self.p.iter_mut().zip(&delta).zip(&self.root) {
            *p += delta / root;
        }
    }

    /// To one iteration from the p before the last Newton step, which did not help.
    fn back(&mut self) {
        self.p.copy_from_slice(&self.before);
    }

    /// The constants, as a unit vector: what `apply` annihilates.
    fn constant(&self) -> Vec<f64> {
        let norm = dot(&self.root, &self.root).sqrt();
        self.root.iter().map(|root| root / norm).collect()
    }

    /// `e^{-f/2} w`.
    fn weighted(&self, w: &[f64]) -> Vec<f64> {
        w.iter().zip(&self.root).map(|(w, root)| w * root).collect()
    }

    fn apply(&mut self, v: &[f64], out: &mut [f64]) {
        let epsilon = self.half_step.epsilon();
        for ((given, v), root) in self.given.iter_mut().zip(v).zip(&self.root) {
            *given = v / root;
        }
        self.expect(Side::X);
        self.expect(Side::Y);
        for (i, out) in out.iter_mut().enumerate() {
            *out = (v[i] - self.root[i] * self.given[i]) / epsilon;
        }
    }

    /// `given ← E[given|·]` over x or y: the half-step with the weight `e^{-f}(1 + given/c)`, which is positive, against that with `e^{-f}`.
    fn expect(&mut self, over: Side) {
        let (potential, weight, plain) = match over {
            Side::X => (&self.p, &self.f, &self.q),
            Side::Y => (&self.q, &self.g, &self.next),
        };
        let epsilon = self.half_step.epsilon();
        let c = 2.0 * sup(&self.given).max(f64::MIN_POSITIVE);
        for (shifted, (f, given)) in self.shifted.iter_mut().zip(weight.iter().zip(&self.given)) {
            *shifted = f - (given / c).ln_1p();
        }
        self.half_step
            .apply(potential, &self.shifted, &mut self.sums);
        for ((given, sum), plain) in self.given.iter_mut().zip(&self.sums).zip(plain) {
            *given = c * ((sum - plain) / epsilon).exp_m1();
        }
    }
}

/// What a conditional expectation is taken over.
enum Side {
    X,
    Y,
}

/// Part of the squared residual that conjugate gradients leave, and their iterations at most.
const LEFT: f64 = 1e-8;
const MOST_GRADIENTS: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calculus::Spectral;
    use crate::density::{Density, Formula};
    use crate::monge_ampere::{Linearised, MongeAmpere, solve_elliptic};
    use crate::spectrum::smallest_modes;
    use crate::{LogDensity, Order};
    use std::sync::Arc;

    /// λ₂ by an independent program, from the dense matrix of the plan (../shared/reference/sinkhorn_rate_order_1d.json).
    const REFERENCE: [(f64, f64); 4] = [
        (0.02, 0.460_569_563_730_702_57),
        (0.01, 0.680_182_064_281_186),
        (0.005, 0.825_017_424_730_207_1),
        (0.0025, 0.908_344_885_075_914_6),
    ];

    fn density(formula: &str) -> Density {
        Density::new(Arc::new(Formula::parse(formula, 1).unwrap())).unwrap()
    }

    fn rates(n: usize, epsilons: &[f64]) -> (f64, Vec<SinkhornRate>) {
        let torus = Torus::new(&[n]).unwrap();
        let (source, target) = (
            density("0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)"),
            density("0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)"),
        );
        let (f, g) = (source.on(&torus), target.on(&torus));
        let shared: Arc<dyn LogDensity> = Arc::new(target);
        let mut operator = MongeAmpere::new(&source, shared, Box::new(Spectral::new(&torus)));
        let p = solve_elliptic(&mut operator, &vec![0.0; n], 1e-12)
            .unwrap()
            .p;
        let mut linearised = Linearised::new(&operator, Order::Gradient);
        linearised
            .freeze(&mut operator, &p, &mut vec![0.0; n])
            .unwrap();
        let b = linearised.inverse_hessian().to_vec();
        let log_density: Vec<f64> = f.iter().map(|f| -f).collect();
        let modes = smallest_modes(&torus, &log_density, Some(&b), 4).unwrap();
        let rate = |&epsilon: &f64| {
            let go_on = |_| ControlFlow::Continue(());
            sinkhorn_rate(
                &torus,
                Kernel::Heat,
                epsilon,
                [&f, &g, &p],
                (&b, &modes),
                &go_on,
            )
            .unwrap()
        };
        (
            2.0 * modes[0].eigenvalue,
            epsilons.iter().map(rate).collect(),
        )
    }

    #[test]
    fn agrees_with_the_dense_matrix_of_an_independent_program() {
        let (gap, found) = rates(96, &REFERENCE.map(|(epsilon, _)| epsilon));
        for ((epsilon, second), found) in REFERENCE.iter().zip(&found) {
            let exact = -2.0 * second.ln() / epsilon;
            let off = (found.rate - exact).abs();
            assert!(
                off < 1e-7 && off <= found.error + 1e-9,
                "{epsilon}: {found:?} {exact}"
            );
            assert!(found.error < 1e-4, "{found:?}");
        }
        let excess: Vec<f64> = found.iter().map(|found| found.rate - gap).collect();
        let order = (excess[2] / excess[3]).log2();
        assert!((order - 2.0).abs() < 0.01, "{order}");
    }

    #[test]
    fn does_not_depend_on_the_grid() {
        let (coarse, fine) = (rates(96, &[0.004]).1[0], rates(160, &[0.004]).1[0]);
        assert!(
            (coarse.rate - fine.rate).abs() < 1e-8,
            "{coarse:?} {fine:?}"
        );
    }
}
