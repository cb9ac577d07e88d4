//! The parabolic Monge–Ampère flow from a start to the asked times.

use super::following::{Accuracy, Following, what_resolves};
use super::operator::{Diagnosis, MongeAmpere};
use super::parabolic::Parabolic;
use super::resolution::{UNRESOLVED, UNRESOLVED_PATH, spectral_tail};
use crate::density::LogDensity;
use crate::error::{Error, Result, Unresolved};
use crate::fourier::{Complex64, Fourier};
use crate::time::{Explicit, Method, Step, Stepper, Traveller, march, travel};
use crate::torus::Torus;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The flow at an asked time.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub time: f64,
    /// Periodic part of u_t, constant included.
    pub p: Vec<f64>,
    /// `log ρ_t = −g(∇u_t) + log det ∇²u_t`.
    pub log_marginal: Vec<f64>,
    /// Tangent e_t, when one was started.
    pub tangent: Option<Vec<f64>>,
    pub diagnosis: Diagnosis,
}

/// What the observer sees after every step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlowStep {
    /// Time reached.
    pub time: f64,
    pub step: f64,
    pub rejected: usize,
    /// Krylov iterations spent on the step (Rosenbrock).
    pub krylov: usize,
    /// Sinkhorn iterations spent on the step (extrapolated Sinkhorn).
    pub sinkhorn: usize,
    /// Nodes that the step was computed on.
    pub nodes: usize,
    pub diagnosis: Diagnosis,
}

/// `∂_t u = f − g(∇u) + log det ∇²u` as the PDE that it is, ready to run. Sinkhorn has no part in it, so that Sinkhorn may be compared
/// with it.
pub struct Flow {
    /// The grid that results are given on.
    torus: Torus,
    way: Way,
    densities: Option<[Arc<dyn LogDensity>; 2]>,
    start: Vec<f64>,
    watched: bool,
}

enum Way {
    /// p, and the tangent behind it if there is one, as a system of equations on the grid given.
    Given {
        system: Box<Parabolic>,
        stepper: Stepper,
        state: Vec<f64>,
    },
    /// The same on grids that follow it.
    Following(Box<Following>),
}

/// What a flow reports to.
pub(super) type Observe<'a> = &'a mut dyn FnMut(&FlowStep) -> ControlFlow<()>;

impl Flow {
    /// On the operator's grid, from the periodic part `start` of u_0.
    pub fn new(operator: MongeAmpere, stepper: Stepper, start: &[f64]) -> Self {
        let torus = operator.torus().clone();
        let system = Parabolic::new(operator);
        Self::given(torus, system, stepper, start.to_vec())
    }

    /// The same, carrying the tangent `∂_t e = L_{u_t} e` from `tangent`.
    pub fn with_tangent(
        operator: MongeAmpere,
        stepper: Stepper,
        start: &[f64],
        tangent: &[f64],
    ) -> Self {
        let torus = operator.torus().clone();
        let state = [start, tangent].concat();
        Self::given(torus, Parabolic::with_tangent(operator), stepper, state)
    }

    fn given(torus: Torus, system: Parabolic, stepper: Stepper, state: Vec<f64>) -> Self {
        let start = state[..torus.len()].to_vec();
        let way = Way::Given {
            system: Box::new(system),
            stepper,
            state,
        };
        Self {
            torus,
            way,
            densities: None,
            start,
            watched: false,
        }
    }

    /// By Rodas5P on spectral grids that follow the flow, given at the nodes of `torus`, with a tangent if it is not empty.
    ///
    /// Errors of p_t and log ρ_t at the nodes, in time and in space, stay below `accuracy.tolerance` as far as the finest grid allows.
    ///
    /// # Errors
    /// [`Error::LostConvexity`], [`Error::NonFinite`] where the rate is not defined at the start.
    pub fn following(
        [source, target]: [Arc<dyn LogDensity>; 2],
        torus: &Torus,
        accuracy: Accuracy,
        start: &[f64],
        tangent: &[f64],
    ) -> Result<Self> {
        let densities = [source, target];
        let state = [start, tangent].concat();
        let following = Following::new(densities.clone(), torus, accuracy, &state)?;
        Ok(Self {
            torus: torus.clone(),
            way: Way::Following(Box::new(following)),
            densities: Some(densities),
            start: start.to_vec(),
            watched: false,
        })
    }

    /// Where the grid does not resolve the flow, a grid that does is looked for with these densities.
    pub fn advised_by(self, source: Arc<dyn LogDensity>, target: Arc<dyn LogDensity>) -> Self {
        Self {
            densities: Some([source, target]),
            ..self
        }
    }

    /// Refused where its grid does not resolve it.
    pub fn watched(self) -> Self {
        Self {
            watched: true,
            ..self
        }
    }

    /// Points along each axis that every step so far needed, where the grid follows the flow; those of the grid otherwise.
    pub fn points(&self) -> Vec<usize> {
        match &self.way {
            Way::Given { .. } => self.torus.points().to_vec(),
            Way::Following(following) => following.points.clone(),
        }
    }

    /// Runs to the last of the increasing `times` ≥ 0 and returns the flow at each.
    ///
    /// # Errors
    /// As [`Self::run_into`].
    pub fn run(&mut self, times: &[f64], observe: Observe) -> Result<Vec<Snapshot>> {
        let mut snapshots = Vec::with_capacity(times.len());
        self.run_into(times, &mut snapshots, observe)?;
        Ok(snapshots)
    }

    /// The same, pushing each snapshot when it is reached, so that a run cut short keeps them. `observe` is called
    /// after every step and may stop the run.
    ///
    /// # Errors
    /// [`Error::Unresolved`], if [`Self::watched`], where the nodes leave out more than [`UNRESOLVED`] of log ρ at an asked time, where the grids of the steps leave
    /// out more than [`UNRESOLVED_PATH`] over time, or where the steps fail and do not on a finer grid; [`Error::Unstable`], [`Error::LostConvexity`], [`Error::NonFinite`], [`Error::NoConvergence`], [`Error::StepTooSmall`],
    /// each with its time; [`Error::Interrupted`] when the observer breaks.
    pub fn run_into(
        &mut self,
        times: &[f64],
        snapshots: &mut Vec<Snapshot>,
        observe: Observe,
    ) -> Result<()> {
        let mut watch = Watch::default();
        let earlier = snapshots.len();
        let watched = self.watched;
        let outcome = self.travel(times, snapshots, &mut |step: &FlowStep| {
            watch.step(step);
            // What is refused anyway need not be finished.
            if watched && !watch.steps_resolved() {
                return ControlFlow::Break(());
            }
            observe(step)
        });
        let outcome = match outcome {
            Err(Error::Interrupted { .. }) if watched && !watch.steps_resolved() => Ok(()),
            other => other,
        };
        snapshots[earlier..].iter().for_each(|s| watch.instant(s));
        let ended = matches!(
            outcome,
            Err(Error::Interrupted { .. } | Error::Unstable { .. })
        );
        if !self.watched || ended || (outcome.is_ok() && watch.resolved()) {
            return outcome;
        }
        let horizon = times.last().copied().unwrap_or(0.0);
        let found = match &self.way {
            // The steps were resolved, only the nodes are too few for what they are asked to hold.
            Way::Following(following) if outcome.is_ok() && watch.steps_resolved() => {
                Some(Ok(following.at_instants.clone()))
            }
            _ => self.densities.clone().map(|densities| {
                let allowed = 0.5 * UNRESOLVED;
                what_resolves(densities, &self.torus, &self.start, horizon, allowed)
                    .map(|resolved| resolved.points)
            }),
        };
        self.advise(outcome, &watch, found)
    }

    fn travel(
        &mut self,
        times: &[f64],
        snapshots: &mut Vec<Snapshot>,
        observe: Observe,
    ) -> Result<()> {
        match &mut self.way {
            Way::Given {
                system,
                stepper,
                state,
            } => march(
                &mut **system,
                *stepper,
                state,
                times,
                &mut |system, time, state| {
                    snapshots.push(snapshot(&mut system.operator, time, state)?);
                    Ok(())
                },
                &mut |system, step, state| {
                    let seen = snapshot(&mut system.operator, step.time, state)?;
                    Ok(observe(&report(step, seen.p.len(), seen.diagnosis)))
                },
            ),
            Way::Following(following) => {
                let fourier = Fourier::new(&self.torus);
                let mut journey = Journey {
                    following,
                    spectrum: fourier.spectrum(),
                    fourier,
                    torus: &self.torus,
                    snapshots,
                    observe,
                };
                travel(&mut journey, times)
            }
        }
    }

    /// The error of a run that failed, or whose grid left out too much, with the grid that was `found` to do.
    fn advise(
        &self,
        outcome: Result<()>,
        watch: &Watch,
        found: Option<Result<Vec<usize>>>,
    ) -> Result<()> {
        let asked = self.torus.points();
        let unresolved = |needed: Option<Vec<usize>>, remedy: String| {
            Error::Unresolved(Box::new(Unresolved {
                points: asked.to_vec(),
                time: watch.time,
                left_out: watch.left_out,
                most: UNRESOLVED,
                mass_defect: watch.mass_defect,
                needed,
                remedy,
            }))
        };
        let Some(found) = found else {
            return outcome.and(Err(unresolved(None, "use more points".into())));
        };
        match (found, outcome) {
            (Err(interrupted @ Error::Interrupted { .. }), _) => Err(interrupted),
            (Ok(needed), outcome) => {
                let points: Vec<usize> = needed.iter().zip(asked).map(|(a, b)| *a.max(b)).collect();
                // What a finer grid does not help has another reason.
                if points == asked {
                    return outcome.and(Err(unresolved(None, "use more points".into())));
                }
                let remedy = format!("use points: {points:?}, which resolve it");
                Err(unresolved(Some(points), remedy))
            }
            (Err(_), Err(error)) => Err(error),
            (Err(Error::Unresolved(finest)), Ok(())) => {
                let Unresolved { points, remedy, .. } = *finest;
                Err(unresolved(None, format!("tried up to {points:?}: {remedy}")))
            }
            (Err(_), Ok(())) => Err(unresolved(
                None,
                "finer grids fail too: end the flow earlier, or use smoother or less contrasted densities".into(),
            )),
        }
    }

    /// Largest stable explicit step at the current state.
    ///
    /// # Errors
    /// As [`MongeAmpere::rate`].
    pub fn stability_limit(&mut self, method: Method) -> Result<f64> {
        match &mut self.way {
            Way::Given { system, state, .. } => {
                Explicit::new(method, state.len()).limit(&mut **system, state)
            }
            Way::Following(_) => Ok(f64::INFINITY),
        }
    }
}

/// What grids left out of a flow.
#[derive(Default)]
struct Watch {
    /// The most at an asked time, and when; without asked times yet, at a step.
    left_out: f64,
    time: f64,
    /// The integral over time of what the steps left out of `∂_t u`.
    path: f64,
    mass_defect: f64,
}

impl Watch {
    fn step(&mut self, step: &FlowStep) {
        self.path += step.step * step.diagnosis.left_out;
        self.mass_defect = self.mass_defect.max(step.diagnosis.mass_defect);
        if self.path.is_nan() || self.path > UNRESOLVED_PATH {
            self.take(step.time, step.diagnosis.left_out);
        }
    }

    fn instant(&mut self, snapshot: &Snapshot) {
        self.take(snapshot.time, snapshot.diagnosis.left_out);
    }

    fn take(&mut self, time: f64, left_out: f64) {
        // NaN is worse than anything.
        if left_out.is_nan() || left_out > self.left_out {
            (self.time, self.left_out) = (time, left_out);
        }
    }

    fn steps_resolved(&self) -> bool {
        self.path <= UNRESOLVED_PATH
    }

    fn resolved(&self) -> bool {
        self.left_out <= UNRESOLVED && self.steps_resolved()
    }
}

/// A flow on its way, on grids that follow it.
struct Journey<'a> {
    following: &'a mut Following,
    /// Of the nodes that the flow is given at.
    fourier: Fourier,
    spectrum: Vec<Complex64>,
    torus: &'a Torus,
    snapshots: &'a mut Vec<Snapshot>,
    observe: Observe<'a>,
}

impl Traveller for Journey<'_> {
    fn advance(&mut self, time: f64, _next: f64, horizon: f64) -> Result<Step> {
        self.following.advance(time, horizon)
    }

    fn reached(&mut self, asked: f64, before: f64, time: f64) -> Result<()> {
        let theta = if asked < time {
            (asked - before) / (time - before)
        } else {
            1.0
        };
        let [p, log_marginal, tangent] = self.following.at(theta, self.torus)?;
        let mass = log_marginal.iter().map(|l| l.exp()).sum::<f64>() / p.len() as f64;
        let diagnosis = self.following.diagnose();
        let left_out = self.following.left_out_by(self.torus.points());
        let spectral_tail = spectral_tail(&mut self.fourier, &mut self.spectrum, &p);
        self.snapshots.push(Snapshot {
            time: asked,
            p,
            log_marginal,
            tangent: (!tangent.is_empty()).then_some(tangent),
            diagnosis: Diagnosis {
                mass_defect: (mass - 1.0).abs(),
                left_out,
                spectral_tail,
                ..diagnosis
            },
        });
        Ok(())
    }

    fn observe(&mut self, step: &Step) -> Result<ControlFlow<()>> {
        let diagnosis = self.following.diagnose();
        let nodes = self.following.nodes();
        Ok((self.observe)(&report(step, nodes, diagnosis)))
    }
}

fn report(step: &Step, nodes: usize, diagnosis: Diagnosis) -> FlowStep {
    FlowStep {
        time: step.time,
        step: step.step,
        rejected: step.rejected,
        krylov: step.krylov,
        sinkhorn: 0,
        nodes,
        diagnosis,
    }
}

pub(super) fn snapshot(operator: &mut MongeAmpere, time: f64, state: &[f64]) -> Result<Snapshot> {
    let (p, tangent) = state.split_at(operator.torus().len());
    let mut log_marginal = vec![0.0; p.len()];
    operator.log_marginal(p, &mut log_marginal)?;
    let diagnosis = operator.diagnose(p, &log_marginal);
    Ok(Snapshot {
        time,
        p: p.to_vec(),
        log_marginal,
        tangent: (!tangent.is_empty()).then(|| tangent.to_vec()),
        diagnosis,
    })
}
