//! What a study's record holds: names, axes, meaning, and the check of a record against it.
//!
//! One table per study and problem kind is the schema of `data/<study>.npz`. A finished run whose record breaks it is damaged: an array
//! missing, not finite, or of other axes than the rest. Of a run that was cut short, arrays may be missing, and no more.

use super::{Record, RecordError};
use serde::Serialize;
use std::collections::BTreeMap;

/// Arrays with the same axes and meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Separated by spaces.
    pub names: &'static str,
    /// Axes, separated by spaces: a letter is a length shared by all arrays of the table, `T+1` one more, a number itself; `n` is the
    /// scenario's grid, all its axes, `d` the dimension, `_` any length, `b^d` d axes of length b. Empty for a number.
    pub axes: &'static str,
    pub meaning: &'static str,
    /// Whether a finished run has it in any case.
    pub always: bool,
    /// Whether all its numbers are finite.
    pub finite: bool,
}

/// A column of every finished run.
pub const fn always(names: &'static str, axes: &'static str, meaning: &'static str) -> Column {
    Column {
        names,
        axes,
        meaning,
        always: true,
        finite: true,
    }
}

/// A column of some runs.
pub const fn some(names: &'static str, axes: &'static str, meaning: &'static str) -> Column {
    Column {
        names,
        axes,
        meaning,
        always: false,
        finite: true,
    }
}

impl Column {
    /// The same where it may be not a number: relative to something that is zero.
    #[must_use]
    pub const fn or_undefined(self) -> Self {
        Self {
            finite: false,
            ..self
        }
    }
}

/// Columns whose names have a prefix, and whose letters are their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub prefix: String,
    pub columns: Vec<Column>,
}

impl Table {
    pub fn new(prefix: impl Into<String>, columns: &[Column]) -> Self {
        Self {
            prefix: prefix.into(),
            columns: columns.to_vec(),
        }
    }

    /// The same with columns that this run must have too.
    #[must_use]
    pub fn and(mut self, asked: bool, columns: &[Column]) -> Self {
        if asked {
            self.columns.extend(columns);
        }
        self
    }

    /// The same behind another prefix.
    #[must_use]
    pub fn behind(self, prefix: &str) -> Self {
        Self {
            prefix: format!("{prefix}{}", self.prefix),
            ..self
        }
    }
}

/// What the axes of a problem are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axes<'a> {
    pub dimension: usize,
    /// Empty where there is no grid.
    pub points: &'a [usize],
}

/// How much of a record there is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    Finished,
    CutShort,
}

impl Record {
    /// Checks the record against the tables of its study.
    ///
    /// # Errors
    /// [`RecordError::Damaged`] with the array.
    pub fn check(&self, tables: &[Table], axes: Axes, extent: Extent) -> Result<(), RecordError> {
        for table in tables {
            self.check_table(table, axes, extent)?;
        }
        // Whatever else is in it must at least be numbers.
        let unknown: Vec<&str> = self.unknown(tables).collect();
        unknown.into_iter().try_for_each(|name| self.finite(name))
    }

    fn check_table(&self, table: &Table, axes: Axes, extent: Extent) -> Result<(), RecordError> {
        let mut lengths =
            BTreeMap::from([("d".to_owned(), (axes.dimension, "the dimension".to_owned()))]);
        for column in &table.columns {
            for name in column.names.split_whitespace() {
                let name = format!("{}{name}", table.prefix);
                let Some(array) = self.arrays.get(&name) else {
                    if column.always && extent == Extent::Finished {
                        return Err(damaged(&name, "is missing"));
                    }
                    continue;
                };
                fits(&name, array.shape(), column.axes, axes, &mut lengths)?;
                if column.finite {
                    self.finite(&name)?;
                }
            }
        }
        Ok(())
    }

    fn finite(&self, name: &str) -> Result<(), RecordError> {
        let bad = self.values(name)?.iter().filter(|v| !v.is_finite()).count();
        match bad {
            0 => Ok(()),
            _ => Err(damaged(
                name,
                &format!("has {bad} numbers that are not finite"),
            )),
        }
    }

    /// Dimensions, unit and meaning of every array that one of the tables has.
    pub fn describe(&self, tables: &[Table], axes: Axes) -> BTreeMap<String, Described> {
        let mut described = BTreeMap::new();
        for table in tables {
            for column in &table.columns {
                for name in column.names.split_whitespace() {
                    let name = format!("{}{name}", table.prefix);
                    let Some(array) = self.arrays.get(&name) else {
                        continue;
                    };
                    let array = Described {
                        dims: dimensions(column.axes, axes, &table.prefix, &name),
                        shape: array.shape().to_vec(),
                        unit: unit(&name),
                        long_name: column.meaning,
                    };
                    described.insert(name, array);
                }
            }
        }
        described
    }

    /// Names that none of the tables has.
    pub fn unknown<'a>(&'a self, tables: &'a [Table]) -> impl Iterator<Item = &'a str> {
        let known = move |name: &str| {
            tables.iter().any(|table| {
                let plain = name.strip_prefix(table.prefix.as_str());
                let mut names = table
                    .columns
                    .iter()
                    .flat_map(|c| c.names.split_whitespace());
                plain.is_some_and(|plain| names.any(|name| name == plain))
            })
        };
        let names = self.arrays.keys().map(String::as_str);
        names.filter(move |name| !known(name))
    }
}

/// An array for readers that want its axes named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Described {
    pub dims: Vec<String>,
    pub shape: Vec<usize>,
    pub unit: &'static str,
    pub long_name: &'static str,
}

/// Relative entropies are in nats; the torus has length one, so all else is a pure number.
fn unit(name: &str) -> &'static str {
    let entropy = name
        .split('_')
        .any(|word| word == "kl" || word == "bregman");
    if entropy { "nats" } else { "1" }
}

/// Names of axes: those of the grid are x, y, z; a letter is that of its table; an axis of any length is the array's own.
fn dimensions(wanted: &str, axes: Axes, prefix: &str, name: &str) -> Vec<String> {
    let grid = ["x", "y", "z"].map(str::to_owned);
    let named = |axis: &str| match axis {
        "n" => grid[..axes.points.len()].to_vec(),
        "_" => vec![name.to_owned()],
        axis => vec![format!("{prefix}{axis}")],
    };
    expanded(wanted, axes.dimension)
        .into_iter()
        .flat_map(named)
        .collect()
}

/// Axes one by one.
fn expanded(wanted: &str, dimension: usize) -> Vec<&str> {
    let each = wanted
        .split_whitespace()
        .flat_map(|axis| match axis.strip_suffix("^d") {
            Some(letter) => vec![letter; dimension],
            None => vec![axis],
        });
    each.collect()
}

/// Matches a shape with axes; letters are given their lengths when they are met first.
pub(super) fn fits(
    name: &str,
    shape: &[usize],
    wanted: &str,
    axes: Axes,
    lengths: &mut BTreeMap<String, (usize, String)>,
) -> Result<(), RecordError> {
    let other = |what: String| damaged(name, &format!("has shape {shape:?}, {what}"));
    let mut rest = shape;
    for axis in expanded(wanted, axes.dimension) {
        if axis == "n" {
            rest = rest.strip_prefix(axes.points).ok_or_else(|| {
                other(format!(
                    "which is not on the scenario's grid {:?}; was scenario.ron edited after the run?",
                    axes.points
                ))
            })?;
            continue;
        }
        let Some((&found, others)) = rest.split_first() else {
            return Err(other(format!("which has too few axes for [{wanted}]")));
        };
        rest = others;
        let (letter, more) = match axis.split_once('+') {
            Some((letter, more)) => (letter, more.parse().expect("a number")),
            None => (axis, 0),
        };
        if letter == "_" {
            continue;
        }
        if let Ok(number) = letter.parse::<usize>() {
            if found != number {
                return Err(other(format!("where [{wanted}] was expected")));
            }
            continue;
        }
        let Some(length) = found.checked_sub(more) else {
            return Err(other(format!("where [{wanted}] was expected")));
        };
        let (known, by) = lengths
            .entry(letter.to_owned())
            .or_insert((length, format!("`{name}`")));
        if *known != length {
            return Err(other(format!(
                "where [{wanted}] was expected and {by} says {letter} = {known}"
            )));
        }
    }
    match rest {
        [] => Ok(()),
        _ => Err(other(format!("which has too many axes for [{wanted}]"))),
    }
}

pub(super) fn damaged(name: &str, why: &str) -> RecordError {
    RecordError::Damaged {
        name: name.to_owned(),
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 5] = [
        always("times", "T", ""),
        always("kl fisher", "T+1", ""),
        always("p", "T n", ""),
        always("end", "d", ""),
        some("gap", "", ""),
    ];
    const AXES: Axes = Axes {
        dimension: 2,
        points: &[4, 2],
    };

    fn record() -> Record {
        let mut record = Record::default();
        record.insert_curve("times", vec![0.1; 3]);
        record.insert_curve("kl", vec![0.1; 4]);
        record.insert_curve("fisher", vec![0.1; 4]);
        record.insert("p", &[3, 4, 2], vec![0.1; 24]);
        record.insert_curve("end", vec![0.1; 2]);
        record
    }

    fn says(record: &Record, extent: Extent) -> String {
        let checked = record.check(&[Table::new("", &COLUMNS)], AXES, extent);
        checked.map_or_else(|error| error.to_string(), |()| "whole".into())
    }

    #[test]
    fn what_breaks_the_table_is_said_with_its_name() {
        use Extent::{CutShort, Finished};
        assert_eq!(says(&record(), Finished), "whole");
        type Breaking = (&'static str, fn(&mut Record), &'static str);
        let breaking: [Breaking; 6] = [
            ("kl", |r| r.insert_curve("kl", vec![0.1; 3]), "T = 3"),
            ("end", |r| r.insert_curve("end", vec![0.1; 3]), "d = 2"),
            ("p", |r| r.insert("p", &[3, 2, 4], vec![0.1; 24]), "grid"),
            ("gap", |r| r.insert_curve("gap", vec![0.1]), "too many axes"),
            ("fisher", |r| r.insert_number("fisher", 0.1), "too few axes"),
            (
                "times",
                |r| r.insert_curve("times", vec![0.1, f64::NAN, 0.3]),
                "not finite",
            ),
        ];
        for (name, break_it, expected) in breaking {
            let mut broken = record();
            break_it(&mut broken);
            for extent in [Finished, CutShort] {
                let said = says(&broken, extent);
                assert!(
                    said.contains(&format!("`{name}`")) && said.contains(expected),
                    "{said}"
                );
            }
        }
        let mut short = record();
        short.arrays.remove("fisher");
        assert!(says(&short, Finished).contains("`fisher` is missing"));
        assert_eq!(says(&short, CutShort), "whole");
        let mut more = record();
        more.insert_curve("another", vec![f64::INFINITY]);
        assert!(says(&more, Finished).contains("`another`"));
        assert_eq!(
            more.unknown(&[Table::new("", &COLUMNS)])
                .collect::<Vec<_>>(),
            ["another"]
        );
    }
}
