//! The right p, log ρ and KL of a problem at its instants.
//!
//! *Converged*: Rodas5P on the first of the grids 1.5, 2, 3, … times as fine as the one asked for on which the modes of log ρ end, and on
//! the ones after it, at tolerances of 1e-10 and 1e-11 by turns, until two neighbours agree in p and log ρ. Kept on disk, since it costs
//! more than what is judged by it.
//! *Product*: the sum of the truths of the axes. *Poisson kernel*: exact.

use crate::Result;
use crate::integrator::{Integrator, Run};
use crate::poisson::Poisson;
use crate::problem::{Problem, Truth};
use mirrorflow::record::Record;
use mirrorflow_solvers::Torus;
use mirrorflow_solvers::distance::relative_entropy;
use mirrorflow_solvers::fourier::Fourier;
use mirrorflow_solvers::parallel::sup_difference;
use mirrorflow_solvers::resolution::{fast_length, points_for};
use std::f64::consts::PI;
use std::fs::File;
use std::path::PathBuf;

/// Grids tried, relative to the one asked for.
const FINER: [f64; 11] = [1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0];
/// Grids with more nodes are not tried.
const MOST_NODES: usize = 1 << 19;
const TOLERANCES: [f64; 2] = [1e-10, 1e-11];
/// Difference of two neighbours, the larger of p's and log ρ's, at which the finer one is the truth.
const AGREED: f64 = 1e-9;

/// Tolerance and steps of the runs that look for the first grid, and what modes of log ρ with |k_i| ≥ n_i/3 may add up to there.
const SCOUT: f64 = 1e-6;
const SCOUT_STEPS: usize = 1000;
const LEFT_OUT: f64 = 1e-5;

pub enum Reference {
    OnGrid(OnGrid),
    Product(Vec<Reference>),
    Poisson(Vec<Poisson>),
}

/// Fields on a fine grid, one per instant.
pub struct OnGrid {
    torus: Torus,
    p: Vec<Vec<f64>>,
    log_density: Vec<Vec<f64>>,
    entropy: Vec<f64>,
    /// How far the next coarser grid and looser tolerance were from it.
    uncertainty: f64,
}

impl Reference {
    /// The truth of a problem, if it is exact or was found before.
    ///
    /// # Errors
    /// If a file is damaged.
    pub fn of(problem: &Problem) -> Result<Option<Self>> {
        Ok(match &problem.truth {
            Truth::Converged => OnGrid::read(problem)?.map(Self::OnGrid),
            Truth::Product(axes) => {
                let axes: Result<Option<Vec<_>>> = axes.iter().map(Self::of).collect();
                axes?.map(Self::Product)
            }
            Truth::PoissonKernel(r) => {
                let at = |&time: &f64| Poisson::new(*r, time);
                Some(Self::Poisson(problem.times.iter().map(at).collect()))
            }
        })
    }

    /// p and log ρ at an instant, at the nodes of any grid.
    pub fn fields(&self, instant: usize, torus: &Torus) -> [Vec<f64>; 2] {
        match self {
            Self::OnGrid(reference) => [&reference.p, &reference.log_density]
                .map(|fields| interpolate(&reference.torus, &fields[instant], torus)),
            Self::Product(axes) => {
                let axis = |(axis, &n): (&Self, &usize)| {
                    axis.fields(instant, &Torus::new(&[n]).expect("an axis of a grid"))
                };
                let parts: Vec<_> = axes.iter().zip(torus.points()).map(axis).collect();
                [0, 1].map(|k| sum_of_axes(parts.iter().map(|part| &part[k])))
            }
            Self::Poisson(instants) => instants[instant].on(torus),
        }
    }

    /// KL(ρ_t | e^{-f}).
    pub fn entropy(&self, instant: usize) -> f64 {
        match self {
            Self::OnGrid(reference) => reference.entropy[instant],
            Self::Product(axes) => axes.iter().map(|axis| axis.entropy(instant)).sum(),
            Self::Poisson(instants) => instants[instant].entropy(),
        }
    }

    /// A bound on its error, as far as that is known; zero for what is exact but for rounding.
    pub fn uncertainty(&self) -> f64 {
        match self {
            Self::OnGrid(reference) => reference.uncertainty,
            Self::Product(axes) => axes.iter().map(Self::uncertainty).sum(),
            Self::Poisson(_) => 0.0,
        }
    }

    pub fn describe(&self) -> String {
        match self {
            Self::OnGrid(reference) => format!(
                "truth on {:?}, known to {:.0e}",
                reference.torus.points(),
                reference.uncertainty
            ),
            Self::Product(_) => format!("truth by axes, known to {:.0e}", self.uncertainty()),
            Self::Poisson(_) => "truth exact".into(),
        }
    }
}

/// Problems whose truth takes a computation: the problem itself, or its axes.
pub fn to_converge(problem: &Problem) -> Vec<&Problem> {
    match &problem.truth {
        Truth::Converged => vec![problem],
        Truth::Product(axes) => axes.iter().flat_map(to_converge).collect(),
        Truth::PoissonKernel(_) => vec![],
    }
}

/// Finds the truth of a problem and keeps it.
///
/// # Errors
/// When no two grids agree, or the integrator fails on all of them.
pub fn converge(problem: &Problem) -> Result<()> {
    let (mut before, mut said): (Option<OnGrid>, String) = (None, "no grid resolves it".into());
    let mut tolerances = TOLERANCES.iter().cycle();
    for finer in FINER {
        let even = |&n: &usize| fast_length((finer * n as f64) as usize, 2);
        let points: Vec<usize> = problem.points.iter().map(even).collect();
        if points.iter().product::<usize>() > MOST_NODES {
            break;
        }
        if before.is_none() && !OnGrid::resolves(problem, &points) {
            continue;
        }
        let tolerance = tolerances.next().expect("by turns");
        let mut found = match OnGrid::compute(problem, &points, *tolerance, None) {
            Ok(found) => found,
            Err(error) => {
                said = format!("{points:?}: {error}");
                eprintln!("{said}");
                continue;
            }
        };
        if let Some(before) = before {
            found.uncertainty = found.difference(&before, &Torus::new(&problem.points)?);
            said = format!("{points:?}: {:.1e} from the grid before", found.uncertainty);
            eprintln!("{said}");
        }
        if found.uncertainty <= AGREED {
            return found.write(problem);
        }
        before = Some(found);
    }
    Err(format!("not converged; last {said}").into())
}

impl OnGrid {
    /// Whether the modes of log ρ end on a grid, as far as a run of moderate accuracy shows.
    fn resolves(problem: &Problem, points: &[usize]) -> bool {
        let Ok(rough) = Self::compute(problem, points, SCOUT, Some(SCOUT_STEPS)) else {
            return false;
        };
        let mut fourier = Fourier::new(&rough.torus);
        let mut spectrum = fourier.spectrum();
        rough.log_density.iter().all(|field| {
            let needed = points_for(&mut fourier, &mut spectrum, field, LEFT_OUT);
            needed.iter().zip(points).all(|(needed, n)| needed <= n)
        })
    }

    fn compute(
        problem: &Problem,
        points: &[usize],
        tolerance: f64,
        most_steps: Option<usize>,
    ) -> Result<Self> {
        let built = problem.on(points)?;
        let mut run = Run {
            most_steps,
            ..Run::default()
        };
        Integrator::Rosenbrock.run(&built, &problem.times, tolerance, &mut run)?;
        let log_source: Vec<f64> = built.source.on(&built.torus).iter().map(|f| -f).collect();
        let snapshots = &run.snapshots;
        Ok(Self {
            p: snapshots.iter().map(|s| s.p.clone()).collect(),
            log_density: snapshots.iter().map(|s| s.log_marginal.clone()).collect(),
            entropy: snapshots
                .iter()
                .map(|s| relative_entropy(&s.log_marginal, &log_source))
                .collect(),
            uncertainty: f64::INFINITY,
            torus: built.torus,
        })
    }

    /// Largest difference of p and of log ρ at the nodes of `torus`, at all instants.
    fn difference(&self, other: &Self, torus: &Torus) -> f64 {
        let differences = |mine: &[Vec<f64>], theirs: &[Vec<f64>]| {
            let at = |(a, b): (&Vec<f64>, &Vec<f64>)| {
                let [a, b] = [(&self.torus, a), (&other.torus, b)]
                    .map(|(own, field)| interpolate(own, field, torus));
                sup_difference(&a, &b)
            };
            mine.iter().zip(theirs).map(at).fold(0.0, f64::max)
        };
        f64::max(
            differences(&self.p, &other.p),
            differences(&self.log_density, &other.log_density),
        )
    }

    fn write(&self, problem: &Problem) -> Result<()> {
        let mut record = Record::default();
        let shape = [&[self.p.len()], self.torus.points()].concat();
        record.insert("p", &shape, self.p.concat());
        record.insert("log_rho", &shape, self.log_density.concat());
        record.insert_curve("entropy", self.entropy.clone());
        record.insert_number("uncertainty", self.uncertainty);
        // Whole or not at all: a run may be ended at any time.
        let (path, unfinished) = (kept(problem), kept(problem).with_extension("part"));
        std::fs::create_dir_all(path.parent().expect("in a folder"))?;
        record.write(File::create(&unfinished)?)?;
        Ok(std::fs::rename(unfinished, path)?)
    }

    fn read(problem: &Problem) -> Result<Option<Self>> {
        let Ok(file) = File::open(kept(problem)) else {
            return Ok(None);
        };
        let record = Record::read(file)?;
        let instants = problem.times.len();
        let fields = |name: &str| -> Result<Vec<Vec<f64>>> {
            let item = |k| Ok(record.item(name, k)?.to_vec());
            (0..instants).map(item).collect()
        };
        Ok(Some(Self {
            torus: Torus::new(&record.array("p")?.shape()[1..])?,
            p: fields("p")?,
            log_density: fields("log_rho")?,
            entropy: record.values("entropy")?.to_vec(),
            uncertainty: record.values("uncertainty")?[0],
        }))
    }
}

/// The file of a problem's truth; another problem under the same name has another file.
pub fn kept(problem: &Problem) -> PathBuf {
    let text = problem.scenario(&problem.points);
    // Fowler, Noll and Vo's hash.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    crate::folder().join(format!("{}-{hash:016x}.npz", problem.name))
}

/// Notes that there is no truth within `cap` CPU seconds.
///
/// # Errors
/// If the note cannot be written.
pub fn give_up(problem: &Problem, cap: f64, why: &str) -> Result<()> {
    std::fs::create_dir_all(crate::folder())?;
    Ok(std::fs::write(given_up(problem), format!("{cap}\n{why}"))?)
}

/// Why there is no truth, if `cap` CPU seconds or more were spent on it in vain.
pub fn missing(problem: &Problem, cap: f64) -> Option<String> {
    let note = std::fs::read_to_string(given_up(problem)).ok()?;
    let (spent, why) = note.split_once('\n')?;
    (spent.parse::<f64>().ok()? >= cap).then(|| why.to_owned())
}

fn given_up(problem: &Problem) -> PathBuf {
    kept(problem).with_extension("none")
}

/// The trigonometric interpolant at the nodes of any grid, axis by axis.
fn interpolate(from: &Torus, field: &[f64], to: &Torus) -> Vec<f64> {
    let mut values = field.to_vec();
    // The first axis goes last each time: after d rounds all are in their places.
    for (&m, &n) in from.points().iter().zip(to.points()) {
        let kernel: Vec<Vec<f64>> = (0..n).map(|i| dirichlet(m, i as f64 / n as f64)).collect();
        let lines = values.len() / m;
        let mut next = Vec::with_capacity(lines * n);
        for line in 0..lines {
            let at = |weights: &Vec<f64>| -> f64 {
                weights
                    .iter()
                    .zip(values[line..].iter().step_by(lines))
                    .map(|(w, v)| w * v)
                    .sum()
            };
            next.extend(kernel.iter().map(at));
        }
        values = next;
    }
    values
}

/// Weights of the m nodes for the value at x; the Nyquist mode is read as a cosine.
fn dirichlet(m: usize, x: f64) -> Vec<f64> {
    let weight = |j: usize| {
        let y = x - j as f64 / m as f64;
        let y = y - y.round();
        if (y * m as f64).abs() < 1e-9 {
            1.0
        } else {
            (PI * m as f64 * y).sin() / (m as f64 * (PI * y).tan())
        }
    };
    (0..m).map(weight).collect()
}

/// `Σ_i a_i(x_i)` at the nodes in C order.
fn sum_of_axes<'a>(axes: impl Iterator<Item = &'a Vec<f64>>) -> Vec<f64> {
    axes.fold(vec![0.0], |sums, axis| {
        let with = |sum: &f64| axis.iter().map(|a| sum + a).collect::<Vec<_>>();
        sums.iter().flat_map(with).collect()
    })
}
