//! The decaying quantities along each flow between Gaussians, every one in closed form.

use crate::scenario::BuiltGaussian;
use crate::study::gaussian::{Commuting, apart};
use crate::study::jobs::Tick;
use crate::study::{ExponentialConvergence, IterationStart, sinkhorn};
use mirrorflow_solvers::gaussian::{
    self, FokkerPlanck, ParabolicFlow, Start, frobenius, product, square_root,
};
use mirrorflow_solvers::{Error, Result};

/// One flow at the sampled times.
#[derive(Debug, Clone, Default)]
pub struct Decays {
    pub kl: Vec<f64>,
    /// Sizes of the modes: a curve per mode.
    pub modes: Vec<Vec<f64>>,
    /// Part of what is left at the end in the slowest modes, and by how much the mean rate is above the slowest.
    pub slowest_share: f64,
    pub excess: f64,
    /// Relative defect of the covariance against its closed form, where there is one.
    pub closed_form: Vec<f64>,
    /// The mirror flow alone: Fisher information, distance of gradients, W₂.
    pub fisher: Vec<f64>,
    pub gradient: Vec<f64>,
    pub wasserstein: Vec<f64>,
}

/// The mirror flow of KL.
///
/// # Errors
/// Those of the numerics, and interruption.
pub fn mirror(
    built: &BuiltGaussian,
    times: &[f64],
    commuting: Option<&Commuting>,
    tick: &Tick,
) -> Result<Decays> {
    let flow = ParabolicFlow::new(built.start());
    let root = square_root(built.problem.sigma())?;
    let mut found = Decays {
        modes: vec![Vec::new(); built.dimension()],
        ..Decays::default()
    };
    for (k, &t) in times.iter().enumerate() {
        go_on(tick, k, times)?;
        let at = flow.at(t)?;
        found.kl.push(at.relative_entropy()?);
        found.fisher.push(at.fisher_information());
        let gradient = product(at.deviation().as_ref(), root.as_ref());
        found.gradient.push(frobenius(&gradient));
        found.wasserstein.push(at.wasserstein()?);
        let sizes = (0..built.dimension()).map(|i| at.mode(i).abs());
        found
            .modes
            .iter_mut()
            .zip(sizes)
            .for_each(|(m, s)| m.push(s));
        if let Some(form) = commuting {
            let exact = form.covariance(|i| form.mirror(i, t));
            found.closed_form.push(apart(&at.covariance(), &exact));
        }
        if found.kl[k] > f64::MIN_POSITIVE {
            let left = at.left();
            (found.slowest_share, found.excess) = (left.slowest, left.excess);
        }
    }
    Ok(found)
}

/// Fokker–Planck from the same ρ_0.
///
/// # Errors
/// As [`mirror`].
pub fn fokker_planck(
    built: &BuiltGaussian,
    times: &[f64],
    commuting: Option<&Commuting>,
    tick: &Tick,
) -> Result<Decays> {
    let flow = FokkerPlanck::new(built.problem.sigma(), &built.start().covariance())?;
    let mut found = Decays {
        modes: vec![Vec::new(); built.dimension()],
        ..Decays::default()
    };
    for (k, &t) in times.iter().enumerate() {
        go_on(tick, k, times)?;
        found.kl.push(flow.relative_entropy(t)?);
        let sizes = (0..built.dimension()).map(|i| flow.mode(i, t).abs());
        found
            .modes
            .iter_mut()
            .zip(sizes)
            .for_each(|(m, s)| m.push(s));
        if let Some(form) = commuting {
            let exact = form.covariance(|i| form.fokker_planck(i, t));
            found.closed_form.push(apart(&flow.covariance(t), &exact));
        }
        if found.kl[k] > f64::MIN_POSITIVE {
            let left = flow.left(t);
            (found.slowest_share, found.excess) = (left.slowest, left.excess);
        }
    }
    Ok(found)
}

/// Sinkhorn at one ε: KL and the size of the slowest mode at `k = t/ε`. At t = 0 KL is that of ρ_0.
///
/// # Errors
/// As [`mirror`].
pub fn iterates(
    built: &BuiltGaussian,
    study: &ExponentialConvergence,
    epsilon: f64,
    tick: &Tick,
) -> Result<Decays> {
    let every = sinkhorn::iterations(study.time / study.samples as f64, epsilon);
    let flow = ParabolicFlow::new(built.start());
    let start = flow.start_matrix(epsilon, study.start.into());
    let mut iteration = gaussian::Sinkhorn::new(&built.problem, epsilon, &start)?;
    let mut found = Decays {
        kl: vec![built.start().relative_entropy()?],
        modes: vec![vec![iteration.mode(0).abs()]],
        ..Decays::default()
    };
    for k in 0..study.samples {
        if tick(k as f64 / study.samples as f64).is_break() {
            return Err(interrupted());
        }
        iteration.run((k + 1) * every)?;
        let kl = iteration.relative_entropy()?;
        found.kl.push(kl.expect("after an iteration"));
        found.modes[0].push(iteration.mode(0).abs());
    }
    Ok(found)
}

impl From<IterationStart> for Start {
    fn from(start: IterationStart) -> Self {
        match start {
            IterationStart::Plain => Self::Plain,
            IterationStart::Prepared => Self::Prepared,
        }
    }
}

fn go_on(tick: &Tick, k: usize, times: &[f64]) -> Result<()> {
    if tick(k as f64 / times.len() as f64).is_break() {
        return Err(interrupted());
    }
    Ok(())
}

fn interrupted() -> Error {
    Error::Interrupted {
        when: "between two instants".into(),
    }
}
