//! All distances between Sinkhorn at one ε and the limit, each with its error budget.

use super::reference::Reference;
use crate::study::measure::Context;
use mirrorflow_solvers::calculus::{Calculus, Spectral};
use mirrorflow_solvers::density::LogDensity;
use mirrorflow_solvers::distance::{linearised_transport, relative_entropy, wasserstein};
use mirrorflow_solvers::monge_ampere::{MongeAmpere, solve_elliptic};
use mirrorflow_solvers::resample::refine;
use mirrorflow_solvers::sinkhorn::Sinkhorn;
use mirrorflow_solvers::supremum::supremum;
use mirrorflow_solvers::{Result, Torus};
use std::f64::consts::PI;
use std::sync::Arc;

/// A measured quantity.
pub struct Quantity {
    /// Name of its array in the record.
    pub name: &'static str,
    /// Header of its column.
    pub header: &'static str,
    /// Label in figures, in their markup.
    pub label: &'static str,
}

const fn quantity(name: &'static str, header: &'static str, label: &'static str) -> Quantity {
    Quantity {
        name,
        header,
        label,
    }
}

/// The measured quantities, in the order of [`Comparison::values`].
pub const QUANTITIES: [Quantity; 7] = [
    quantity("potential", "sup|p^eps - p_t|", "sup|p^{ε} − p_{t}|"),
    quantity("gradient", "sup|grad(p^eps - p_t)|", "sup|∇p^{ε} − ∇p_{t}|"),
    quantity(
        "corrected",
        "sup|p^eps - p_t - eps r_t|",
        "sup|p^{ε} − p_{t} − εr_{t}|",
    ),
    quantity(
        "profile",
        "sup|grad((p^eps - p_t)/eps - r_t)|",
        "sup|∇(p^{ε} − p_{t})/ε − ∇r_{t}|",
    ),
    quantity("wasserstein", "W2(rho^eps, rho_t)", "W_{2}(ρ^{ε}, ρ_{t})"),
    quantity("lot", "LOT(rho^eps, rho_t)", "LOT(ρ^{ε}, ρ_{t})"),
    quantity("kl", "KL(rho^eps | rho_t) [nats]", "KL(ρ^{ε} | ρ_{t})"),
];

/// The quantities at one ε.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub epsilon: f64,
    pub values: [f64; 7],
    /// Per quantity: space, time, iteration, round-off.
    pub budget: [[f64; 4]; 7],
    /// p^ε after t/ε iterations.
    pub p: Vec<f64>,
}

/// Residual asked of the elliptic solve behind LOT.
const ELLIPTIC_TOLERANCE: f64 = 1e-11;
/// Relative error of W₂ and LOT from the stopping of their Newton iterations.
const ELLIPTIC_ERROR: f64 = 1e-7;

/// A variation of the limit, with how far it is from the limit: the same for every ε, so measured once.
pub struct Varied<'a> {
    reference: &'a Reference,
    change: Change,
}

impl<'a> Varied<'a> {
    /// # Errors
    /// Those of the elliptic solve behind W₂.
    pub fn new(torus: &Torus, limit: &Reference, reference: &'a Reference) -> Result<Self> {
        let change = Change::between(torus, limit, reference)?;
        Ok(Self { reference, change })
    }
}

/// Measures Sinkhorn's present iterate against `limit`; the budget comes from `variations` in space and time.
///
/// # Errors
/// Those of the elliptic solves.
pub fn compare(
    context: &Context,
    sinkhorn: &Sinkhorn,
    epsilon: f64,
    limit: &Reference,
    variations: &[Varied; 2],
) -> Result<Comparison> {
    let torus = &context.built.torus;
    let p = sinkhorn.p().to_vec();
    let mut log_rho = vec![0.0; p.len()];
    sinkhorn.log_marginal(&mut log_rho);
    let values = [
        size(torus, &difference(&p, &limit.p)),
        gradient_size(torus, &difference(&p, &limit.p)),
        size(torus, &remainder(&p, limit, epsilon)),
        gradient_size(torus, &remainder(&p, limit, epsilon)) / epsilon,
        wasserstein(torus, &log_rho, &limit.log_rho)?.distance,
        lot(context, &log_rho, limit)?,
        relative_entropy(&log_rho, &limit.log_rho),
    ];
    let kl = values[6];
    let mut budget = [[0.0; 4]; 7];
    for (part, varied) in variations.iter().enumerate() {
        let sizes = varied.change.on(epsilon, kl, varied.reference.weight);
        for (quantity, size) in sizes.into_iter().enumerate() {
            budget[quantity][part] = size;
        }
    }
    budget[4][2] = ELLIPTIC_ERROR * values[4];
    budget[5][2] = ELLIPTIC_ERROR * values[5];
    for (quantity, size) in round_off(torus, sinkhorn, epsilon, kl)
        .into_iter()
        .enumerate()
    {
        budget[quantity][3] = size;
    }
    Ok(Comparison {
        epsilon,
        values,
        budget,
        p,
    })
}

/// `LOT_{e^{-g}}(ρ^ε, ρ_t)`: the Brenier potential of ρ^ε → e^{-g} by an elliptic solve, that of ρ_t is u_t itself.
fn lot(context: &Context, log_rho: &[f64], limit: &Reference) -> Result<f64> {
    let torus = &context.built.torus;
    let target: Arc<dyn LogDensity> = Arc::new(context.built.target.clone());
    let source = log_rho.iter().map(|l| -l).collect();
    let mut operator = MongeAmpere::from_values(source, target, Box::new(Spectral::new(torus)));
    let brenier = solve_elliptic(&mut operator, &limit.p, ELLIPTIC_TOLERANCE)?;
    linearised_transport(torus, &brenier.p, &limit.p, &limit.log_rho)
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// `p^ε − p_t − ε r_t`.
fn remainder(p: &[f64], limit: &Reference, epsilon: f64) -> Vec<f64> {
    let mut remainder = difference(p, &limit.p);
    for (remainder, r) in remainder.iter_mut().zip(&limit.profile) {
        *remainder -= epsilon * r;
    }
    remainder
}

/// `sup |w|` of the trigonometric interpolant.
fn size(torus: &Torus, w: &[f64]) -> f64 {
    let fine = sampling(torus);
    let mut values = refine(torus, w, &fine);
    values.iter_mut().for_each(|v| *v = v.abs());
    supremum(&fine, &values)
}

/// `sup |∇w|` of the trigonometric interpolant, Euclidean norm.
fn gradient_size(torus: &Torus, w: &[f64]) -> f64 {
    let mut gradient = vec![vec![0.0; w.len()]; torus.dimension()];
    Spectral::new(torus).gradient(w, &mut gradient);
    let fine = sampling(torus);
    let mut squares = vec![0.0; fine.len()];
    for component in &gradient {
        let component = refine(torus, component, &fine);
        for (square, g) in squares.iter_mut().zip(&component) {
            *square += g * g;
        }
    }
    supremum(&fine, &squares).sqrt()
}

/// The grid on which suprema are sampled.
fn sampling(torus: &Torus) -> Torus {
    let enough = [1024, 256, 64][torus.dimension() - 1];
    torus
        .resized(|n| n * (enough / n).max(1))
        .expect("a multiple of an even grid is a grid")
}

/// How far two computations of the limit are apart, in the same metrics. By the triangle inequality this bounds
/// the effect on every distance to the limit.
struct Change {
    potential: f64,
    gradient: f64,
    profile: f64,
    profile_gradient: f64,
    wasserstein: f64,
    lot: f64,
    kl: f64,
}

impl Change {
    fn between(torus: &Torus, limit: &Reference, varied: &Reference) -> Result<Self> {
        let profiles = difference(&limit.profile, &varied.profile);
        Ok(Self {
            potential: size(torus, &difference(&limit.p, &varied.p)),
            gradient: gradient_size(torus, &difference(&limit.p, &varied.p)),
            profile: size(torus, &profiles),
            profile_gradient: gradient_size(torus, &profiles),
            wasserstein: wasserstein(torus, &varied.log_rho, &limit.log_rho)?.distance,
            lot: linearised_transport(torus, &varied.p, &limit.p, &limit.log_rho)?,
            kl: relative_entropy(&varied.log_rho, &limit.log_rho),
        })
    }

    /// The budget in the order of [`QUANTITIES`], `weight` the share of the change that is error. √KL is locally a distance, so an error
    /// of size √κ changes KL by at most about `2√(KL·κ) + κ`.
    fn on(&self, epsilon: f64, kl: f64, weight: f64) -> [f64; 7] {
        let kappa = weight * weight * self.kl;
        [
            weight * self.potential,
            weight * self.gradient,
            weight * (self.potential + epsilon * self.profile),
            weight * (self.gradient / epsilon + self.profile_gradient),
            weight * self.wasserstein,
            weight * self.lot,
            2.0 * (kl * kappa).sqrt() + kappa,
        ]
    }
}

/// Estimate of rounding and quadrature of the iteration: δ in p; `δ·πn` in ∇p; `2δ/ε` in log ρ, so that much in `√KL` and `1/2π` of it
/// in transport.
fn round_off(torus: &Torus, sinkhorn: &Sinkhorn, epsilon: f64, kl: f64) -> [f64; 7] {
    let delta = sinkhorn.error_estimate();
    let finest = *torus.points().iter().max().expect("d ≥ 1") as f64;
    let gradient = delta * PI * finest;
    let log_rho = 2.0 * delta / epsilon;
    let transport = log_rho / (2.0 * PI);
    [
        delta,
        gradient,
        delta,
        gradient / epsilon,
        transport,
        transport,
        2.0 * log_rho * kl.sqrt() + log_rho * log_rho,
    ]
}
