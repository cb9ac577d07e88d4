//! One evaluation of PMA's right-hand side `f − g(∇u) + log det ∇²u`, spectral, in 2-D.

mod common;

use common::{Problem, SIZES, report};
use divan::counter::ItemsCount;

fn main() {
    divan::main();
    report("PMA right-hand side", work);
}

fn work(n: usize) -> impl FnMut() {
    let problem = Problem::new(n).expect("the problem is valid");
    let mut operator = problem.operator();
    let mut rate = vec![0.0; problem.p.len()];
    move || operator.rate(&problem.p, &mut rate).expect("p is convex")
}

/// Items are grid points.
#[divan::bench(args = SIZES, max_time = 2)]
fn right_hand_side(bencher: divan::Bencher, n: usize) {
    bencher.counter(ItemsCount::new(n * n)).bench_local(work(n));
}
