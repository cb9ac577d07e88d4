//! What was recorded of one run, as plain arrays, and what follows from them by arithmetic alone.

use super::{MirrorDescent, Run};
use crate::record::{Record, RecordError};

/// How a run steps: which of its iterates the regret counts, and which inequality holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Counts ρ_0, …, ρ_{T−1}.
    Explicit,
    /// Counts ρ_1, …, ρ_T.
    Implicit,
    /// Counts ρ_1, …, ρ_T; has no evolution variational inequality of this kind.
    Sinkhorn,
}

impl Rule {
    pub fn of(run: &Run) -> Self {
        match run {
            Run::Explicit(_) => Self::Explicit,
            Run::Implicit(_) => Self::Implicit,
            Run::Sinkhorn(_) => Self::Sinkhorn,
        }
    }
}

/// A run of T steps against C comparators, of which the first is e^{-f}. Sinkhorn has C = 1 and no terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Counted from 1.
    pub number: usize,
    pub label: String,
    pub rule: Rule,
    /// η_k \[T\].
    pub eta: Vec<f64>,
    /// KL(ρ_k | e^{-f}) \[T+1\].
    pub kl: Vec<f64>,
    /// B_g(π | ρ_k), \[T+1\] for each π.
    pub bregman: Vec<Vec<f64>>,
    /// KL of the average of the first T' counted iterates, T' = 1, …, T, and its error budget; empty where it was not computed.
    pub average_kl: Vec<f64>,
    pub average_kl_budget: Vec<f64>,
    /// m_{k+1} = inf λ_min(∇²ψ_{k+1}) \[T\]; empty for Sinkhorn.
    pub convexity: Vec<f64>,
    /// sup λ_max(∇²ψ_k) \[T+1\]; empty for Sinkhorn.
    pub largest_curvature: Vec<f64>,
    /// sup|(1 − P_K)[h_k∘∇ψ_k]| \[T+1\], 0 on R^d; empty for Sinkhorn.
    pub left_out: Vec<f64>,
    /// One per comparator; empty for Sinkhorn.
    pub terms: Vec<Terms>,
}

/// The terms of the inequality that are not in [`Track`], for one π at every step \[T\].
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// KL(π | e^{-f}).
    pub comparator_kl: f64,
    /// ∫|ξ_k|²dπ_k; 0 for implicit steps.
    pub xi_square: Vec<f64>,
    /// KL(π | ρ), ρ that which the rule counts.
    pub divergence: Vec<f64>,
    /// What the band limit leaves out, and the defect of the masses on the grid.
    pub band_defect: Vec<f64>,
    pub mass_defect: Vec<f64>,
    /// Size of what rounding and solvers leave in the slack.
    pub noise: Vec<f64>,
}

impl Track {
    /// Run `number` of the record.
    ///
    /// # Errors
    /// [`RecordError`] when it was not measured, or another study was.
    pub fn read(
        study: &MirrorDescent,
        record: &Record,
        number: usize,
    ) -> Result<Self, RecordError> {
        let run = study.runs.get(number.wrapping_sub(1));
        let run = run.ok_or_else(|| RecordError::Damaged {
            name: "sampling_run".into(),
            why: format!("names run {number} of {}", study.runs.len()),
        })?;
        let part = record.part(&MirrorDescent::prefix(number));
        let curve = |name: &str| Ok::<_, RecordError>(part.values(name)?.to_vec());
        let rows = |name: &str| -> Result<Vec<Vec<f64>>, RecordError> {
            let count = part.array(name)?.shape().first().copied().unwrap_or(0);
            (0..count)
                .map(|c| Ok(part.item(name, c)?.to_vec()))
                .collect()
        };
        let rule = Rule::of(run);
        let sinkhorn = rule == Rule::Sinkhorn;
        let unless_sinkhorn = |name: &str| {
            if sinkhorn {
                Ok(Vec::new())
            } else {
                curve(name)
            }
        };
        Ok(Self {
            number,
            label: run.label(),
            rule,
            eta: curve("eta")?,
            kl: curve("kl")?,
            bregman: rows("bregman")?,
            average_kl_budget: match curve("average_kl") {
                Ok(_) => curve("average_kl_budget")?,
                Err(_) => Vec::new(),
            },
            average_kl: curve("average_kl").unwrap_or_default(),
            convexity: unless_sinkhorn("convexity")?,
            largest_curvature: unless_sinkhorn("largest_curvature")?,
            left_out: unless_sinkhorn("left_out")?,
            terms: if sinkhorn {
                Vec::new()
            } else {
                let each = curve("comparator_kl")?.into_iter().enumerate();
                each.map(|(c, kl)| Terms::read(&part, c, kl))
                    .collect::<Result<_, _>>()?
            },
        })
    }

    /// The runs that were measured.
    ///
    /// # Errors
    /// [`RecordError`] when one is not of this study.
    pub fn all(study: &MirrorDescent, record: &Record) -> Result<Vec<Self>, RecordError> {
        let tracks = (1..=study.runs.len()).map(|number| Self::read(study, record, number));
        tracks
            .filter(|track| !matches!(track, Err(RecordError::Missing(_))))
            .collect()
    }

    /// T.
    pub fn steps(&self) -> usize {
        self.eta.len()
    }

    /// η_0 + … + η_{k−1} \[T+1\].
    pub fn times(&self) -> Vec<f64> {
        std::iter::once(0.0)
            .chain(sums(self.eta.iter().copied()))
            .collect()
    }

    /// KL(ρ | e^{-f}) of the counted iterates \[T\].
    pub fn counted(&self) -> &[f64] {
        let from = usize::from(self.rule != Rule::Explicit);
        &self.kl[from..from + self.steps()]
    }

    /// Σ_{k<T'} KL of the counted iterates, T' = 1, …, T.
    pub fn regret(&self) -> Vec<f64> {
        sums(self.counted().iter().copied())
    }

    /// Σ_{k<T'} η_k KL of the counted iterates.
    pub fn weighted_regret(&self) -> Vec<f64> {
        sums(
            self.eta
                .iter()
                .zip(self.counted())
                .map(|(eta, kl)| eta * kl),
        )
    }

    /// The weighted regret over Σ η_k: the average KL.
    pub fn average(&self) -> Vec<f64> {
        let times = self.times();
        let totals = self.weighted_regret().into_iter().zip(&times[1..]);
        totals.map(|(sum, time)| sum / time).collect()
    }

    /// KL(e^{-f} | ρ)/B_g(e^{-f} | ρ) of the counted iterates: at least λ/M where g is λ-strongly convex and ∇²ψ ≤ M.
    pub fn ratios(&self) -> Vec<f64> {
        let from = usize::from(self.rule != Rule::Explicit);
        let Some(terms) = self.terms.first() else {
            return Vec::new();
        };
        let both = terms.divergence.iter().zip(&self.bregman[0][from..]);
        both.map(|(kl, bregman)| kl / bregman).collect()
    }

    /// Slack of the inequality against comparator `c` at step k, and the size of its terms.
    pub fn slack(&self, c: usize, k: usize) -> (f64, f64) {
        let terms = &self.terms[c];
        let decrease = (self.bregman[c][k] - self.bregman[c][k + 1]) / self.eta[k];
        let curvature = 0.5 * self.eta[k] / self.convexity[k] * terms.xi_square[k];
        let left = self.counted()[k] - terms.comparator_kl;
        let right = decrease + curvature - terms.divergence[k]
            + terms.band_defect[k]
            + terms.mass_defect[k];
        let parts = [
            self.counted()[k],
            terms.comparator_kl,
            decrease,
            curvature,
            terms.divergence[k],
        ];
        (right - left, parts.iter().map(|part| part.abs()).sum())
    }
}

impl Terms {
    fn read(part: &Record, c: usize, comparator_kl: f64) -> Result<Self, RecordError> {
        let row = |name: &str| Ok::<_, RecordError>(part.item(name, c)?.to_vec());
        Ok(Self {
            comparator_kl,
            xi_square: row("xi_square")?,
            divergence: row("divergence")?,
            band_defect: row("band_defect")?,
            mass_defect: row("mass_defect")?,
            noise: row("noise")?,
        })
    }
}

/// Partial sums.
pub fn sums(values: impl Iterator<Item = f64>) -> Vec<f64> {
    values
        .scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        })
        .collect()
}
