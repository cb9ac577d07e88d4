//! Reading npz files that anything may have happened to: an array is unpacked only when its header is allowed and its bytes are as many as
//! its shape asks for.

use super::RecordError;
use super::columns::damaged;
use ndarray::ArrayD;
use ndarray_npy::{ReadNpyExt, ReadNpzError};
use std::collections::BTreeMap;
use std::io::{Read, Seek};
use zip::ZipArchive;

/// A compressed array is at most this many times as long as its file: the limit of deflate.
const MOST_EXPANSION: u64 = 1032;

/// Longest header of an array that is read.
const LONGEST_HEADER: usize = 1 << 16;

/// Whether an array of this name and shape may be unpacked.
type Allow<'a> = &'a mut dyn FnMut(&str, &[usize]) -> Result<(), RecordError>;

/// Arrays by name.
///
/// # Errors
/// [`RecordError::Read`] where it is not an npz, [`RecordError::Damaged`] where an array is not what it says, and what `allow` says.
pub fn arrays(
    from: impl Read + Seek,
    allow: Allow,
) -> Result<BTreeMap<String, ArrayD<f64>>, RecordError> {
    let mut zip = ZipArchive::new(from).map_err(ReadNpzError::from)?;
    let mut arrays = BTreeMap::new();
    for index in 0..zip.len() {
        let entry = zip.by_index(index).map_err(ReadNpzError::from)?;
        let name = entry.name().trim_end_matches(".npy").to_owned();
        let packed = (entry.size(), entry.compressed_size());
        let array = array(&name, entry, packed, allow)?;
        arrays.insert(name, array);
    }
    Ok(arrays)
}

/// One array, from its header to as many bytes as that asks for.
fn array(
    name: &str,
    mut from: impl Read,
    (size, compressed): (u64, u64),
    allow: Allow,
) -> Result<ArrayD<f64>, RecordError> {
    if size > MOST_EXPANSION.saturating_mul(compressed.max(1)) {
        let why = format!("says it has {size} bytes, more than its file can hold");
        return Err(damaged(name, &why));
    }
    let unreadable = |error| damaged(name, &format!("cannot be read: {error}"));
    let mut bytes = header(&mut from).map_err(unreadable)?;
    let (data, shape) = layout(&bytes).ok_or_else(|| damaged(name, "has no header"))?;
    allow(name, &shape)?;
    let numbers = shape
        .iter()
        .try_fold(1, |product: usize, &n| product.checked_mul(n));
    let wanted = numbers.and_then(|numbers| numbers.checked_mul(8)?.checked_add(data));
    let most = wanted.unwrap_or(usize::MAX) as u64;
    // One byte more tells that there are more.
    let rest = most.saturating_sub(bytes.len() as u64).saturating_add(1);
    from.take(rest)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if wanted != Some(bytes.len()) {
        let held = size.saturating_sub(data as u64) / 8;
        let numbers =
            numbers.map_or_else(|| "more than there can be".to_owned(), |n| n.to_string());
        let why = format!("has {held} numbers where its shape asks for {numbers}");
        return Err(damaged(name, &why));
    }
    let array = ArrayD::<f64>::read_npy(&bytes[..]);
    let array = array.map_err(|error| damaged(name, &format!("is not of float64: {error}")))?;
    Ok(array.as_standard_layout().into_owned())
}

/// The first bytes, which hold the header.
fn header(from: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(12).read_to_end(&mut bytes)?;
    let end = start_and_length(&bytes).map_or(0, |(start, len)| start.saturating_add(len));
    let rest = end.min(LONGEST_HEADER).saturating_sub(bytes.len());
    from.take(rest as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the header begins, and its length.
fn start_and_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let version = *bytes.strip_prefix(b"\x93NUMPY")?.first()?;
    Some(match version {
        1 => (
            10,
            u16::from_le_bytes(bytes.get(8..10)?.try_into().ok()?).into(),
        ),
        _ => (
            12,
            u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?) as usize,
        ),
    })
}

/// Where the numbers begin, and the shape. Format: `\x93NUMPY`, version, length of the header, and the header
/// `{'descr': …, 'shape': (2, 3), }`.
fn layout(bytes: &[u8]) -> Option<(usize, Vec<usize>)> {
    let (start, len) = start_and_length(bytes)?;
    let data = len.checked_add(start)?;
    let header = std::str::from_utf8(bytes.get(start..data)?).ok()?;
    let (_, shape) = header.split_once("'shape'")?;
    let (shape, _) = shape.split_once('(')?.1.split_once(')')?;
    let axes = shape
        .split(',')
        .map(str::trim)
        .filter(|axis| !axis.is_empty());
    Some((
        data,
        axes.map(|axis| axis.parse().ok()).collect::<Option<_>>()?,
    ))
}
