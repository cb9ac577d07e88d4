//! Exact derivatives of all nodes of a graph, by the chain rule node by node.
//!
//! What vanishes structurally (the y derivative of `cos(2*pi*x)`) folds to the constant 0 and
//! costs nothing; sines, cosines and exponentials of the value are shared with the derivatives.

use super::graph::{Graph, Node, NodeId, Primitive};
use crate::density::Order;

/// Nodes of f, its gradient and its Hessian (upper triangle by rows), as far as `order` asks.
pub(super) fn jet_nodes(
    graph: &mut Graph,
    f: NodeId,
    dimension: usize,
    order: Order,
) -> Vec<NodeId> {
    let mut roots = vec![f];
    if order >= Order::Gradient {
        let gradient: Vec<NodeId> = (0..dimension)
            .map(|axis| graph.derivatives(axis)[f])
            .collect();
        roots.extend(&gradient);
        if order == Order::Hessian {
            let second: Vec<Vec<NodeId>> =
                (0..dimension).map(|axis| graph.derivatives(axis)).collect();
            for i in 0..dimension {
                roots.extend(
                    second[i..]
                        .iter()
                        .map(|derivatives| derivatives[gradient[i]]),
                );
            }
        }
    }
    roots
}

impl Graph {
    /// The derivative along `axis` of each node that exists so far.
    fn derivatives(&mut self, axis: usize) -> Vec<NodeId> {
        let zero = self.constant(0.0);
        let mut derivatives = Vec::new();
        for id in 0..self.nodes().len() {
            // Operands come first, so their derivatives are known.
            let slope = match self.nodes()[id] {
                Node::Constant(_) => zero,
                Node::Coordinate(own) => self.constant(f64::from(own == axis)),
                Node::Affine(scale, a, _) => self.affine(scale.get(), derivatives[a], 0.0),
                Node::Linear(alpha, a, beta, b) => {
                    self.linear(alpha.get(), derivatives[a], beta.get(), derivatives[b])
                }
                Node::Product(a, b) => {
                    let left = self.product(derivatives[a], b);
                    let right = self.product(a, derivatives[b]);
                    self.linear(1.0, left, 1.0, right)
                }
                Node::Apply(_, a) if derivatives[a] == zero => zero,
                Node::Apply(primitive, a) => {
                    let outer = self.slope(primitive, a, id);
                    self.product(outer, derivatives[a])
                }
            };
            derivatives.push(slope);
        }
        derivatives
    }

    /// The derivative of `primitive` at `a`, where it has the value `of_a`.
    fn slope(&mut self, primitive: Primitive, a: NodeId, of_a: NodeId) -> NodeId {
        match primitive {
            Primitive::Reciprocal => {
                let square = self.product(of_a, of_a);
                self.affine(-1.0, square, 0.0)
            }
            Primitive::Sin => self.apply(Primitive::Cos, a),
            Primitive::Cos => {
                let sin = self.apply(Primitive::Sin, a);
                self.affine(-1.0, sin, 0.0)
            }
            Primitive::Exp => of_a,
            Primitive::Ln => self.apply(Primitive::Reciprocal, a),
            Primitive::Sqrt => {
                let reciprocal = self.apply(Primitive::Reciprocal, of_a);
                self.affine(0.5, reciprocal, 0.0)
            }
            Primitive::Tanh => {
                let square = self.product(of_a, of_a);
                self.affine(-1.0, square, 1.0)
            }
            Primitive::Power(n) => {
                let lower = self.whole_power(a, n as i32 - 1);
                self.affine(f64::from(n), lower, 0.0)
            }
        }
    }
}
