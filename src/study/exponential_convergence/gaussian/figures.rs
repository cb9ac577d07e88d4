//! Figures of the decay between Gaussians: those of the torus that need no field.

use super::super::{ExponentialConvergence, figures};
use crate::figure::Figure;
use crate::record::{Record, RecordError};

pub fn draw(study: &ExponentialConvergence, record: &Record) -> Result<Vec<Figure>, RecordError> {
    let every: Vec<usize> = (0..record.values("epsilons").map_or(0, <[f64]>::len)).collect();
    let mut drawn = vec![figures::decay_figure(study, record, &every)?];
    if record.values("fokker_planck_kl").is_ok() {
        drawn.push(figures::rates(study, record, &every)?);
        drawn.push(figures::distances(record)?);
    }
    Ok(drawn)
}
