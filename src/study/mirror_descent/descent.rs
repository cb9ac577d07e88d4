//! A run of explicit or implicit steps on the torus, with every term of its inequality.

use super::average::Mixture;
use super::{MirrorDescent, Schedule};
use crate::record::Record;
use crate::study::jobs::Tick;
use crate::study::measure::Context;
use mirrorflow_solvers::calculus::Spectral;
use mirrorflow_solvers::distance::relative_entropy;
use mirrorflow_solvers::legendre::conjugate;
use mirrorflow_solvers::mirror_descent::{
    Comparator, Descent, Evi, Iterate, Rule, Taken, Terms, relative_entropies,
};
use mirrorflow_solvers::monge_ampere::MongeAmpere;
use mirrorflow_solvers::parallel::{mean_of, sup, sup_difference};
use mirrorflow_solvers::{Error, LogDensity, Result, Torus};
use std::f64::consts::PI;
use std::sync::Arc;

/// Residual of implicit steps, in the unit of log-densities.
pub const IMPLICIT_TOLERANCE: f64 = 1e-11;

/// What a part of the study gives: its arrays, and what stopped it.
pub struct Part {
    pub record: Record,
    pub outcome: Result<()>,
}

/// The densities of the problem at the nodes.
#[derive(Clone)]
pub struct Problem {
    pub torus: Torus,
    pub f: Vec<f64>,
    pub g: Vec<f64>,
    pub source: Arc<dyn LogDensity>,
    pub target: Arc<dyn LogDensity>,
    /// Periodic part of ψ_0, the conjugate of the scenario's start.
    pub start: Vec<f64>,
}

impl Problem {
    /// On a grid of the study's choice.
    ///
    /// # Errors
    /// Those of the Legendre transform of the start.
    pub fn new(context: &Context, torus: &Torus) -> Result<Self> {
        let built = context.built;
        Ok(Self {
            torus: torus.clone(),
            f: built.source.on(torus),
            g: built.target.on(torus),
            source: Arc::new(built.source.clone()),
            target: Arc::new(built.target.clone()),
            start: conjugate(torus, &built.start.on(torus))?.q,
        })
    }

    /// The operator of ψ, with source g and target f, on all modes.
    pub fn dual_operator(&self) -> MongeAmpere {
        let calculus = Box::new(Spectral::new(&self.torus));
        MongeAmpere::from_values(self.g.clone(), Arc::clone(&self.source), calculus)
    }

    /// The operator of u, with source f and target g, on all modes.
    pub fn operator(&self) -> MongeAmpere {
        let calculus = Box::new(Spectral::new(&self.torus));
        MongeAmpere::from_values(self.f.clone(), Arc::clone(&self.target), calculus)
    }
}

/// Runs the schedule by `rule`, as far as it goes; nothing is kept of a run without a step.
pub fn run(
    study: &MirrorDescent,
    problem: &Problem,
    comparators: &[Comparator],
    (rule, schedule): (Rule, &Schedule),
    tick: &Tick,
) -> Result<Part> {
    let band = study.band.expect("validation asks for a band on the torus");
    let Problem {
        torus, g, start, ..
    } = problem;
    let mut descent = Descent::new(torus, Arc::clone(&problem.source), g, band, start)?;
    let mut evi = Evi::new(torus, g, comparators.to_vec(), descent.iterate())?;
    let mut follow = Follow::new(study, problem, comparators, evi.bregman())?;
    follow.visit(descent.iterate())?;
    let mut interrupted = false;
    let mut observe = |taken: &Taken, before: &Iterate, after: &Iterate| {
        let terms = match rule {
            Rule::Explicit => {
                follow.count(taken.step);
                evi.explicit(before, taken.step, after)?
            }
            Rule::Implicit { .. } => evi.implicit(taken.step, after)?,
        };
        follow.visit(after)?;
        if rule != Rule::Explicit {
            follow.count(taken.step);
        }
        follow.step(taken, rule, terms);
        let asked = tick((taken.iteration + 1) as f64 / study.steps as f64);
        interrupted = asked.is_break();
        Ok(asked)
    };
    let outcome = descent.run(&schedule.numerics(), rule, study.steps, &mut observe);
    let outcome = match outcome {
        Ok(steps) if interrupted => Err(Error::Interrupted {
            when: format!("after step {steps}"),
        }),
        outcome => outcome.map(drop),
    };
    match outcome {
        Err(error) if follow.steps.is_empty() => Err(error),
        outcome => Ok(Part {
            record: follow.record(comparators, &descent.iterate().q),
            outcome,
        }),
    }
}

/// Iterates at which ρ_k is kept: the start, a few on the way, the last.
pub fn snapshots(steps: usize) -> Vec<usize> {
    let mut kept = vec![0, steps.div_ceil(16), steps.div_ceil(4), steps];
    kept.dedup();
    kept
}

/// What is gathered along a run.
struct Follow<'a> {
    problem: &'a Problem,
    operator: MongeAmpere,
    band: usize,
    /// Periodic part of `ψ_π^*` for π = e^{-f}, ψ_π itself, and the spectral tail of the former.
    of_source: (Vec<f64>, &'a Comparator, f64),
    kept: Vec<usize>,
    mixture: Mixture,
    /// log ρ of the iterate visited last.
    log_rho: Vec<f64>,
    kl: Vec<f64>,
    /// Differences of KL from the nodes x and from the nodes y.
    differences: Vec<f64>,
    legendre: Vec<(f64, f64)>,
    /// Spectral tail of the conjugate visited last, or of that of ψ_π where it is larger.
    tail: f64,
    /// sup|(1 − P_K)[h_k∘∇ψ_k]|.
    left_out: Vec<f64>,
    curvature: Vec<f64>,
    sup_q: f64,
    average: Vec<(f64, f64)>,
    snapshots: Vec<(usize, Vec<f64>)>,
    start: Vec<f64>,
    steps: Vec<(Taken, Vec<Terms>, Vec<f64>)>,
}

impl<'a> Follow<'a> {
    fn new(
        study: &MirrorDescent,
        problem: &'a Problem,
        comparators: &'a [Comparator],
        start: Vec<f64>,
    ) -> Result<Self> {
        let (of_source, mut operator) = (&comparators[0], problem.operator());
        let p = conjugate(&problem.torus, &of_source.q)?.q;
        let tail = operator.diagnose(&p, &of_source.log_density).spectral_tail;
        Ok(Self {
            operator,
            tail,
            left_out: Vec::new(),
            band: study.band.unwrap_or(0),
            of_source: (p, of_source, tail),
            kept: snapshots(study.steps),
            mixture: Mixture::new(&problem.f),
            log_rho: Vec::new(),
            kl: Vec::new(),
            differences: Vec::new(),
            legendre: Vec::new(),
            curvature: Vec::new(),
            sup_q: 0.0,
            average: Vec::new(),
            snapshots: Vec::new(),
            start,
            steps: Vec::new(),
            problem,
        })
    }

    /// ρ_k at the nodes x, its KL, its Bregman divergence by Legendre transforms, its curvature.
    fn visit(&mut self, iterate: &Iterate) -> Result<()> {
        let Problem { torus, f, g, .. } = self.problem;
        let p = conjugate(torus, &iterate.q)?.q;
        let mut log_rho = vec![0.0; f.len()];
        self.operator.log_marginal(&p, &mut log_rho)?;
        let diagnosis = self.operator.diagnose(&p, &log_rho);
        self.curvature.push(1.0 / diagnosis.min_eigenvalue);
        self.tail = diagnosis.spectral_tail.max(self.of_source.2);
        self.left_out
            .push(sup_difference(&iterate.log_ratio, &iterate.direction));
        let [kl, _] = relative_entropies(&iterate.log_ratio, g);
        let log_source: Vec<f64> = f.iter().map(|f| -f).collect();
        let difference = relative_entropy(&log_rho, &log_source) - kl;
        self.differences.push(difference.abs());
        self.legendre.push(self.definition(&p, &iterate.q));
        self.sup_q = self.sup_q.max(sup(&iterate.q));
        if self.kept.contains(&self.kl.len()) {
            let rho = log_rho.iter().map(|l| l.exp()).collect();
            self.snapshots.push((self.kl.len(), rho));
        }
        self.kl.push(kl);
        self.log_rho = log_rho;
        Ok(())
    }

    /// `∫(ψ_k^* − ψ_π^*)dπ + ∫(ψ_k − ψ_π)e^{-g}` for π = e^{-f}, each at its own nodes, and its error: what the grid does not resolve of
    /// (∇ψ_π)#e^{-g} = π and of the conjugates, and rounding.
    fn definition(&self, p: &[f64], q: &[f64]) -> (f64, f64) {
        let Problem { f, g, .. } = self.problem;
        let (p_pi, pi, _) = &self.of_source;
        let at = |i: usize| (-f[i]).exp() * (p[i] - p_pi[i]) + (-g[i]).exp() * (q[i] - pi.q[i]);
        let size = sup(p) + sup(p_pi);
        let budget = (pi.mass_defect + self.tail + 1e-14) * size;
        (mean_of(f.len(), at), budget)
    }

    /// Adds the iterate visited last to the average.
    fn count(&mut self, eta: f64) {
        let worst = self.differences.iter().copied().fold(0.0, f64::max);
        let kl = self.mixture.add(eta, &self.log_rho);
        self.average.push((kl, worst + f64::EPSILON));
    }

    fn step(&mut self, taken: &Taken, rule: Rule, terms: Vec<Terms>) {
        let noise = terms.iter().map(|terms| self.noise(terms, rule)).collect();
        self.steps.push((*taken, terms, noise));
    }

    /// Rounding of the divergences over η, the residual of the comparator's elliptic solve and of implicit steps, and how far m may lie
    /// below the least eigenvalue of the doubled grid (Ehlich–Zeller).
    fn noise(&self, terms: &Terms, rule: Rule) -> f64 {
        let rounding = 1e-12 * (terms.bregman + terms.bregman_next) + 1e-13 * self.sup_q + 1e-16;
        let residual = match rule {
            Rule::Explicit => 0.0,
            Rule::Implicit { tolerance } => 2.0 * tolerance,
        };
        let points = self.problem.torus.points();
        let coarsest = *points.iter().min().expect("d ≥ 1") as f64;
        let cosine = (PI * self.band as f64 / (2.0 * coarsest)).cos();
        let most = self.curvature.last().copied().unwrap_or(1.0);
        let above = 0.5 * (most - terms.convexity) * (cosine.powi(-(points.len() as i32)) - 1.0);
        let curvature = terms.curvature() * (above / terms.convexity).max(0.0);
        1e-12 + rounding / terms.step + residual + curvature
    }

    fn record(self, comparators: &[Comparator], q: &[f64]) -> Record {
        let mut record = Record::default();
        let points = self.problem.torus.points();
        let steps = self.steps.len();
        let of_steps = |value: fn(&Taken) -> f64| self.steps.iter().map(|s| value(&s.0)).collect();
        record.insert_curve("eta", of_steps(|taken| taken.step));
        record.insert_curve("limit", of_steps(|taken| taken.limit));
        record.insert_curve("newton_steps", of_steps(|taken| taken.newton_steps as f64));
        record.insert_curve("kl", self.kl[..=steps].to_vec());
        let legendre = &self.legendre[..=steps];
        record.insert_curve("bregman_legendre", legendre.iter().map(|b| b.0).collect());
        record.insert_curve("bregman_budget", legendre.iter().map(|b| b.1).collect());
        record.insert_curve("largest_curvature", self.curvature[..=steps].to_vec());
        let average = &self.average[..steps];
        record.insert_curve("average_kl", average.iter().map(|a| a.0).collect());
        record.insert_curve("average_kl_budget", average.iter().map(|a| a.1).collect());
        let least = self.steps.iter().map(|(_, terms, _)| terms[0].convexity);
        record.insert_curve("convexity", least.collect());
        record.insert_curve("left_out", self.left_out[..=steps].to_vec());
        let kl = comparators.iter().enumerate();
        let kl = kl.map(|(c, _)| self.steps[0].1[c].comparator_entropy);
        record.insert_curve("comparator_kl", kl.collect());
        let defects = comparators.iter().map(|c| c.mass_defect).collect();
        record.insert_curve("comparator_mass_defect", defects);
        let mut table = |name: &str, value: &dyn Fn(usize, usize) -> f64| {
            let values = (0..comparators.len()).flat_map(|c| (0..steps).map(move |k| (c, k)));
            let values = values.map(|(c, k)| value(c, k)).collect();
            record.insert(name, &[comparators.len(), steps], values);
        };
        let terms = |c: usize, k: usize| &self.steps[k].1[c];
        table("xi_square", &|c, k| terms(c, k).xi_square);
        table("divergence", &|c, k| terms(c, k).divergence);
        table("band_defect", &|c, k| terms(c, k).band_defect);
        table("mass_defect", &|c, k| terms(c, k).mass_defect);
        table("noise", &|c, k| self.steps[k].2[c]);
        let bregman = (0..comparators.len()).flat_map(|c| {
            let next = (0..steps).map(move |k| terms(c, k).bregman_next);
            std::iter::once(self.start[c]).chain(next)
        });
        record.insert(
            "bregman",
            &[comparators.len(), steps + 1],
            bregman.collect(),
        );
        keep_snapshots(&mut record, points, &self.snapshots);
        record.insert("q", points, q.to_vec());
        record
    }
}

/// Adds `snapshots` \[S\] and `rho` \[S, n…\].
pub fn keep_snapshots(record: &mut Record, points: &[usize], kept: &[(usize, Vec<f64>)]) {
    let numbers = kept.iter().map(|(k, _)| *k as f64).collect();
    record.insert_curve("snapshots", numbers);
    let rho: Vec<f64> = kept
        .iter()
        .flat_map(|(_, rho)| rho.iter().copied())
        .collect();
    record.insert("rho", &[&[kept.len()], points].concat(), rho);
}

/// Modes and size of random comparators: smooth on any grid that resolves the problem.
const RANDOM_MODES: usize = 2;
const RANDOM_AMPLITUDE: f64 = 0.4;

/// The comparators of the study with their Brenier potentials, e^{-f} first.
///
/// # Errors
/// Those of the elliptic solves.
pub fn comparators(study: &MirrorDescent, problem: &Problem) -> Result<Vec<Comparator>> {
    use super::ComparatorChoice::{Random, Source, Target, Uniform};
    use mirrorflow_solvers::mirror_descent::random_log_density;
    let minus = |v: &[f64]| v.iter().map(|v| -v).collect::<Vec<_>>();
    let mut operator = problem.dual_operator();
    let choices = study.all_comparators();
    let solved = choices.iter().map(|choice| {
        let log_density = match choice {
            Source => minus(&problem.f),
            Target => minus(&problem.g),
            Uniform => vec![0.0; problem.f.len()],
            Random { seed } => {
                random_log_density(&problem.torus, *seed, RANDOM_MODES, RANDOM_AMPLITUDE)
            }
        };
        solve(choice.label(), &mut operator, &log_density)
    });
    solved.collect()
}

/// Powers of a density through which it is approached where Newton's method does not converge from the identity.
const TEMPERED: [f64; 4] = [0.25, 0.5, 0.75, 1.0];

fn solve(name: String, operator: &mut MongeAmpere, log_density: &[f64]) -> Result<Comparator> {
    let zeros = vec![0.0; log_density.len()];
    if let Ok(found) = Comparator::new(&name, operator, log_density, &zeros) {
        return Ok(found);
    }
    let mut near = zeros;
    let mut last = None;
    for power in TEMPERED {
        let tempered: Vec<f64> = log_density.iter().map(|l| power * l).collect();
        let found = Comparator::new(&name, operator, &tempered, &near)?;
        near.clone_from(&found.q);
        last = Some(found);
    }
    Ok(last.expect("the last power is 1"))
}
