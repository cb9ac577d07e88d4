//! Study `OptimalMap`: the optimal map ∇u_∞ from e^{-f} to e^{-g} by the elliptic Monge–Ampère equation
//! `f − g(∇u) + log det ∇²u = 0`, its cost ½W₂², and certificates that it is optimal.

use super::draw;
use super::measure::{Context, MeasureError, Measured};
use super::mirror_flow::quiver;
use super::progress::{self, Stages};
use super::{Curve, Experiment, hypothesis};
use crate::figure::{Figure, Mesh, Panel, Style};
use crate::record::{Column, Record, RecordError, Table, always, some};
use crate::rule::{self, Evidence, Judged, Reason, Rule};
use crate::scenario::BuiltTorus;
use crate::verdict::{Claim, Law, Observed, Verdict};
use mirrorflow_solvers::distance::{characteristic, circle_map};
use mirrorflow_solvers::fourier::Fourier;
use mirrorflow_solvers::legendre::conjugate;
use mirrorflow_solvers::monge_ampere::{Brenier, MongeAmpere, solve_elliptic};
use mirrorflow_solvers::parallel::{axpy, max_of, mean, mean_of};
use mirrorflow_solvers::resample::refine;
use mirrorflow_solvers::resolution::points_for;
use mirrorflow_solvers::{Error, Jet, LogDensity, Order, Torus};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The optimal map from source to target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimalMap {
    /// Sup-residual of the elliptic equation.
    #[serde(default = "default_tolerance")]
    pub tolerance: f64,
}

fn default_tolerance() -> f64 {
    1e-11
}

/// Modelled shares of the work: map and certificates, on the grid and on three quarters of its nodes, and the inverse map on both.
const SHARES: [f64; 6] = [1.0, 0.3, 0.5, 0.15, 1.0, 0.5];

const BRENIER: &str = "Brenier (1991), McCann (2001) on the torus";
const KANTOROVICH: &str = "Kantorovich duality";

/// What independent certificates must agree to, where they are resolved.
const CERTIFICATE: f64 = 1e-8;

#[rustfmt::skip]
pub const CLAIMS: &[Rule<OptimalMap>] = &[
    Claim::new("push-forward", "∇u_{∞} carries e^{−f} to e^{−g}: largest defect of the Fourier coefficients |k_{i}| ≤ 3", BRENIER, "push_forward", Law::Below(CERTIFICATE)).by(|e, c| certificate(e, c, nothing)).unless(not_resolved),
    Claim::new("duality", "½W_{2}² = ∫½|∇u − x|²e^{−f} equals its Kantorovich dual −∫p e^{−f} − ∫q e^{−g}, q by the Legendre transform", KANTOROVICH, "duality_gap", Law::Below(CERTIFICATE)).by(|e, c| certificate(e, c, inverse_grid)).unless(not_resolved),
    Claim::new("inverse-map", "the optimal map from e^{−g} to e^{−f} is the inverse: its potential is the Legendre transform", BRENIER, "inverse", Law::Below(CERTIFICATE)).by(|e, c| certificate(e, c, inverse_grid)).unless(not_resolved),
    Claim::new("circle-map", "on the circle the map is the one of the cumulative functions", "monotone rearrangement on the circle", "circle", Law::Below(CERTIFICATE)).by(|e, c| certificate(e, c, nothing)).unless(not_resolved).when(on_the_circle),
];

impl OptimalMap {
    fn collect(&self, context: &Context, record: &mut Record) -> Result<(), Error> {
        let stages = Stages::new(context.progress, &SHARES);
        let (built, torus) = (context.built, &context.built.torus);
        let found = progress::watch(&stages.part(0), "the optimal map", || {
            self.solve(context, torus)
        })?;
        let (finer, values) = progress::watch(&stages.part(1), "its certificates", || {
            let finer = resolving_inverse(torus, &found.p)?;
            certificates(built, [torus, &finer], &found.p).map(|values| (finer, values))
        })?;
        self.record_map(context, &found, &values, record)?;
        let three_quarters = |torus: &Torus| torus.resized(|n| 3 * n / 4);
        let (coarse, less_fine) = (three_quarters(torus)?, three_quarters(&finer)?);
        let coarse_map = progress::watch(
            &stages.part(2),
            "the map on three quarters of the nodes",
            || self.solve(context, &coarse),
        )?;
        let varied = progress::watch(&stages.part(3), "its certificates", || {
            certificates(built, [&coarse, &less_fine], &coarse_map.p)
        })?;
        record.insert_number("cost_budget", (varied.cost - values.cost).abs());
        let change = |of: fn(&Certificates) -> f64| (of(&varied) - of(&values)).abs();
        record.insert_number("push_forward_budget", change(|c| c.push_forward));
        let gap_budget = change(|c| c.duality_gap) + values.duality_rounding;
        record.insert_number("duality_gap_budget", gap_budget);
        record.insert_number("inverse_nodes", finer.len() as f64);
        let inverse = progress::watch(&stages.part(4), "the inverse map", || {
            self.inverse(context, &finer)
        })?;
        let defect = apart(&values.conjugate, &inverse.p);
        record.insert_number("inverse", defect);
        let inverse = progress::watch(
            &stages.part(5),
            "the inverse map on three quarters of the nodes",
            || self.inverse(context, &less_fine),
        )?;
        let coarser = apart(&varied.conjugate, &inverse.p);
        record.insert_number("inverse_budget", (coarser - defect).abs());
        if torus.dimension() == 1 {
            let defect = circle_defect(built, torus, &found.p)?;
            record.insert_number("circle", defect);
            let coarser = circle_defect(built, &coarse, &coarse_map.p)?;
            record.insert_number("circle_budget", (coarser - defect).abs());
        }
        Ok(())
    }

    fn solve(&self, context: &Context, torus: &Torus) -> Result<Brenier, Error> {
        solve_elliptic(
            &mut context.operator(torus),
            &vec![0.0; torus.len()],
            self.tolerance,
        )
    }

    /// From e^{-g} to e^{-f}.
    fn inverse(&self, context: &Context, torus: &Torus) -> Result<Brenier, Error> {
        let f: Arc<dyn LogDensity> = Arc::new(context.built.source.clone());
        let mut operator = MongeAmpere::new(&context.built.target, f, context.calculus(torus));
        solve_elliptic(&mut operator, &vec![0.0; torus.len()], self.tolerance)
            .map_err(|error| error.during("the inverse map"))
    }

    fn record_map(
        &self,
        context: &Context,
        found: &Brenier,
        values: &Certificates,
        record: &mut Record,
    ) -> Result<(), Error> {
        let torus = &context.built.torus;
        let mut operator = context.operator(torus);
        let mut log_rho = vec![0.0; torus.len()];
        operator.log_marginal(&found.p, &mut log_rho)?;
        let diagnosis = operator.diagnose(&found.p, &log_rho);
        record.insert("p", torus.points(), found.p.clone());
        let q = match values.conjugate.len() == torus.len() {
            true => values.conjugate.clone(),
            false => conjugate(torus, &found.p)?.q,
        };
        record.insert("q", torus.points(), q);
        let vector = [&[torus.dimension()], torus.points()].concat();
        if let Some(order) = operator.calculus().order() {
            record.insert_number("space_order", f64::from(order));
        }
        record.insert("displacement", &vector, values.displacement.concat());
        for (name, value) in [
            ("cost", values.cost),
            ("wasserstein", (2.0 * values.cost).sqrt()),
            ("push_forward", values.push_forward),
            ("duality_gap", values.duality_gap),
            ("residual", found.residual),
            ("round_off", found.round_off),
            ("newton_steps", found.newton_steps as f64),
            ("krylov", found.krylov as f64),
            ("min_eigenvalue", diagnosis.min_eigenvalue),
            ("max_eigenvalue", diagnosis.max_eigenvalue),
            ("spectral_tail", diagnosis.spectral_tail),
        ] {
            record.insert_number(name, value);
        }
        Ok(())
    }
}

/// Relative error of trigonometric interpolants between their nodes, of which conjugates are made.
const INTERPOLATED: f64 = 1e-13;

/// What a potential says of itself on a grid, and on one that resolves its conjugate.
struct Certificates {
    /// `∇p`.
    displacement: Vec<Vec<f64>>,
    /// Periodic part of u*, on the second grid.
    conjugate: Vec<f64>,
    /// `½∫|∇p|²e^{-f}`.
    cost: f64,
    push_forward: f64,
    /// `|cost − dual|/cost`.
    duality_gap: f64,
    /// What rounding leaves of it: the dual is a difference of terms of the size of p, the cost of the size of its square.
    duality_rounding: f64,
}

/// Modes that the conjugate may have beyond a third of the nodes.
const LEFT_OUT: f64 = 1e-10;
/// Grids with more nodes are not tried for it, d = 1, 2, 3.
const MOST_NODES: [usize; 3] = [1 << 14, 1 << 16, 1 << 18];

/// The inverse of a gentle map can be steep: the grid, doubled until it resolves the conjugate of p or has [`MOST_NODES`].
fn resolving_inverse(torus: &Torus, p: &[f64]) -> Result<Torus, Error> {
    let mut finer = torus.clone();
    loop {
        let q = conjugate(&finer, &refine(torus, p, &finer))?.q;
        let mut fourier = Fourier::new(&finer);
        let mut spectrum = fourier.spectrum();
        let needed = points_for(&mut fourier, &mut spectrum, &q, LEFT_OUT);
        let resolved = needed
            .iter()
            .zip(finer.points())
            .all(|(needed, n)| needed <= n);
        let next = finer.resized(|n| 2 * n)?;
        if resolved || next.len() > MOST_NODES[torus.dimension() - 1] {
            return Ok(finer);
        }
        finer = next;
    }
}

fn certificates(
    built: &BuiltTorus,
    [torus, finer]: [&Torus; 2],
    p: &[f64],
) -> Result<Certificates, Error> {
    let (f, g) = (built.source.on(torus), built.target.on(torus));
    let displacement = draw::gradient(torus, p);
    let square = |i: usize| displacement.iter().map(|d| d[i] * d[i]).sum::<f64>();
    let cost = mean_of(f.len(), |i| 0.5 * (-f[i]).exp() * square(i));
    let p = refine(torus, p, finer);
    let conjugate = conjugate(finer, &p)?.q;
    let weights = [&built.source, &built.target].map(|density| density.on(finer));
    let terms = |i: usize| [(p[i], weights[0][i]), (conjugate[i], weights[1][i])];
    let dual = -mean_of(p.len(), |i| {
        terms(i).map(|(p, f)| p * (-f).exp()).iter().sum()
    });
    let size = mean_of(p.len(), |i| {
        terms(i).map(|(p, f)| p.abs() * (-f).exp()).iter().sum()
    });
    let relative = |error: f64| error / cost.max(f64::MIN_POSITIVE);
    Ok(Certificates {
        push_forward: push_forward(torus, &displacement, &f, &g),
        duality_gap: relative((cost - dual).abs()),
        duality_rounding: relative(INTERPOLATED * size),
        displacement,
        conjugate,
        cost,
    })
}

/// Where e^{-g} is below this, the cumulative functions do not know the map to a tenth of [`CERTIFICATE`]: their rounding is divided by it.
const CONDITIONED: f64 = 1e-6;

/// `sup|∇p − (T − x)|` over the nodes that are carried to where e^{-g} is at least [`CONDITIONED`], T the map of the cumulative functions.
fn circle_defect(built: &BuiltTorus, torus: &Torus, p: &[f64]) -> Result<f64, Error> {
    let log = |f: Vec<f64>| f.iter().map(|f| -f).collect::<Vec<_>>();
    let (source, target) = (log(built.source.on(torus)), log(built.target.on(torus)));
    let exact = circle_map(torus, &source, &target)?;
    let displacement = draw::gradient(torus, p).swap_remove(0);
    let nodes = torus.nodes().swap_remove(0);
    let images = nodes
        .iter()
        .zip(&displacement)
        .map(|(x, d)| x + d)
        .collect();
    let mut g = Jet::zeros(1, torus.len(), Order::Value);
    built.target.jet(&[images], &mut g);
    let known = (0..torus.len()).filter(|&i| (-g.value[i]).exp() >= CONDITIONED);
    let defects = known.map(|i| (exact[i] - displacement[i]).abs());
    // A NaN is the largest.
    Ok(defects.max_by(f64::total_cmp).unwrap_or(f64::NAN))
}

/// Largest wavenumber per axis that the push-forward is tested with.
const HIGHEST: usize = 3;

/// `max_k |∫e^{2πik·∇u}e^{-f} − ∫e^{2πik·y}e^{-g}|`.
fn push_forward(torus: &Torus, displacement: &[Vec<f64>], f: &[f64], g: &[f64]) -> f64 {
    let weights = |f: &[f64]| f.iter().map(|f| (-f).exp()).collect::<Vec<_>>();
    let nodes = torus.nodes();
    let mut images = nodes.clone();
    for (image, displacement) in images.iter_mut().zip(displacement) {
        axpy(1.0, displacement, image);
    }
    let moved = characteristic(&images, &weights(f), HIGHEST);
    let target = characteristic(&nodes, &weights(g), HIGHEST);
    let defects = moved.iter().zip(&target);
    // A NaN is the largest.
    let sizes = defects.map(|(a, b)| (a - b).norm().abs());
    sizes.max_by(f64::total_cmp).unwrap_or(0.0)
}

/// `sup|a − b|` of potentials, up to their constants.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    let shift = mean(a) - mean(b);
    max_of(a.len(), |i| (a[i] - b[i] - shift).abs())
}

#[rustfmt::skip]
const COLUMNS: &[Column] = &[
    always("p q", "n", "periodic parts of u_∞ and of u_∞*"),
    always("displacement", "d n", "∇p = ∇u_∞ − x"),
    always("cost wasserstein", "", "½W₂² and W₂ between e^{-f} and e^{-g}"),
    always("residual round_off", "", "of the elliptic solve: sup-residual, and what rounding the values of p adds when ∇²p is computed from them"),
    always("newton_steps krylov", "", "steps and GMRES iterations on the grid itself, beside those on coarser ones"),
    always("min_eigenvalue max_eigenvalue spectral_tail", "", "of u_∞"),
    some("space_order", "", "order of the scenario's differences"),
    always("push_forward", "", "largest defect of the Fourier coefficients |k_i| ≤ 3 of (∇u_∞)_# e^{-f} against e^{-g}"),
    always("duality_gap", "", "|cost − dual|/cost, dual = −∫p e^{-f} − ∫q e^{-g}"),
    always("inverse", "", "sup distance, up to a constant, of q and the potential of the inverse problem, solved by itself"),
    always("push_forward_budget duality_gap_budget inverse_budget", "", "change of these numbers on ¾ of the nodes"),
    always("cost_budget", "", "change of the cost on ¾ of the nodes"),
    some("inverse_nodes", "", "of the grid on which q is compared"),
];

#[rustfmt::skip]
const CIRCLE: &[Column] = &[
    always("circle circle_budget", "", "d = 1: sup distance of ∇p and the displacement from the cumulative functions, where e^{-g} is at least 1e-6 at the image; its change"),
];

/// Budgets are sizes, not bounds: a defect refutes from this many of them on.
const REFUTES: f64 = 3.0;

fn on_the_circle(e: &Evidence<OptimalMap>) -> bool {
    e.record.array("p").is_ok_and(|p| p.ndim() == 1)
}

fn not_resolved(e: &Evidence<OptimalMap>) -> Reason {
    let differences =
        "with differences the map is right to their order in h only: use a Fourier calculus";
    Ok(match hypothesis::failed(e.record)? {
        None if e.record.number("space_order").is_ok() => Some(differences.into()),
        failed => failed,
    })
}

/// The claim's number, known to its change on three quarters of the nodes; `grid` says on which grid it was found.
fn certificate(e: &Evidence<OptimalMap>, claim: &Claim, grid: fn(&Record) -> String) -> Judged {
    let value = e.record.number(claim.quantity)?;
    let budget = e.record.number(&format!("{}_budget", claim.quantity))?;
    // A residual of log ρ is an error of the map of at most its size.
    let residual = e.record.number("residual")?;
    let observed = Observed {
        value,
        interval: ((value - REFUTES * (budget + residual)).max(0.0), value),
    };
    let reason = format!(
        "known to {budget:.1e}, by three quarters of the nodes and rounding{}",
        grid(e.record)
    );
    Ok(claim.judge_number(e.slug, observed, reason))
}

fn nothing(_: &Record) -> String {
    String::new()
}

/// The grid of the inverse map, where it is finer.
fn inverse_grid(record: &Record) -> String {
    match (record.number("inverse_nodes"), record.array("p")) {
        (Ok(nodes), Ok(p)) if nodes > p.len() as f64 => {
            format!("; the inverse map on {nodes} nodes")
        }
        _ => String::new(),
    }
}

impl Experiment for OptimalMap {
    /// Records `p`, `q[n…]` (periodic parts of u_∞ and u_∞*), `displacement[d, n…]` = ∇p, and the numbers `cost` = ½W₂², `wasserstein`,
    /// `residual`, `round_off`, `newton_steps`, `krylov`, `min_eigenvalue`, `max_eigenvalue`, `spectral_tail`, and `push_forward`, `duality_gap`, `inverse`, in
    /// 1-D `circle`, each with `…_budget`, its change on three quarters of the nodes.
    fn measure(&self, context: &Context) -> Result<Measured, MeasureError> {
        let mut record = Record::default();
        let outcome = self.collect(context, &mut record);
        Measured::after(record, outcome)
    }

    fn tables(&self, built: &BuiltTorus) -> Vec<Table> {
        let circle = built.torus.dimension() == 1;
        vec![Table::new("", COLUMNS).and(circle, CIRCLE)]
    }

    fn judge(&self, study: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
        rule::judge(CLAIMS, &Evidence::new(self, study, record), &[])
    }

    fn draw(&self, built: &BuiltTorus, record: &Record) -> Result<Vec<Figure>, RecordError> {
        let torus = &built.torus;
        let density = |f: Vec<f64>| -> Vec<f64> { f.iter().map(|f| (-f).exp()).collect() };
        let (source, target) = (
            density(built.source.on(torus)),
            density(built.target.on(torus)),
        );
        let displacement: Vec<Vec<f64>> = record
            .values("displacement")?
            .chunks(torus.len())
            .map(<[f64]>::to_vec)
            .collect();
        let row = if torus.dimension() == 1 {
            let densities = vec![
                draw::profile("e^{−f}", &source, Style::Line, 0),
                draw::profile("e^{−g}", &target, Style::Dashed, 1),
            ];
            let moved = vec![draw::profile("", &displacement[0], Style::Line, 0)];
            vec![
                draw::profile_panel("densities", "density", densities),
                draw::profile_panel("optimal map", "∇u_{∞}(x) − x", moved),
            ]
        } else {
            vec![
                quiver(
                    torus,
                    "displacement",
                    &displacement,
                    &source,
                    "e^{−f}",
                    "∇u − x",
                ),
                Panel::Mesh(Mesh {
                    title: "image of a mesh".into(),
                    x: "x".into(),
                    y: "y".into(),
                    lines: draw::mesh(torus, &displacement),
                    markers: Vec::new(),
                    background: Some(draw::slice(torus, &target)),
                    colour_bar: "e^{−g}".into(),
                    line_label: String::new(),
                    marker_label: String::new(),
                }),
            ]
        };
        Ok(vec![Figure {
            name: "map".into(),
            title: None,
            rows: vec![row],
            caption: format!(
                "Optimal map ∇u_{{∞}} from e^{{−f}} to e^{{−g}}, W_{{2}} = {}{}.",
                draw::three_digits(record.number("wasserstein")?),
                draw::slice_note(torus)
            ),
        }])
    }

    /// One row: cost, distance, certificates and work.
    fn curve(&self, record: &Record) -> Result<Curve, RecordError> {
        let columns = [
            ("half W2^2", "cost"),
            ("W2", "wasserstein"),
            ("push-forward defect", "push_forward"),
            ("relative duality gap", "duality_gap"),
            ("sup|u* - inverse potential|", "inverse"),
            ("sup residual", "residual"),
            ("Newton steps", "newton_steps"),
            ("Krylov iterations", "krylov"),
            ("min eigenvalue of Hess u", "min_eigenvalue"),
            ("max eigenvalue of Hess u", "max_eigenvalue"),
        ];
        let measured = columns
            .iter()
            .filter(|(_, name)| record.values(name).is_ok());
        measured
            .copied()
            .try_fold(Curve::default(), |curve, (header, name)| {
                curve.column(header, record, name)
            })
    }
}
