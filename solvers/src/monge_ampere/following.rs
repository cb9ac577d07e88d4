//! The flow on a grid that follows it.
//!
//! How many modes u_t has changes along the flow: it sharpens where mass has to be squeezed, and diffusion smooths it. After every step the
//! spectra of the rate `∂_t u = f + log ρ` and of log det ∇²u, which have two derivatives of u in them, say whether the grid held the step. If not, the step is
//! taken again on a finer grid, where the state before it is still known to all digits; a grid much finer than needed is left for a
//! coarser one. The cost of a flow so depends on the flow and not on the grid that it is asked for on.

use super::linearised::Linearised;
use super::operator::{Diagnosis, MongeAmpere};
use super::parabolic::Parabolic;
use super::resolution::{EDGE, UNRESOLVED, left_out};
use crate::calculus::Spectral;
use crate::density::LogDensity;
use crate::error::{Error, Result, Unresolved};
use crate::fourier::{Complex64, Fourier};
use crate::parallel::sup;
use crate::resample::{coarsen, refine};
use crate::resolution::{Moduli, fast_length};
use crate::time::{Rosenbrock, Step, System, landed};
use crate::torus::Torus;
use crate::watch;
use std::sync::Arc;

/// What a flow may be computed on, and how accurately.
#[derive(Debug, Clone, PartialEq)]
pub struct Accuracy {
    /// Error of p and log ρ that the steps in time may make.
    pub tolerance: f64,
    /// Sum of the moduli of the modes of log ρ that a grid may leave out.
    pub left_out: f64,
    /// Most points along each axis.
    pub finest: Vec<usize>,
}

/// Grids on which a flow is looked at for what it needs have at most so many points along each axis, for d = 1, 2, 3.
const MOST_POINTS: [usize; 3] = [8_192, 512, 96];

/// Error of log ρ that is good enough to see how many modes it has.
const LOOK: f64 = 1e-5;

/// Steps after which looking ends.
const MOST_STEPS: usize = 500;

/// Grids may be this much finer along each axis than the one asked for, in one dimension and in several.
const FINER: [usize; 2] = [8, 2];

impl Accuracy {
    /// Errors in time and space below `tolerance`, on grids up to eight times (d = 1) or twice (d > 1) as fine as the one asked for.
    pub fn within(tolerance: f64, asked: &Torus) -> Self {
        let finer = FINER[usize::from(asked.dimension() > 1)];
        Self {
            tolerance,
            left_out: at_the_edge(SPACE_PART * tolerance),
            finest: asked.points().iter().map(|n| finer * n).collect(),
        }
    }

    /// The same on about three quarters of the points along each axis, to measure what the rest is worth: what a smooth field leaves
    /// out falls exponentially with the points.
    pub fn coarser(self) -> Self {
        let points = self.finest.iter();
        Self {
            left_out: self.left_out.powf(0.75),
            finest: points.map(|n| (3 * n / 4).next_multiple_of(2)).collect(),
            ..self
        }
    }
}

/// The part of the tolerance that is for errors in space.
const SPACE_PART: f64 = 0.2;

/// What the modes of log ρ beyond [`EDGE`] of a grid may add up to where those that it cannot hold, from one half on, are to add up to `lost`:
/// those of a smooth field fall geometrically or faster.
fn at_the_edge(lost: f64) -> f64 {
    lost.powf(EDGE / 0.5)
}

/// A grid that resolves a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// Points along each axis.
    pub points: Vec<usize>,
    /// The largest of λ_max(∇²u) and 1/λ_min(∇²u) on the way.
    pub stretch: f64,
}

/// The grid that leaves out at most `left_out` of log ρ, and of log det ∇²u, along the flow from p_0 up to `horizon`, found by a run of loose
/// tolerance on grids that follow it.
///
/// # Errors
/// [`Error::Unresolved`] where no grid of up to 8192 (d = 1), 512² or 96³ nodes does; those of the steps;
/// [`Error::Interrupted`].
pub fn what_resolves(
    densities: [Arc<dyn LogDensity>; 2],
    torus: &Torus,
    start: &[f64],
    horizon: f64,
    left_out: f64,
) -> Result<Resolved> {
    let most = MOST_POINTS[torus.dimension() - 1];
    let accuracy = Accuracy {
        tolerance: LOOK.min(left_out),
        left_out,
        finest: torus.points().iter().map(|&n| n.max(most)).collect(),
    };
    let mut flow = Following::new(densities, torus, accuracy, start)?;
    let (mut time, mut steps, mut stretch) = (0.0, 0, 1.0f64);
    while time < horizon {
        let step = flow.advance(time, horizon)?;
        (time, steps) = (step.time, steps + 1);
        let found = flow.diagnose();
        if found.left_out > 2.0 * left_out || steps > MOST_STEPS {
            return Err(Error::Unresolved(Box::new(Unresolved {
                points: flow.local.torus.points().to_vec(),
                time,
                left_out: found.left_out,
                most: 2.0 * left_out,
                mass_defect: found.mass_defect,
                needed: None,
                remedy: "no grid that is tried resolves it: end the flow earlier, or use smoother or less contrasted densities".into(),
            })));
        }
        stretch = stretch
            .max(found.max_eigenvalue)
            .max(1.0 / found.min_eigenvalue);
        watch::on()?;
    }
    let margin = |&n: &usize| fast_length((1.1 * n as f64) as usize, LINES);
    let points = flow.points.iter().map(margin).collect();
    Ok(Resolved { points, stretch })
}

/// Fewest points along an axis.
const FEWEST: usize = 16;

/// Lines that are transformed at once: axes are made of whole groups of them.
const LINES: usize = 8;

/// A refused grid is refined at least by this much.
const REFINE: f64 = 1.25;

/// A grid is left for a coarser one with this much more than is needed, if that has fewer than this part of the nodes.
const SPARE: f64 = 1.15;
const WORTHWHILE: f64 = 0.7;

/// What a grid refined by [`REFINE`] rounds off, over what this one does, with a margin.
const NEXT: f64 = 4.0;

/// Rounding errors of log ρ, in units of ε_mach times the spectral radius of `L_u` times sup |p| and the root of the number of nodes.
const ROUNDING: f64 = 0.1 * f64::EPSILON;

/// p, and the tangent behind it if there is one, on the grid of the moment.
pub(super) struct Following {
    densities: [Arc<dyn LogDensity>; 2],
    accuracy: Accuracy,
    local: Local,
    /// The state before the step under way.
    before: Vec<f64>,
    /// Points along each axis for the next step.
    wanted: Vec<usize>,
    /// Whether the present grid was taken for its being coarser than the one before.
    came_down: bool,
    /// Fewest points along each axis: those of the grid that had to be taken after a coarser one was, in vain. Without it a flow near its end goes
    /// up and down between two grids, and every coarser one kicks it.
    fewest: Vec<usize>,
    /// Points that held every step so far.
    pub points: Vec<usize>,
    /// Points that hold log ρ at the instants asked for so far, but for half of [`UNRESOLVED`].
    pub at_instants: Vec<usize>,
}

/// All that belongs to one grid.
struct Local {
    torus: Torus,
    system: Parabolic,
    rosenbrock: Rosenbrock,
    state: Vec<f64>,
    /// log ρ, f + log ρ and log det ∇²u at the state.
    log_marginal: Vec<f64>,
    rate: Vec<f64>,
    log_det: Vec<f64>,
    fourier: Fourier,
    spectrum: Vec<Complex64>,
}

impl Local {
    fn new(
        torus: &Torus,
        [source, target]: &[Arc<dyn LogDensity>; 2],
        state: Vec<f64>,
        rosenbrock: Rosenbrock,
    ) -> Self {
        let calculus = Box::new(Spectral::new(torus));
        let operator = MongeAmpere::new(&**source, target.clone(), calculus);
        let fourier = Fourier::new(torus);
        let system = if state.len() > torus.len() {
            Parabolic::with_tangent(operator)
        } else {
            Parabolic::new(operator)
        };
        Self {
            torus: torus.clone(),
            system,
            rosenbrock,
            state,
            log_marginal: vec![0.0; torus.len()],
            rate: vec![0.0; torus.len()],
            log_det: vec![0.0; torus.len()],
            spectrum: fourier.spectrum(),
            fourier,
        }
    }

    /// log ρ, f + log ρ and log det ∇²u at the state.
    fn evaluate(&mut self) -> Result<()> {
        let operator = &mut self.system.operator;
        let p = &self.state[..self.torus.len()];
        operator.log_marginal(p, &mut self.log_marginal)?;
        operator.log_determinant(&mut self.log_det);
        let f = operator.source().iter();
        for ((rate, log_rho), f) in self.rate.iter_mut().zip(&self.log_marginal).zip(f) {
            *rate = f + log_rho;
        }
        Ok(())
    }

    /// Of what must be held: f + log ρ and log det ∇²u.
    fn moduli(&mut self) -> Moduli {
        let of = |field: &[f64]| Moduli::new(&mut self.fourier, &mut self.spectrum, field);
        let [rate, log_det] = [&self.rate, &self.log_det]
            .map(|field| field.as_slice())
            .map(of);
        rate.or(log_det)
    }

    /// What rounding makes of the modes of log ρ.
    fn rounding(&self) -> f64 {
        let p = &self.state[..self.torus.len()];
        let radius = Linearised::spectral_radius(&self.system.linearised);
        ROUNDING * radius * sup(p) * (p.len() as f64).sqrt()
    }
}

/// A field, or two one behind the other, from one grid on another.
fn carry(from: &Torus, state: &[f64], to: &Torus) -> Vec<f64> {
    let one = |field| onto(from, field, to);
    state.chunks(from.len()).flat_map(one).collect()
}

/// The trigonometric interpolant of `field` at the nodes of `to`, or its low modes where `to` is coarser.
fn onto(from: &Torus, field: &[f64], to: &Torus) -> Vec<f64> {
    let pairs = || from.points().iter().zip(to.points());
    let joint: Vec<usize> = pairs().map(|(a, b)| *a.max(b)).collect();
    let joint = Torus::new(&joint).expect("made of two grids");
    let fine = refine(from, field, &joint);
    if joint == *to {
        fine
    } else {
        coarsen(&joint, &fine, to)
    }
}

impl Following {
    /// From a state on `torus`.
    ///
    /// # Errors
    /// Where the rate is not defined there.
    pub fn new(
        densities: [Arc<dyn LogDensity>; 2],
        torus: &Torus,
        accuracy: Accuracy,
        state: &[f64],
    ) -> Result<Self> {
        let rosenbrock = Rosenbrock::new(accuracy.tolerance, state.len());
        let mut this = Self {
            local: Local::new(torus, &densities, state.to_vec(), rosenbrock),
            densities,
            before: state.to_vec(),
            wanted: torus.points().to_vec(),
            came_down: false,
            fewest: vec![FEWEST; torus.dimension()],
            points: vec![FEWEST; torus.dimension()],
            at_instants: vec![FEWEST; torus.dimension()],
            accuracy,
        };
        this.local.evaluate()?;
        let needed = this.needed()?;
        // The densities must be held too: a coarse grid would not tell their high modes from low ones.
        let f = this.local.system.operator.source().to_vec();
        let local = &mut this.local;
        let of_source = Moduli::new(&mut local.fourier, &mut local.spectrum, &f);
        let of_source = of_source.points(EDGE, this.accuracy.left_out);
        this.wanted = this.admitted(&[needed, of_source].map(|points| spare(&points)));
        Ok(this)
    }

    /// Points that hold f + log ρ of the state.
    fn needed(&mut self) -> Result<Vec<usize>> {
        let mut rate = vec![0.0; self.local.state.len()];
        let local = &mut self.local;
        local.system.linearise(&local.state, &mut rate)?;
        let allowed = self.accuracy.left_out.max(local.rounding());
        Ok(local.moduli().points(EDGE, allowed))
    }

    /// The grid that has so many points along each axis, as far as it is allowed.
    fn admitted(&self, wishes: &[Vec<usize>]) -> Vec<usize> {
        let most = |axis: usize| wishes.iter().map(|w| w[axis]).max().unwrap_or(FEWEST);
        let finest = self.accuracy.finest.iter().enumerate();
        finest
            .map(|(axis, &finest)| {
                fast_length(most(axis).max(self.fewest[axis]), LINES).min(finest)
            })
            .collect()
    }

    /// Whether an axis could have more points.
    fn can_refine(&self) -> bool {
        let mut axes = self.local.torus.points().iter().zip(&self.accuracy.finest);
        axes.any(|(n, finest)| n < finest)
    }

    /// Goes on from `state` of the present grid on another.
    fn move_to(&mut self, points: &[usize], state: &[f64], step: Option<f64>) -> Result<()> {
        let torus = Torus::new(points)?;
        let state = carry(&self.local.torus, state, &torus);
        let rosenbrock = self.local.rosenbrock.resized(state.len(), step);
        self.local = Local::new(&torus, &self.densities, state, rosenbrock);
        Ok(())
    }

    /// One step from `time`, not past `end`.
    ///
    /// # Errors
    /// Those of the steps, on the finest grid allowed.
    pub fn advance(&mut self, time: f64, end: f64) -> Result<Step> {
        if self.wanted != self.local.torus.points() {
            let (wanted, state) = (self.wanted.clone(), self.local.state.clone());
            let step = self.local.rosenbrock.planned();
            self.came_down = wanted.iter().product::<usize>() < self.local.torus.len();
            self.move_to(&wanted, &state, step)?;
        }
        let mut work = (0, 0);
        loop {
            self.before.clone_from(&self.local.state);
            let planned = self.local.rosenbrock.planned();
            let local = &mut self.local;
            let taken = local
                .rosenbrock
                .advance(&mut local.system, time, end, &mut local.state)
                .and_then(|report| local.evaluate().map(|()| report));
            let finer = match &taken {
                Ok(report) => {
                    work.0 += report.krylov;
                    work.1 += report.rejected;
                    self.too_coarse()
                }
                Err(
                    Error::LostConvexity { .. }
                    | Error::StepTooSmall { .. }
                    | Error::NoConvergence { .. },
                ) if self.can_refine() => Some(self.refined(&[])),
                Err(_) => None,
            };
            if let Some(finer) = finer {
                if self.came_down {
                    self.fewest.clone_from(&finer);
                    self.came_down = false;
                }
                let before = self.before.clone();
                let step = taken.map_or(planned, |report| Some(report.step));
                self.move_to(&finer, &before, step)?;
                continue;
            }
            let report = taken?;
            return Ok(Step {
                time: landed(time + report.step, end),
                step: report.step,
                rejected: work.1,
                krylov: work.0,
            });
        }
    }

    /// A finer grid if this one does not hold the step just taken; else the grid of the next step is chosen.
    fn too_coarse(&mut self) -> Option<Vec<usize>> {
        let moduli = self.local.moduli();
        let rounding = self.local.rounding();
        // Where the next finer grid would round off as much, it would not help.
        let allowed = self.accuracy.left_out.max(NEXT * rounding);
        let needed = moduli.points(EDGE, allowed);
        let now = self.local.torus.points().to_vec();
        let admitted = self.admitted(std::slice::from_ref(&needed));
        if admitted.iter().zip(&now).any(|(needed, now)| needed > now) {
            return Some(self.refined(&needed));
        }
        for (most, needed) in self.points.iter_mut().zip(&needed) {
            *most = (*most).max(*needed);
        }
        let coarser = self.admitted(&[spare(&needed)]);
        let nodes = |points: &[usize]| points.iter().product::<usize>() as f64;
        let ratio = nodes(&coarser) / nodes(&now);
        // A coarser grid rounds off less and so is asked for more.
        let growth = 2.0 / now.len() as f64 + 0.5;
        let allowed_there = self
            .accuracy
            .left_out
            .max(NEXT * rounding * ratio.powf(growth));
        let worthwhile = ratio < WORTHWHILE && moduli.beyond(EDGE, &coarser) <= allowed_there;
        self.wanted = if worthwhile { coarser } else { now };
        None
    }

    /// The next finer grid: with `needed` points along the axes that are short of them, or finer along all.
    fn refined(&mut self, needed: &[usize]) -> Vec<usize> {
        let now = self.local.torus.points();
        let wish = |(axis, &n): (usize, &usize)| match needed.get(axis) {
            Some(&needed) if needed <= n => n,
            _ => (REFINE * n as f64).ceil() as usize,
        };
        let wishes: Vec<usize> = now.iter().enumerate().map(wish).collect();
        let lengths = wishes.iter().map(|&n| fast_length(n, LINES));
        let finer = lengths.zip(&self.accuracy.finest);
        self.wanted = finer.map(|(n, finest)| n.min(*finest)).collect();
        self.wanted.clone()
    }

    /// p, log ρ and the tangent at `theta` of the last step at the nodes of `torus`, and how healthy the potential is: what the nodes of
    /// `torus` would leave out, and the mass there.
    ///
    /// # Errors
    /// Where u is not convex between two steps.
    pub fn at(&mut self, theta: f64, torus: &Torus) -> Result<[Vec<f64>; 3]> {
        let local = &mut self.local;
        let mut state = local.state.clone();
        let n = local.torus.len();
        let mut log_marginal = local.log_marginal.clone();
        if theta < 1.0 {
            local.rosenbrock.interpolate(theta, &mut state);
            let operator = &mut local.system.operator;
            operator.log_marginal(&state[..n], &mut log_marginal)?;
        }
        let (p, tangent) = state.split_at(n);
        let sampled = |field: &[f64]| sample(&local.torus, field, torus);
        let tangent = tangent.chunks(n).flat_map(sampled).collect();
        Ok([sampled(p), sampled(&log_marginal), tangent])
    }

    /// How healthy the present state is on the grid of the moment.
    pub fn diagnose(&mut self) -> Diagnosis {
        let local = &mut self.local;
        let p = &local.state[..local.torus.len()];
        local.system.operator.diagnose(p, &local.log_marginal)
    }

    /// What a grid of so many points leaves out of log ρ at an asked time.
    pub fn left_out_by(&mut self, points: &[usize]) -> f64 {
        let local = &mut self.local;
        let moduli = Moduli::new(&mut local.fourier, &mut local.spectrum, &local.rate);
        let needed = moduli.points(EDGE, 0.5 * UNRESOLVED);
        for (most, needed) in self.at_instants.iter_mut().zip(needed) {
            *most = (*most).max(needed.next_multiple_of(2));
        }
        left_out(&moduli, points)
    }

    /// Nodes of the grid of the moment.
    pub fn nodes(&self) -> usize {
        self.local.torus.len()
    }
}

/// With a margin, so that not every step asks for another grid.
fn spare(points: &[usize]) -> Vec<usize> {
    points
        .iter()
        .map(|&n| (SPARE * n as f64).ceil() as usize)
        .collect()
}

/// The interpolant of `field` at the nodes of `to`, all modes included.
fn sample(from: &Torus, field: &[f64], to: &Torus) -> Vec<f64> {
    let multiples: Vec<usize> = from
        .points()
        .iter()
        .zip(to.points())
        .map(|(m, n)| m.div_ceil(*n))
        .collect();
    if multiples.iter().all(|&m| m == 1) {
        return refine(from, field, to);
    }
    let points: Vec<usize> = to
        .points()
        .iter()
        .zip(&multiples)
        .map(|(n, m)| n * m)
        .collect();
    let fine = Torus::new(&points).expect("a multiple of a grid");
    let values = refine(from, field, &fine);
    let node = |i: usize| {
        let axes = multiples.iter().zip(&points).enumerate();
        values[axes.fold(0, |at, (axis, (m, n))| at * n + m * to.index(i, axis))]
    };
    (0..to.len()).map(node).collect()
}
