//! Instructions over registers, each register holding a block of points.

use super::graph::Primitive;
use crate::density::blocks::BLOCK;
use crate::elementary;
use multiversion::multiversion;

/// Where an instruction finds an argument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operand {
    Coordinate(usize),
    Register(usize),
}

/// What an instruction computes, point by point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operation {
    /// `scale·a + shift`
    Affine(f64, Operand, f64),
    /// `α a + β b`
    Linear(f64, Operand, f64, Operand),
    Product(Operand, Operand),
    Apply(Primitive, Operand),
    /// The sine to the instruction's register, the cosine to the register named here.
    SinCos(Operand, usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Instruction {
    pub operation: Operation,
    pub to: usize,
}

/// Where a result is after the last instruction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Output {
    Constant(f64),
    At(Operand),
}

/// Computes some nodes of a graph at all points of a block.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub instructions: Vec<Instruction>,
    /// Number of registers.
    pub registers: usize,
    pub outputs: Vec<Output>,
}

/// Registers for one thread. The one written to is taken out while its arguments are read.
pub(super) struct Registers(Vec<Vec<f64>>);

impl Program {
    pub fn registers(&self) -> Registers {
        Registers(vec![vec![0.0; BLOCK]; self.registers])
    }

    /// Computes the outputs at `points`, each as long as the outputs' slices and at most [`BLOCK`].
    pub fn run<'a>(
        &self,
        registers: &mut Registers,
        points: &[&[f64]; 3],
        outputs: impl Iterator<Item = &'a mut [f64]>,
    ) {
        execute(&self.instructions, &mut registers.0, points);
        for (place, output) in self.outputs.iter().zip(outputs) {
            match *place {
                Output::Constant(value) => output.fill(value),
                Output::At(Operand::Coordinate(axis)) => output.copy_from_slice(points[axis]),
                Output::At(Operand::Register(register)) => {
                    output.copy_from_slice(&registers.0[register][..output.len()]);
                }
            }
        }
    }
}

/// Runs the instructions in order. The loops are simple enough to vectorise for every target.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn execute(instructions: &[Instruction], registers: &mut [Vec<f64>], points: &[&[f64]; 3]) {
    let len = points[0].len();
    for instruction in instructions {
        let mut register = std::mem::take(&mut registers[instruction.to]);
        let out = &mut register[..len];
        match instruction.operation {
            Operation::Affine(scale, a, shift) => {
                let a = read(a, registers, points);
                out.iter_mut()
                    .zip(a)
                    .for_each(|(out, a)| *out = scale * a + shift);
            }
            Operation::Linear(alpha, a, beta, b) => {
                let (a, b) = (read(a, registers, points), read(b, registers, points));
                let pairs = a.iter().zip(b);
                out.iter_mut()
                    .zip(pairs)
                    .for_each(|(out, (a, b))| *out = alpha * a + beta * b);
            }
            Operation::Product(a, b) => {
                let (a, b) = (read(a, registers, points), read(b, registers, points));
                let pairs = a.iter().zip(b);
                out.iter_mut()
                    .zip(pairs)
                    .for_each(|(out, (a, b))| *out = a * b);
            }
            Operation::Apply(primitive, a) => apply(primitive, read(a, registers, points), out),
            Operation::SinCos(a, cos_to) => {
                let mut cos = std::mem::take(&mut registers[cos_to]);
                elementary::sin_cos_slice(read(a, registers, points), out, &mut cos[..len]);
                registers[cos_to] = cos;
            }
        }
        registers[instruction.to] = register;
    }
}

#[inline(always)]
fn read<'a>(operand: Operand, registers: &'a [Vec<f64>], points: &[&'a [f64]; 3]) -> &'a [f64] {
    match operand {
        Operand::Coordinate(axis) => points[axis],
        Operand::Register(register) => &registers[register][..points[0].len()],
    }
}

#[inline(always)]
fn apply(primitive: Primitive, a: &[f64], out: &mut [f64]) {
    let pairs = out.iter_mut().zip(a);
    match primitive {
        Primitive::Reciprocal => pairs.for_each(|(out, &a)| *out = 1.0 / a),
        Primitive::Exp => pairs.for_each(|(out, &a)| *out = elementary::exp(a)),
        Primitive::Ln => pairs.for_each(|(out, &a)| *out = elementary::ln(a)),
        Primitive::Sqrt => pairs.for_each(|(out, &a)| *out = a.sqrt()),
        // Exactly ±1 where the exponential is +∞ or 0; accurate to 10⁻¹⁶ absolutely, not relatively, near 0.
        Primitive::Tanh => {
            pairs.for_each(|(out, &a)| *out = 1.0 - 2.0 / (elementary::exp(2.0 * a) + 1.0));
        }
        Primitive::Power(n) => power(n, a, out),
        Primitive::Sin | Primitive::Cos => unreachable!("compiled to SinCos"),
    }
}

/// `aⁿ` by squaring, bit by bit of n.
#[inline(always)]
fn power(n: u32, a: &[f64], out: &mut [f64]) {
    let mut squares = [0.0; BLOCK];
    let squares = &mut squares[..a.len()];
    squares.copy_from_slice(a);
    out.fill(1.0);
    let mut bits = n;
    while bits > 0 {
        if bits & 1 == 1 {
            out.iter_mut().zip(&*squares).for_each(|(out, s)| *out *= s);
        }
        squares.iter_mut().for_each(|s| *s *= *s);
        bits >>= 1;
    }
}
