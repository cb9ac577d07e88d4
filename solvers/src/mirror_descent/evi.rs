//! The evolution variational inequality (EVI) of a step, term by term (THEORY §7).
//!
//! For any density π, with `m = inf λ_min(∇²ψ_{k+1})`, `ξ_k = ∇P_K[h_k∘∇ψ_k]`, `π_k = (∇ψ_k^*)#π`, exactly:
//!
//! ```text
//! explicit: KL(ρ_k|e^{-f})     − KL(π|e^{-f}) ≤ [B(π|ρ_k) − B(π|ρ_{k+1})]/η + (η/2m)∫|ξ_k|²dπ_k − KL(π|ρ_k) + D_k
//! implicit: KL(ρ_{k+1}|e^{-f}) − KL(π|e^{-f}) ≤ [B(π|ρ_k) − B(π|ρ_{k+1})]/η                    − KL(π|ρ_{k+1}) + D_{k+1}
//! ```
//!
//! `D_k = ∫(1−P_K)[h_k∘∇ψ_k] (e^{-g} − dπ_k)` is what the band limit leaves out; it vanishes with K, not with η. The explicit inequality
//! is an equality where ∇²ψ_{k+1} is constant. The implicit one follows from `ψ_k^*(x) ≥ x·y − ψ_k(y)` at `y = ∇ψ_{k+1}^*(x)` alone: no m, no
//! bound on η, and with π = ρ_k it says that KL falls.

use super::comparator::Comparator;
use super::descent::Iterate;
use crate::calculus::{Calculus, Derivatives, Spectral};
use crate::distance::{FenchelGap, entropy_density, fenchel_gap};
use crate::error::Result;
use crate::interpolation::Interpolant;
use crate::parallel::{max_of, mean_of};
use crate::resample::refine;
use crate::symmetric::{extreme_eigenvalues, identity_plus};
use crate::torus::Torus;

/// Every term of the inequality for one comparator and one step.
///
/// All are integrals against e^{-g} over the nodes y, the optimal coupling of π with e^{-g} being `x = ∇ψ_π(y)`, and
/// `z = ∇ψ_k^*(∇ψ_π(y))` the point that π_k gives it. The inequality holds node by node, so with the mass defect counted the slack is
/// not negative beyond rounding on any grid; the integrals themselves are spectrally accurate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// η.
    pub step: f64,
    /// `KL(ρ|e^{-f}) = ∫(w + e^{-w} − 1)e^{-g}`, `w = h∘∇ψ`, ρ that of the rule: integrand ≥ 0, so 1e-12 relative.
    pub relative_entropy: f64,
    /// `KL(π|e^{-f})` in the same way from ψ_π; absolute error that of the elliptic solve, 1e-12.
    pub comparator_entropy: f64,
    /// `B_g(π|ρ_k)`: mean Fenchel gap, 1e-12 relative when near (see [`fenchel_gap`]).
    pub bregman: f64,
    /// `B_g(π|ρ_{k+1})`.
    pub bregman_next: f64,
    /// `∫|ξ_k|²dπ_k = ∫|∇P_K w(z)|² e^{-g}` by trigonometric interpolation, 1e-12 relative; 0 for an implicit step.
    pub xi_square: f64,
    /// m: the least eigenvalue over a grid of twice the nodes, above the infimum by at most
    /// `(λ_max − λ_min)(cos^{-d}(πK/2n) − 1)/2` (Ehlich–Zeller).
    pub convexity: f64,
    /// `KL(π|ρ) = ∫(s + e^{-s} − 1)e^{-g}`, `s = log(π/ρ)(x) = w_π(y) − w(z)`: integrand ≥ 0.
    pub divergence: f64,
    /// D.
    pub band_defect: f64,
    /// `∫[(e^{-w} − 1) − (e^{-w_π} − 1) + (e^{-s} − 1)]e^{-g}`, what the constants in the integrands of the three KL add to left +
    /// divergence: zero but for the masses on the grid, so its size says whether the potentials are resolved.
    pub mass_defect: f64,
}

impl Terms {
    /// `KL(ρ|e^{-f}) − KL(π|e^{-f})`.
    pub fn left(&self) -> f64 {
        self.relative_entropy - self.comparator_entropy
    }

    /// `[B_g(π|ρ_k) − B_g(π|ρ_{k+1})]/η`; its rounding, 1e-13·B/η or 1e-15/η, is that of the slack.
    pub fn decrease(&self) -> f64 {
        (self.bregman - self.bregman_next) / self.step
    }

    /// `(η/2m)∫|ξ_k|²dπ_k`.
    pub fn curvature(&self) -> f64 {
        0.5 * self.step / self.convexity * self.xi_square
    }

    pub fn right(&self) -> f64 {
        self.decrease() + self.curvature() - self.divergence + self.band_defect + self.mass_defect
    }

    /// Right minus left, not negative.
    pub fn slack(&self) -> f64 {
        self.right() - self.left()
    }
}

/// `KL(ρ|e^{-f})` and `KL(e^{-f}|ρ)` of `ρ = (∇ψ)#e^{-g}`, from `log_ratio` = `h∘∇ψ` and g at the nodes y.
///
/// `∫(w + e^{-w} − 1)e^{-g}` and `∫(1 − (1 + w)e^{-w})e^{-g}`, w the log-ratio: both integrands ≥ 0, so 1e-12 relative.
pub fn relative_entropies(log_ratio: &[f64], g: &[f64]) -> [f64; 2] {
    let mean = |f: fn(f64) -> f64| mean_of(g.len(), |i| (-g[i]).exp() * f(log_ratio[i]));
    [
        mean(|w| (-w).exp() * entropy_density(w)),
        mean(|w| entropy_density(-w)),
    ]
}

/// A comparator's coupling with an iterate.
struct Coupled {
    coupling: FenchelGap,
    bregman: f64,
}

/// Follows the inequality along a run, for several comparators; each Bregman divergence is computed once.
pub struct Evi {
    torus: Torus,
    nodes: Vec<Vec<f64>>,
    /// e^{-g} at the nodes.
    weight: Vec<f64>,
    comparators: Vec<Comparator>,
    coupled: Vec<Coupled>,
    spectral: Spectral,
    /// Twice the nodes, where m is sought.
    fine: Spectral,
    curvatures: Derivatives,
}

impl Evi {
    /// For comparators of the run that starts at `start`; `g` at the nodes.
    ///
    /// # Errors
    /// As [`fenchel_gap`]; [`crate::Error::Grid`] when the doubled grid is too large.
    pub fn new(
        torus: &Torus,
        g: &[f64],
        comparators: Vec<Comparator>,
        start: &Iterate,
    ) -> Result<Self> {
        let doubled = torus.resized(|n| 2 * n)?;
        let mut this = Self {
            nodes: torus.nodes(),
            weight: g.iter().map(|g| (-g).exp()).collect(),
            coupled: Vec::new(),
            comparators,
            spectral: Spectral::new(torus),
            fine: Spectral::new(&doubled),
            curvatures: Derivatives::zeros(&doubled),
            torus: torus.clone(),
        };
        this.coupled = this.couple(start)?;
        Ok(this)
    }

    pub fn comparators(&self) -> &[Comparator] {
        &self.comparators
    }

    /// `B_g(π|ρ_k)` at the last iterate seen, one per comparator.
    pub fn bregman(&self) -> Vec<f64> {
        self.coupled.iter().map(|c| c.bregman).collect()
    }

    /// The terms of the explicit step of size `eta` from `before`, the last iterate seen, to `after`; one per comparator.
    ///
    /// # Errors
    /// As [`fenchel_gap`].
    pub fn explicit(&mut self, before: &Iterate, eta: f64, after: &Iterate) -> Result<Vec<Terms>> {
        let next = self.couple(after)?;
        let convexity = self.convexity(&after.q);
        let fields = self.fields(before);
        let terms = self.each(before, &fields, &self.coupled, |i, terms| Terms {
            step: eta,
            bregman_next: next[i].bregman,
            convexity,
            ..terms
        });
        self.coupled = next;
        Ok(terms)
    }

    /// The same for an implicit step, whose KL terms are those of `after`; its tolerance enters the slack twice.
    ///
    /// # Errors
    /// As [`fenchel_gap`].
    pub fn implicit(&mut self, eta: f64, after: &Iterate) -> Result<Vec<Terms>> {
        let next = self.couple(after)?;
        let convexity = self.convexity(&after.q);
        let fields = self.fields(after);
        let terms = self.each(after, &fields, &next, |i, terms| Terms {
            step: eta,
            bregman: self.coupled[i].bregman,
            bregman_next: next[i].bregman,
            xi_square: 0.0,
            convexity,
            ..terms
        });
        self.coupled = next;
        Ok(terms)
    }

    /// The terms that one iterate gives, completed by `finish`.
    fn each(
        &self,
        iterate: &Iterate,
        fields: &Interpolant,
        coupled: &[Coupled],
        finish: impl Fn(usize, Terms) -> Terms,
    ) -> Vec<Terms> {
        let each = self.comparators.iter().zip(coupled).enumerate();
        each.map(|(i, (comparator, coupled))| {
            finish(i, self.at(comparator, iterate, fields, coupled))
        })
        .collect()
    }

    /// Everything that the iterate and its coupling with π determine.
    fn at(
        &self,
        comparator: &Comparator,
        iterate: &Iterate,
        fields: &Interpolant,
        coupled: &Coupled,
    ) -> Terms {
        let values = self.values_at(fields, &coupled.coupling.displacement);
        let (w, kept, xi) = (&values[0], &values[1], &values[2..]);
        let (n, weight) = (self.torus.len(), &self.weight);
        let entropy = |s: f64| (-s).exp() * entropy_density(s);
        let left_out = |i: usize| (iterate.log_ratio[i] - iterate.direction[i]) - (w[i] - kept[i]);
        let mass = |i: usize| {
            let (rho, pi) = (iterate.log_ratio[i], comparator.log_ratio[i]);
            (-rho).exp_m1() - (-pi).exp_m1() + (w[i] - pi).exp_m1()
        };
        let mean = |f: &(dyn Fn(usize) -> f64 + Sync)| mean_of(n, |i| weight[i] * f(i));
        Terms {
            step: 0.0,
            relative_entropy: mean(&|i| entropy(iterate.log_ratio[i])),
            comparator_entropy: mean(&|i| entropy(comparator.log_ratio[i])),
            bregman: coupled.bregman,
            bregman_next: coupled.bregman,
            xi_square: mean(&|i| xi.iter().map(|xi| xi[i] * xi[i]).sum()),
            convexity: iterate.convexity,
            divergence: mean(&|i| entropy(comparator.log_ratio[i] - w[i])),
            band_defect: mean(&left_out),
            mass_defect: mean(&mass),
        }
    }

    /// Interpolants of w, `P_K w` and ξ.
    fn fields(&mut self, iterate: &Iterate) -> Interpolant {
        let mut xi = vec![vec![0.0; self.torus.len()]; self.torus.dimension()];
        self.spectral.gradient(&iterate.direction, &mut xi);
        let mut fields: Vec<&[f64]> = vec![&iterate.log_ratio, &iterate.direction];
        fields.extend(xi.iter().map(Vec::as_slice));
        Interpolant::new(&self.torus, &fields)
    }

    /// The fields at z = y + δ.
    fn values_at(&self, fields: &Interpolant, delta: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let add = |(y, delta): (&Vec<f64>, &Vec<f64>)| -> Vec<f64> {
            y.iter().zip(delta).map(|(y, delta)| y + delta).collect()
        };
        let points: Vec<Vec<f64>> = self.nodes.iter().zip(delta).map(add).collect();
        let mut values = vec![vec![0.0; self.torus.len()]; 2 + delta.len()];
        let mut out: Vec<&mut [f64]> = values.iter_mut().map(Vec::as_mut_slice).collect();
        fields.evaluate(&points, &mut out);
        values
    }

    fn couple(&self, iterate: &Iterate) -> Result<Vec<Coupled>> {
        let couple = |comparator: &Comparator| {
            let coupling = fenchel_gap(&self.torus, &iterate.q, &comparator.q)
                .map_err(|error| error.during(format!("comparator {}", comparator.name)))?;
            let bregman = mean_of(self.weight.len(), |i| self.weight[i] * coupling.gap[i]);
            Ok(Coupled { coupling, bregman })
        };
        self.comparators.iter().map(couple).collect()
    }

    /// m.
    fn convexity(&mut self, q: &[f64]) -> f64 {
        let doubled = self.fine.torus().clone();
        let q = refine(&self.torus, q, &doubled);
        self.fine.derivatives(&q, &mut self.curvatures);
        let (d, hessian) = (doubled.dimension(), &self.curvatures.hessian);
        let smallest = |i: usize| extreme_eigenvalues(d, &identity_plus(d, hessian, i)).0;
        -max_of(doubled.len(), |i| -smallest(i))
    }
}
