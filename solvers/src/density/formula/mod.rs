//! Functions given as text: `0.4*cos(2*pi*x) + 0.3*sin(2*pi*(x + y))`.
//!
//! text → tokens → expression tree → graph with derivatives → register program, run on blocks of points.

mod compiler;
mod derivative;
mod expression;
mod graph;
mod lexer;
mod names;
mod parser;
mod program;

use super::blocks::{JetBlock, for_each_block};
use super::{Jet, LogDensity, Order};
use crate::error::{Error, Result};
use expression::Expression;
pub use expression::PointJet;
use graph::Graph;
use program::Program;
use std::ops::Range;

/// A smooth function of `x, y, z` (or `x1, x2, x3`), with exact first and second derivatives.
///
/// Numbers, `pi`, `π`, `e`, `+ - * / ^`, brackets and `sin cos tan exp log ln sqrt sinh cosh tanh`.
/// `^` binds tighter than a sign and groups to the right; products are written with `*`.
/// Sines of arguments beyond 10⁵ lose digits (see `elementary`).
#[derive(Debug, Clone)]
pub struct Formula {
    expression: Expression,
    dimension: usize,
    /// Computing the value, the value and gradient, and all up to the Hessian.
    programs: [Program; 3],
}

impl Formula {
    /// Reads a formula in `dimension` coordinates, 1 to 3.
    ///
    /// Whether the function is periodic, finite and positive where it must be is for its user to check
    /// ([`Density`](super::Density) does).
    ///
    /// # Errors
    /// [`Error::Formula`] with the offending bytes and what to write instead.
    ///
    /// # Panics
    /// If `dimension` is not 1, 2 or 3.
    pub fn parse(text: &str, dimension: usize) -> Result<Self> {
        assert!((1..=3).contains(&dimension), "1 to 3 coordinates");
        let expression = parser::parse(text, dimension)?;
        let programs = [Order::Value, Order::Gradient, Order::Hessian].map(|order| {
            let mut graph = Graph::default();
            let f = graph.add(&expression);
            let roots = derivative::jet_nodes(&mut graph, f, dimension, order);
            compiler::compile(&graph, &roots)
        });
        Ok(Self {
            expression,
            dimension,
            programs,
        })
    }

    /// The jet at one point by a walk over the expression: slow, and the reference for [`LogDensity::jet`].
    ///
    /// # Panics
    /// If `point` has fewer coordinates than the formula.
    pub fn jet_at(&self, point: &[f64]) -> PointJet {
        self.expression.jet(point)
    }
}

impl LogDensity for Formula {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn jet(&self, points: &[Vec<f64>], jet: &mut Jet) {
        let program = &self.programs[jet.order() as usize];
        let (first, second) = (self.dimension, self.dimension * (self.dimension + 1) / 2);
        for_each_block(
            points,
            jet,
            || program.registers(),
            |registers, block| {
                let JetBlock {
                    points,
                    value,
                    gradient,
                    hessian,
                } = block;
                let outputs = std::iter::once(value)
                    .chain(gradient.into_iter().take(first))
                    .chain(hessian.into_iter().take(second));
                program.run(registers, &points, outputs);
            },
        );
    }
}

/// The refusal of the bytes `span` of a formula.
fn refusal(span: Range<usize>, message: String, help: Option<String>) -> Error {
    Error::Formula {
        start: span.start,
        end: span.end,
        message,
        help,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Formulas in three coordinates that use every operation, positive where they must be.
    const FORMULAS: [&str; 14] = [
        "0.4*cos(2*pi*x) + 0.3*sin(2*pi*(x + y))",
        "exp(sin(2*pi*x)*cos(2*pi*z)) - y",
        "log(2 + cos(2*pi*(x - 2*y)))/(3 + sin(2*pi*z))",
        "sqrt(1.5 + sin(2*pi*x)*sin(2*pi*y))",
        "tan(0.3*sin(2*pi*x) + 0.1*z)",
        "sinh(x)*cosh(y) - tanh(3*z - x)",
        "(1 + x^2)^-3 + x^7*y^2 - 2^(x*y)",
        "(2 + x)^(1.5 + 0.5*z)",
        "x*x*x - (y*z)^3 + x^0 + y^1",
        "1/(4 + cos(2*pi*x) + cos(2*pi*y) - cos(x)*sin(x))",
        "3",
        "-x",
        "cos(2*pi*x)*cos(2*pi*x) + cos(2*pi*x)^2 - sin(2*pi*x)^4",
        "exp(-(x - y)^2/0.1)*x*y*z + (x + y)*(x + y)",
    ];

    /// Points spread over the unit cube, more than a block and not a multiple of one.
    fn points(len: usize) -> Vec<Vec<f64>> {
        [0.819_172_513_396, 0.671_043_606_703, 0.549_700_477_901]
            .map(|step| (0..len).map(|i| (0.5 + i as f64 * step).fract()).collect())
            .to_vec()
    }

    fn evaluated(formula: &Formula, points: &[Vec<f64>], order: Order) -> Jet {
        let mut jet = Jet::zeros(formula.dimension(), points[0].len(), order);
        formula.jet(points, &mut jet);
        jet
    }

    fn at(points: &[Vec<f64>], i: usize) -> Vec<f64> {
        points.iter().map(|coordinate| coordinate[i]).collect()
    }

    /// The upper triangle by rows.
    fn triangle(hessian: [[f64; 3]; 3]) -> Vec<f64> {
        (0..3).flat_map(|i| hessian[i][i..].to_vec()).collect()
    }

    #[test]
    fn blocks_agree_with_the_walk_over_the_tree() {
        let points = points(301);
        for text in FORMULAS {
            let formula = Formula::parse(text, 3).unwrap();
            let jet = evaluated(&formula, &points, Order::Hessian);
            for i in 0..301 {
                let exact = formula.jet_at(&at(&points, i));
                let expected = [exact.value].into_iter().chain(exact.gradient);
                let expected: Vec<f64> = expected.chain(triangle(exact.hessian)).collect();
                let scale = expected.iter().fold(1.0, |a: f64, b| a.max(b.abs()));
                let found = [&jet.value]
                    .into_iter()
                    .chain(&jet.gradient)
                    .chain(&jet.hessian);
                for (found, expected) in found.zip(&expected) {
                    let error = (found[i] - expected).abs() / scale;
                    assert!(error < 2e-14, "{text} at {i}: {} {expected}", found[i]);
                }
            }
        }
    }

    #[test]
    fn derivatives_agree_with_central_differences() {
        let (points, h) = (points(40), 1e-5);
        for text in FORMULAS {
            let formula = Formula::parse(text, 3).unwrap();
            let jet = evaluated(&formula, &points, Order::Hessian);
            for axis in 0..3 {
                let shifted = |by: f64| {
                    let mut moved = points.clone();
                    moved[axis].iter_mut().for_each(|x| *x += by);
                    evaluated(&formula, &moved, Order::Gradient)
                };
                let (plus, minus) = (shifted(h), shifted(-h));
                let agree = |exact: f64, up: f64, down: f64| {
                    let difference = (up - down) / (2.0 * h);
                    let error = (difference - exact).abs() / (1.0 + exact.abs());
                    assert!(error < 2e-6, "{text}, axis {axis}: {exact} {difference}");
                };
                for i in 0..40 {
                    agree(jet.gradient[axis][i], plus.value[i], minus.value[i]);
                    for other in axis..3 {
                        let row = [0, 3, 5][axis];
                        let exact = jet.hessian[row + other - axis][i];
                        agree(exact, plus.gradient[other][i], minus.gradient[other][i]);
                    }
                }
            }
        }
    }

    #[test]
    fn lower_orders_are_parts_of_higher_ones() {
        let points = points(150);
        for text in FORMULAS {
            let formula = Formula::parse(text, 3).unwrap();
            let whole = evaluated(&formula, &points, Order::Hessian);
            let gradient = evaluated(&formula, &points, Order::Gradient);
            assert_eq!(
                evaluated(&formula, &points, Order::Value).value,
                gradient.value
            );
            assert_eq!(gradient.value, whole.value, "{text}");
            assert!(gradient.hessian.is_empty());
        }
    }

    #[test]
    fn threads_do_not_change_the_bits() {
        let points = points(10_000);
        let formula = Formula::parse(FORMULAS[2], 3).unwrap();
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap()
                .install(|| evaluated(&formula, &points, Order::Hessian))
        };
        assert_eq!(with(1), with(2));
    }

    #[test]
    fn vanishing_derivatives_cost_no_instruction() {
        // cos(2πx): scale, sine with cosine; then −2π sin; then −4π² cos.
        let formula = Formula::parse("cos(2*pi*x)", 3).unwrap();
        let lengths = formula
            .programs
            .each_ref()
            .map(|program| program.instructions.len());
        assert_eq!(lengths, [2, 3, 4]);
    }

    #[test]
    fn the_longest_formula_runs_within_the_stack() {
        let text = format!("x{}", "+x*y".repeat(999));
        let formula = Formula::parse(&text, 2).unwrap();
        assert!((formula.jet_at(&[1.0, 1.0]).value - 1000.0).abs() < 1e-9);
        let jet = evaluated(&formula, &[vec![1.0], vec![1.0]], Order::Hessian);
        assert!((jet.value[0] - 1000.0).abs() < 1e-9);
    }
}
