//! From a graph to a program: the nodes that the roots need, in order, each in a register.

use super::graph::{Graph, Node, NodeId, Primitive};
use super::program::{Instruction, Operand, Operation, Output, Program};
use std::collections::HashMap;

/// The program whose outputs are the nodes `roots`, in that order.
pub(super) fn compile(graph: &Graph, roots: &[NodeId]) -> Program {
    Compiler::new(graph, roots).compile()
}

/// Translates nodes in their order and gives each a register for as long as it is needed.
struct Compiler<'a> {
    graph: &'a Graph,
    roots: &'a [NodeId],
    /// The last node that reads each node; `None` if nobody does.
    last_use: Vec<Option<NodeId>>,
    register_of: HashMap<NodeId, usize>,
    free: Vec<usize>,
    registers: usize,
    instructions: Vec<Instruction>,
}

impl<'a> Compiler<'a> {
    fn new(graph: &'a Graph, roots: &'a [NodeId]) -> Self {
        let mut last_use = vec![None; graph.nodes().len()];
        for &root in roots {
            last_use[root] = Some(NodeId::MAX);
        }
        for id in (0..last_use.len()).rev() {
            if last_use[id].is_some() {
                for operand in graph.nodes()[id].operands() {
                    last_use[operand] = last_use[operand].max(Some(id));
                }
            }
        }
        Self {
            graph,
            roots,
            last_use,
            register_of: HashMap::new(),
            free: Vec::new(),
            registers: 0,
            instructions: Vec::new(),
        }
    }

    fn compile(mut self) -> Program {
        for id in 0..self.last_use.len() {
            let node = self.graph.nodes()[id];
            if self.last_use[id].is_some() {
                self.translate(id, node);
                for operand in node.operands() {
                    if self.last_use[operand] == Some(id) {
                        self.release(operand);
                    }
                }
            }
        }
        let outputs = self.roots.iter().map(|&root| self.output(root)).collect();
        Program {
            instructions: self.instructions,
            registers: self.registers,
            outputs,
        }
    }

    fn translate(&mut self, id: NodeId, node: Node) {
        let operation = match node {
            Node::Constant(_) | Node::Coordinate(_) => return,
            Node::Apply(Primitive::Sin | Primitive::Cos, a) => return self.sin_cos(id, a),
            Node::Affine(scale, a, shift) => {
                Operation::Affine(scale.get(), self.operand(a), shift.get())
            }
            Node::Linear(alpha, a, beta, b) => {
                Operation::Linear(alpha.get(), self.operand(a), beta.get(), self.operand(b))
            }
            Node::Product(a, b) => Operation::Product(self.operand(a), self.operand(b)),
            Node::Apply(primitive, a) => Operation::Apply(primitive, self.operand(a)),
        };
        let to = self.claim(id);
        self.instructions.push(Instruction { operation, to });
    }

    /// Computes sine and cosine together, unless the other of the two has already done so.
    fn sin_cos(&mut self, id: NodeId, a: NodeId) {
        if self.register_of.contains_key(&id) {
            return;
        }
        let place = |primitive| self.graph.place(Node::Apply(primitive, a));
        let used = |node: &NodeId| self.last_use[*node].is_some();
        let sin = place(Primitive::Sin).filter(used);
        let cos = place(Primitive::Cos).filter(used);
        let from = self.operand(a);
        let registers = [sin, cos].map(|node| (node, self.claim_for(node)));
        self.instructions.push(Instruction {
            operation: Operation::SinCos(from, registers[1].1),
            to: registers[0].1,
        });
        for (node, register) in registers {
            if node.is_none() {
                self.free.push(register);
            }
        }
    }

    fn claim(&mut self, id: NodeId) -> usize {
        self.claim_for(Some(id))
    }

    /// A free register, noted as the place of `node` if there is one.
    fn claim_for(&mut self, node: Option<NodeId>) -> usize {
        let register = self.free.pop().unwrap_or_else(|| {
            self.registers += 1;
            self.registers - 1
        });
        if let Some(id) = node {
            self.register_of.insert(id, register);
        }
        register
    }

    /// Frees the register of a node that is not read again. `a·a` releases a twice.
    fn release(&mut self, id: NodeId) {
        self.free.extend(self.register_of.remove(&id));
    }

    fn operand(&self, id: NodeId) -> Operand {
        match self.graph.nodes()[id] {
            Node::Coordinate(axis) => Operand::Coordinate(axis),
            _ => Operand::Register(self.register_of[&id]),
        }
    }

    fn output(&self, root: NodeId) -> Output {
        self.graph
            .as_constant(root)
            .map_or_else(|| Output::At(self.operand(root)), Output::Constant)
    }
}
