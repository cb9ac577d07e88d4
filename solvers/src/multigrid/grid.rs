//! A periodic grid with a margin of one node on every side, in which no neighbour needs to be wrapped around.

use super::stencil::TILE;
use std::ops::Range;

/// Shape of the grid; fields are flat, with their margin, in C order.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    points: Vec<usize>,
    strides: Vec<usize>,
}

impl Grid {
    pub(super) fn new(points: &[usize]) -> Self {
        let d = points.len();
        let mut strides = vec![1; d];
        for axis in (0..d - 1).rev() {
            strides[axis] = strides[axis + 1] * (points[axis + 1] + 2);
        }
        Self {
            points: points.to_vec(),
            strides,
        }
    }

    pub(super) fn dimension(&self) -> usize {
        self.points.len()
    }

    /// Nodes along each axis, without the margin.
    pub(super) fn points(&self) -> &[usize] {
        &self.points
    }

    /// Distance in the flat array between neighbours along an axis.
    pub(super) fn stride(&self, axis: usize) -> usize {
        self.strides[axis]
    }

    /// Numbers of a field, margin included, and as many more as let a tile begin anywhere.
    pub(super) fn len(&self) -> usize {
        self.strides[0] * (self.points[0] + 2) + TILE
    }

    /// Numbers of a slab: of the nodes with one index along the first axis, their margin included; in one dimension of all.
    pub(super) fn slab(&self) -> usize {
        if self.dimension() == 1 {
            self.points[0] + 2
        } else {
            self.strides[0]
        }
    }

    /// Where the slabs are, one after the other.
    pub(super) fn slabs(&self) -> Range<usize> {
        if self.dimension() == 1 {
            0..self.slab()
        } else {
            self.slab()..self.slab() * (self.points[0] + 1)
        }
    }

    /// Where one of the slabs begins.
    pub(super) fn slab_start(&self, slab: usize) -> usize {
        self.slabs().start + slab * self.slab()
    }

    /// Nodes of a row, along the last axis.
    pub(super) fn row(&self) -> usize {
        self.points[self.dimension() - 1]
    }

    /// Index along the middle axis, 0 unless there are three, and place of each row of a slab.
    pub(super) fn rows_of_slab(&self, slab: usize) -> impl Iterator<Item = (usize, usize)> {
        let (count, stride) = if self.dimension() == 3 {
            (self.points[1], self.strides[1])
        } else {
            (1, 0)
        };
        let margin: usize = self.strides.iter().skip(1).sum();
        let start = self.slab_start(slab) + if self.dimension() == 1 { 1 } else { margin };
        (0..count).map(move |j| (j, start + j * stride))
    }

    /// Place of a node.
    pub(super) fn place(&self, index: &[usize]) -> usize {
        let terms = index.iter().zip(&self.strides);
        terms.map(|(i, stride)| (i + 1) * stride).sum()
    }

    /// Place of the row with such indices along all axes but the last; further ones do not count.
    pub(super) fn row_at(&self, index: [usize; 2]) -> usize {
        let leading = self.strides[..self.dimension() - 1].iter().zip(index);
        1 + leading.map(|(stride, i)| (i + 1) * stride).sum::<usize>()
    }

    /// Calls `body(index, place)` for every node in C order.
    pub(super) fn for_each(&self, mut body: impl FnMut(&[usize], usize)) {
        let d = self.dimension();
        let at = |axis: usize| self.points.get(axis).copied().unwrap_or(1);
        for i in 0..at(0) {
            for j in 0..at(1) {
                for k in 0..at(2) {
                    let index = &[i, j, k][..d];
                    body(index, self.place(index));
                }
            }
        }
    }

    /// Copies the nodes that the margin stands for into it.
    pub(super) fn fill_margin(&self, field: &mut [f64]) {
        // The axes one after the other: the corners come along.
        let field = &mut field[..self.strides[0] * (self.points[0] + 2)];
        for axis in (0..self.dimension()).rev() {
            let (n, stride) = (self.points[axis], self.strides[axis]);
            for block in field.chunks_exact_mut(stride * (n + 2)) {
                block.copy_within(n * stride..(n + 1) * stride, 0);
                block.copy_within(stride..2 * stride, (n + 1) * stride);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_repeats_the_other_side() {
        for points in [&[5][..], &[6, 5], &[5, 7, 6]] {
            let grid = Grid::new(points);
            let mut field = vec![f64::NAN; grid.len()];
            let name = |index: &[usize]| index.iter().fold(0.0, |sum, i| 10.0 * sum + *i as f64);
            grid.for_each(|index, place| field[place] = name(index));
            grid.fill_margin(&mut field);
            for (place, value) in field[..grid.len() - TILE].iter().enumerate() {
                let index: Vec<usize> = (0..points.len())
                    .map(|axis| place / grid.stride(axis) % (points[axis] + 2))
                    .zip(points)
                    .map(|(i, n)| (i + n - 1) % n)
                    .collect();
                assert_eq!(*value, name(&index), "{points:?} {place}");
            }
        }
    }
}
