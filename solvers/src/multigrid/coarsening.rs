//! Every other node: linear interpolation from them, its transpose, and the coarse operator that the two give.
//!
//! Along an axis of an odd number of nodes the last coarse node and the first are neighbours on the fine grid too.

use super::grid::Grid;
use super::stencil::Stencil;
use crate::parallel::for_each_chunk;

/// Axes of no more nodes than this are not coarsened.
const FEWEST: usize = 8;

/// How one axis is coarsened.
#[derive(Debug, Clone, Copy)]
struct Axis {
    fine: usize,
    coarse: usize,
}

/// A fine grid and the next coarser one.
pub(super) struct Coarsening {
    axes: Vec<Axis>,
    fine: Grid,
    pub(super) coarse: Grid,
    /// The operators between, coarsened along one axis more each, the last of them but the coarse one.
    between: Vec<(Grid, Stencil)>,
}

impl Axis {
    fn new(fine: usize) -> Self {
        let coarse = if fine > FEWEST {
            fine.div_ceil(2)
        } else {
            fine
        };
        Self { fine, coarse }
    }

    fn is_kept(self) -> bool {
        self.fine == self.coarse
    }

    /// The fine index of a coarse one.
    fn centre(self, coarse: usize) -> usize {
        if self.is_kept() { coarse } else { 2 * coarse }
    }

    /// Whether there is a fine node between a coarse one and the next.
    fn has_middle(self, coarse: usize) -> bool {
        !self.is_kept() && 2 * coarse + 1 < self.fine
    }

    /// Weights of the fine nodes before, at and after a coarse one in its restriction.
    fn weights(self, coarse: usize) -> [f64; 3] {
        if self.is_kept() {
            return [0.0, 1.0, 0.0];
        }
        let before = (coarse + self.coarse - 1) % self.coarse;
        let side = |coarse| if self.has_middle(coarse) { 0.25 } else { 0.0 };
        [side(before), 0.5, side(coarse)]
    }

    /// The coarse index at or before a fine one, and the shares of it and of the next.
    fn shares(self, fine: usize) -> (usize, [f64; 2]) {
        if self.is_kept() {
            (fine, [1.0, 0.0])
        } else if fine.is_multiple_of(2) {
            (fine / 2, [1.0, 0.0])
        } else {
            (fine / 2, [0.5, 0.5])
        }
    }
}

impl Coarsening {
    /// None if no axis can be coarsened.
    pub(super) fn new(fine: &Grid) -> Option<Self> {
        let axes: Vec<Axis> = fine.points().iter().map(|&n| Axis::new(n)).collect();
        let mut points = fine.points().to_vec();
        let mut between = Vec::new();
        for (axis, along) in axes.iter().enumerate() {
            if !along.is_kept() {
                points[axis] = along.coarse;
                let grid = Grid::new(&points);
                let stencil = Stencil::zeros(&grid);
                between.push((grid, stencil));
            }
        }
        let (coarse, _) = between.pop()?;
        Some(Self {
            axes,
            fine: fine.clone(),
            coarse,
            between,
        })
    }

    /// `R M P`; the margins of the fine coefficients are filled.
    pub(super) fn operator(&mut self, fine: &mut Stencil, coarse: &mut Stencil) {
        let coarsened = (0..self.axes.len()).filter(|&axis| !self.axes[axis].is_kept());
        let mut from = (&self.fine, fine);
        let mut between = self.between.iter_mut();
        for axis in coarsened {
            let along = self.axes[axis];
            match between.next() {
                Some((grid, stencil)) => {
                    coarsen(along, axis, from, (grid, stencil));
                    from = (grid, stencil);
                }
                None => {
                    coarsen(along, axis, from, (&self.coarse, coarse));
                    return;
                }
            }
        }
    }

    /// `out = R r`; r has its margin.
    pub(super) fn restrict(&self, r: &[f64], out: &mut [f64]) {
        let (coarse, d) = (&self.coarse, self.axes.len());
        let last = self.axes[d - 1];
        for_each_chunk(&mut out[coarse.slabs()], coarse.slab(), |slab, out| {
            for (j, place) in coarse.rows_of_slab(slab) {
                let start = place - coarse.slab_start(slab);
                let out = &mut out[start..start + coarse.row()];
                out.fill(0.0);
                for (weight, row) in self.fine_rows([slab, j]) {
                    let r = &r[row - 1..row + last.fine + 1];
                    restrict_row(last, weight, r, out);
                }
            }
        });
    }

    /// `x ← x + P e`; e has its margin.
    pub(super) fn prolong(&self, e: &[f64], x: &mut [f64]) {
        let (fine, d) = (&self.fine, self.axes.len());
        let last = self.axes[d - 1];
        for_each_chunk(&mut x[fine.slabs()], fine.slab(), |slab, x| {
            for (j, place) in fine.rows_of_slab(slab) {
                let start = place - fine.slab_start(slab);
                let x = &mut x[start..start + fine.row()];
                for (share, row) in self.coarse_rows([slab, j]) {
                    prolong_row(last, share, &e[row..row + last.coarse + 1], x);
                }
            }
        });
    }

    /// Weights and places of the fine rows that a coarse one, of such indices along all axes but the last, is made of.
    fn fine_rows(&self, coarse: [usize; 2]) -> impl Iterator<Item = (f64, usize)> {
        let leading = self.axes.len() - 1;
        let along = |axis: usize| match axis < leading {
            true => {
                let (axis, stride, index) = (self.axes[axis], self.fine.stride(axis), coarse[axis]);
                let centre = (axis.centre(index) + 1) * stride;
                (axis.weights(index), centre - stride, stride)
            }
            false => ([1.0, 0.0, 0.0], 0, 0),
        };
        let ((first, i0, si), (second, j0, sj)) = (along(0), along(1));
        let all = (0..3).flat_map(move |i| (0..3).map(move |j| (i, j)));
        all.map(move |(i, j)| (first[i] * second[j], 1 + i0 + i * si + j0 + j * sj))
            .filter(|(weight, _)| *weight != 0.0)
    }

    /// Shares and places of the coarse rows that a fine one is interpolated from.
    fn coarse_rows(&self, fine: [usize; 2]) -> impl Iterator<Item = (f64, usize)> {
        let leading = self.axes.len() - 1;
        let along = |axis: usize| match axis < leading {
            true => {
                let (low, shares) = self.axes[axis].shares(fine[axis]);
                let stride = self.coarse.stride(axis);
                (shares, (low + 1) * stride, stride)
            }
            false => ([1.0, 0.0], 0, 0),
        };
        let ((first, i0, si), (second, j0, sj)) = (along(0), along(1));
        let all = (0..2).flat_map(move |i| (0..2).map(move |j| (i, j)));
        all.map(move |(i, j)| (first[i] * second[j], 1 + i0 + i * si + j0 + j * sj))
            .filter(|(share, _)| *share != 0.0)
    }
}

/// Adds a fine row, margin included, to a coarse one.
fn restrict_row(along: Axis, weight: f64, r: &[f64], out: &mut [f64]) {
    if along.is_kept() {
        out.iter_mut()
            .zip(&r[1..])
            .for_each(|(out, r)| *out += weight * r);
        return;
    }
    for (k, out) in out.iter_mut().enumerate() {
        let [before, at, after] = along.weights(k);
        *out += weight * (before * r[2 * k] + at * r[2 * k + 1] + after * r[2 * k + 2]);
    }
}

/// Adds what a coarse row and the first node of its other side give to a fine one.
fn prolong_row(along: Axis, share: f64, e: &[f64], x: &mut [f64]) {
    if along.is_kept() {
        x.iter_mut().zip(e).for_each(|(x, e)| *x += share * e);
        return;
    }
    for (x, e) in x.chunks_mut(2).zip(e.windows(2)) {
        x[0] += share * e[0];
        if let Some(x) = x.get_mut(1) {
            *x += 0.5 * share * (e[0] + e[1]);
        }
    }
}

/// `R M P` for one axis.
fn coarsen(along: Axis, axis: usize, from: (&Grid, &mut Stencil), to: (&Grid, &mut Stencil)) {
    let ((fine, from), (coarse, to)) = (from, to);
    for plane in &mut from.planes {
        fine.fill_margin(plane);
    }
    let (d, stride) = (
        fine.dimension(),
        from.neighbour(axis, 1) - from.planes.len() / 2,
    );
    for k in 0..to.planes.len() {
        let digit = k / stride % 3;
        let base = k - digit * stride;
        let sources = Sources::new(along, digit as isize - 1);
        let plane = &mut to.planes[k];
        for_each_chunk(&mut plane[coarse.slabs()], coarse.slab(), |slab, out| {
            for (j, place) in coarse.rows_of_slab(slab) {
                let start = place - coarse.slab_start(slab);
                let out = &mut out[start..start + coarse.row()];
                out.fill(0.0);
                for (other, moved, weights) in sources.each() {
                    let field = &from.planes[base + other * stride];
                    let mut index = [slab, j];
                    let across = axis + 1 < d;
                    if across {
                        index[axis] = along.centre(index[axis]);
                    }
                    let row = fine.row_at(index);
                    if across {
                        let row = row.wrapping_add_signed(moved * fine.stride(axis) as isize);
                        let weight = weights[[slab, j][axis]];
                        if weight != 0.0 {
                            let values = &field[row..row + out.len()];
                            out.iter_mut()
                                .zip(values)
                                .for_each(|(out, v)| *out += weight * v);
                        }
                    } else {
                        let values = field[row.wrapping_add_signed(moved)..].iter().step_by(2);
                        for ((out, v), weight) in out.iter_mut().zip(values).zip(weights) {
                            *out += weight * v;
                        }
                    }
                }
            }
        });
    }
}

/// What a coarse coefficient towards `target` consists of: for each row moved from the coarse node and each coefficient of it, the
/// weights by coarse index.
struct Sources(Vec<(usize, isize, Vec<f64>)>);

impl Sources {
    fn new(along: Axis, target: isize) -> Self {
        let mut all = Vec::new();
        for moved in -1..=1isize {
            for other in 0..3usize {
                // Where the neighbour of the row is, seen from the coarse node.
                let away = moved + other as isize - 1;
                let weight = |coarse: usize| {
                    let before = (coarse + along.coarse - 1) % along.coarse;
                    let middle = along.has_middle(if away < 0 { before } else { coarse });
                    let share = match (away.abs(), target) {
                        (0, 0) => 1.0,
                        (1, 0) if middle => 0.5,
                        (1, t) if middle && t == away => 0.5,
                        (1, t) if !middle && t == away => 1.0,
                        (2, t) if t == away.signum() => 1.0,
                        _ => 0.0,
                    };
                    share * along.weights(coarse)[(moved + 1) as usize]
                };
                let weights: Vec<f64> = (0..along.coarse).map(weight).collect();
                if weights.iter().any(|w| *w != 0.0) {
                    all.push((other, moved, weights));
                }
            }
        }
        Self(all)
    }

    fn each(&self) -> impl Iterator<Item = (usize, isize, &[f64])> {
        self.0
            .iter()
            .map(|(other, moved, weights)| (*other, *moved, &weights[..]))
    }
}
