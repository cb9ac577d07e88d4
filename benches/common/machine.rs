//! What the machine can do, on one thread: the limits that figures are compared with.

use super::median;
use mirrorflow_solvers::elementary::{exp_slice, ln_slice};
use std::hint::black_box;

/// Nanoseconds per number.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    /// `exp` and `ln` of numbers in the cache.
    pub exp: f64,
    pub ln: f64,
    /// One multiply–add in registers, of vectors as wide as the machine has.
    pub multiply_add: f64,
    /// Reading and writing a double in memory.
    pub copy: f64,
}

/// Numbers that fit the first cache.
const CACHED: usize = 2048;
/// Numbers that fit none.
const LARGE: usize = 1 << 23;
const ROWS: usize = 96;
const REPEATS: usize = 200;

impl Machine {
    pub fn measure() -> Self {
        let mut values = vec![0.3; CACHED];
        let exp = median(0.3, || exp_slice(black_box(&mut values)));
        let ln = median(0.3, || ln_slice(black_box(&mut values)));
        let rows = vec![[0.5; 8]; ROWS];
        let sums = median(0.3, || {
            for _ in 0..REPEATS {
                black_box(multiply_add_rows(black_box(&rows)));
            }
        });
        let from = vec![1.0; LARGE];
        let mut to = vec![0.0; LARGE];
        let copy = median(0.3, || black_box(&mut to).copy_from_slice(black_box(&from)));
        Self {
            exp: exp * 1e9 / CACHED as f64,
            ln: ln * 1e9 / CACHED as f64,
            multiply_add: sums * 1e9 / (REPEATS * ROWS * 64) as f64,
            copy: copy * 1e9 / LARGE as f64,
        }
    }

    /// The smaller of each.
    pub fn least(self, other: Self) -> Self {
        Self {
            exp: self.exp.min(other.exp),
            ln: self.ln.min(other.ln),
            multiply_add: self.multiply_add.min(other.multiply_add),
            copy: self.copy.min(other.copy),
        }
    }

    pub fn print(&self) {
        println!("This machine, one thread, ns per number");
        println!("  exp                       {:>8.3}", self.exp);
        println!("  ln                        {:>8.3}", self.ln);
        println!("  multiply–add              {:>8.4}", self.multiply_add);
        println!(
            "  memory, read and written  {:>8.3}  ({:.1} GB/s)",
            self.copy,
            16.0 / self.copy
        );
    }
}

/// 64 multiply–adds for each row, with 8 accumulators of 8.
fn multiply_add_rows(rows: &[[f64; 8]]) -> [[f64; 8]; 8] {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the instructions are there, as was just asked.
            return unsafe { wide(rows) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: as above.
            return unsafe { narrow(rows) };
        }
    }
    plain(rows)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,fma")]
fn wide(rows: &[[f64; 8]]) -> [[f64; 8]; 8] {
    accumulate(rows, f64::mul_add)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn narrow(rows: &[[f64; 8]]) -> [[f64; 8]; 8] {
    accumulate(rows, f64::mul_add)
}

fn plain(rows: &[[f64; 8]]) -> [[f64; 8]; 8] {
    accumulate(rows, |a, b, c| a * b + c)
}

#[inline(always)]
fn accumulate(rows: &[[f64; 8]], multiply_add: impl Fn(f64, f64, f64) -> f64) -> [[f64; 8]; 8] {
    let mut sums = [[0.0_f64; 8]; 8];
    for row in rows {
        for r in 0..8 {
            for lane in 0..8 {
                sums[r][lane] = multiply_add(row[lane], row[r], sums[r][lane]);
            }
        }
    }
    sums
}
