//! A formula and its derivatives as one directed acyclic graph without repeated nodes.
//!
//! Nodes are made by the methods of [`Graph`], which fold constants and return the existing node
//! when the same operation was asked for before (common subexpressions are found as they arise).

use super::expression::{Expression, Function, Operator};
use std::collections::HashMap;

/// Place of a node in the graph. Operands come before the nodes that use them.
pub(super) type NodeId = usize;

/// A constant, compared by its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Real(u64);

impl Real {
    fn new(value: f64) -> Self {
        Self((value + 0.0).to_bits()) // −0 + 0 = 0: one zero
    }

    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Constant(Real),
    Coordinate(usize),
    /// `scale·a + shift`
    Affine(Real, NodeId, Real),
    /// `α a + β b`
    Linear(Real, NodeId, Real, NodeId),
    Product(NodeId, NodeId),
    Apply(Primitive, NodeId),
}

/// The functions of one argument to which all others are reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Primitive {
    Reciprocal,
    Sin,
    Cos,
    Exp,
    Ln,
    Sqrt,
    Tanh,
    /// A whole power ≥ 3.
    Power(u32),
}

impl Node {
    pub fn operands(&self) -> impl Iterator<Item = NodeId> {
        let pair = match *self {
            Self::Constant(_) | Self::Coordinate(_) => [None, None],
            Self::Affine(_, a, _) | Self::Apply(_, a) => [Some(a), None],
            Self::Linear(_, a, _, b) | Self::Product(a, b) => [Some(a), Some(b)],
        };
        pair.into_iter().flatten()
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    places: HashMap<Node, NodeId>,
}

impl Graph {
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The place of a node, if the graph has it.
    pub fn place(&self, node: Node) -> Option<NodeId> {
        self.places.get(&node).copied()
    }

    fn intern(&mut self, node: Node) -> NodeId {
        *self.places.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        })
    }

    pub fn as_constant(&self, id: NodeId) -> Option<f64> {
        match self.nodes[id] {
            Node::Constant(value) => Some(value.get()),
            _ => None,
        }
    }

    /// Writes the node as a multiple of another: `(s, a)` with node = s·a.
    fn as_multiple(&self, id: NodeId) -> (f64, NodeId) {
        match self.nodes[id] {
            Node::Affine(scale, a, shift) if shift.get() == 0.0 => (scale.get(), a),
            _ => (1.0, id),
        }
    }

    pub fn constant(&mut self, value: f64) -> NodeId {
        self.intern(Node::Constant(Real::new(value)))
    }

    pub fn coordinate(&mut self, axis: usize) -> NodeId {
        self.intern(Node::Coordinate(axis))
    }

    /// `scale·a + shift`
    pub fn affine(&mut self, scale: f64, a: NodeId, shift: f64) -> NodeId {
        match self.nodes[a] {
            Node::Constant(value) => self.constant(scale * value.get() + shift),
            _ if scale == 0.0 => self.constant(shift),
            _ if scale == 1.0 && shift == 0.0 => a,
            Node::Affine(inner, b, offset) => {
                let (inner, offset) = (inner.get(), offset.get());
                let scale_of_b = scale * inner;
                if scale_of_b == 1.0 && scale * offset + shift == 0.0 {
                    return b;
                }
                self.intern(Node::Affine(
                    Real::new(scale_of_b),
                    b,
                    Real::new(scale * offset + shift),
                ))
            }
            _ => self.intern(Node::Affine(Real::new(scale), a, Real::new(shift))),
        }
    }

    /// `α a + β b`
    pub fn linear(&mut self, alpha: f64, a: NodeId, beta: f64, b: NodeId) -> NodeId {
        if let Some(value) = self.as_constant(a) {
            return self.affine(beta, b, alpha * value);
        }
        if let Some(value) = self.as_constant(b) {
            return self.affine(alpha, a, beta * value);
        }
        let ((s, a), (t, b)) = (self.as_multiple(a), self.as_multiple(b));
        let (alpha, beta) = (alpha * s, beta * t);
        match a.cmp(&b) {
            std::cmp::Ordering::Equal => self.affine(alpha + beta, a, 0.0),
            std::cmp::Ordering::Less => {
                self.intern(Node::Linear(Real::new(alpha), a, Real::new(beta), b))
            }
            std::cmp::Ordering::Greater => {
                self.intern(Node::Linear(Real::new(beta), b, Real::new(alpha), a))
            }
        }
    }

    pub fn product(&mut self, a: NodeId, b: NodeId) -> NodeId {
        if let Some(value) = self.as_constant(a) {
            return self.affine(value, b, 0.0);
        }
        if let Some(value) = self.as_constant(b) {
            return self.affine(value, a, 0.0);
        }
        let ((s, a), (t, b)) = (self.as_multiple(a), self.as_multiple(b));
        let product = self.intern(Node::Product(a.min(b), a.max(b)));
        self.affine(s * t, product, 0.0)
    }

    pub fn apply(&mut self, primitive: Primitive, a: NodeId) -> NodeId {
        match self.as_constant(a) {
            Some(value) => self.constant(primitive.of(value)),
            None => self.intern(Node::Apply(primitive, a)),
        }
    }

    /// `aⁿ` by repeated multiplication.
    pub fn whole_power(&mut self, a: NodeId, n: i32) -> NodeId {
        match n {
            0 => self.constant(1.0),
            1 => a,
            2 => self.product(a, a),
            3.. => self.apply(Primitive::Power(n.unsigned_abs()), a),
            ..0 => {
                let positive = self.whole_power(a, -n);
                self.apply(Primitive::Reciprocal, positive)
            }
        }
    }

    /// `aᵇ`: by repeated multiplication where b is a whole constant, else `exp(b ln a)`.
    fn power(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match self.as_constant(b) {
            Some(n) if n.fract() == 0.0 && n.abs() < 1e9 => self.whole_power(a, n as i32),
            _ => {
                let logarithm = self.apply(Primitive::Ln, a);
                let exponent = self.product(b, logarithm);
                self.apply(Primitive::Exp, exponent)
            }
        }
    }

    /// Adds an expression and returns its node.
    pub fn add(&mut self, expression: &Expression) -> NodeId {
        match expression {
            Expression::Constant(value) => self.constant(*value),
            Expression::Coordinate(axis) => self.coordinate(*axis),
            Expression::Negate(a) => {
                let a = self.add(a);
                self.affine(-1.0, a, 0.0)
            }
            Expression::Apply(function, a) => {
                let a = self.add(a);
                self.function(*function, a)
            }
            Expression::Binary(operator, a, b) => {
                let (a, b) = (self.add(a), self.add(b));
                self.operation(*operator, a, b)
            }
        }
    }

    fn operation(&mut self, operator: Operator, a: NodeId, b: NodeId) -> NodeId {
        match operator {
            Operator::Add => self.linear(1.0, a, 1.0, b),
            Operator::Subtract => self.linear(1.0, a, -1.0, b),
            Operator::Multiply => self.product(a, b),
            Operator::Divide => {
                let reciprocal = self.apply(Primitive::Reciprocal, b);
                self.product(a, reciprocal)
            }
            Operator::Power => self.power(a, b),
        }
    }

    fn function(&mut self, function: Function, a: NodeId) -> NodeId {
        match function {
            Function::Sin => self.apply(Primitive::Sin, a),
            Function::Cos => self.apply(Primitive::Cos, a),
            Function::Exp => self.apply(Primitive::Exp, a),
            Function::Ln => self.apply(Primitive::Ln, a),
            Function::Sqrt => self.apply(Primitive::Sqrt, a),
            Function::Tanh => self.apply(Primitive::Tanh, a),
            Function::Tan => {
                let (sin, cos) = (self.apply(Primitive::Sin, a), self.apply(Primitive::Cos, a));
                self.operation(Operator::Divide, sin, cos)
            }
            Function::Sinh => self.hyperbolic(a, -0.5),
            Function::Cosh => self.hyperbolic(a, 0.5),
        }
    }

    /// `½ eᵃ + weight·e⁻ᵃ`
    fn hyperbolic(&mut self, a: NodeId, weight: f64) -> NodeId {
        let negative = self.affine(-1.0, a, 0.0);
        let growing = self.apply(Primitive::Exp, a);
        let decaying = self.apply(Primitive::Exp, negative);
        self.linear(0.5, growing, weight, decaying)
    }
}

impl Primitive {
    /// Value at a constant.
    fn of(self, a: f64) -> f64 {
        match self {
            Self::Reciprocal => 1.0 / a,
            Self::Sin => a.sin(),
            Self::Cos => a.cos(),
            Self::Exp => a.exp(),
            Self::Ln => a.ln(),
            Self::Sqrt => a.sqrt(),
            Self::Tanh => a.tanh(),
            Self::Power(n) => a.powf(f64::from(n)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::parse;
    use super::*;

    /// Nodes that computing `text` takes, constants and coordinates not counted.
    fn operations(text: &str) -> usize {
        let mut graph = Graph::default();
        let root = graph.add(&parse(text, 3).unwrap());
        let mut needed = vec![false; root + 1];
        needed[root] = true;
        for id in (0..=root).rev() {
            if needed[id] {
                graph.nodes[id].operands().for_each(|a| needed[a] = true);
            }
        }
        let leaf = |id: usize| matches!(graph.nodes[id], Node::Constant(_) | Node::Coordinate(_));
        (0..=root).filter(|&id| needed[id] && !leaf(id)).count()
    }

    #[test]
    fn constants_are_folded_and_repeats_shared() {
        for (text, expected) in [
            ("2*pi*3 + cos(1)", 0),
            ("2*pi*x", 1),
            ("x - x + y", 0),
            ("0*exp(x) + 1", 0),
            ("-(-x)", 0),
            ("2*(3*x + 1) - 2", 1),
            ("cos(2*pi*x)*cos(x*pi*2)", 3),
            ("x*y + y*x", 2),
            ("x^1 + y^0", 1),
            ("0.4*cos(x) + 0.3*sin(y)", 3),
        ] {
            assert_eq!(operations(text), expected, "{text}");
        }
    }
}
