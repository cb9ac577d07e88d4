//! Relaxation by lines: all nodes of a line at once, the other lines held.
//!
//! A line is a periodic tridiagonal system, factored once without pivoting as L U, in which the coupling of its ends fills the last
//! row of L and the last column of U. Lines that do not touch have the same colour and are solved side by side, [`LANES`] in a bundle.

use super::grid::Grid;
use super::stencil::{Stencil, TILE};
use crate::parallel::for_each_chunk;
use multiversion::multiversion;

/// Lines of a bundle.
const LANES: usize = 8;
type Lanes = [f64; LANES];

/// Of a row of a line: its coupling with the row before over that row's pivot, what the last row takes from it, the inverse pivot,
/// and the couplings with the next and with the last row, over the pivot.
#[derive(Clone, Copy)]
struct Factor {
    before: Lanes,
    taken: Lanes,
    inverse: Lanes,
    next: Lanes,
    last: Lanes,
}

const EMPTY: Factor = Factor {
    before: [0.0; LANES],
    taken: [0.0; LANES],
    inverse: [0.0; LANES],
    next: [0.0; LANES],
    last: [0.0; LANES],
};

/// The lines along one axis.
pub(super) struct Lines {
    length: usize,
    stride: usize,
    /// Positions of the neighbours along the line among the coefficients of a node.
    sides: (usize, usize),
    colours: Vec<Colour>,
    corrections: Vec<Lanes>,
}

/// Lines that do not touch.
struct Colour {
    /// Where the lines of a bundle begin, the last one repeated to fill up, and how many there are.
    starts: Vec<[usize; LANES]>,
    used: Vec<usize>,
    factors: Vec<Factor>,
}

impl Lines {
    pub(super) fn new(grid: &Grid, stencil: &Stencil, axis: usize) -> Self {
        let length = grid.points()[axis];
        // Lines across the rows of the grid are taken from one tile.
        let reach = if grid.stride(axis) == 1 {
            usize::MAX / 2
        } else {
            TILE
        };
        let colours: Vec<Colour> = colours(grid, axis)
            .into_iter()
            .map(|lines| Colour::new(&lines, length, reach))
            .collect();
        let most = colours.iter().map(|c| c.factors.len()).max().unwrap_or(0);
        Self {
            length,
            stride: grid.stride(axis),
            sides: (stencil.neighbour(axis, -1), stencil.neighbour(axis, 1)),
            corrections: vec![[0.0; LANES]; most],
            colours,
        }
    }

    /// Factors the lines of a stencil.
    pub(super) fn factor(&mut self, stencil: &Stencil) {
        let (length, stride, sides) = (self.length, self.stride, self.sides);
        for colour in &mut self.colours {
            let starts = &colour.starts;
            for_each_chunk(&mut colour.factors, length, |bundle, factors| {
                for (lane, start) in starts[bundle].iter().enumerate() {
                    let planes = [sides.0, stencil.planes.len() / 2, sides.1];
                    let row = |i: usize| planes.map(|k| stencil.planes[k][start + i * stride]);
                    factor_line(row, lane, factors);
                }
            });
        }
    }

    /// Solves on the lines of one colour after the other for `stencil·x = b`; x has its margin before and after.
    pub(super) fn relax(&mut self, grid: &Grid, stencil: &Stencil, b: &[f64], x: &mut [f64]) {
        let (length, stride) = (self.length, self.stride);
        for colour in &self.colours {
            let corrections = &mut self.corrections[..colour.factors.len()];
            let known = &*x;
            for_each_chunk(corrections, length, |bundle, rows| {
                residuals(stencil, b, known, &colour.starts[bundle], stride, rows);
                let factors = &colour.factors[bundle * length..][..length];
                solve(factors, rows);
            });
            let bundles = colour.starts.iter().zip(&colour.used);
            for ((starts, used), rows) in bundles.zip(corrections.chunks_exact(length)) {
                for (i, row) in rows.iter().enumerate() {
                    for (start, value) in starts[..*used].iter().zip(row) {
                        x[start + i * stride] += value;
                    }
                }
            }
            grid.fill_margin(x);
        }
    }
}

impl Colour {
    /// Bundles of lines that begin within `reach` of each other.
    fn new(lines: &[usize], length: usize, reach: usize) -> Self {
        let (mut starts, mut used) = (Vec::new(), Vec::new());
        let mut rest = lines;
        while !rest.is_empty() {
            let near = rest.iter().take(LANES);
            let count = near.take_while(|start| **start < rest[0] + reach).count();
            starts.push(std::array::from_fn(|lane| rest[lane.min(count - 1)]));
            used.push(count);
            rest = &rest[count..];
        }
        Self {
            factors: vec![EMPTY; starts.len() * length],
            used,
            starts,
        }
    }
}

/// First places of the lines along an axis, by colour: the parities of the other indices, the last index of an odd number apart.
fn colours(grid: &Grid, axis: usize) -> Vec<Vec<usize>> {
    let mut colours = vec![Vec::new(); 9];
    grid.for_each(|index, place| {
        if index[axis] > 0 {
            return;
        }
        let others = (0..index.len()).filter(|other| *other != axis);
        let colour = others.fold(0, |sum, other| {
            let (i, n) = (index[other], grid.points()[other]);
            3 * sum + if i + 1 == n && n % 2 == 1 { 2 } else { i % 2 }
        });
        colours[colour].push(place);
    });
    colours.retain(|lines| !lines.is_empty());
    colours
}

/// The factors of one line, whose rows are `[before, diagonal, next]`.
fn factor_line(row: impl Fn(usize) -> [f64; 3], lane: usize, factors: &mut [Factor]) {
    let n = factors.len();
    let end = row(n - 1);
    // The last row, as far as it is not yet eliminated: its entry in the current column, and its diagonal.
    let (mut entry, mut corner) = (end[2], end[1]);
    // The last column in the current row, before the division by the pivot.
    let mut column = row(0)[0];
    let (mut inverse, mut next) = (0.0, 0.0);
    for (i, factor) in factors[..n - 1].iter_mut().enumerate() {
        let [before, diagonal, after] = row(i);
        let (multiplier, pivot) = if i == 0 {
            (0.0, diagonal)
        } else {
            (before, diagonal - before * next)
        };
        if i > 0 {
            column = -multiplier * column * inverse;
        }
        if i == n - 2 {
            column += after;
            entry += end[0];
        }
        inverse = 1.0 / pivot;
        next = if i < n - 2 { after * inverse } else { 0.0 };
        factor.before[lane] = multiplier;
        factor.inverse[lane] = inverse;
        factor.next[lane] = next;
        factor.last[lane] = column * inverse;
        factor.taken[lane] = entry;
        corner -= entry * column * inverse;
        entry *= -next;
    }
    let factor = &mut factors[n - 1];
    factor.inverse[lane] = 1.0 / corner;
}

/// `b − stencil·x` on the lines of a bundle.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn residuals(
    stencil: &Stencil,
    b: &[f64],
    x: &[f64],
    starts: &[usize; LANES],
    stride: usize,
    rows: &mut [Lanes],
) {
    if stride == 1 {
        for (lane, start) in starts.iter().enumerate() {
            for (tile, rows) in rows.chunks_mut(TILE).enumerate() {
                let values = stencil.residual(b, x, start + tile * TILE);
                for (row, value) in rows.iter_mut().zip(values) {
                    row[lane] = value;
                }
            }
        }
    } else {
        let lanes = starts.map(|start| start - starts[0]);
        for (i, row) in rows.iter_mut().enumerate() {
            let values = stencil.residual(b, x, starts[0] + i * stride);
            *row = lanes.map(|lane| values[lane]);
        }
    }
}

/// Solves the factored lines of a bundle in place.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn solve(factors: &[Factor], rows: &mut [Lanes]) {
    let n = rows.len();
    let mut done = [0.0; LANES];
    let mut taken = [0.0; LANES];
    for (factor, row) in factors[..n - 1].iter().zip(rows.iter_mut()) {
        for k in 0..LANES {
            done[k] = (row[k] - factor.before[k] * done[k]) * factor.inverse[k];
            row[k] = done[k];
            taken[k] += factor.taken[k] * done[k];
        }
    }
    let mut last = [0.0; LANES];
    for k in 0..LANES {
        last[k] = (rows[n - 1][k] - taken[k]) * factors[n - 1].inverse[k];
    }
    rows[n - 1] = last;
    let mut known = last;
    for (factor, row) in factors[..n - 1].iter().zip(rows.iter_mut()).rev() {
        for k in 0..LANES {
            known[k] = row[k] - factor.next[k] * known[k] - factor.last[k] * last[k];
            row[k] = known[k];
        }
    }
}
