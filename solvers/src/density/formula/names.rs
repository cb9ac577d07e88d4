//! The words a formula may use.

use super::expression::Function;
use std::f64::consts;

/// What a name in a formula stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    Constant(f64),
    Coordinate(usize),
    Function(Function),
}

const CONSTANTS: [(&str, f64); 3] = [("pi", consts::PI), ("π", consts::PI), ("e", consts::E)];
const COORDINATES: [[&str; 2]; 3] = [["x", "x1"], ["y", "x2"], ["z", "x3"]];
const FUNCTIONS: [(&str, Function); 10] = [
    ("sin", Function::Sin),
    ("cos", Function::Cos),
    ("tan", Function::Tan),
    ("exp", Function::Exp),
    ("log", Function::Ln),
    ("ln", Function::Ln),
    ("sqrt", Function::Sqrt),
    ("sinh", Function::Sinh),
    ("cosh", Function::Cosh),
    ("tanh", Function::Tanh),
];
/// Functions with kinks or jumps, refused by name.
const ROUGH: [&str; 13] = [
    "abs",
    "floor",
    "ceil",
    "round",
    "trunc",
    "frac",
    "min",
    "max",
    "sign",
    "sgn",
    "mod",
    "step",
    "heaviside",
];

/// The meaning of `name` on a torus of this dimension, if it has one.
pub(super) fn meaning(name: &str, dimension: usize) -> Option<Meaning> {
    let constant = CONSTANTS.iter().find(|entry| entry.0 == name);
    let function = FUNCTIONS.iter().find(|entry| entry.0 == name);
    let axis = axis(name).filter(|&axis| axis < dimension);
    constant
        .map(|entry| Meaning::Constant(entry.1))
        .or(function.map(|entry| Meaning::Function(entry.1)))
        .or(axis.map(Meaning::Coordinate))
}

/// The axis that `name` stands for in some dimension up to 3.
pub(super) fn axis(name: &str) -> Option<usize> {
    COORDINATES.iter().position(|names| names.contains(&name))
}

/// Whether `name` is a well-known function that is not smooth.
pub(super) fn is_rough(name: &str) -> bool {
    ROUGH.contains(&name.to_lowercase().as_str())
}

/// The coordinates of this dimension: `x, y`.
pub(super) fn coordinates(dimension: usize) -> String {
    let names: Vec<&str> = COORDINATES[..dimension].iter().map(|n| n[0]).collect();
    names.join(", ")
}

/// The functions, `sin, cos, …`.
pub(super) fn functions() -> String {
    FUNCTIONS.map(|entry| entry.0).join(", ")
}

/// The known name nearest to `name`, if near enough to have been meant.
pub(super) fn nearest(name: &str, dimension: usize) -> Option<&'static str> {
    let coordinates = COORDINATES[..dimension].iter().flatten().copied();
    let known = FUNCTIONS
        .iter()
        .map(|entry| entry.0)
        .chain(CONSTANTS.iter().map(|entry| entry.0))
        .chain(coordinates);
    let wanted = name.to_lowercase();
    let (distance, best) = known
        .map(|candidate| (edit_distance(&wanted, candidate), candidate))
        .min_by_key(|&(distance, _)| distance)?;
    let letters = name.chars().count();
    (distance <= letters.div_ceil(3).min(2) && distance < letters).then_some(best)
}

/// Levenshtein's distance: fewest insertions, deletions and replacements of a letter from `a` to `b`.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for j in 0..b.len() {
            let replaced = diagonal + usize::from(letter != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_words() {
        for (a, b, distance) in [("kitten", "sitting", 3), ("cos", "cos", 0), ("", "exp", 3)] {
            assert_eq!(edit_distance(a, b), distance);
            assert_eq!(edit_distance(b, a), distance);
        }
    }

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("cosine", 1), None);
        assert_eq!(nearest("coz", 1), Some("cos"));
        assert_eq!(nearest("Pi", 1), Some("pi"));
        assert_eq!(nearest("sqr", 1), Some("sqrt"));
        assert_eq!(nearest("x4", 3), Some("x"));
        assert_eq!(nearest("q", 3), None);
    }

    #[test]
    fn coordinates_stop_at_the_dimension() {
        assert_eq!(meaning("x2", 2), Some(Meaning::Coordinate(1)));
        assert_eq!(meaning("z", 2), None);
    }
}
