//! What the record holds.

use crate::record::{Column, always, some};

#[rustfmt::skip]
pub const COLUMNS: &[Column] = &[
    always("strong_convexity", "", "inf λ_min(∇²g) over the nodes"),
    always("flow_times flow_kl flow_reverse_kl flow_bregman", "33", "along the flow: KL(ρ_t | e^{-f}), KL(e^{-f} | ρ_t), B_g(e^{-f} | ρ_t)"),
    always("flow_spent flow_fallen flow_quadrature", "33", "integrals from 0 of the first and of both relative entropies; error of the rule"),
    always("flow_spent_change flow_fallen_change flow_bregman_change", "33", "change on ¾ of the nodes and at ten times the tolerance, added"),
];

/// With `limit`.
#[rustfmt::skip]
pub const LIMIT: &[Column] = &[
    always("limit_eta", "L", "time/steps"),
    always("limit_explicit limit_implicit limit_explicit_conjugate limit_implicit_conjugate", "L", "sup|ψ_k − ψ_t| on the band; sup|ψ_k* − u_t|"),
    some("limit_sinkhorn limit_sinkhorn_conjugate", "L", "the same for Sinkhorn between Gaussians"),
    always("limit_time_error limit_band_error", "", "how far the flow moves with its tolerance; with the modes left out"),
];

/// Of each run.
#[rustfmt::skip]
pub const OF_RUN: &[Column] = &[
    always("eta", "T", "η_k"),
    always("kl", "T+1", "KL(ρ_k | e^{-f})"),
    always("bregman", "C T+1", "B_g(π | ρ_k)"),
    always("average_kl average_kl_budget", "T", "KL of the η-weighted mixture of the first 1, …, T counted iterates"),
    always("snapshots", "S", "k = 0, T/16, T/4, T (rounded up)"),
    always("rho", "S n", "ρ_k there"),
    some("limit", "T", "stability limit of an explicit step at ψ_k"),
];

/// Of each run of mirror descent itself.
#[rustfmt::skip]
pub const OF_DESCENT: &[Column] = &[
    always("bregman_legendre bregman_budget", "T+1", "B_g(e^{-f} | ρ_k) by its definition, and the error of that"),
    always("convexity", "T", "m_{k+1} = inf λ_min(∇²ψ_{k+1})"),
    always("largest_curvature left_out", "T+1", "sup λ_max(∇²ψ_k); sup|(1 − P_K)[h_k∘∇ψ_k]|"),
    always("comparator_kl comparator_mass_defect", "C", "KL(π | e^{-f}); how far the grid is from resolving ψ_π"),
    always("xi_square divergence", "C T", "∫|ξ_k|²dπ_k (0 for implicit steps); KL(π | ρ), ρ the counted iterate"),
    always("band_defect mass_defect noise", "C T", "D; defect of the masses on the grid; size of what rounding and solvers leave in the slack"),
    always("newton_steps", "T", "of implicit steps"),
    always("q", "n", "periodic part of the last ψ"),
];

/// With `sampling`.
#[rustfmt::skip]
pub const SAMPLING: &[Column] = &[
    always("run horizon", "", "the run whose last map carries the points; Ση_k"),
    always("source_masses one_map_masses one_map_counts composition_masses composition_counts", "b^d", "of the bins: by e^{-f}, by the laws of the images, and counted"),
    always("one_map_density composition_density", "n", "laws of the images"),
    always("one_map_kl one_map_evaluations one_map_cost one_map_wasserstein_square one_map_cost_budget", "", "of the one map"),
    always("composition_kl composition_evaluations one_step_bias one_step_kl one_step_convexity one_step_cost", "", "of the one-step maps"),
    always("times cost wasserstein_square gradient remainder excess_budget remainder_budget", "M", "along Fokker–Planck's map"),
    always("fokker_planck_times fokker_planck_kl", "65", "relaxation to the same end"),
];

/// Of each run between Gaussians.
#[rustfmt::skip]
pub const OF_GAUSSIAN_RUN: &[Column] = &[
    always("eta", "T", "η_k"),
    always("kl wasserstein", "T+1", "KL(ρ_k | e^{-f}), W₂(ρ_k, e^{-f})"),
    always("bregman", "C T+1", "B_g(π | ρ_k)"),
    some("average_kl average_kl_budget", "T", "KL of the mixture of the first iterates, on the line"),
    some("snapshots", "S", "k = 0, T/16, T/4, T (rounded up)"),
    some("covariance", "S d d", "Cov ρ_k there"),
    some("deviations", "A T+1", "standard deviations along the axes"),
    some("limit", "T", "stability limit of an explicit step at ψ_k"),
    some("metric_square", "C T", ""),
];

/// Of each run of mirror descent itself between Gaussians.
#[rustfmt::skip]
pub const OF_GAUSSIAN_DESCENT: &[Column] = &[
    always("bregman_legendre bregman_budget largest_curvature left_out", "T+1", "as on the torus"),
    always("convexity", "T", "m_{k+1} = inf λ_min(∇²ψ_{k+1})"),
    always("comparator_kl", "C", "KL(π | e^{-f})"),
    always("xi_square divergence noise", "C T", "as on the torus"),
    some("band_defect mass_defect", "C T", "zero"),
    always("dual", "d d", "∇²ψ at the end"),
];

/// Between Gaussians.
#[rustfmt::skip]
pub const GAUSSIAN: &[Column] = &[
    some("axes", "A d", "unit vectors"),
];

/// In R or R².
#[rustfmt::skip]
pub const EUCLIDEAN: &[Column] = &[
    always("runs", "", "how many"),
];

/// With `limit`.
#[rustfmt::skip]
pub const EUCLIDEAN_LIMIT: &[Column] = &[
    always("steps explicit_error implicit_error natural_error", "N", "η, and distance from the flow at `limit.time`"),
    always("floor", "", "change of that flow between two tolerances"),
];

/// Of each run.
#[rustfmt::skip]
pub const OF_EUCLIDEAN_RUN: &[Column] = &[
    always("x", "K+1 d", "x_k"),
    always("step", "K", "η_k"),
    always("time objective flow_objective flow_distance", "K+1", "Ση_k; F(x_k); F of the flow at that time; distance from it"),
    some("end", "d", "x_∞"),
    some("minimum", "", "F(x_∞)"),
    some("gap divergence", "K+1", "F(x_k) − F(x_∞), D_U(x_∞, x_k)"),
    some("three_point_defect three_point_budget", "K", "of the three-point identity, relative to its largest term"),
    some("regret bound", "K", "sums of η_k(F − F(x_∞)); their bound"),
    some("convexity strong_convexity", "", "smallest eigenvalues of ∇²F towards x_∞ and of ∇²U between iterates"),
];
