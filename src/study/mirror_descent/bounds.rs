//! The bounds of THEORY §7 with their own constants, on the plain arrays of a run; derived in docs/mirror-descent.md.
//!
//! π = e^{-f}, B = B_g(π|·), G_k² = ∫|ξ_k|²dπ_k, m_{k+1} = inf λ_min(∇²ψ_{k+1}), D_k the defect of the band limit.

use super::track::{Track, sums};

/// `B_0 + Σ_{k<T'} [(η_k²/2m_{k+1})G_k² + η_k D_k]` for T' = 1, …, T: no sum `Σ η_k[KL(ρ_k|π) + KL(π|ρ_k)] + B_T'` exceeds it, whatever the
/// schedule. Without the middle term for implicit steps, whose iterates are ρ_{k+1}.
pub fn weighted_regret(track: &Track) -> Vec<f64> {
    let start = track.bregman[0][0];
    let terms = &track.terms[0];
    let step = |k: usize| {
        let eta = track.eta[k];
        0.5 * eta * eta / track.convexity[k] * terms.xi_square[k]
            + eta * (terms.band_defect[k] + terms.mass_defect[k])
    };
    let sums = sums((0..track.steps()).map(step));
    sums.into_iter().map(|sum| start + sum).collect()
}

/// What [`weighted_regret`] bounds.
pub fn spent(track: &Track) -> Vec<f64> {
    let terms = &track.terms[0];
    let both =
        (0..track.steps()).map(|k| track.eta[k] * (track.counted()[k] + terms.divergence[k]));
    let left = sums(both).into_iter().zip(&track.bregman[0][1..]);
    left.map(|(sum, bregman)| sum + bregman).collect()
}

/// Bound of the average KL, `weighted_regret / Σ η_k`; for a constant step `B_0/(ηT') + (η/2T')Σ G_k²/m_{k+1}`.
pub fn average(track: &Track) -> Vec<f64> {
    let times = track.times();
    let bounds = weighted_regret(track).into_iter().zip(&times[1..]);
    bounds.map(|(bound, time)| bound / time).collect()
}

/// The same with the largest constants for all steps: `[B_0 + ½ sup(G²/m) Σ η_k²]/Σ η_k`, without the band's part; for a constant step
/// `B_0/(ηT') + (η/2) sup(G²/m)`.
pub fn uniform_average(track: &Track) -> Vec<f64> {
    let (start, times) = (track.bregman[0][0], track.times());
    let squares = sums(track.eta.iter().map(|eta| eta * eta));
    let most = largest_gradient(track).into_iter().zip(squares);
    most.zip(&times[1..])
        .map(|((most, squares), time)| (start + 0.5 * most * squares) / time)
        .collect()
}

/// Noise of [`weighted_regret`] and [`spent`]: Σ η_k × that of the inequality.
pub fn noise(track: &Track) -> Vec<f64> {
    let noise = track.eta.iter().zip(&track.terms[0].noise);
    sums(noise.map(|(eta, noise)| eta * noise))
}

/// `Σ_{k<T'} [(B_k − B_{k+1})/η_k + (η_k/2m_{k+1})G_k² + D_k]`: bounds the regret Σ KL(ρ_k|π) for any schedule.
pub fn regret(track: &Track) -> Vec<f64> {
    let (bregman, terms) = (&track.bregman[0], &track.terms[0]);
    let step = |k: usize| {
        let eta = track.eta[k];
        (bregman[k] - bregman[k + 1]) / eta
            + 0.5 * eta / track.convexity[k] * terms.xi_square[k]
            + terms.band_defect[k]
            + terms.mass_defect[k]
    };
    sums((0..track.steps()).map(step))
}

/// sup_{k<T'} G_k²/m_{k+1} for T' = 1, …, T.
pub fn largest_gradient(track: &Track) -> Vec<f64> {
    let each = (0..track.steps()).map(|k| track.terms[0].xi_square[k] / track.convexity[k]);
    each.scan(0.0f64, |most, value| {
        *most = most.max(value);
        Some(*most)
    })
    .collect()
}

/// `η_k = C/(k+1)`, KL(π|ρ_k) ≥ cB_k, cC ≥ 1: the regret is at most `(C/2) sup(G²/m) (1 + log T')`. Explicit steps.
pub fn logarithmic_regret(track: &Track, c_of_schedule: f64) -> Vec<f64> {
    let each = largest_gradient(track).into_iter().enumerate();
    each.map(|(k, most)| 0.5 * c_of_schedule * most * (1.0 + (k as f64 + 1.0).ln()))
        .collect()
}

/// The same for B_{T'}: at most `(C²/2) sup(G²/m) (1 + log T')/T'`.
pub fn logarithmic_divergence(track: &Track, c_of_schedule: f64) -> Vec<f64> {
    let regret = logarithmic_regret(track, c_of_schedule)
        .into_iter()
        .enumerate();
    regret
        .map(|(k, bound)| c_of_schedule * bound / (k as f64 + 1.0))
        .collect()
}

/// Constant `η = C log T/T`, KL(π|ρ_k) ≥ cB_k, cC ≥ 1, cη ≤ 1: `B_T ≤ B_0/T + C log T sup(G²/m)/(2cT)`.
pub fn last_divergence(track: &Track, c_of_schedule: f64, c: f64) -> f64 {
    let steps = track.steps() as f64;
    let most = largest_gradient(track).last().copied().unwrap_or(0.0);
    (track.bregman[0][0] + 0.5 * c_of_schedule * steps.ln() * most / c) / steps
}

/// Implicit steps: `KL(ρ_k|π) + ½ sup|(1−P_K)[h_{k+1}∘∇ψ_{k+1}]|²`, which KL(ρ_{k+1}|π) does not exceed.
pub fn implicit_next(track: &Track) -> Vec<f64> {
    let each = track.kl.iter().zip(&track.left_out[1..]);
    each.map(|(kl, left_out)| kl + 0.5 * left_out * left_out)
        .collect()
}

/// Whether the measured KL never rises, beyond rounding.
pub fn decreases(track: &Track) -> bool {
    track
        .kl
        .windows(2)
        .all(|kl| kl[1] <= kl[0] * (1.0 + 1e-12) + 1e-16)
}
