//! All distances between Sinkhorn at one ε and the limit, with what rounding may have done to each.
//!
//! A quadratic has no supremum on R^d, so that of potentials is over the unit ball, and gradients are measured in L²(e^{-f}). Constants of
//! the potentials are not compared.

use super::super::compare::Quantity;
use super::limit::GaussianLimit;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::gaussian::{
    Gaussian, Mat, frobenius, inverse, linearised_transport, operator_norm, product,
    relative_entropy, square_root, wasserstein,
};

const fn quantity(name: &'static str, header: &'static str, label: &'static str) -> Quantity {
    Quantity {
        name,
        header,
        label,
    }
}

/// The measured quantities, under the names that they have on the torus.
pub const QUANTITIES: [Quantity; 7] = [
    quantity(
        "potential",
        "sup|u^eps - u_t| on the unit ball",
        "½|P^{ε} − P_{t}|",
    ),
    quantity(
        "gradient",
        "|grad(u^eps - u_t)| in L2(e^-f)",
        "‖∇u^{ε} − ∇u_{t}‖",
    ),
    quantity(
        "corrected",
        "sup|u^eps - u_t - eps r_t| on the unit ball",
        "½|P^{ε} − P_{t} − εR_{t}|",
    ),
    quantity(
        "profile",
        "|grad((u^eps - u_t)/eps - r_t)| in L2(e^-f)",
        "‖∇(u^{ε} − u_{t})/ε − ∇r_{t}‖",
    ),
    quantity("wasserstein", "W2(rho^eps, rho_t)", "W_{2}(ρ^{ε}, ρ_{t})"),
    quantity("lot", "LOT(rho^eps, rho_t)", "LOT(ρ^{ε}, ρ_{t})"),
    quantity("kl", "KL(rho^eps | rho_t) [nats]", "KL(ρ^{ε} | ρ_{t})"),
];

/// Sinkhorn's state after t/ε iterations, in the original coordinates.
#[derive(Debug, Clone)]
pub struct Iterate {
    pub p: Mat<f64>,
    pub covariance: Mat<f64>,
}

/// The quantities at one ε.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub epsilon: f64,
    pub values: [f64; 7],
    pub round_off: [f64; 7],
    /// P^ε.
    pub p: Mat<f64>,
}

/// An object with the same object from the turned problem: they differ by rounding.
pub type Twice<'a, T> = [&'a T; 2];

/// Measures an iterate against the limit.
///
/// # Errors
/// Those of the distances, at the limit of floating point.
pub fn compare(
    problem: &Gaussian,
    epsilon: f64,
    iterate: Twice<Iterate>,
    limit: Twice<GaussianLimit>,
) -> Result<Comparison> {
    let root = square_root(problem.sigma())?;
    let [ours, theirs] = [iterate[0], iterate[1]];
    let difference = &ours.p - &limit[0].p;
    let remainder = Mat::from_fn(difference.nrows(), difference.ncols(), |i, j| {
        difference[(i, j)] - epsilon * limit[0].r[(i, j)]
    });
    let gradient = |x: &Mat<f64>| frobenius(&product(x.as_ref(), root.as_ref()));
    let covariance = &limit[0].covariance;
    let values = [
        0.5 * operator_norm(&difference)?,
        gradient(&difference),
        0.5 * operator_norm(&remainder)?,
        gradient(&remainder) / epsilon,
        wasserstein(&ours.covariance, covariance)?,
        linearised_transport(problem.theta(), &ours.covariance, covariance)?,
        relative_entropy(&ours.covariance, covariance)?,
    ];
    let unit = f64::EPSILON * frobenius(&limit[0].p);
    let p = frobenius(&(&ours.p - &theirs.p)) + frobenius(&(&limit[0].p - &limit[1].p)) + unit;
    let r = frobenius(&(&limit[0].r - &limit[1].r)) + f64::EPSILON * frobenius(&limit[0].r);
    let inside = inverse(&square_root(covariance)?)?;
    let relative = |x: &Mat<f64>| {
        let half = product(inside.as_ref(), x.as_ref());
        frobenius(&product(half.as_ref(), inside.as_ref()))
    };
    let marginal = relative(&(&ours.covariance - &theirs.covariance))
        + relative(&(covariance - &limit[1].covariance))
        + f64::EPSILON * (problem.dimension() as f64).sqrt();
    let round_off = round_off(
        epsilon,
        [p, r, marginal],
        operator_norm(&root)?,
        trace(covariance).sqrt(),
        values[6],
    );
    Ok(Comparison {
        epsilon,
        values,
        round_off,
        p: ours.p.clone(),
    })
}

/// What errors of the matrices P and R, and a relative one of the covariance, do to each quantity. KL is a quarter of the squared relative
/// difference of covariances to leading order; distances of marginals move by at most the error of a root.
fn round_off(
    epsilon: f64,
    [p, r, marginal]: [f64; 3],
    widest: f64,
    spread: f64,
    kl: f64,
) -> [f64; 7] {
    [
        0.5 * p,
        widest * p,
        0.5 * (p + epsilon * r),
        widest * (p / epsilon + r),
        spread * marginal,
        spread * marginal,
        kl.sqrt() * marginal + marginal * marginal,
    ]
}

fn trace(x: &Mat<f64>) -> f64 {
    (0..x.nrows()).map(|i| x[(i, i)]).sum()
}
