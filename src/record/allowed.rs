//! What of a file may be unpacked: the arrays of a study's tables, with their axes, as many bytes as the machine can hold.

use super::RecordError;
use super::columns::{Axes, Column, Table, damaged, fits};
use crate::machine::Machine;
use std::collections::BTreeMap;

/// Tables, and what the arrays so far say of their lengths.
pub struct Allowed<'a> {
    tables: &'a [Table],
    axes: Axes<'a>,
    lengths: Vec<BTreeMap<String, (usize, String)>>,
    /// Bytes that are left, where the system tells.
    room: Option<f64>,
}

impl<'a> Allowed<'a> {
    pub fn new(tables: &'a [Table], axes: Axes<'a>) -> Self {
        let dimension = (axes.dimension, "the dimension".to_owned());
        let lengths = BTreeMap::from([("d".to_owned(), dimension)]);
        Self {
            tables,
            axes,
            lengths: vec![lengths; tables.len()],
            room: Machine::this().allowance().map(|room| room.bytes),
        }
    }

    /// Whether an array of this name and shape may be read.
    ///
    /// # Errors
    /// [`RecordError::Damaged`] where it is in no table, has other axes than its table says, or is too large.
    pub fn check(&mut self, name: &str, shape: &[usize]) -> Result<(), RecordError> {
        let Some((table, column)) = self.find(name) else {
            return Err(damaged(name, "is not one of this study's"));
        };
        fits(
            name,
            shape,
            column.axes,
            self.axes,
            &mut self.lengths[table],
        )?;
        self.take(name, 8.0 * shape.iter().map(|&n| n as f64).product::<f64>())
    }

    fn find(&self, name: &str) -> Option<(usize, Column)> {
        let mut tables = self.tables.iter().enumerate();
        tables.find_map(|(k, table)| {
            let plain = name.strip_prefix(table.prefix.as_str())?;
            let mut columns = table.columns.iter();
            let column = columns.find(|c| c.names.split_whitespace().any(|n| n == plain))?;
            Some((k, *column))
        })
    }

    fn take(&mut self, name: &str, bytes: f64) -> Result<(), RecordError> {
        let Some(room) = self.room else { return Ok(()) };
        if bytes > room {
            let (bytes, room) = (
                crate::quantities::bytes(bytes),
                crate::quantities::bytes(room),
            );
            return Err(damaged(
                name,
                &format!("would take {bytes}, {room} may be used"),
            ));
        }
        self.room = Some(room - bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Record, always};

    const COLUMNS: [Column; 2] = [always("times", "T", ""), always("p", "T n", "")];
    const AXES: Axes = Axes {
        dimension: 1,
        points: &[4],
    };

    fn read(record: &Record) -> String {
        let mut file = std::io::Cursor::new(Vec::new());
        record.write(&mut file).unwrap();
        let read = Record::read_within(file, &[Table::new("", &COLUMNS)], AXES);
        read.map_or_else(
            |error| error.to_string(),
            |read| format!("{}", read == *record),
        )
    }

    #[test]
    fn what_the_tables_do_not_have_is_not_unpacked() {
        let mut record = Record::default();
        record.insert("p", &[2, 4], vec![0.5; 8]);
        record.insert_curve("times", vec![0.1, 0.2]);
        assert_eq!(read(&record), "true");
        let mut more = record.clone();
        more.insert_curve("bomb", vec![0.0; 1000]);
        assert!(read(&more).contains("`bomb` is not one of this study's"));
        record.insert("p", &[2, 4000], vec![0.0; 8000]);
        assert!(
            read(&record).contains("`p` has shape [2, 4000]"),
            "{}",
            read(&record)
        );
    }

    #[test]
    fn more_than_the_machine_holds_is_refused_by_its_header() {
        let tables = [Table::new("", &COLUMNS)];
        let mut allowed = Allowed::new(&tables, AXES);
        allowed.room = Some(1e6);
        allowed.check("times", &[100_000]).unwrap();
        let refused = allowed.check("p", &[100_000, 4]).unwrap_err().to_string();
        assert!(refused.contains("`p` would take"), "{refused}");
    }
}
