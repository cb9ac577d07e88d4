//! Reading npz files that anything may have happened to: an array is read only when its bytes are as many as its shape asks for.

use super::RecordError;
use ndarray::ArrayD;
use ndarray_npy::{ReadNpyExt, ReadNpzError};
use std::collections::BTreeMap;
use std::io::{Read, Seek};
use zip::ZipArchive;

/// A compressed array is at most this many times as long as its file: the limit of deflate.
const MOST_EXPANSION: u64 = 1032;

/// Arrays by name.
///
/// # Errors
/// [`RecordError::Read`] where it is not an npz, [`RecordError::Damaged`] where an array is not what it says.
pub fn arrays(from: impl Read + Seek) -> Result<BTreeMap<String, ArrayD<f64>>, RecordError> {
    let mut zip = ZipArchive::new(from).map_err(ReadNpzError::from)?;
    let mut arrays = BTreeMap::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(ReadNpzError::from)?;
        let name = entry.name().trim_end_matches(".npy").to_owned();
        let damaged = |why: String| RecordError::Damaged {
            name: name.clone(),
            why,
        };
        let size = entry.size();
        if size > MOST_EXPANSION.saturating_mul(entry.compressed_size().max(1)) {
            return Err(damaged(format!(
                "says it has {size} bytes, more than its file can hold"
            )));
        }
        let mut bytes = Vec::new();
        let read = entry.read_to_end(&mut bytes);
        read.map_err(|error| damaged(format!("cannot be read: {error}")))?;
        let (data, numbers) = layout(&bytes).ok_or_else(|| damaged("has no header".into()))?;
        if numbers.checked_mul(8) != Some((bytes.len() - data) as u64) {
            let held = (bytes.len() - data) / 8;
            return Err(damaged(format!(
                "has {held} numbers where its shape asks for {numbers}"
            )));
        }
        let array = ArrayD::<f64>::read_npy(&bytes[..]);
        let array = array.map_err(|error| damaged(format!("is not of float64: {error}")))?;
        arrays.insert(name, array.as_standard_layout().into_owned());
    }
    Ok(arrays)
}

/// Where the numbers begin, and how many the header says there are. Format: `\x93NUMPY`, version, length of the header, and the header
/// `{'descr': …, 'shape': (2, 3), }`.
fn layout(bytes: &[u8]) -> Option<(usize, u64)> {
    let version = *bytes.strip_prefix(b"\x93NUMPY")?.first()?;
    let (start, len) = match version {
        1 => (
            10,
            u16::from_le_bytes(bytes.get(8..10)?.try_into().ok()?).into(),
        ),
        _ => (
            12,
            u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?) as usize,
        ),
    };
    let data = len.checked_add(start)?;
    let header = std::str::from_utf8(bytes.get(start..data)?).ok()?;
    let (_, shape) = header.split_once("'shape'")?;
    let (shape, _) = shape.split_once('(')?.1.split_once(')')?;
    let axes = shape
        .split(',')
        .map(str::trim)
        .filter(|axis| !axis.is_empty());
    let numbers = axes
        .map(str::parse)
        .try_fold(1u64, |product, axis: Result<u64, _>| {
            product.checked_mul(axis.ok()?)
        })?;
    Some((data, numbers))
}
