//! The periodic grid: `T^d = (R/Z)^d`, nodes `x_i = i/n`, integrals as node means.
//!
//! A field is a flat slice with one value per node in C order; the torus knows its shape `[n_1, …, n_d]`.

use crate::error::{Error, Result};
use crate::parallel::for_each_block;

/// The uniform grid on `(R/Z)^d`, d = 1, 2, 3, with an even number of nodes along each axis.
///
/// Even, so that there is one Nyquist mode per axis, treated in one place, and n/2 + 1 modes in a half-spectrum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torus {
    points: Vec<usize>,
}

/// Fewest nodes along an axis: the fourth-order stencil needs five.
pub const FEWEST_POINTS: usize = 6;

impl Torus {
    /// The grid with `points[i]` nodes along axis `i`.
    ///
    /// # Errors
    /// [`Error::Grid`] unless there are 1 to 3 axes of an even number ≥ [`FEWEST_POINTS`] of nodes.
    pub fn new(points: &[usize]) -> Result<Self> {
        let refuse = |reason: String| {
            Err(Error::Grid {
                points: points.to_vec(),
                reason,
            })
        };
        if !(1..=3).contains(&points.len()) {
            return refuse(format!("1 to 3 axes are supported, {} given", points.len()));
        }
        if let Some(n) = points.iter().find(|&&n| n < FEWEST_POINTS) {
            return refuse(format!(
                "{n} points along an axis, at least {FEWEST_POINTS} needed"
            ));
        }
        if let Some(n) = points.iter().find(|&&n| n % 2 == 1) {
            return refuse(format!(
                "{n} points along an axis is odd; use {} or {}",
                n - 1,
                n + 1
            ));
        }
        if points
            .iter()
            .try_fold(1usize, |a, &n| a.checked_mul(n))
            .is_none()
        {
            return refuse("more nodes than this machine can count".into());
        }
        Ok(Self {
            points: points.to_vec(),
        })
    }

    /// Number of axes d.
    pub fn dimension(&self) -> usize {
        self.points.len()
    }

    /// Nodes along each axis.
    pub fn points(&self) -> &[usize] {
        &self.points
    }

    /// Number of nodes in all.
    #[expect(clippy::len_without_is_empty, reason = "a torus is never empty")]
    pub fn len(&self) -> usize {
        self.points.iter().product()
    }

    /// Spacing `h = 1/n` along an axis.
    pub fn spacing(&self, axis: usize) -> f64 {
        1.0 / self.points[axis] as f64
    }

    /// Distance in the flat array between neighbours along an axis.
    pub fn stride(&self, axis: usize) -> usize {
        self.points[axis + 1..].iter().product()
    }

    /// Index along `axis` of the node with flat index `node`.
    pub fn index(&self, node: usize, axis: usize) -> usize {
        node / self.stride(axis) % self.points[axis]
    }

    /// Coordinates of the node with flat index `node`.
    pub fn node(&self, node: usize) -> Vec<f64> {
        (0..self.dimension())
            .map(|axis| self.index(node, axis) as f64 / self.points[axis] as f64)
            .collect()
    }

    /// Coordinates of all nodes, one vector per axis.
    pub fn nodes(&self) -> Vec<Vec<f64>> {
        (0..self.dimension())
            .map(|axis| self.coordinate(axis))
            .collect()
    }

    /// One coordinate of all nodes.
    fn coordinate(&self, axis: usize) -> Vec<f64> {
        let (n, stride) = (self.points[axis], self.stride(axis));
        let mut coordinate = vec![0.0; self.len()];
        // Counted rather than divided: two divisions a node would be most of the time that a large grid takes to set up.
        for_each_block(&mut coordinate, |start, block| {
            let (mut index, mut repeated) = (start / stride % n, start % stride);
            for x in block {
                *x = index as f64 / n as f64;
                repeated += 1;
                if repeated == stride {
                    (index, repeated) = (if index + 1 == n { 0 } else { index + 1 }, 0);
                }
            }
        });
        coordinate
    }

    /// The grid with each axis' number of nodes replaced by `f(n)`, rounded up to even.
    pub fn resized(&self, f: impl Fn(usize) -> usize) -> Result<Self> {
        let points: Vec<usize> = self
            .points
            .iter()
            .map(|&n| f(n).next_multiple_of(2))
            .collect();
        Self::new(&points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_follow_c_order() {
        let torus = Torus::new(&[8, 10]).unwrap();
        assert_eq!(torus.len(), 80);
        assert_eq!(torus.node(13), vec![1.0 / 8.0, 3.0 / 10.0]);
        assert_eq!(torus.nodes()[1][13], 3.0 / 10.0);
        // More nodes than a block, whose bounds are not those of rows.
        for points in [&[20_000][..], &[130, 150], &[30, 26, 34]] {
            let torus = Torus::new(points).unwrap();
            let nodes = torus.nodes();
            for node in 0..torus.len() {
                let listed: Vec<f64> = nodes.iter().map(|x| x[node]).collect();
                assert_eq!(listed, torus.node(node));
            }
        }
    }

    #[test]
    fn impossible_grids_are_refused_with_a_remedy() {
        for (points, said) in [
            (vec![], "1 to 3 axes"),
            (vec![8; 4], "1 to 3 axes"),
            (vec![0], "at least 6"),
            (vec![9], "use 8 or 10"),
            (vec![usize::MAX - 1, usize::MAX - 1], "more nodes"),
        ] {
            let message = Torus::new(&points).unwrap_err().to_string();
            assert!(message.contains(said), "{message}");
        }
    }
}
