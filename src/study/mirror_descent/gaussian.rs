//! Mirror descent between Gaussians.

use super::MirrorDescent;
use crate::figure::Figure;
use crate::record::{Record, RecordError};
use crate::scenario::BuiltGaussian;
use crate::study::measure::{Context, MeasureError, Measured};
use crate::study::{Curve, Experiment};

impl Experiment<BuiltGaussian> for MirrorDescent {
    fn measure(&self, _context: &Context<BuiltGaussian>) -> Result<Measured, MeasureError> {
        todo!()
    }

    fn draw(&self, _built: &BuiltGaussian, _record: &Record) -> Result<Vec<Figure>, RecordError> {
        todo!()
    }

    fn curve(&self, _record: &Record) -> Result<Curve, RecordError> {
        todo!()
    }
}
