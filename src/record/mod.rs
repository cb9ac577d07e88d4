//! What a study measured: named float64 arrays, kept as one npz file that numpy reads.

mod allowed;
mod columns;
mod npz;

pub use columns::{Axes, Column, Extent, Table, always, some};

use ndarray::{ArrayD, IxDyn};
use ndarray_npy::NpzWriter;
use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};
use thiserror::Error;

/// Named arrays, C order. Judging and drawing are functions of this alone (and of the scenario).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    arrays: BTreeMap<String, ArrayD<f64>>,
}

/// A record that cannot be read back.
#[derive(Debug, Error)]
pub enum RecordError {
    #[error("the record has no array `{0}`; measure again with `mirrorflow run --force`")]
    Missing(String),
    #[error("array `{name}` has {found} numbers where {expected} were expected")]
    Length {
        name: String,
        found: usize,
        expected: usize,
    },
    #[error("damaged: {0} is missing")]
    NoFile(String),
    #[error("damaged: array `{name}` {why}")]
    Damaged { name: String, why: String },
    #[error("cannot read the record: {0}")]
    Read(#[from] ndarray_npy::ReadNpzError),
    #[error("cannot write the record: {0}")]
    Write(#[from] ndarray_npy::WriteNpzError),
}

impl Record {
    /// Adds all arrays of another record with a prefix to their names.
    pub fn extend(&mut self, prefix: &str, other: Self) {
        let named = |(name, array)| (format!("{prefix}{name}"), array);
        self.arrays.extend(other.arrays.into_iter().map(named));
    }

    /// The same without one array.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let mut arrays = self.arrays.clone();
        arrays.remove(name);
        Self { arrays }
    }

    /// Names of the arrays.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.arrays.keys().map(String::as_str)
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.arrays.is_empty()
    }

    /// The arrays whose names have the prefix, without it.
    pub fn part(&self, prefix: &str) -> Self {
        let stripped = |(name, array): (&String, &ArrayD<f64>)| {
            Some((name.strip_prefix(prefix)?.to_owned(), array.clone()))
        };
        Self {
            arrays: self.arrays.iter().filter_map(stripped).collect(),
        }
    }

    /// Adds an array; `shape` must have as many entries as `values`.
    pub fn insert(&mut self, name: &str, shape: &[usize], values: Vec<f64>) {
        let array = ArrayD::from_shape_vec(IxDyn(shape), values).expect("shape fits the values");
        self.arrays.insert(name.to_owned(), array);
    }

    /// Adds a single number (an array of shape `[]`).
    pub fn insert_number(&mut self, name: &str, value: f64) {
        self.insert(name, &[], vec![value]);
    }

    /// Adds a curve (an array of one axis).
    pub fn insert_curve(&mut self, name: &str, values: Vec<f64>) {
        self.insert(name, &[values.len()], values);
    }

    /// The array called `name`.
    ///
    /// # Errors
    /// [`RecordError::Missing`].
    pub fn array(&self, name: &str) -> Result<&ArrayD<f64>, RecordError> {
        self.arrays
            .get(name)
            .ok_or_else(|| RecordError::Missing(name.to_owned()))
    }

    /// The numbers of `name` in C order.
    ///
    /// # Errors
    /// [`RecordError::Missing`].
    pub fn values(&self, name: &str) -> Result<&[f64], RecordError> {
        Ok(self.array(name)?.as_slice().expect("C order"))
    }

    /// The single number called `name`.
    ///
    /// # Errors
    /// [`RecordError::Missing`], [`RecordError::Length`].
    pub fn number(&self, name: &str) -> Result<f64, RecordError> {
        match self.values(name)? {
            [value] => Ok(*value),
            other => Err(RecordError::Length {
                name: name.to_owned(),
                found: other.len(),
                expected: 1,
            }),
        }
    }

    /// The number called `name` as a count of things that each have arrays.
    ///
    /// # Errors
    /// As [`Self::number`]; [`RecordError::Damaged`] for what is not a whole number or more than there can be.
    pub fn count(&self, name: &str) -> Result<usize, RecordError> {
        let value = self.number(name)?;
        if value.fract() == 0.0 && (0.0..=self.arrays.len() as f64).contains(&value) {
            return Ok(value as usize);
        }
        Err(RecordError::Damaged {
            name: name.to_owned(),
            why: format!("is {value}, not a number of things that are recorded"),
        })
    }

    /// Item `index` along the first axis of `name`.
    ///
    /// # Errors
    /// [`RecordError::Missing`].
    pub fn item(&self, name: &str, index: usize) -> Result<&[f64], RecordError> {
        let values = self.values(name)?;
        let items = self.array(name)?.shape().first().copied().unwrap_or(0);
        let len = values.len() / items.max(1);
        values
            .get(index * len..(index + 1) * len)
            .ok_or_else(|| RecordError::Length {
                name: name.to_owned(),
                found: items,
                expected: index + 1,
            })
    }

    /// Bytes of all arrays.
    pub fn bytes(&self) -> f64 {
        let sizes = self.arrays.values().map(|array| array.len());
        8.0 * sizes.sum::<usize>() as f64
    }

    /// Writes all arrays as a compressed npz.
    ///
    /// # Errors
    /// [`RecordError::Write`].
    pub fn write(&self, to: impl Write + Seek) -> Result<(), RecordError> {
        let mut npz = NpzWriter::new_compressed(to);
        for (name, array) in &self.arrays {
            npz.add_array(name.as_str(), array)?;
        }
        npz.finish()?;
        Ok(())
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// [`RecordError::Read`]; [`RecordError::Damaged`] for an array that is not what it says.
    pub fn read(from: impl Read + Seek) -> Result<Self, RecordError> {
        Ok(Self {
            arrays: npz::arrays(from, &mut |_, _| Ok(()))?,
        })
    }

    /// The same where nothing is unpacked that the tables of the study do not have, or that has other axes, or that the machine's memory
    /// cannot hold.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_within(
        from: impl Read + Seek,
        tables: &[Table],
        axes: Axes,
    ) -> Result<Self, RecordError> {
        let mut allowed = allowed::Allowed::new(tables, axes);
        Ok(Self {
            arrays: npz::arrays(from, &mut |name, shape| allowed.check(name, shape))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote() {
        let mut record = Record::default();
        record.insert("p", &[2, 3], (0..6).map(|v| f64::from(v) * 0.1).collect());
        record.insert_number("epsilon", 0.005);
        record.insert_curve("kl", vec![1e-300, f64::MAX]);
        let mut file = std::io::Cursor::new(Vec::new());
        record.write(&mut file).unwrap();
        let back = Record::read(file).unwrap();
        assert_eq!(back, record);
        assert_eq!(back.item("p", 1).unwrap(), &[3.0 * 0.1, 4.0 * 0.1, 0.5]);
        assert!(matches!(back.number("kl"), Err(RecordError::Length { .. })));
        assert!(matches!(back.values("q"), Err(RecordError::Missing(_))));
    }
}
