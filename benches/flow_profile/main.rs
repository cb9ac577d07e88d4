//! The integrators of the parabolic Monge–Ampère flow on a set of problems, mild and violent, in one, two and three dimensions:
//! CPU seconds of one thread, and errors of p, log ρ and KL against the truth, over tolerances.
//!
//! `cargo bench --bench flow_profile`, and after `--`
//!
//! ```text
//! --family NAME, --only NAME          some of the problems (a name or its beginning; may be repeated)
//! --dimension D
//! --integrator NAME, --tolerance T    some of the runs (may be repeated)
//! --cap SECONDS                       CPU seconds of a run (60)
//! --reference-cap SECONDS             CPU seconds of a truth (600)
//! --list, --scenarios                 names of the problems; the problems as scenarios of the program
//! --draw                              writes the figure of docs/performance.md
//! ```
//!
//! Truths and runs are kept in `target/tmp/flow_profile`, truths for good, runs for the same build of this program.

mod families;
mod integrator;
mod judge;
mod kept;
mod options;
mod poisson;
mod problem;
mod profile;
mod summary;
mod trial;
mod truth;

use integrator::Integrator;
use judge::{Judged, Measured};
use kept::Kept;
use options::Options;
use problem::Problem;
use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use trial::{Ended, Outcome, Task, delegate};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Where truths are kept.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("flow_profile")
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("--delegated", task)) = arguments.split_first().map(|(a, b)| (a.as_str(), b)) {
        return perform(task);
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let options = Options::read(&arguments)?;
    let problems = options.problems(families::all());
    if options.list || options.scenarios {
        for problem in &problems {
            match options.list {
                true => println!("{:<16} {}", problem.family, problem.name),
                false => println!("{}", problem.scenario(&problem.points)),
            }
        }
        return Ok(());
    }
    let (mut kept, mut measured) = (Kept::open()?, Vec::new());
    for problem in &problems {
        measured.push(measure(problem, &options, &mut kept)?);
    }
    summary::print(&measured);
    if options.draw {
        profile::draw(&measured)?;
    }
    Ok(())
}

/// What a process of its own does.
fn perform(task: &[String]) -> Result<()> {
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread();
    one.build_global()?;
    let named = |name: &String| {
        let all = families::all();
        let problems = all
            .iter()
            .flat_map(|problem| [vec![problem], truth::to_converge(problem)].concat());
        let found = problems
            .clone()
            .find(|problem| problem.name == *name)
            .cloned();
        found.ok_or_else(|| format!("no problem `{name}`"))
    };
    match task {
        [what, name] if what == "truth" => truth::converge(&named(name)?),
        [what, name, integrator, tolerance, points] if what == "trial" => {
            let problem = named(name)?;
            let points: std::result::Result<Vec<usize>, _> =
                points.split(',').map(str::parse).collect();
            let task = Task {
                problem: &problem,
                integrator: Integrator::named(integrator)?,
                tolerance: tolerance.parse()?,
                points: &points?,
            };
            println!("{}", ron::to_string(&task.perform()?)?);
            Ok(())
        }
        _ => Err("not a task".into()),
    }
}

/// All runs of one problem, printed as they end.
fn measure<'a>(problem: &'a Problem, options: &Options, kept: &mut Kept) -> Result<Measured<'a>> {
    println!(
        "\n{} ({}), {:?} points, t = {}",
        problem.name,
        problem.family,
        problem.points,
        problem.times.last().expect("an instant")
    );
    println!("  {}", truth_of(problem, options)?);
    println!("{}", judge::HEADING);
    let mut measured = Measured::new(problem);
    for &integrator in &options.integrators {
        let tolerances = match integrator.has_tolerance() {
            true => options.tolerances.as_slice(),
            false => &options.tolerances[..1],
        };
        for &tolerance in tolerances {
            let task = Task {
                problem,
                integrator,
                tolerance,
                points: &problem.points,
            };
            let judged = judge(&task, options.cap, kept)?;
            println!("{judged}");
            std::io::stdout().flush()?;
            // A tighter tolerance takes longer still.
            let last = judged.trial.outcome == Outcome::OverTime;
            measured.runs.push(judged);
            if last {
                break;
            }
        }
    }
    Ok(measured)
}

/// One run; where it names a grid, another one there.
fn judge(task: &Task, cap: f64, kept: &mut Kept) -> Result<Judged> {
    let trial = kept.run(task, cap)?;
    let followed = match &trial.outcome {
        Outcome::Refused(points) if points.iter().product::<usize>() <= judge::MOST_NODES => {
            let there = Task { points, ..*task };
            Some(kept.run(&there, cap)?)
        }
        _ => None,
    };
    Ok(Judged {
        integrator: task.integrator,
        tolerance: task.tolerance,
        trial,
        followed,
    })
}

/// Says how the truth of a problem is known; finds it first where that takes a computation.
fn truth_of(problem: &Problem, options: &Options) -> Result<String> {
    for part in truth::to_converge(problem) {
        if truth::kept(part).exists() {
            continue;
        }
        if let Some(why) = truth::missing(part, options.reference_cap) {
            return Ok(why);
        }
        let ended = delegate(&["truth", &part.name], options.reference_cap)?;
        let why = match ended {
            Ended::Said(_) => continue,
            Ended::Failed(said) => format!("no truth for {}: {said}", part.name),
            Ended::OverTime => format!(
                "no truth for {} within {} CPU s",
                part.name, options.reference_cap
            ),
        };
        truth::give_up(part, options.reference_cap, &why)?;
        return Ok(why);
    }
    let known = truth::Reference::of(problem)?.expect("all parts are there");
    Ok(known.describe())
}
