//! Geometric multigrid for `identity·w + c (b·∇w − A:∇²w) = r` with variable coefficients on the periodic grid.
//!
//! Second-order differences; one V-cycle with alternating zebra relaxation by lines before each coarsening and none after, linear
//! interpolation, its transpose and Galerkin's coarse operators, LU at the end. Lines are what makes it indifferent to anisotropy
//! along the axes: a point relaxation needs more cycles the larger the contrast (Trottenberg, Oosterlee & Schüller, *Multigrid*
//! (2001), chapter 5). In one dimension the whole grid is one line, so that relaxation alone is exact.

mod coarsening;
mod direct;
mod grid;
mod lines;
mod stencil;

pub use stencil::Coefficients;

use crate::parallel::for_each_chunk;
use coarsening::Coarsening;
use direct::Direct;
use grid::Grid;
use lines::Lines;
use stencil::{Stencil, residual_row};

/// Hierarchy of grids with their operators, allocated once.
pub struct Multigrid {
    levels: Vec<Level>,
    /// None in one dimension.
    direct: Option<Direct>,
}

struct Level {
    grid: Grid,
    stencil: Stencil,
    lines: Vec<Lines>,
    x: Vec<f64>,
    b: Vec<f64>,
    residual: Vec<f64>,
    /// To the next level.
    coarsening: Option<Coarsening>,
}

impl Multigrid {
    /// For fields on a grid of so many points along each axis; the operator is zero until [`Self::adopt`].
    pub fn new(points: &[usize]) -> Self {
        let mut levels = vec![Level::new(Grid::new(points))];
        if points.len() == 1 {
            levels[0].coarsening = None;
            return Self {
                levels,
                direct: None,
            };
        }
        while let Some(coarsening) = &levels[levels.len() - 1].coarsening {
            let level = Level::new(coarsening.coarse.clone());
            levels.push(level);
        }
        let last = &levels[levels.len() - 1];
        let direct = Some(Direct::new(&last.grid));
        Self { levels, direct }
    }

    /// Takes the coefficients of an operator.
    pub fn adopt(&mut self, coefficients: Coefficients) {
        let finest = &mut self.levels[0];
        finest.stencil.assemble(&finest.grid, coefficients);
        for k in 1..self.levels.len() {
            let (fine, coarse) = self.levels.split_at_mut(k);
            fine[k - 1].coarsen_to(&mut coarse[0]);
        }
        let (last, others) = self.levels.split_last_mut().expect("one at least");
        let relaxed = others.iter_mut();
        match &mut self.direct {
            Some(direct) => {
                direct.factor(&last.stencil);
                relaxed.for_each(Level::factor);
            }
            None => last.factor(),
        }
    }

    /// Where the node of each number is in [`Self::right_side`] and [`Self::solution`].
    pub fn places(&self) -> Vec<usize> {
        let mut places = Vec::new();
        self.levels[0].grid.for_each(|_, place| places.push(place));
        places
    }

    /// The right-hand side, at the [`Self::places`] of the nodes.
    pub fn right_side(&mut self) -> &mut [f64] {
        &mut self.levels[0].b
    }

    /// What [`Self::cycle`] found, with its margin.
    pub fn solution(&self) -> &[f64] {
        &self.levels[0].x
    }

    /// Offsets of places and weights of `identity·w − c M:∇²w` by the same differences, M constant and packed.
    pub fn constant_coefficients(&self, identity: f64, c: f64, m: &[f64]) -> Vec<(isize, f64)> {
        stencil::constant(&self.levels[0].grid, identity, c, m)
    }

    /// Solves approximately, linearly in the right-hand side.
    pub fn cycle(&mut self) {
        cycle(&mut self.levels, self.direct.as_mut());
    }
}

fn cycle(levels: &mut [Level], direct: Option<&mut Direct>) {
    let (level, coarser) = levels.split_first_mut().expect("one at least");
    let Some(coarsening) = level.coarsening.take() else {
        match direct {
            Some(direct) => {
                direct.solve(&level.b, &mut level.x);
                level.grid.fill_margin(&mut level.x);
            }
            None => level.relax(),
        }
        return;
    };
    level.relax();
    level.compute_residual();
    coarsening.restrict(&level.residual, &mut coarser[0].b);
    cycle(coarser, direct);
    coarsening.prolong(&coarser[0].x, &mut level.x);
    level.grid.fill_margin(&mut level.x);
    level.coarsening = Some(coarsening);
}

impl Level {
    fn new(grid: Grid) -> Self {
        let stencil = Stencil::zeros(&grid);
        let zeros = || vec![0.0; grid.len()];
        let lines = (0..grid.dimension()).map(|axis| Lines::new(&grid, &stencil, axis));
        Self {
            lines: lines.collect(),
            x: zeros(),
            b: zeros(),
            residual: zeros(),
            coarsening: Coarsening::new(&grid),
            stencil,
            grid,
        }
    }

    fn coarsen_to(&mut self, coarse: &mut Level) {
        if let Some(coarsening) = &mut self.coarsening {
            coarsening.operator(&mut self.stencil, &mut coarse.stencil);
        }
    }

    fn factor(&mut self) {
        for lines in &mut self.lines {
            lines.factor(&self.stencil);
        }
    }

    /// One sweep along each axis, from zero.
    fn relax(&mut self) {
        self.x.fill(0.0);
        for lines in &mut self.lines {
            lines.relax(&self.grid, &self.stencil, &self.b, &mut self.x);
        }
    }

    /// `b − stencil·x`, with its margin.
    fn compute_residual(&mut self) {
        let (grid, stencil, b, x) = (&self.grid, &self.stencil, &self.b, &self.x);
        let out = &mut self.residual[grid.slabs()];
        for_each_chunk(out, grid.slab(), |slab, out| {
            for (_, place) in grid.rows_of_slab(slab) {
                let start = place - grid.slab_start(slab);
                residual_row(stencil, b, x, place, &mut out[start..start + grid.row()]);
            }
        });
        grid.fill_margin(&mut self.residual);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symmetric::{packed_len, pairs};

    fn wave(i: usize, phase: f64) -> f64 {
        (0.7 * i as f64 + 0.01 * (i * i % 97) as f64 + phase).sin()
    }

    /// Rough coefficients, positive definite.
    fn rough(points: &[usize]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let (d, nodes) = (points.len(), points.iter().product());
        let field = |size: f64, offset: f64, phase: f64| -> Vec<f64> {
            (0..nodes).map(|i| offset + size * wave(i, phase)).collect()
        };
        let entry = |(i, j): (usize, usize)| match i == j {
            true => field(0.8, 1.0, i as f64),
            false => field(0.05, 0.0, (i + 3 * j) as f64),
        };
        let a: Vec<_> = pairs(d).map(entry).collect();
        assert_eq!(a.len(), packed_len(d));
        (a, (0..d).map(|i| field(2.0, 0.3, 5.0 + i as f64)).collect())
    }

    fn ready(points: &[usize]) -> Multigrid {
        let (a, drift) = rough(points);
        let mut multigrid = Multigrid::new(points);
        multigrid.adopt(Coefficients {
            identity: 1.0,
            c: 0.03,
            a: &a,
            drift: &drift,
        });
        multigrid
    }

    fn fill(grid: &Grid, field: &mut [f64]) {
        let mut number = 0;
        grid.for_each(|_, place| {
            field[place] = wave(number, 2.0);
            number += 1;
        });
        grid.fill_margin(field);
    }

    #[test]
    fn coarse_operators_are_those_of_galerkin() {
        for points in [&[18, 20][..], &[34, 6], &[10, 18, 12], &[18, 6, 22]] {
            let mut multigrid = ready(points);
            for k in 1..multigrid.levels.len() {
                let (fine, coarse) = multigrid.levels.split_at_mut(k);
                let (fine, coarse) = (&mut fine[k - 1], &mut coarse[0]);
                let coarsening = fine.coarsening.as_ref().unwrap();
                fill(&coarse.grid, &mut coarse.x);
                coarse.b.fill(0.0);
                coarse.compute_residual();
                fine.x.fill(0.0);
                coarsening.prolong(&coarse.x, &mut fine.x);
                fine.grid.fill_margin(&mut fine.x);
                fine.b.fill(0.0);
                fine.compute_residual();
                let mut expected = vec![0.0; coarse.grid.len()];
                let coarsening = fine.coarsening.as_ref().unwrap();
                coarsening.restrict(&fine.residual, &mut expected);
                coarse.grid.for_each(|index, place| {
                    let error = (coarse.residual[place] - expected[place]).abs();
                    let size = 1e-12 * coarse.stencil.planes[0].len() as f64;
                    assert!(error < size, "{points:?} {k} {index:?}: {error:e}");
                });
            }
        }
    }

    #[test]
    fn one_cycle_is_exact_in_one_dimension() {
        for points in [&[6][..], &[22], &[250]] {
            let mut multigrid = ready(points);
            let finest = &mut multigrid.levels[0];
            fill(&finest.grid, &mut finest.b);
            multigrid.cycle();
            let finest = &mut multigrid.levels[0];
            finest.compute_residual();
            finest.grid.for_each(|index, place| {
                let residual = finest.residual[place];
                assert!(residual.abs() < 1e-10, "{points:?} {index:?}: {residual:e}");
            });
        }
    }

    #[test]
    fn a_cycle_has_the_same_bits_for_any_number_of_threads() {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                let mut multigrid = ready(&[150, 140]);
                let finest = &mut multigrid.levels[0];
                fill(&finest.grid.clone(), &mut finest.b);
                multigrid.cycle();
                let bits = multigrid.solution().iter().map(|x| x.to_bits());
                bits.collect::<Vec<_>>()
            })
        };
        assert_eq!(on(1), on(3));
    }
}
