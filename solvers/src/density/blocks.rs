//! Evaluation of jets by blocks of points, in parallel.

use super::Jet;
use rayon::prelude::*;

/// Points evaluated together: temporaries of this length stay in the first-level cache.
pub(super) const BLOCK: usize = 128;
/// Points handed to a thread at a time.
const TASK: usize = 16 * BLOCK;

/// Some points and the places where the jet there is to be written.
///
/// Coordinates beyond the dimension, and derivatives that are not asked for, are empty.
pub(super) struct JetBlock<'a> {
    pub points: [&'a [f64]; 3],
    pub value: &'a mut [f64],
    pub gradient: [&'a mut [f64]; 3],
    pub hessian: [&'a mut [f64]; 6],
}

impl<'a> JetBlock<'a> {
    fn new(points: &'a [Vec<f64>], jet: &'a mut Jet) -> Self {
        let mut block = JetBlock {
            points: [&[]; 3],
            value: &mut jet.value,
            gradient: Default::default(),
            hessian: Default::default(),
        };
        for (slot, coordinate) in block.points.iter_mut().zip(points) {
            *slot = coordinate;
        }
        for (slot, component) in block.gradient.iter_mut().zip(&mut jet.gradient) {
            *slot = component;
        }
        for (slot, component) in block.hessian.iter_mut().zip(&mut jet.hessian) {
            *slot = component;
        }
        block
    }

    pub fn len(&self) -> usize {
        self.value.len()
    }

    /// Splits off the first `len` points, or all of them if there are fewer.
    fn split_front(&mut self, len: usize) -> Self {
        JetBlock {
            points: self.points.each_mut().map(|slice| {
                let (front, back) = slice.split_at(len.min(slice.len()));
                *slice = back;
                front
            }),
            value: front(&mut self.value, len),
            gradient: self.gradient.each_mut().map(|slice| front(slice, len)),
            hessian: self.hessian.each_mut().map(|slice| front(slice, len)),
        }
    }

    /// Cuts into pieces of `len` points, the last one shorter.
    fn pieces(mut self, len: usize) -> impl Iterator<Item = JetBlock<'a>> {
        std::iter::from_fn(move || (self.len() > 0).then(|| self.split_front(len)))
    }
}

fn front<'a>(slice: &mut &'a mut [f64], len: usize) -> &'a mut [f64] {
    let len = len.min(slice.len());
    slice.split_off_mut(..len).expect("len is within the slice")
}

/// Calls `work` on consecutive blocks of at most [`BLOCK`] points, each thread with its own `scratch`.
///
/// The cuts depend on the number of points alone, so results do not depend on the number of threads.
///
/// # Panics
/// If a coordinate vector is not as long as `jet.value`.
pub(super) fn for_each_block<S>(
    points: &[Vec<f64>],
    jet: &mut Jet,
    scratch: impl Fn() -> S + Send + Sync,
    work: impl Fn(&mut S, JetBlock) + Send + Sync,
) {
    let len = jet.value.len();
    assert!(
        points.iter().all(|coordinate| coordinate.len() == len),
        "one value per point"
    );
    let whole = JetBlock::new(points, jet);
    let run = |scratch: &mut S, task: JetBlock| {
        task.pieces(BLOCK).for_each(|block| work(scratch, block));
    };
    if len <= TASK {
        run(&mut scratch(), whole);
    } else {
        let tasks: Vec<JetBlock> = whole.pieces(TASK).collect();
        tasks.into_par_iter().for_each_init(scratch, run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::density::Order;

    #[test]
    fn every_point_is_visited_once_in_blocks_of_fixed_cuts() {
        for len in [0, 1, BLOCK, BLOCK + 1, TASK, 3 * TASK + 5] {
            let points = vec![(0..len).map(|i| i as f64).collect::<Vec<f64>>(); 2];
            let mut jet = Jet::zeros(2, len, Order::Gradient);
            for_each_block(
                &points,
                &mut jet,
                || (),
                |(), block| {
                    assert!(
                        block.len() <= BLOCK && (block.points[0][0] as usize).is_multiple_of(BLOCK)
                    );
                    assert!(block.points[2].is_empty() && block.hessian[0].is_empty());
                    for (i, &x) in block.points[1].iter().enumerate() {
                        block.value[i] += x;
                        block.gradient[1][i] += x;
                    }
                },
            );
            assert_eq!(jet.value, points[0]);
            assert_eq!(jet.gradient[1], points[0]);
        }
    }
}
