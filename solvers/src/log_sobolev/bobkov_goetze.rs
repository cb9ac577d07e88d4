//! Bobkov–Götze on the circle: a Hardy-type criterion that sees mass and barriers instead of sup and inf.

use super::{LogSobolev, Method, refined};
use crate::torus::Torus;
use std::f64::consts::E;

/// Cells of the finer grid between two places where the circle is cut, until the best of them is refined.
const CUT_EVERY: usize = 8;

/// Rounding of a sum of the masses of cells: a median on the edge of a cell must not slip into the next.
const ROUND_OFF: f64 = 1e-12;

/// `κ = 1/(2 min_a max(B₋, B₊))` for `π = e^{-f}` on the circle, cut open at a.
///
/// On an interval with median m,
/// ```text
/// Ent_π(h²) ≤ C ∫ h'² π,   C ≤ 4 max(B₋, B₊),   B₊ = sup_{x>m} g(π([x,∞))) ∫_m^x dx/π,   g(t) = t ln(1 + e²/t),
/// ```
/// B₋ likewise to the left: Bobkov & Götze (1999) with the constants of Barthe & Roberto, *Sobolev inequalities for probability
/// measures on the real line*, Studia Math. 159 (2003). A function on the circle is one on the interval `(a, a+1)`, for any
/// a. With μ = h²π, KL(μ|π) = Ent_π(h²) and I(μ|π) = 4∫h'²π, so κ = 2/C.
///
/// The suprema are bounded cell by cell from above, g increasing in the tail at the cell's start and the resistance at its end, so the
/// discretisation errs on the safe side (relatively by |f'|h); the integrals over cells are Simpson's.
pub fn bobkov_goetze(torus: &Torus, f: &[f64]) -> LogSobolev {
    let (_, fine) = refined(torus, f);
    let cells = Cells::new(&fine);
    let (count, mut best) = (cells.len(), (f64::INFINITY, 0));
    let mut consider = |cut: usize| {
        let b = cells.larger_b(cut % count, best.0);
        if b < best.0 {
            best = (b, cut % count);
        }
        best.1
    };
    // The highest barrier first: it is likely to be nearly the best, so that the others can be given up early.
    let barrier = argmax(&fine) / 2 / CUT_EVERY * CUT_EVERY;
    let coarse = (barrier..barrier + count).step_by(CUT_EVERY);
    let near = coarse.map(&mut consider).last().unwrap_or(barrier);
    (near + count - CUT_EVERY..near + count + CUT_EVERY).for_each(|cut| {
        consider(cut);
    });
    LogSobolev {
        kappa: 0.5 / best.0,
        method: Method::BobkovGoetze,
    }
}

fn argmax(f: &[f64]) -> usize {
    (0..f.len()).fold(0, |best, i| if f[i] > f[best] { i } else { best })
}

/// `∫π` and `∫1/π` over the cells of the circle, π of unit mass.
struct Cells {
    mass: Vec<f64>,
    resistance: Vec<f64>,
}

impl Cells {
    /// Two spacings of `f` to a cell, by Simpson's rule.
    fn new(f: &[f64]) -> Self {
        let n = f.len() / 2;
        let lowest = f.iter().copied().fold(f64::INFINITY, f64::min);
        let integrals = |sign: f64| -> Vec<f64> {
            let at = |i: usize| (sign * (f[i % f.len()] - lowest)).exp();
            (0..n)
                .map(|k| (at(2 * k) + 4.0 * at(2 * k + 1) + at(2 * k + 2)) / (6.0 * n as f64))
                .collect()
        };
        let (mut mass, mut resistance) = (integrals(-1.0), integrals(1.0));
        let total: f64 = mass.iter().sum();
        mass.iter_mut().for_each(|m| *m /= total);
        resistance.iter_mut().for_each(|r| *r *= total);
        Self { mass, resistance }
    }

    fn len(&self) -> usize {
        self.mass.len()
    }

    /// max(B₋, B₊) for the circle cut before the cell `cut`, bounded from above; anything ≥ `enough` once that is reached.
    fn larger_b(&self, cut: usize, enough: f64) -> f64 {
        let n = self.len();
        let up = |k: usize| (cut + k) % n;
        let down = |k: usize| (cut + n - 1 - k) % n;
        let right = self.one_sided(&up, enough);
        if right >= enough {
            return right;
        }
        right.max(self.one_sided(&down, enough))
    }

    /// B₊ for the cells in the order `cell(0), cell(1), …`.
    fn one_sided(&self, cell: &impl Fn(usize) -> usize, enough: f64) -> f64 {
        let n = self.len();
        // From the far end inwards: tails are sums of positive terms, without cancellation.
        let mut tails = vec![0.0; n];
        let (mut tail, mut median) = (0.0, n);
        while median > 0 && tail < 0.5 - ROUND_OFF {
            median -= 1;
            tail += self.mass[cell(median)];
            tails[median] = tail;
        }
        let (mut resistance, mut largest) = (0.0, 0.0f64);
        for k in median..n {
            resistance += self.resistance[cell(k)];
            let tail: f64 = f64::min(tails[k], 0.5);
            largest = largest.max(tail * (E * E / tail).ln_1p() * resistance);
            if largest >= enough {
                break;
            }
        }
        largest
    }
}
