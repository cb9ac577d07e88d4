//! What every study can do.

use super::Curve;
use super::measure::{Context, MeasureError, Measured};
use crate::figure::Figure;
use crate::record::{Record, RecordError};
use crate::scenario::Built;
use crate::verdict::Verdict;

/// A study: `measure` is the only expensive step; the others are pure functions of the record.
pub trait Experiment {
    /// Name in the scenario file.
    fn name(&self) -> &'static str;

    /// Name in paths and verdicts.
    fn slug(&self) -> &'static str;

    /// Computes everything that is later judged and drawn.
    ///
    /// # Errors
    /// [`MeasureError`], with what was measured before it.
    fn measure(&self, context: &Context) -> Result<Measured, MeasureError>;

    /// Verdicts on the study's claims; `study` is the numbered slug.
    ///
    /// # Errors
    /// [`RecordError`] when the record is not one of this study.
    fn judge(&self, _study: &str, _record: &Record) -> Result<Vec<Verdict>, RecordError> {
        Ok(Vec::new())
    }

    /// The figures, named within the study.
    ///
    /// # Errors
    /// As [`Self::judge`].
    fn draw(&self, built: &Built, record: &Record) -> Result<Vec<Figure>, RecordError>;

    /// The curves behind the figures: a row a point, units in the header.
    ///
    /// # Errors
    /// As [`Self::judge`].
    fn curve(&self, record: &Record) -> Result<Curve, RecordError>;
}
