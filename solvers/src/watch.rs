//! A watch over long computations: whoever calls may see that they move, how far they are, and end them.
//!
//! The loops that take long (Krylov, Newton, Davidson, quadratures) lie many calls below whoever knows that the user has pressed Ctrl-C.
//! They do not hand a callback through every signature on the way: [`watched`] sets the watch of the current thread for the length of
//! one call, and the loops call [`on`] or [`reached`] as they go, at the latest every tenth of a second or so. Without a watch both do nothing.
//!
//! The watch belongs to the thread and to the call, not to the process: computations side by side do not see each other's, and a
//! call within a call may set its own. Threads that share the work inherit it by [`shared`].
//! No number depends on it.

use crate::error::{Error, Result};
use scoped_tls_hkt::scoped_thread_local;
use std::ops::ControlFlow;

/// Told that the work goes on and, where that is known, which fraction of it is done; breaks to end it.
pub type Watch<'a> = dyn Fn(Option<f64>) -> ControlFlow<()> + Sync + 'a;

scoped_thread_local!(static WATCH: for<'a> &'a Watch<'a>);

/// Runs `work` under `watch`, which replaces that of the caller until it returns.
pub fn watched<R>(watch: &Watch, work: impl FnOnce() -> R) -> R {
    WATCH.set(watch, work)
}

/// Runs `work` as the part between two fractions of what is watched.
pub fn part<R>((from, to): (f64, f64), work: impl FnOnce() -> R) -> R {
    if !WATCH.is_set() {
        return work();
    }
    WATCH.with(|whole| {
        watched(
            &|done| whole(done.map(|done| from + (to - from) * done)),
            work,
        )
    })
}

/// Runs `work`, one of many of its kind, whose own fractions say nothing about the whole.
pub fn one_of_many<R>(work: impl FnOnce() -> R) -> R {
    if !WATCH.is_set() {
        return work();
    }
    WATCH.with(|whole| watched(&|_| whole(None), work))
}

/// Runs `work`, short and worth ending, without the watch of the caller: what is kept of an interrupted computation.
pub fn unwatched<R>(work: impl FnOnce() -> R) -> R {
    watched(&|_| ControlFlow::Continue(()), work)
}

/// The watch of a thread, to be handed to those that share its work.
#[derive(Clone, Copy)]
pub struct Shared<'a>(Option<&'a Watch<'a>>);

/// Gives `work` the watch of this thread to hand on.
pub fn shared<R>(work: impl FnOnce(Shared) -> R) -> R {
    if WATCH.is_set() {
        WATCH.with(|watch| work(Shared(Some(watch))))
    } else {
        work(Shared(None))
    }
}

impl Shared<'_> {
    /// Runs `work` on this thread under the watch handed on.
    pub fn over<R>(self, work: impl FnOnce() -> R) -> R {
        match self.0 {
            Some(watch) => watched(watch, work),
            None => work(),
        }
    }
}

/// The work goes on.
///
/// # Errors
/// [`Error::Interrupted`] when the watch breaks.
pub fn on() -> Result<()> {
    say(None)
}

/// The work goes on, and this fraction of it is done.
///
/// # Errors
/// As [`on`].
pub fn reached(fraction: f64) -> Result<()> {
    say(Some(fraction))
}

fn say(done: Option<f64>) -> Result<()> {
    if WATCH.is_set() && WATCH.with(|watch| watch(done)).is_break() {
        return Err(Error::Interrupted {
            when: "in the midst of a computation".into(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn the_innermost_watch_is_told_and_may_end_the_work() {
        let seen = Mutex::new(Vec::new());
        let watch = |done| {
            let mut seen = seen.lock().unwrap();
            seen.push(done);
            if seen.len() < 4 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        assert_eq!(on(), Ok(()), "nobody watches");
        let outcome = watched(&watch, || {
            on()?;
            part((0.5, 1.0), || part((0.0, 0.5), || reached(0.5)))?;
            one_of_many(|| reached(0.9))?;
            reached(1.0)
        });
        assert!(matches!(outcome, Err(Error::Interrupted { .. })));
        let expected = [None, Some(0.625), None, Some(1.0)];
        assert_eq!(*seen.lock().unwrap(), expected);
        assert_eq!(on(), Ok(()), "the watch ended with its call");
    }

    #[test]
    fn threads_see_the_watch_only_where_it_is_shared() {
        watched(&|_| ControlFlow::Break(()), || {
            assert!(on().is_err());
            let other = |work: &(dyn Fn() -> Result<()> + Sync)| {
                std::thread::scope(|scope| scope.spawn(work).join()).unwrap()
            };
            assert_eq!(other(&on), Ok(()));
            shared(|watch| assert!(other(&|| watch.over(on)).is_err()));
        });
    }
}
