//! One Sinkhorn iteration (two half-steps) with the heat kernel in 2-D, at ε = 0.0025, the same on every grid.

mod common;

use common::{Problem, SIZES, report};
use divan::counter::ItemsCount;
use mirrorflow_solvers::sinkhorn::{Kernel, Sinkhorn};

const EPSILON: f64 = 0.0025;

fn main() {
    divan::main();
    report("Sinkhorn iteration", work);
}

fn work(n: usize) -> impl FnMut() {
    let Problem {
        torus,
        source,
        target,
        p,
    } = Problem::new(n).expect("the problem is valid");
    let (f, g) = (source.on(&torus), target.on(&torus));
    let mut sinkhorn =
        Sinkhorn::new(&torus, Kernel::Heat, EPSILON, &f, &g, &p).expect("the grid resolves ε");
    move || {
        sinkhorn.step().expect("the grid resolves ε");
    }
}

/// Items are grid points.
#[divan::bench(args = SIZES, max_time = 2)]
fn sinkhorn_iteration(bencher: divan::Bencher, n: usize) {
    bencher.counter(ItemsCount::new(n * n)).bench_local(work(n));
}
