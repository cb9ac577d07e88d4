//! What the record holds.

use crate::record::{Column, always};

#[rustfmt::skip]
pub const COLUMNS: &[Column] = &[
    always("time", "", "t"),
    always("p rho r", "n", "the limit p_t raw, ρ_t, and the profile r_t"),
    always("marginal_profile", "", "sup of s_t, the first-order profile of log ρ^ε"),
    always("marginal_square", "", "its variance under ρ_t: KL(ρ^ε | ρ_t) is ½ε² of it to leading order"),
    always("min_eigenvalue max_eigenvalue mass_defect spectral_tail", "", "of p_t, as above"),
    always("epsilons", "E", "descending"),
    always("p_epsilon", "E n", "p^ε raw after t/ε iterations"),
    always("potential gradient corrected profile wasserstein lot kl", "E", "distances to the limit"),
    always("potential_space gradient_space corrected_space profile_space wasserstein_space lot_space kl_space", "E", "part of its error budget"),
    always("potential_time gradient_time corrected_time profile_time wasserstein_time lot_time kl_time", "E", "part of its error budget"),
    always("potential_iteration gradient_iteration corrected_iteration profile_iteration wasserstein_iteration lot_iteration kl_iteration", "E", "part of its error budget"),
    always("potential_round_off gradient_round_off corrected_round_off profile_round_off wasserstein_round_off lot_round_off kl_round_off", "E", "part of its error budget"),
];

/// Between Gaussians.
#[rustfmt::skip]
pub const GAUSSIAN: &[Column] = &[
    always("time", "", "t"),
    always("p r covariance", "d d", "P_t; R_t, the Hessian of r_t; Cov ρ_t"),
    always("p_epsilon", "E d d", "P^ε after t/ε iterations"),
    always("marginal_profile", "", "‖C^{1/2}S_tC^{1/2}‖, S_t the first-order term of the marginal's precision"),
    always("marginal_square", "", "half its square: KL(ρ^ε | ρ_t) is ½ε² of it to leading order"),
    always("min_eigenvalue max_eigenvalue", "", "of P_t"),
    always("epsilons", "E", "descending"),
    always("potential gradient corrected profile wasserstein lot kl", "E", "distances to the limit"),
    always("potential_round_off gradient_round_off corrected_round_off profile_round_off wasserstein_round_off lot_round_off kl_round_off", "E", "its error budget, the only part"),
];
