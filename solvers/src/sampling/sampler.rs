//! Independent points of a density `e^{-f}` by rejection under a piecewise constant envelope.

use crate::density::{Jet, LogDensity, Order};
use crate::error::{Error, Result};
use crate::parallel::{max_of, mean_of};
use crate::random::XorShift;
use crate::symmetric::pairs;
use crate::torus::Torus;
use crate::watch;
use rayon::prelude::*;
use std::sync::Arc;

/// Points per generator, hence per parallel task.
const BLOCK: usize = 4096;
/// Proposals evaluated together.
const BATCH: usize = 1024;
/// Cells per axis of the first envelope, and the most of them, by dimension.
const COARSEST: [usize; 3] = [256, 32, 12];
const FINEST: [usize; 3] = [1 << 16, 1 << 10, 96];
/// A finer envelope is tried while fewer proposals than this are accepted.
const ENOUGH: f64 = 0.5;
/// Fewer than this and the envelope does not resolve the density.
const LEAST: f64 = 0.01;
/// Added to the logarithm of the envelope: with the second-order term taken twice it covers the third order.
const MARGIN: f64 = 0.01;

/// Draws from `e^{-f}` on the torus; f may lack its normalising constant.
///
/// On each of a grid of cells `−f ≤ −f(c) + Σ|∂_i f(c)|h_i/2 + Σ|∂_ij f(c)|h_i h_j/4 + 0.01` around the centre c: Taylor's formula with
/// the second-order term doubled. A cell is drawn by the mass of the envelope, a point uniformly in it, and accepted with
/// probability `e^{-f}`/envelope. Every proposal is compared with the envelope, so a bound that fails is an error and never a bias.
pub struct Sampler {
    f: Arc<dyn LogDensity>,
    cells: Torus,
    /// By cell.
    log_envelope: Vec<f64>,
    /// Sum of the envelope over the cells up to this one, over its total.
    cumulative: Vec<f64>,
    acceptance: f64,
}

impl Sampler {
    /// Prepares the envelope, on cells that are halved until half of the proposals are accepted.
    ///
    /// # Errors
    /// [`Error::Density`] where f is not finite, or e^{-f} so concentrated that the finest cells accept less than one in a hundred.
    pub fn new(f: Arc<dyn LogDensity>) -> Result<Self> {
        let d = f.dimension();
        let mut n = COARSEST[d - 1];
        loop {
            let sampler = Self::on_cells(f.clone(), Torus::new(&vec![n; d])?)?;
            if sampler.acceptance >= ENOUGH {
                return Ok(sampler);
            }
            if 2 * n > FINEST[d - 1] {
                return sampler.or_too_concentrated();
            }
            n *= 2;
        }
    }

    fn on_cells(f: Arc<dyn LogDensity>, cells: Torus) -> Result<Self> {
        let (d, len) = (cells.dimension(), cells.len());
        let mut centres = cells.nodes();
        for (axis, x) in centres.iter_mut().enumerate() {
            x.iter_mut().for_each(|x| *x += 0.5 * cells.spacing(axis));
        }
        let mut jet = Jet::zeros(d, len, Order::Hessian);
        f.jet(&centres, &mut jet);
        let log_envelope = bound(&cells, &jet);
        let peak = max_of(len, |i| log_envelope[i]);
        if !peak.is_finite() {
            return Err(Error::Density {
                reason: "f or a derivative is not finite at the centre of a cell".into(),
                remedy: "use a smooth positive density".into(),
            });
        }
        let mut total = 0.0;
        let mut cumulative: Vec<f64> = log_envelope
            .iter()
            .map(|bound| {
                total += (bound - peak).exp();
                total
            })
            .collect();
        cumulative.iter_mut().for_each(|sum| *sum /= total);
        let mass = mean_of(len, |i| (-jet.value[i] - peak).exp());
        Ok(Self {
            f,
            acceptance: mass * len as f64 / total,
            cells,
            log_envelope,
            cumulative,
        })
    }

    fn or_too_concentrated(self) -> Result<Self> {
        if self.acceptance >= LEAST {
            return Ok(self);
        }
        Err(Error::Density {
            reason: format!(
                "only {:.1e} of the proposals under an envelope on {:?} cells would be accepted",
                self.acceptance,
                self.cells.points()
            ),
            remedy: "use a density that is less concentrated".into(),
        })
    }

    /// Fraction of the proposals that is accepted, `∫e^{-f}` over the integral of the envelope.
    pub fn acceptance(&self) -> f64 {
        self.acceptance
    }

    /// `count` independent points in [0, 1)^d, one vector per coordinate. The same seed gives the same points for any number of
    /// threads, and fewer points are the first of more.
    ///
    /// # Errors
    /// [`Error::Density`] if a proposal exceeds the envelope, with the place.
    pub fn draw(&self, count: usize, seed: u64) -> Result<Vec<Vec<f64>>> {
        let draw = |block: usize| {
            watch::on()?;
            let wanted = BLOCK.min(count - block * BLOCK);
            self.draw_block(wanted, XorShift::stream(seed, block as u64))
        };
        let blocks = watch::shared(|watch| {
            let each = (0..count.div_ceil(BLOCK)).into_par_iter();
            each.map(|block| watch.over(|| draw(block)))
                .collect::<Result<Vec<_>>>()
        })?;
        let along = |axis: usize| {
            blocks
                .iter()
                .flat_map(move |block| block[axis].iter().copied())
        };
        Ok((0..self.cells.dimension())
            .map(|axis| along(axis).collect())
            .collect())
    }

    fn draw_block(&self, wanted: usize, mut random: XorShift) -> Result<Vec<Vec<f64>>> {
        let d = self.cells.dimension();
        let mut points = vec![Vec::with_capacity(wanted); d];
        let mut proposals = vec![vec![0.0; BATCH]; d];
        let (mut cell, mut level) = (vec![0; BATCH], vec![0.0; BATCH]);
        let mut f = Jet::zeros(d, BATCH, Order::Value);
        loop {
            for i in 0..BATCH {
                cell[i] = self.cell(random.uniform());
                for (axis, x) in proposals.iter_mut().enumerate() {
                    let index = self.cells.index(cell[i], axis) as f64;
                    x[i] = (index + random.uniform()) * self.cells.spacing(axis);
                }
                level[i] = random.uniform();
            }
            self.f.jet(&proposals, &mut f);
            for i in 0..BATCH {
                let ratio = (-f.value[i] - self.log_envelope[cell[i]]).exp();
                if ratio.is_nan() || ratio > 1.0 {
                    return Err(exceeded(&proposals, i, ratio));
                }
                if level[i] < ratio {
                    for (points, x) in points.iter_mut().zip(&proposals) {
                        points.push(x[i]);
                    }
                    if points[0].len() == wanted {
                        return Ok(points);
                    }
                }
            }
        }
    }

    /// The cell in which the cumulative envelope reaches u.
    fn cell(&self, u: f64) -> usize {
        let cell = self.cumulative.partition_point(|sum| *sum <= u);
        // The last sum may round to less than one.
        cell.min(self.cumulative.len() - 1)
    }
}

/// The logarithm of the envelope on each cell, from the jet at its centre.
fn bound(cells: &Torus, jet: &Jet) -> Vec<f64> {
    let d = cells.dimension();
    let h: Vec<f64> = (0..d).map(|axis| cells.spacing(axis)).collect();
    (0..cells.len())
        .map(|cell| {
            let slopes = jet.gradient.iter().zip(&h);
            let first: f64 = slopes.map(|(g, h)| 0.5 * h * g[cell].abs()).sum();
            let bends = jet.hessian.iter().zip(pairs(d));
            let second: f64 = bends
                .map(|(bend, (i, j))| {
                    let twice = if i == j { 1.0 } else { 2.0 };
                    0.25 * twice * h[i] * h[j] * bend[cell].abs()
                })
                .sum();
            -jet.value[cell] + first + second + MARGIN
        })
        .collect()
}

fn exceeded(proposals: &[Vec<f64>], i: usize, ratio: f64) -> Error {
    let at: Vec<f64> = proposals.iter().map(|x| x[i]).collect();
    Error::Density {
        reason: format!("e^{{-f}} at x = {at:?} is {ratio:.3} times its envelope"),
        remedy: "f bends within a cell of the envelope: use a smoother density".into(),
    }
}
