//! The columns of one macro step: the same time with ever smaller ε, side by side.

use super::control::{Control, Errors};
use super::ladder::Ladder;
use super::symmetric::Symmetric;
use super::tableau;
use crate::error::Result;
use crate::parallel::sup_difference;
use crate::watch;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Columns j = 1, …, k: j symmetric iterations at ε = H/j.
pub struct Columns {
    step: f64,
    /// Grid of each column.
    rungs: Vec<usize>,
    /// Results, all on the last column's grid.
    fields: Vec<Vec<f64>>,
    /// Largest curvature along each axis that each column met.
    curvature: Vec<Vec<f64>>,
}

impl Columns {
    /// From `start`, given on a rung.
    ///
    /// # Errors
    /// As [`Ladder::rung`]; [`crate::Error::Interrupted`].
    pub fn run(ladder: &mut Ladder, tried: Control, rung: usize, start: &[f64]) -> Result<Self> {
        let epsilon = |j: usize| tried.step / j as f64;
        let rungs = (1..tried.columns + 1)
            .map(|j| ladder.rung(epsilon(j)))
            .collect::<Result<Vec<_>>>()?;
        let mut starts = BTreeMap::new();
        for &to in &rungs {
            let carry = || ladder.carry(start, rung, to);
            starts.entry(to).or_insert_with(carry);
        }
        // That balances two cores.
        let column = |j: usize| {
            let (on, start) = (ladder.at(rungs[j - 1]), &starts[&rungs[j - 1]]);
            Symmetric::new(on, epsilon(j)).run(on, start, j)
        };
        let mut done = watch::shared(|watch| {
            let longest_first = (1..tried.columns + 1).into_par_iter().rev();
            let columns = longest_first.with_max_len(1);
            columns
                .map(|j| watch.over(|| column(j)))
                .collect::<Result<Vec<_>>>()
        })?;
        done.reverse();
        let finest = rungs[tried.columns - 1];
        let (fields, curvature): (Vec<Vec<f64>>, Vec<Vec<f64>>) = done.into_iter().unzip();
        let carried = fields.iter().zip(&rungs);
        Ok(Self {
            step: tried.step,
            fields: carried
                .map(|(field, &from)| ladder.carry(field, from, finest))
                .collect(),
            rungs,
            curvature,
        })
    }

    pub fn iterations(&self) -> usize {
        (1..=self.rungs.len()).sum()
    }

    /// The rung of the results.
    pub fn finest(&self) -> usize {
        self.rungs[self.rungs.len() - 1]
    }

    /// The extrapolated field. The estimates compare it, and that of one column fewer, with those without the first column, which
    /// are of two orders less.
    pub fn extrapolate(&self) -> (Vec<f64>, Errors) {
        let k = self.fields.len();
        let sum = |from: usize, to: usize| combine(&self.fields[from - 1..to], from);
        let best = sum(1, k);
        let errors = Errors {
            all: sup_difference(&best, &sum(2, k)),
            without_last: sup_difference(&sum(1, k - 1), &sum(2, k - 1)),
        };
        (best, errors)
    }

    /// Whether every column had a grid fine enough for the curvatures that it met and for the result `p`; the ladder is told.
    pub fn resolved(&self, ladder: &mut Ladder, p: &[f64]) -> bool {
        let met = (1..).zip(&self.rungs).zip(&self.curvature);
        let curved = met.fold(true, |all, ((j, &rung), curvature)| {
            all & ladder.resolves(rung, self.step / j as f64, curvature)
        });
        ladder.remember(&self.curvature);
        curved & ladder.keeps(self.finest(), p, &self.rungs)
    }
}

/// The value at ε = 0 from the columns `first …`.
fn combine(fields: &[Vec<f64>], first: usize) -> Vec<f64> {
    let weights = tableau::weights(first, first + fields.len() - 1);
    let mut out = vec![0.0; fields[0].len()];
    for (field, weight) in fields.iter().zip(weights) {
        for (out, value) in out.iter_mut().zip(field) {
            *out += weight * value;
        }
    }
    out
}
