//! What the record holds.

use crate::record::{Column, always, some};

#[rustfmt::skip]
pub const COLUMNS: &[Column] = &[
    always("times", "T", "instants"),
    always("p rho", "T n", "mirror coordinate: p_t raw, ρ_t"),
    always("v", "T d n", "v = −A∇φ"),
    always("objective drop", "T", "F(ρ_t); its drop since the instant before, the first since 0"),
    always("dissipation dissipated quadrature", "T", "∫ρ∇φ·A∇φ; its integral since the instant before; the error of that rule"),
    always("speed lot_speed", "T", "‖v‖_{L²(ρ)}; LOT speed, extrapolated"),
    always("length travelled", "T", "∫_0^t (∫ρ v·∇²u v)^{1/2} dt; ∫_0^t ‖v‖ dt"),
    always("lot_distance", "", "LOT between ρ_0 and ρ at the last instant"),
    always("primal_difference dual_difference", "T", "sup|ρ − ρ_t|/sup ρ_t of that coordinate against the mirror one"),
    always("conjugate_difference", "T", "sup|p_t − periodic part of ψ_t*|"),
    always("mass_defect min_density", "T", "|∫ρ_t − ∫ρ_0| and min ρ of the primal coordinate"),
    always("start_mass_defect", "", "|∫ρ_0 − 1| on the nodes"),
    always("dissipation_defect speed_defect", "T", "relative defects of the two identities").or_undefined(),
    always("rho_budget time_budget", "T", "relative change of the mirror coordinate's ρ on ¾ of the nodes and at the looser tolerance, summed; the second alone"),
    always("primal_budget dual_budget conjugate_budget", "T", "change of that coordinate on ¾ of the nodes at the looser tolerance"),
    always("dissipation_budget speed_budget", "T", "change of the relative defect under both variations, quadrature and rounding").or_undefined(),
    always("min_eigenvalue spectral_tail", "", "smallest eigenvalue of ∇²u and largest spectral tail over the instants"),
    some("space_order", "", "order of the scenario's differences"),
    some("spacings", "G", "h along the first axis on ½, ¾ and all of the nodes"),
    some("mirror_space_error dual_space_error primal_space_error", "G", "relative sup error of ρ there"),
];

/// With refinements.
#[rustfmt::skip]
pub const REFINED: &[Column] = &[
    always("steps", "R", "step lengths, descending"),
    always("mirror_time_error dual_time_error primal_time_error", "R", "relative sup error of ρ at the last instant"),
    always("mirror_time_floor dual_time_floor primal_time_floor", "", "the same between tolerances 1e-13 and 1e-12"),
    always("time_order", "", "order of the scenario's method"),
];

/// Between Gaussians.
#[rustfmt::skip]
pub const GAUSSIAN: &[Column] = &[
    always("times", "T", "instants"),
    always("p covariance", "T d d", "P_t; Cov ρ_t"),
    always("objective drop", "T", "F(ρ_t); its drop since the instant before, the first since 0"),
    always("dissipation dissipated quadrature", "T", "∫ρ∇φ·A∇φ; its integral since the instant before; the error of that rule"),
    always("speed lot_speed", "T", "‖v‖_{L²(ρ)}; LOT speed, extrapolated"),
    always("length travelled", "T", "∫_0^t (∫ρ v·∇²u v)^{1/2} dt; ∫_0^t ‖v‖ dt"),
    always("lot_distance", "", "LOT between ρ_0 and ρ at the last instant"),
    always("riccati_difference conjugate_difference dual_difference", "T", "relative differences to the Riccati equations by steps"),
    always("riccati_budget conjugate_budget dual_budget", "T", "their error budgets"),
    always("dissipation_defect speed_defect", "T", "relative defects of the two identities").or_undefined(),
    always("dissipation_budget speed_budget", "T", "change of the relative defect, quadrature and rounding").or_undefined(),
    some("closed_form_difference gradient_flow_closed_form_difference", "T", "relative defects against the talk's formulas, where all commutes"),
    always("drawn_times", "S", "instants of the drawn curves"),
    always("axes", "A d", "unit vectors"),
    always("deviations gradient_flow_deviations", "A S", "standard deviations along the axes, of the mirror flow and the Wasserstein gradient flow"),
    some("closed_form_deviations", "A T", "the same by the talk's formulas"),
];

/// In R or R².
#[rustfmt::skip]
pub const EUCLIDEAN: &[Column] = &[
    always("times", "T", "instants asked for"),
    always("samples", "161", "equal intervals of the horizon"),
    always("mirrors", "", "how many"),
];

/// With refinements.
#[rustfmt::skip]
pub const EUCLIDEAN_REFINED: &[Column] = &[
    always("steps mirror_time_error primal_time_error", "R", "errors at the last instant"),
    always("time_order mirror_time_floor primal_time_floor", "", "order of the method; change between 1e-13 and 1e-12"),
];

/// Of each mirror.
#[rustfmt::skip]
pub const OF_MIRROR: &[Column] = &[
    always("x theta", "T d", "x_t, θ_t = ∇U(x_t)"),
    always("objective", "T", "F(x_t)"),
    always("path", "161 d", "x_t at the samples"),
    always("path_objective", "161", "F(x_t) at the samples"),
    always("x_budget", "T", "change of x_t at the looser tolerance; this and the next six over |x_0 − x_∞|"),
    always("coordinate_difference coordinate_budget", "T", "distance of the two coordinates"),
    some("closed_form exact", "T", "distance from the closed form; the form itself, if there is one"),
    some("time_defect time_budget", "T", "on the line: |t(x_t) − t||ẋ_t|"),
    some("dissipation_defect dissipation_budget", "D", "integrated identity, relative to the drop, up to an arrival"),
    some("bregman_defect bregman_budget", "B", "integrated identity, relative to the drop, up to an arrival"),
    some("end", "d", "x_∞"),
    some("minimum", "", "F(x_∞)"),
    some("distance gap divergence distance_budget divergence_budget", "161", "|x_t − x_∞|, F(x_t) − F(x_∞), D_U(x_∞, x_t); error budgets"),
    some("convexity", "", "smallest eigenvalue of ∇²F between path and x_∞"),
    some("rate slow_share", "", "predicted r; part of the slowest mode at the end"),
    some("arrival arrival_budget arrival_time power", "", "arrival of the stepped flow; T by quadrature; a + 1"),
    some("exponent", "", "predicted 1/(a+1)"),
    some("tail_times tail_distance tail_distance_budget", "31", "an algebraic decay, to 1024 times the horizon"),
];
