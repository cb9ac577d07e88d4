//! How the step of mirror descent changes with the iteration.

/// A rule for η_k, k = 0, 1, …, T−1. η has the unit of the flow's time.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// η_k = η. The average KL is then at most `B_0/(ηT) + ηG²/2m`.
    Constant(f64),
    /// η_k = c/(k+1).
    Harmonic(f64),
    /// η_k = c log T/T for a run of T ≥ 2 steps (T = 1 gives 0, which is refused).
    LogOverT(f64),
    /// η_k = safety × the stability limit at ψ_k; 0.5 is a good start, more than 1 only for implicit steps.
    Adaptive { safety: f64 },
    /// η_k = the k-th entry; the run ends with the list.
    List(Vec<f64>),
}

impl Schedule {
    /// Steps that a run of at most `steps` takes.
    pub fn length(&self, steps: usize) -> usize {
        match self {
            Self::List(list) => steps.min(list.len()),
            _ => steps,
        }
    }

    /// η_k of a run of `total` steps where the stability limit is `limit`.
    ///
    /// # Panics
    /// Past the end of a list.
    pub fn step(&self, k: usize, total: usize, limit: f64) -> f64 {
        match self {
            Self::Constant(eta) => *eta,
            Self::Harmonic(c) => c / (k + 1) as f64,
            Self::LogOverT(c) => c * (total as f64).ln() / total as f64,
            Self::Adaptive { safety } => safety * limit,
            Self::List(list) => list[k],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_what_they_are_called() {
        assert_eq!(Schedule::Constant(0.1).step(7, 9, 1.0), 0.1);
        assert_eq!(Schedule::Harmonic(0.6).step(2, 9, 1.0), 0.6 / 3.0);
        assert_eq!(
            Schedule::LogOverT(2.0).step(5, 8, 1.0),
            2.0 * 8f64.ln() / 8.0
        );
        assert_eq!(Schedule::Adaptive { safety: 0.5 }.step(5, 8, 0.2), 0.1);
        let list = Schedule::List(vec![0.3, 0.2]);
        assert_eq!(
            (list.step(1, 2, 1.0), list.length(9), list.length(1)),
            (0.2, 2, 1)
        );
    }
}
