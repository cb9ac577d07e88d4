//! Multiplication of the Fourier modes of a field by real factors.

use super::{Complex64, Fourier, Order, Pencils};
use crate::torus::Torus;

const VALUE: [Order; 1] = [[0; 3]];

/// `p ↦ Σ_k m_k p̂_k e^{2πi k·x}` for a table of factors m.
pub struct Filter {
    nodes: usize,
    way: Way,
}

enum Way {
    Line {
        fourier: Box<Fourier>,
        spectrum: Vec<Complex64>,
        factors: Vec<f64>,
    },
    /// In two and three dimensions.
    Sheets {
        pencils: Box<Pencils>,
        factors: Vec<f64>,
    },
}

impl Filter {
    /// With all factors zero, until [`Self::adopt`].
    pub fn new(torus: &Torus) -> Self {
        let way = match Pencils::new(torus) {
            Some(pencils) => Way::Sheets {
                pencils: Box::new(pencils),
                factors: Vec::new(),
            },
            None => {
                let fourier = Box::new(Fourier::new(torus));
                Way::Line {
                    factors: vec![0.0; fourier.modes()],
                    spectrum: fourier.spectrum(),
                    fourier,
                }
            }
        };
        Self {
            nodes: torus.len(),
            way,
        }
    }

    /// Takes the factor of the index along each axis of [`super::wavenumbers`].
    pub fn adopt(&mut self, factor: impl Fn(&[usize]) -> f64 + Sync) {
        match &mut self.way {
            Way::Line { factors, .. } => {
                let scale = 1.0 / self.nodes as f64;
                let all = factors.iter_mut().enumerate();
                all.for_each(|(k, m)| *m = scale * factor(&[k]));
            }
            Way::Sheets { pencils, factors } => *factors = pencils.symbol(factor),
        }
    }

    /// Filters a field at the nodes.
    pub fn apply(&mut self, field: &mut [f64]) {
        match &mut self.way {
            Way::Line {
                fourier,
                spectrum,
                factors,
            } => {
                fourier.forward(field, spectrum);
                for (mode, m) in spectrum.iter_mut().zip(&*factors) {
                    *mode *= m;
                }
                fourier.inverse(spectrum, field);
            }
            Way::Sheets { pencils, factors } => {
                pencils.forward(field);
                pencils.columns(Some(factors), &[0]);
                let size = pencils.sheet_len();
                pencils.inverse(
                    &[0],
                    &VALUE,
                    [field],
                    size,
                    |_, _| {},
                    |at, _, values, [field]| pencils.write_rows(values, at, field),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::sup_difference;

    /// Mode by mode, the definition.
    #[test]
    fn every_mode_is_multiplied_by_its_factor() {
        for points in [&[12][..], &[10, 6], &[16, 18], &[6, 10, 8]] {
            let torus = Torus::new(points).unwrap();
            let field: Vec<f64> = (0..torus.len())
                .map(|i| (1.7 * (i * i) as f64).sin())
                .collect();
            let factor = |index: &[usize]| {
                let axes = index.iter().zip(points).enumerate();
                let waves = axes.map(|(axis, (&k, &n))| (axis + 1) as f64 * k.min(n - k) as f64);
                1.0 / (1.0 + waves.sum::<f64>())
            };
            let mut fourier = Fourier::new(&torus);
            let (mut spectrum, mut expected) = (fourier.spectrum(), field.clone());
            fourier.forward(&field, &mut spectrum);
            let scale = 1.0 / torus.len() as f64;
            fourier.for_each_mode(&mut spectrum, |mode, index| *mode *= scale * factor(index));
            fourier.inverse(&mut spectrum, &mut expected);
            let (mut filter, mut found) = (Filter::new(&torus), field);
            filter.adopt(|index| factor(&index[..points.len()]));
            filter.apply(&mut found);
            let error = sup_difference(&found, &expected);
            assert!(error < 1e-14, "{points:?}: {error:e}");
        }
    }
}
