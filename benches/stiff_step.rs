//! One step of the adaptive stiff integrator (Rodas5P: eight stages, a Krylov solve each) from t = 0 in 2-D, of the size that
//! tolerance 1e-9 asks for there.

mod common;

use common::{Problem, SIZES, report};
use divan::counter::ItemsCount;
use mirrorflow_solvers::monge_ampere::Parabolic;
use mirrorflow_solvers::time::Rosenbrock;

fn main() {
    divan::main();
    report("stiff step", work);
}

fn work(n: usize) -> impl FnMut() {
    let problem = Problem::new(n).expect("the problem is valid");
    let mut system = Parabolic::new(problem.operator());
    let start = problem.p;
    let mut p = start.clone();
    let mut stepper = Rosenbrock::new(1e-9, p.len());
    let mut step = move || {
        p.copy_from_slice(&start);
        stepper
            .advance(&mut system, 0.0, 1.0, &mut p)
            .expect("the flow is smooth");
    };
    // The first guess at the size is cautious: let it settle.
    (0..4).for_each(|_| step());
    step
}

/// Items are grid points.
#[divan::bench(args = SIZES, max_time = 4)]
fn stiff_step(bencher: divan::Bencher, n: usize) {
    bencher.counter(ItemsCount::new(n * n)).bench_local(work(n));
}
