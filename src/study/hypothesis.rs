//! The hypotheses that all claims share, checked on what was measured.

use crate::record::{Record, RecordError};

/// Above this the upper third of the modes still carries the solution: smoothness is not seen on this grid.
const ROUGHEST: f64 = 1e-3;
/// A potential below this is rounding noise, whose modes say nothing.
const ROUND_OFF: f64 = 1e-9;

/// Below this the inverse Hessian loses more digits than the measurements have to spare.
const DEGENERATE: f64 = 1e-3;

/// Smooth positive densities and a uniformly convex u_t; the reason when the measurement (`spectral_tail`,
/// `min_eigenvalue`, `p`) shows that one fails.
///
/// # Errors
/// [`RecordError::Missing`].
pub fn failed(record: &Record) -> Result<Option<String>, RecordError> {
    let (Ok(tail), Ok(least)) = (
        record.number("spectral_tail"),
        record.number("min_eigenvalue"),
    ) else {
        // Cut short before it was measured: nothing is known of it.
        return Ok(None);
    };
    let size = record
        .values("p")?
        .iter()
        .fold(0.0f64, |m, p| p.abs().max(m));
    Ok(if tail > ROUGHEST && size > ROUND_OFF {
        Some(format!(
            "smoothness is not seen on this grid: the upper third of the modes of p_t reaches {tail:.1e} of the largest; \
             use more points"
        ))
    } else if least < DEGENERATE {
        Some(format!(
            "u_t is not uniformly convex to working accuracy: smallest eigenvalue {least:.1e} of its Hessian"
        ))
    } else {
        None
    })
}
