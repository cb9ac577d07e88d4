//! The expression tree of a formula and its reference evaluation, one point at a time.

use std::ops::{Add, Mul, Neg, Sub};

/// A formula as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Constant(f64),
    Coordinate(usize),
    Negate(Box<Expression>),
    Apply(Function, Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Sin,
    Cos,
    Tan,
    Exp,
    Ln,
    Sqrt,
    Sinh,
    Cosh,
    Tanh,
}

/// Value, gradient and Hessian of a function of up to three coordinates at one point.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PointJet {
    pub value: f64,
    pub gradient: [f64; 3],
    pub hessian: [[f64; 3]; 3],
}

impl Expression {
    /// The jet at `point`, by the rules of calculus applied to the tree as it stands.
    ///
    /// The readable reference of the block evaluation in `program`; both are tested against each other.
    pub(super) fn jet(&self, point: &[f64]) -> PointJet {
        match self {
            Self::Constant(value) => PointJet::constant(*value),
            Self::Coordinate(axis) => PointJet::coordinate(*axis, point[*axis]),
            Self::Negate(a) => -a.jet(point),
            Self::Apply(function, a) => {
                let a = a.jet(point);
                a.compose(function.derivatives(a.value))
            }
            Self::Binary(operator, a, b) => {
                let constant_exponent = !b.mentions_coordinate();
                let (a, b) = (a.jet(point), b.jet(point));
                match operator {
                    Operator::Add => a + b,
                    Operator::Subtract => a - b,
                    Operator::Multiply => a * b,
                    Operator::Divide => a * b.reciprocal(),
                    Operator::Power if constant_exponent => a.power(b.value),
                    Operator::Power => (b * a.logarithm()).exponential(),
                }
            }
        }
    }

    fn mentions_coordinate(&self) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Coordinate(_) => true,
            Self::Negate(a) | Self::Apply(_, a) => a.mentions_coordinate(),
            Self::Binary(_, a, b) => a.mentions_coordinate() || b.mentions_coordinate(),
        }
    }
}

impl Function {
    /// Value, first and second derivative at `a`.
    fn derivatives(self, a: f64) -> [f64; 3] {
        match self {
            Self::Sin => [a.sin(), a.cos(), -a.sin()],
            Self::Cos => [a.cos(), -a.sin(), -a.cos()],
            Self::Tan => {
                let (t, slope) = (a.tan(), a.cos().powi(-2));
                [t, slope, 2.0 * t * slope]
            }
            Self::Exp => [a.exp(); 3],
            Self::Ln => [a.ln(), 1.0 / a, -1.0 / (a * a)],
            Self::Sqrt => [a.sqrt(), 0.5 / a.sqrt(), -0.25 / (a * a.sqrt())],
            Self::Sinh => [a.sinh(), a.cosh(), a.sinh()],
            Self::Cosh => [a.cosh(), a.sinh(), a.cosh()],
            Self::Tanh => {
                let (t, slope) = (a.tanh(), a.cosh().powi(-2));
                [t, slope, -2.0 * t * slope]
            }
        }
    }
}

impl PointJet {
    fn constant(value: f64) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }

    fn coordinate(axis: usize, value: f64) -> Self {
        let mut jet = Self::constant(value);
        jet.gradient[axis] = 1.0;
        jet
    }

    /// Chain rule: `φ(a)`, `φ' ∇a`, `φ' ∇²a + φ'' ∇a ∇aᵀ`.
    fn compose(&self, [value, first, second]: [f64; 3]) -> Self {
        Self::build(
            value,
            |i| first * self.gradient[i],
            |i, j| first * self.hessian[i][j] + second * self.gradient[i] * self.gradient[j],
        )
    }

    fn build(
        value: f64,
        gradient: impl Fn(usize) -> f64,
        hessian: impl Fn(usize, usize) -> f64,
    ) -> Self {
        Self {
            value,
            gradient: std::array::from_fn(gradient),
            hessian: std::array::from_fn(|i| std::array::from_fn(|j| hessian(i, j))),
        }
    }

    fn reciprocal(&self) -> Self {
        let r = 1.0 / self.value;
        self.compose([r, -r * r, 2.0 * r * r * r])
    }

    fn logarithm(&self) -> Self {
        self.compose(Function::Ln.derivatives(self.value))
    }

    fn exponential(&self) -> Self {
        self.compose(Function::Exp.derivatives(self.value))
    }

    /// `aᵇ`, b constant. Whole exponents allow any a, others need a > 0.
    fn power(&self, b: f64) -> Self {
        let a = self.value;
        // 0·a^(negative) would be NaN at a = 0 where the derivative is plainly zero.
        let term = |factor: f64, exponent: f64| match factor {
            0.0 => 0.0,
            _ => factor * a.powf(exponent),
        };
        self.compose([a.powf(b), term(b, b - 1.0), term(b * (b - 1.0), b - 2.0)])
    }
}

impl Add for PointJet {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        Self::build(
            self.value + b.value,
            |i| self.gradient[i] + b.gradient[i],
            |i, j| self.hessian[i][j] + b.hessian[i][j],
        )
    }
}

impl Neg for PointJet {
    type Output = Self;
    fn neg(self) -> Self {
        self.compose([-self.value, -1.0, 0.0])
    }
}

impl Sub for PointJet {
    type Output = Self;
    fn sub(self, b: Self) -> Self {
        self + (-b)
    }
}

impl Mul for PointJet {
    type Output = Self;
    /// Product rule, twice.
    #[expect(clippy::suspicious_arithmetic_impl, reason = "the product rule adds")]
    fn mul(self, b: Self) -> Self {
        let a = self;
        Self::build(
            a.value * b.value,
            |i| a.gradient[i] * b.value + a.value * b.gradient[i],
            |i, j| {
                a.hessian[i][j] * b.value
                    + a.gradient[i] * b.gradient[j]
                    + a.gradient[j] * b.gradient[i]
                    + a.value * b.hessian[i][j]
            },
        )
    }
}
