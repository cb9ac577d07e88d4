//! What the record holds.

use crate::record::{Column, always, some};

#[rustfmt::skip]
pub const COLUMNS: &[Column] = &[
    always("times", "T+1", "instants, 0 included"),
    always("kl fisher", "T+1", "KL(ρ_t | e^{-f}) and ∫ρ|∇(log ρ + f)|²"),
    always("gradient wasserstein", "T+1", "‖∇u_t − ∇u_∞‖ in L²(e^{-f}); W₂(ρ_t, e^{-f})"),
    always("bound", "T+1", "e^{−2κλt} KL_0"),
    always("fokker_planck_kl", "T+1", "KL along Fokker–Planck from the same ρ_0"),
    always("kl_budget gradient_budget fokker_planck_kl_budget", "T+1", "error budgets"),
    always("lambda", "", "1/(largest eigenvalue of ∇²u over all steps)"),
    always("kappa", "", "the largest of the following"),
    some("kappa_holley_stroock kappa_stretched kappa_bobkov_goetze kappa_near_product", "", "log-Sobolev constants, those that apply"),
    always("gap", "", "smallest nonzero eigenvalue of −L_{u_∞}"),
    always("eigenvalues", "4", "smallest nonzero eigenvalues of −L_{u_∞}, with multiplicity"),
    always("residuals fokker_planck_residuals", "4", "what the grid leaves of the equations of these eigenvalues, ‖Lw − λw‖ in L²(e^{-f})"),
    always("fokker_planck_gap", "", "that of Fokker–Planck"),
    always("fokker_planck_eigenvalues", "4", "those of Fokker–Planck"),
    always("slowest_share fokker_planck_share", "", "part of ‖h‖² in the slowest modes at the end"),
    always("amplitudes fokker_planck_amplitudes", "4 T+1", "∫h w_j e^{-f} in the modes of these eigenvalues, h = log ρ + f without its mean"),
    always("deviation fokker_planck_deviation", "T+1", "sup|h|"),
    always("gradient_form wasserstein_form", "4 4", "quadratic forms of `gradient`² and `wasserstein`² in `amplitudes`, near the end"),
    always("eigenfunction", "n", "of `gap`: ∫w e^{-f} = 0, ∫w² e^{-f} = 1"),
    always("p rho h", "n", "p raw, ρ and log ρ + f at the horizon"),
    always("p_infinity", "n", "periodic part of u_∞"),
    always("min_eigenvalue spectral_tail", "", "of p at the horizon"),
];

/// Beside it, with ε.
#[rustfmt::skip]
pub const SINKHORN: &[Column] = &[
    always("epsilons", "E", "descending"),
    always("sinkhorn_kl sinkhorn_kl_budget", "E T+1", "KL of ρ^ε at k = t/ε; at t = 0 that of ρ_0"),
    always("sinkhorn_rates sinkhorn_rates_budget", "E", "−2 log λ_2/ε, λ_2 the second eigenvalue of the two-step conditional expectation at the fixed point"),
];

/// Beside it, with other objectives.
#[rustfmt::skip]
pub const OTHERS: &[Column] = &[
    always("others_kl others_kl_budget", "O T+1", "KL along the mirror flows of `others`, in their order"),
    always("others_amplitudes", "O 4 T+1", "as `amplitudes`"),
    always("others_deviation", "O T+1", "as `deviation`"),
    always("others_share", "O", "part of ‖h‖² in the slowest modes at the end"),
];

/// Between Gaussians.
#[rustfmt::skip]
pub const GAUSSIAN: &[Column] = &[
    always("times", "T+1", "instants, 0 included"),
    always("kl fisher", "T+1", "KL(ρ_t | e^{-f}) and ∫ρ|∇(log ρ + f)|²"),
    always("gradient wasserstein", "T+1", "‖∇u_t − ∇u_∞‖ in L²(e^{-f}); W₂(ρ_t, e^{-f})"),
    always("bound", "T+1", "e^{−2κλt} KL_0"),
    always("fokker_planck_kl", "T+1", "KL along Fokker–Planck from the same ρ_0"),
    always("kl_budget gradient_budget fokker_planck_kl_budget", "T+1", "error budgets"),
    always("lambda kappa", "", "1/(largest eigenvalue of ∇²u over all steps); log-Sobolev constant"),
    always("gap linear_gap", "", "2m_1 and m_1"),
    always("fokker_planck_gap", "", "that of Fokker–Planck"),
    always("rates fokker_planck_rates", "d", "2m_i, increasing; 2/s_i by increasing s"),
    always("modes fokker_planck_modes", "d T+1", "sizes of the modes (i, i) of P_t − P_∞ and of C_t − Σ, in the same orders"),
    always("slowest_share fokker_planck_share", "", "part of the slowest modes at the end"),
    always("slowest_excess fokker_planck_excess", "", "by which part the mean rate of what is left is above the slowest"),
    always("rounding fokker_planck_rounding", "", "relative change of KL in turned coordinates"),
    some("source_variances target_variances", "d", "pairs (s, θ) by increasing s, where all commutes"),
    some("closed_form_difference fokker_planck_closed_form_difference", "T+1", "relative defects against the talk's formulas"),
];

/// Beside it, with ε.
#[rustfmt::skip]
pub const GAUSSIAN_SINKHORN: &[Column] = &[
    always("epsilons sinkhorn_rates", "E", "descending; 4 asinh(εm_1/2)/ε"),
    always("sinkhorn_kl sinkhorn_kl_budget", "E T+1", "KL of ρ^ε at k = t/ε; at t = 0 that of ρ_0"),
    always("sinkhorn_modes sinkhorn_modes_budget", "E T+1", "size of the slowest mode of P_k − P^ε_∞"),
];
