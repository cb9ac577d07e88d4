//! Independent parts of a measurement, on all threads at once.
//!
//! A grid of 128² is too small for two threads to share one transform, but the flow on a coarser grid, the flow at a looser
//! tolerance and Sinkhorn at each ε do not need each other. Each worker is a pool of one thread, so that what runs on it does not split
//! further; the numerics have the same bits on any number of threads, so nothing depends on who runs what. A job that is most of the
//! work is run by itself on all threads.

use super::progress::{Alive, Progress, Stages};
use mirrorflow_solvers::watch::watched;
use mirrorflow_solvers::{Error, Result};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// One part: its name, its modelled share of the work ([`Stages`]), and what computes it.
pub struct Job<'a, T> {
    pub name: String,
    pub weight: f64,
    pub run: Work<'a, T>,
}

/// What computes a job.
type Work<'a, T> = Box<dyn FnOnce(&Tick) -> Result<T> + Send + 'a>;

/// Told how far a job is; may stop it.
pub type Tick<'t> = dyn Fn(f64) -> ControlFlow<()> + 't;

impl<'a, T> Job<'a, T> {
    pub fn new(
        name: impl Into<String>,
        weight: f64,
        run: impl FnOnce(&Tick) -> Result<T> + Send + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            weight,
            run: Box::new(run),
        }
    }
}

/// The results up to the first that is missing, and why: of several reasons a failure rather than the interruption that it caused.
pub fn first_failure<T>(results: Vec<Result<T>>) -> (Vec<T>, Result<()>) {
    let (mut found, mut outcome) = (Vec::new(), Ok(()));
    for result in results {
        match (result, &outcome) {
            (Ok(value), Ok(())) => found.push(value),
            (Err(error), Ok(())) => outcome = Err(error),
            (Err(error), Err(Error::Interrupted { .. })) => outcome = Err(error),
            _ => {}
        }
    }
    (found, outcome)
}

/// A job with a larger share of the work than this would leave the other threads idle most of the time: it comes last and has all of them.
const ALONE: f64 = 0.7;

/// Runs the jobs, as many at a time as there are threads, and returns their results in the order given, each with its name added to its
/// error. Each is watched on its thread ([`mirrorflow_solvers::watch`]), so that it can be stopped in the midst of a step.
pub fn run<T: Send>(jobs: Vec<Job<T>>, progress: &dyn Progress) -> Vec<Result<T>> {
    let weights: Vec<f64> = jobs.iter().map(|job| job.weight).collect();
    let all: f64 = weights.iter().sum();
    let (alone, shared): (Vec<_>, Vec<_>) =
        (0..jobs.len()).partition(|&k| weights[k] > ALONE * all);
    let stages = Stages::new(progress, &weights);
    // Set once a job failed.
    let stop = AtomicBool::new(false);
    let queue: Vec<_> = jobs.into_iter().map(|job| Mutex::new(Some(job))).collect();
    let results: Vec<_> = weights.iter().map(|_| Mutex::new(None)).collect();
    let execute = |k: usize| {
        let taken = queue[k].lock().expect("no job panicked").take();
        let job = taken.expect("every job is run once");
        let outcome = execute(job, &stages.part(k), &stop);
        if outcome.is_err() {
            // What is left would only delay the message; what is under way stops at its next tick.
            stop.store(true, Ordering::Relaxed);
        }
        *results[k].lock().expect("no job panicked") = Some(outcome);
    };
    side_by_side(&shared, &execute);
    alone.into_iter().for_each(execute);
    results
        .into_iter()
        .map(|slot| slot.into_inner().expect("no job panicked"))
        .map(|outcome| outcome.expect("every job was run"))
        .collect()
}

/// One job on this thread. What the numerics in it say of themselves is not a fraction of the job: that is what its tick says.
fn execute<T>(job: Job<T>, part: &dyn Progress, stop: &AtomicBool) -> Result<T> {
    let or_stop = |asked: ControlFlow<()>| {
        if stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            asked
        }
    };
    let tick = |fraction: f64| or_stop(part.tick(&job.name, fraction));
    if tick(0.0).is_break() {
        return Err(interrupted());
    }
    let alive = Alive::new();
    let outcome = watched(&|_| or_stop(alive.ask(part)), || (job.run)(&tick));
    if outcome.is_ok() {
        let _ = tick(1.0);
    }
    outcome.map_err(|error| error.during(&job.name))
}

/// Runs the jobs on as many threads as there are, each a pool of its own.
fn side_by_side(jobs: &[usize], execute: &(impl Fn(usize) + Sync)) {
    let workers = rayon::current_num_threads().min(jobs.len());
    if workers <= 1 {
        return jobs.iter().for_each(|&k| execute(k));
    }
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(&k) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            execute(k);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| match single_threaded() {
                Some(pool) => pool.install(work),
                None => work(),
            });
        }
    });
}

fn single_threaded() -> Option<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().ok()
}

fn interrupted() -> Error {
    Error::Interrupted {
        when: "before it started".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::Silent;

    #[test]
    fn a_job_that_is_most_of_the_work_comes_last_and_has_all_threads() {
        let began = Mutex::new(Vec::new());
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(2)
            .build()
            .unwrap();
        let job = |weight: f64| {
            let began = &began;
            Job::new("job", weight, move |_: &Tick| {
                began
                    .lock()
                    .unwrap()
                    .push((weight, rayon::current_num_threads()));
                Ok(weight)
            })
        };
        let jobs = vec![job(1.0), job(10.0), job(2.0)];
        let found = pool.install(|| run(jobs, &Silent));
        assert_eq!(found, [Ok(1.0), Ok(10.0), Ok(2.0)]);
        let began = began.lock().unwrap();
        assert_eq!(began[2], (10.0, 2));
        assert!(began[..2].iter().all(|(_, threads)| *threads == 1));
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs_with_their_names_in_errors() {
        let job = |k: u64| {
            Job::new(format!("job {k}"), 1.0, move |tick: &Tick| {
                std::thread::sleep(std::time::Duration::from_millis(8 - 2 * k));
                let _ = tick(0.5);
                if k == 2 {
                    Err(interrupted_by(k))
                } else {
                    Ok(k)
                }
            })
        };
        let found = run((0..4).map(job).collect(), &Silent);
        assert_eq!(found[0], Ok(0));
        let error = found[2].as_ref().unwrap_err().to_string();
        assert!(error.starts_with("job 2: "), "{error}");
        let (whole, outcome) = first_failure(found);
        assert!(whole.len() <= 2 && outcome.unwrap_err().to_string() == error);
    }

    fn interrupted_by(k: u64) -> Error {
        Error::Grid {
            points: vec![k as usize],
            reason: "a test".into(),
        }
    }

    #[test]
    fn a_worker_does_not_split_its_job() {
        let jobs = (0..3).map(|k| {
            Job::new("", 1.0, move |_: &Tick| {
                Ok((k, rayon::current_num_threads()))
            })
        });
        let threads = run(jobs.collect(), &Silent);
        let single = rayon::current_num_threads() > 1;
        for found in threads {
            assert!(!single || found.unwrap().1 == 1);
        }
    }
}
