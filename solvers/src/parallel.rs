//! Loops over nodes on all cores with the same bits for any number of threads.
//!
//! Reductions follow a fixed binary tree over blocks of [`BLOCK`] elements: the tree depends on the length only,
//! never on who computes which branch.

use rayon::prelude::*;
use std::ops::Range;
use std::sync::Mutex;

/// Elements per leaf of a reduction and per task of a loop.
pub const BLOCK: usize = 4096;

/// Below this many elements a loop stays on one core: waking a second one costs more than it saves.
const SERIAL: usize = 4 * BLOCK;

/// `combine` over the blocks of `0..len`, in a fixed tree.
fn reduce(
    range: Range<usize>,
    leaf: &(impl Fn(Range<usize>) -> f64 + Sync),
    combine: &(impl Fn(f64, f64) -> f64 + Sync),
) -> f64 {
    if range.len() <= BLOCK {
        return leaf(range);
    }
    let blocks = range.len().div_ceil(BLOCK);
    let middle = range.start + blocks / 2 * BLOCK;
    let (low, high) = (range.start..middle, middle..range.end);
    let (a, b) = if range.len() > SERIAL {
        rayon::join(
            || reduce(low, leaf, combine),
            || reduce(high, leaf, combine),
        )
    } else {
        (reduce(low, leaf, combine), reduce(high, leaf, combine))
    };
    combine(a, b)
}

/// Sum over `0..len` of what `leaf` gives for each block.
pub fn sum(len: usize, leaf: impl Fn(Range<usize>) -> f64 + Sync) -> f64 {
    reduce(0..len, &leaf, &|a, b| a + b)
}

/// Maximum over `0..len` of what `leaf` gives for each block; NaN wins, so that it is never hidden.
pub fn max(len: usize, leaf: impl Fn(Range<usize>) -> f64 + Sync) -> f64 {
    reduce(0..len, &leaf, &|a, b| {
        if a.is_nan() || b.is_nan() {
            f64::NAN
        } else {
            a.max(b)
        }
    })
}

/// `Σ f(i)`, summed in eight interleaved lanes so that the compiler may vectorise it.
#[inline(always)]
fn lanes(range: Range<usize>, f: impl Fn(usize) -> f64) -> f64 {
    let mut lane = [0.0; 8];
    let whole = range.start + range.len() / 8 * 8;
    for i in (range.start..whole).step_by(8) {
        for (k, sum) in lane.iter_mut().enumerate() {
            *sum += f(i + k);
        }
    }
    let rest: f64 = (whole..range.end).map(f).sum();
    lane.iter().sum::<f64>() + rest
}

/// `Σ a_i b_i`.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    sum(a.len(), |range| {
        let (a, b) = (&a[range.clone()], &b[range]);
        lanes(0..a.len(), |i| a[i] * b[i])
    })
}

/// Node mean: the integral over the torus by the trapezoid rule.
pub fn mean(values: &[f64]) -> f64 {
    mean_of(values.len(), |i| values[i])
}

/// Mean of `f(i)` over `0..len`.
pub fn mean_of(len: usize, f: impl Fn(usize) -> f64 + Sync) -> f64 {
    sum(len, |range| lanes(range, &f)) / len as f64
}

/// Largest `f(i)`; NaN if any is.
pub fn max_of(len: usize, f: impl Fn(usize) -> f64 + Sync) -> f64 {
    max(len, |range| {
        range.map(&f).fold(f64::NEG_INFINITY, |a, b| {
            if a.is_nan() || b.is_nan() {
                f64::NAN
            } else {
                a.max(b)
            }
        })
    })
}

/// `sup |a_i|`; NaN if any is.
pub fn sup(a: &[f64]) -> f64 {
    max_of(a.len(), |i| a[i].abs())
}

/// `sup |a_i − b_i|`; NaN if any is.
pub fn sup_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    max_of(a.len(), |i| (a[i] - b[i]).abs())
}

/// `y ← y + a x`.
pub fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    assert_eq!(x.len(), y.len());
    for_each_block(y, |start, y| {
        for (y, x) in y.iter_mut().zip(&x[start..]) {
            *y += a * x;
        }
    });
}

/// Runs `body(start, block)` on every block of `values`.
pub fn for_each_block<T: Send>(values: &mut [T], body: impl Fn(usize, &mut [T]) + Sync) {
    if values.len() <= SERIAL {
        body(0, values);
    } else {
        values
            .par_chunks_mut(BLOCK)
            .enumerate()
            .for_each(|(k, block)| body(k * BLOCK, block));
    }
}

/// Runs `body(index, chunk)` on every chunk of `size` elements, in parallel when there is enough work.
pub fn for_each_chunk<T: Send>(
    values: &mut [T],
    size: usize,
    body: impl Fn(usize, &mut [T]) + Sync,
) {
    if values.len() <= SERIAL / 2 {
        values
            .chunks_mut(size)
            .enumerate()
            .for_each(|(k, chunk)| body(k, chunk));
    } else {
        values
            .par_chunks_mut(size)
            .enumerate()
            .for_each(|(k, chunk)| body(k, chunk));
    }
}

/// Runs `body(index, pieces)` on the pieces of `size` elements of several arrays side by side, in parallel when there is `work` enough.
/// The last pieces may be shorter.
pub fn for_each_piece<T: Send, const K: usize>(
    arrays: [&mut [T]; K],
    size: usize,
    work: usize,
    body: &(impl Fn(usize, [&mut [T]; K]) + Sync),
) {
    pieces(0, arrays, size, work > SERIAL / 2, body);
}

fn pieces<T: Send, const K: usize>(
    first: usize,
    arrays: [&mut [T]; K],
    size: usize,
    parallel: bool,
    body: &(impl Fn(usize, [&mut [T]; K]) + Sync),
) {
    let longest = arrays.iter().map(|array| array.len()).max().unwrap_or(0);
    let count = longest.div_ceil(size);
    if count <= 1 {
        return body(first, arrays);
    }
    let middle = count / 2;
    let mut high = [const { None }; K];
    let mut rest = high.iter_mut();
    let low = arrays.map(|array| {
        let (low, high) = array.split_at_mut((middle * size).min(array.len()));
        *rest.next().expect("as many") = Some(high);
        low
    });
    let high = high.map(|high| high.expect("as many"));
    let low = || pieces(first, low, size, parallel, body);
    let high = || pieces(first + middle, high, size, parallel, body);
    if parallel {
        rayon::join(low, high);
    } else {
        low();
        high();
    }
}

/// Runs `body` in the pool of threads: parallel loops inside then begin without a hand-over.
pub fn in_pool<R: Send>(body: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| body())
}

/// One scratch value per worker thread, allocated once.
pub struct PerThread<T>(Vec<Mutex<T>>);

impl<T: Send> PerThread<T> {
    pub fn new(make: impl Fn() -> T) -> Self {
        let threads = rayon::current_num_threads();
        Self((0..threads).map(|_| Mutex::new(make())).collect())
    }

    /// Lends this thread's scratch. The lock is uncontended: each worker has its own slot.
    pub fn with<R>(&self, body: impl FnOnce(&mut T) -> R) -> R {
        let slot = rayon::current_thread_index().unwrap_or(0) % self.0.len();
        body(&mut self.0[slot].lock().expect("a scratch user panicked"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wild(len: usize) -> Vec<f64> {
        (0..len)
            .map(|i| (i as f64 * 0.7).sin() * 10f64.powi(i as i32 % 9))
            .collect()
    }

    #[test]
    fn reductions_have_the_same_bits_for_any_number_of_threads() {
        let (a, b) = (wild(100_003), wild(100_003));
        let on = |threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap()
                .install(|| (dot(&a, &b).to_bits(), mean(&a).to_bits()))
        };
        assert_eq!(on(1), on(2));
        assert_eq!(on(1), on(3));
        let exact: f64 = a.iter().sum::<f64>() / a.len() as f64;
        approx::assert_relative_eq!(mean(&a), exact, max_relative = 1e-10);
    }

    #[test]
    fn maximum_never_hides_nan() {
        let mut a = wild(50_000);
        assert_eq!(sup(&a), a.iter().fold(0.0, |m, v| v.abs().max(m)));
        a[31_000] = f64::NAN;
        assert!(sup(&a).is_nan());
    }
}
