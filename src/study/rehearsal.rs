//! What of a study must be tried to know its cost: the same study with its cheap parts only, and the many iterations that are counted.
//!
//! The stages of a study are told apart by the names that its progress gives them.

use super::{
    ExponentialConvergence, Flow, IterationStart, Kernel, MirrorDescent, Run, ScalingLimit,
    Schedule, SideBySide, Sinkhorn, Study,
};
use mirrorflow_solvers::Torus;

/// A study taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsal {
    /// What to try on a coarser grid; its stages are named as those of the study.
    pub studies: Vec<Study>,
    /// Iterations that it leaves out, with their number.
    pub iterations: Vec<Sinkhorn>,
    /// How many times as many repeats the study has: of a run's steps, of a limit's, of the composition's.
    pub repeats: [f64; 3],
    /// Part of the study's progress that the first of `studies` is.
    pub share: f64,
}

impl Rehearsal {
    fn of(studies: Vec<Study>, iterations: Vec<Sinkhorn>) -> Self {
        Self {
            studies,
            iterations,
            repeats: [1.0; 3],
            share: 1.0,
        }
    }

    /// How many times as many repeats the stage called `stage` has in the study.
    pub fn repeats(&self, stage: &str) -> f64 {
        let [run, limit, composition] = self.repeats;
        let starts = |names: &[&str]| names.iter().any(|name| stage.starts_with(name));
        if starts(&["samples", "Fokker–Planck's map"]) {
            composition
        } else if stage.ends_with(" steps") {
            limit
        } else if starts(&["explicit", "implicit", "Sinkhorn, ε"]) {
            run
        } else {
            1.0
        }
    }
}

/// How the work of a stage grows with the scenario's grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// As its nodes.
    Nodes,
    /// As the grid that resolves the flow, which may be coarser.
    Flow,
}

impl Study {
    /// What to try on `coarse` instead of the study itself.
    pub fn rehearsal(&self, coarse: &Torus) -> Rehearsal {
        match self {
            Self::Sinkhorn(sinkhorn) => sinkhorn.rehearsal(coarse),
            Self::ScalingLimit(limit) => limit.rehearsal(coarse),
            Self::ExponentialConvergence(decay) => decay.rehearsal(),
            Self::SideBySide(page) => page.rehearsal(coarse),
            study => study.whole(),
        }
    }

    /// The study as it is.
    pub fn whole(&self) -> Rehearsal {
        Rehearsal::of(vec![self.clone()], Vec::new())
    }

    /// The study with `fewer` times fewer repeats, where it has any.
    pub fn with_fewer_repeats(&self, fewer: usize) -> Option<Rehearsal> {
        match self {
            Self::MirrorDescent(descent) => descent.with_fewer(fewer),
            _ => None,
        }
    }

    /// How the stage called `stage` grows.
    pub fn growth(stage: &str) -> Growth {
        let flows = [
            "flow",
            "the limit",
            "the mirror flow of KL",
            "the flow",
            "Fokker–Planck",
        ];
        if flows.iter().any(|flow| stage.starts_with(flow)) {
            Growth::Flow
        } else {
            Growth::Nodes
        }
    }

    /// Whether the stage runs beside others, on one thread.
    pub fn beside_others(&self, stage: &str) -> bool {
        match self {
            Self::Flow(_) | Self::Sinkhorn(_) | Self::OptimalMap(_) => false,
            Self::ScalingLimit(_) => stage.starts_with("the limit") || stage.starts_with("ε ="),
            Self::ExponentialConvergence(_) | Self::SideBySide(_) => {
                stage != "the mirror flow of KL" && stage != "the flow at a few instants"
            }
            Self::MirrorFlow(_) => stage.contains("coordinate"),
            Self::MirrorDescent(_) => true,
        }
    }
}

/// The smallest ε that is safely resolved on a grid.
fn resolved(grid: &Torus) -> f64 {
    let coarsest = *grid.points().iter().min().expect("d ≥ 1") as f64;
    (3.0 / coarsest).powi(2)
}

/// As many ε as asked that are resolved and divide `time` into few iterations.
fn few_iterations(time: f64, count: usize, grid: &Torus) -> Vec<f64> {
    let most = (time / resolved(grid)).floor().max(1.0);
    let fewest = (most - count as f64 + 1.0).max(time.ceil()).max(1.0);
    (0..count).map(|k| time / (fewest + k as f64)).collect()
}

fn iterations(
    time: f64,
    epsilons: &[f64],
    kernel: Kernel,
    start: IterationStart,
) -> impl Iterator<Item = Sinkhorn> {
    epsilons.iter().map(move |&epsilon| Sinkhorn {
        epsilon,
        iterations: super::sinkhorn::iterations(time, epsilon),
        kernel,
        start,
    })
}

impl Sinkhorn {
    fn rehearsal(&self, coarse: &Torus) -> Rehearsal {
        let one = Self {
            epsilon: self.epsilon.max(resolved(coarse)),
            iterations: 1,
            ..self.clone()
        };
        Rehearsal::of(vec![Study::Sinkhorn(one)], vec![self.clone()])
    }
}

impl ScalingLimit {
    fn rehearsal(&self, coarse: &Torus) -> Rehearsal {
        let few = Self {
            epsilons: few_iterations(self.time, self.epsilons.len(), coarse),
            start: IterationStart::Plain,
            ..self.clone()
        };
        Rehearsal::of(
            vec![Study::ScalingLimit(few)],
            iterations(self.time, &self.epsilons, self.kernel, self.start).collect(),
        )
    }
}

impl ExponentialConvergence {
    fn rehearsal(&self) -> Rehearsal {
        let without = Self {
            epsilons: Vec::new(),
            ..self.clone()
        };
        Rehearsal::of(
            vec![Study::ExponentialConvergence(without)],
            iterations(self.time, &self.epsilons, self.kernel, self.start).collect(),
        )
    }
}

impl SideBySide {
    fn rehearsal(&self, coarse: &Torus) -> Rehearsal {
        let (limit, decay) = (
            self.scaling_limit().rehearsal(coarse),
            self.convergence().rehearsal(),
        );
        let mut studies = [limit.studies, decay.studies].concat();
        let instants = self.times.clone();
        studies.push(Study::Flow(Flow { times: instants }));
        let horizon = self.times.last().copied().unwrap_or(0.0);
        let beside = iterations(horizon, &self.epsilons[..1], self.kernel, self.start);
        let mut iterations = [limit.iterations, decay.iterations].concat();
        iterations.extend(beside);
        Rehearsal {
            share: super::side_by_side::LIMIT_SHARE,
            ..Rehearsal::of(studies, iterations)
        }
    }
}

/// Fewest steps of a rehearsed run, and of one that approaches a limit.
const FEWEST_STEPS: usize = 4;

/// The composition's steps are a multiple of this.
const MULTIPLE: usize = 8;

impl MirrorDescent {
    fn with_fewer(&self, fewer: usize) -> Option<Rehearsal> {
        let steps = (self.steps / fewer).max(FEWEST_STEPS.min(self.steps));
        let mut few = Self {
            steps,
            runs: self
                .runs
                .iter()
                .map(|run| self.at_the_same_pace(run))
                .collect(),
            ..self.clone()
        };
        let of = |all: usize, some: usize| all as f64 / some as f64;
        let mut repeats = [of(self.steps, steps), 1.0, 1.0];
        if let Some(limit) = &mut few.limit {
            // One step of each number would be the same job thrice: they differ by one at the least.
            let most = limit.steps.last().copied()?;
            for (k, steps) in limit.steps.iter_mut().enumerate() {
                *steps = (*steps / fewer).max(FEWEST_STEPS + k).min(*steps);
            }
            limit.time *= of(limit.steps.last().copied()?, most);
            repeats[1] = of(most, limit.steps.last().copied()?);
        }
        if let Some(sampling) = &mut few.sampling {
            let all = sampling.fokker_planck_steps;
            sampling.fokker_planck_steps = (all / fewer / MULTIPLE).max(1) * MULTIPLE;
            repeats[2] = of(all, sampling.fokker_planck_steps);
        }
        let less = repeats.iter().any(|times| *times > 1.0);
        less.then(|| Rehearsal {
            repeats,
            ..Rehearsal::of(vec![Study::MirrorDescent(few)], Vec::new())
        })
    }

    /// The run with steps that do not grow when there are fewer of them.
    fn at_the_same_pace(&self, run: &Run) -> Run {
        let constant = |schedule: &Schedule| match schedule {
            Schedule::LogOverT(_) => Schedule::Constant(schedule.first(self.steps, f64::INFINITY)),
            other => other.clone(),
        };
        match run {
            Run::Explicit(schedule) => Run::Explicit(constant(schedule)),
            Run::Implicit(schedule) => Run::Implicit(constant(schedule)),
            Run::Sinkhorn(epsilon) => Run::Sinkhorn(*epsilon),
        }
    }
}
