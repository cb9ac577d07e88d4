//! Spectral calculus: derivatives of the trigonometric interpolant.
//!
//! *Nyquist.* On n nodes `cos(πn x)` is seen but `sin(πn x)` is not. An odd derivative of the Nyquist mode vanishes at
//! every node, so it is set to zero (mixed second derivatives in either of their axes); the pure second
//! derivative keeps it, which keeps `∂_ii` negative definite.
//!
//! *Aliasing.* PMA's nonlinearity, `g(∇u)` and `log det`, is not polynomial, so no fixed padding removes aliasing; for
//! resolved data it is at round-off, and [`crate::monge_ampere::Diagnosis`] reports the spectral tail that shows
//! whether they are. [`Spectral::dealiased`] applies the 2/3 rule to every right-hand side instead,
//! for marginally resolved data: modes with `3|k_i| > n_i` are then not evolved.

use super::{Calculus, Derivatives, Symbol};
use crate::error::{Error, Result};
use crate::fourier::{Complex64, Filter, Fourier, Order, Pencils, angular};
use crate::parallel::for_each_block;
use crate::symmetric::pairs;
use crate::torus::Torus;

/// Derivatives by real Fourier transforms: one forward and d + d(d+1)/2 inverse ones. Errors are at round-off for
/// band-limited fields and decay faster than any power of h for smooth ones.
pub struct Spectral {
    fourier: Fourier,
    /// The fast way to derivatives, in two and three dimensions.
    pencils: Option<Pencils>,
    symbols: Vec<Symbol>,
    ones: Vec<Vec<f64>>,
    /// Drops the modes that are Nyquist along some axis, once there was need.
    below_nyquist: Option<Filter>,
    spectrum: Vec<Complex64>,
    work: Vec<Complex64>,
    /// Where a divergence is summed.
    total: Vec<Complex64>,
    /// One for the modes that are kept along each axis, when dealiased or band-limited.
    kept: Option<Vec<Vec<f64>>>,
}

impl Spectral {
    /// All modes kept.
    pub fn new(torus: &Torus) -> Self {
        let fourier = Fourier::new(torus);
        let d = torus.dimension();
        let symbols: Vec<_> = (0..d).map(|axis| symbol(&fourier, axis)).collect();
        let ones = symbols.iter().map(|s| vec![1.0; s.first.len()]).collect();
        Self {
            spectrum: fourier.spectrum(),
            work: fourier.spectrum(),
            total: fourier.spectrum(),
            pencils: Pencils::new(torus),
            fourier,
            symbols,
            ones,
            below_nyquist: None,
            kept: None,
        }
    }

    /// Right-hand sides projected by the 2/3 rule.
    pub fn dealiased(torus: &Torus) -> Self {
        Self::keeping(torus, |k, n| 3.0 * k.abs() <= n as f64)
    }

    /// Right-hand sides projected on the modes `|k_i| ≤ band`: what mirror descent evolves (THEORY §7).
    ///
    /// # Errors
    /// [`Error::Grid`] unless `2·band < n_i` along every axis, so that no Nyquist mode is kept.
    pub fn band_limited(torus: &Torus, band: usize) -> Result<Self> {
        if let Some(n) = torus.points().iter().find(|&&n| 2 * band >= n) {
            return Err(Error::Grid {
                points: torus.points().to_vec(),
                reason: format!(
                    "modes |k| ≤ {band} need more than {n} points along every axis; use {} points or a band limit ≤ {}",
                    2 * band + 2,
                    n / 2 - 1
                ),
            });
        }
        Ok(Self::keeping(torus, |k, _| k.abs() <= band as f64))
    }

    /// Right-hand sides projected on the modes with `keep(k_i, n_i)` along every axis.
    fn keeping(torus: &Torus, keep: impl Fn(f64, usize) -> bool) -> Self {
        let plain = Self::new(torus);
        let along = |(axis, &n): (usize, &usize)| -> Vec<f64> {
            let wavenumbers = plain.fourier.wavenumbers(axis);
            let kept = wavenumbers.iter().map(|&k| keep(k, n));
            kept.map(f64::from).collect()
        };
        let kept = torus.points().iter().enumerate().map(along).collect();
        Self {
            kept: Some(kept),
            ..plain
        }
    }

    /// Each derivative by a transform of its own: what [`derivatives_together`] must agree with.
    fn derivatives_one_by_one(&mut self, field: &[f64], out: &mut Derivatives) {
        self.gradient_one_by_one(field, &mut out.gradient);
        for (component, (i, j)) in pairs(self.torus().dimension()).enumerate() {
            self.second(i, j, &mut out.hessian[component]);
        }
    }

    fn gradient_one_by_one(&mut self, field: &[f64], out: &mut [Vec<f64>]) {
        self.transform(field);
        for (axis, out) in out.iter_mut().enumerate() {
            self.first(axis, out);
        }
    }

    fn transform(&mut self, field: &[f64]) {
        self.fourier.forward(field, &mut self.spectrum);
    }

    /// `∂_i` of the transformed field.
    fn first(&mut self, axis: usize, out: &mut [f64]) {
        self.multiply_first(axis);
        self.fourier.inverse(&mut self.work, out);
    }

    /// The transform of `∂_i` of the transformed field, in `work`.
    fn multiply_first(&mut self, axis: usize) {
        let unit = Complex64::new(0.0, self.normalisation());
        let mut factors: Vec<&[f64]> = self.ones.iter().map(Vec::as_slice).collect();
        factors[axis] = &self.symbols[axis].first;
        self.fourier
            .multiply(&self.spectrum, &factors, unit, &mut self.work);
    }

    /// `∂_ij` of the transformed field.
    fn second(&mut self, i: usize, j: usize, out: &mut [f64]) {
        let unit = Complex64::new(-self.normalisation(), 0.0);
        let mut factors: Vec<&[f64]> = self.ones.iter().map(Vec::as_slice).collect();
        if i == j {
            factors[i] = &self.symbols[i].second;
        } else {
            factors[i] = &self.symbols[i].first;
            factors[j] = &self.symbols[j].first;
        }
        self.fourier
            .multiply(&self.spectrum, &factors, unit, &mut self.work);
        self.fourier.inverse(&mut self.work, out);
    }

    /// Multiplies the transform of the field by one factor per axis.
    fn filter(&mut self, factors: &[Vec<f64>], field: &mut [f64]) {
        self.transform(field);
        let factors: Vec<&[f64]> = factors.iter().map(Vec::as_slice).collect();
        let unit = Complex64::new(self.normalisation(), 0.0);
        self.fourier
            .multiply(&self.spectrum, &factors, unit, &mut self.work);
        self.fourier.inverse(&mut self.work, field);
    }

    fn normalisation(&self) -> f64 {
        1.0 / self.fourier.torus().len() as f64
    }
}

/// ∇ and, where there is room for it, ∇² by transforms that share what they can.
fn derivatives_together(
    pencils: &mut Pencils,
    field: &[f64],
    gradient: &mut [Vec<f64>],
    hessian: &mut [Vec<f64>],
) {
    let d = gradient.len();
    let orders: &[usize] = if hessian.is_empty() {
        &[0, 1]
    } else {
        &[0, 1, 2]
    };
    let second = pairs(d).map(|(i, j)| pencils.order(&[i, j]));
    let mut fields = [Order::default(); 9];
    let wanted = (0..d).map(|i| pencils.order(&[i])).chain(second);
    let count = d + hessian.len();
    for (field, order) in fields.iter_mut().zip(wanted).take(count) {
        *field = order;
    }
    let mut outputs: [&mut [f64]; 9] = Default::default();
    for (slot, out) in outputs.iter_mut().zip(gradient.iter_mut().chain(hessian)) {
        *slot = out;
    }
    pencils.forward(field);
    pencils.columns(None, orders);
    let size = pencils.sheet_len();
    pencils.inverse(
        orders,
        &fields[..count],
        outputs,
        size,
        |_, _| {},
        |at, field, values, sheets| {
            pencils.write_rows(values, at, sheets[field]);
        },
    );
}

fn symbol(fourier: &Fourier, axis: usize) -> Symbol {
    let nyquist = fourier.torus().points()[axis] as f64 / 2.0;
    let k = fourier.wavenumbers(axis);
    Symbol {
        first: k
            .iter()
            .map(|&k| if k == nyquist { 0.0 } else { angular(k) })
            .collect(),
        second: k.iter().map(|&k| angular(k).powi(2)).collect(),
    }
}

impl Calculus for Spectral {
    fn torus(&self) -> &Torus {
        self.fourier.torus()
    }

    fn derivatives(&mut self, field: &[f64], out: &mut Derivatives) {
        match &mut self.pencils {
            Some(pencils) => {
                derivatives_together(pencils, field, &mut out.gradient, &mut out.hessian);
            }
            None => self.derivatives_one_by_one(field, out),
        }
    }

    fn gradient(&mut self, field: &[f64], out: &mut [Vec<f64>]) {
        match &mut self.pencils {
            Some(pencils) => derivatives_together(pencils, field, out, &mut []),
            None => self.gradient_one_by_one(field, out),
        }
    }

    fn divergence(&mut self, flux: &[Vec<f64>], out: &mut [f64]) {
        self.total.fill(Complex64::ZERO);
        for (axis, component) in flux.iter().enumerate() {
            self.transform(component);
            self.multiply_first(axis);
            let work = &self.work;
            for_each_block(&mut self.total, |start, total| {
                for (total, term) in total.iter_mut().zip(&work[start..]) {
                    *total += term;
                }
            });
        }
        self.fourier.inverse(&mut self.total, out);
    }

    fn symbol(&self, axis: usize) -> Symbol {
        self.symbols[axis].clone()
    }

    fn order(&self) -> Option<u32> {
        None
    }

    fn is_interpolant(&self) -> bool {
        self.kept.is_none()
    }

    fn project(&mut self, field: &mut [f64]) {
        if let Some(kept) = self.kept.take() {
            self.filter(&kept, field);
            self.kept = Some(kept);
        }
    }

    fn remove_nyquist(&mut self, field: &mut [f64]) {
        if self.torus().dimension() == 1 {
            return;
        }
        let symbols = &self.symbols;
        let filter = self.below_nyquist.get_or_insert_with(|| {
            let seen: Vec<Vec<bool>> = symbols.iter().map(Symbol::seen).collect();
            let mut filter = Filter::new(self.fourier.torus());
            filter.adopt(|index| f64::from(seen.iter().zip(index).all(|(seen, &k)| seen[k])));
            filter
        });
        filter.apply(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::{sup, sup_difference};
    use std::f64::consts::PI;

    fn mode(torus: &Torus, k: f64) -> Vec<f64> {
        (0..torus.len())
            .map(|i| (2.0 * PI * k * torus.node(i)[0]).cos())
            .collect()
    }

    #[test]
    fn nyquist_has_no_first_derivative_and_keeps_the_second() {
        let torus = Torus::new(&[16]).unwrap();
        let mut out = Derivatives::zeros(&torus);
        let nyquist = mode(&torus, 8.0);
        Spectral::new(&torus).derivatives(&nyquist, &mut out);
        assert!(sup(&out.gradient[0]) < 1e-12);
        assert!((out.hessian[0][0] + (16.0 * PI).powi(2)).abs() < 1e-9);
    }

    #[test]
    fn derivatives_together_are_those_one_by_one() {
        for points in [
            vec![16, 8],
            vec![10, 6],
            vec![20, 36],
            vec![64, 96],
            vec![8, 16, 12],
            vec![6, 10, 14],
            vec![24, 40, 8],
        ] {
            let torus = Torus::new(&points).unwrap();
            let rough: Vec<f64> = (0..torus.len())
                .map(|i| (1.7 * (i * i) as f64).sin())
                .collect();
            let mut spectral = Spectral::new(&torus);
            let (mut fast, mut slow) = (Derivatives::zeros(&torus), Derivatives::zeros(&torus));
            spectral.derivatives(&rough, &mut fast);
            spectral.derivatives_one_by_one(&rough, &mut slow);
            let scale = (PI * *points.iter().max().unwrap() as f64).powi(2);
            for (fast, slow) in fast.hessian.iter().zip(&slow.hessian) {
                assert!(sup_difference(fast, slow) < 1e-14 * scale, "{points:?}");
            }
            let mut gradient = fast.gradient.clone();
            spectral.gradient(&rough, &mut gradient);
            for ((fast, slow), alone) in fast.gradient.iter().zip(&slow.gradient).zip(&gradient) {
                assert!(
                    sup_difference(fast, slow) < 1e-14 * scale.sqrt(),
                    "{points:?}"
                );
                assert_eq!(fast, alone);
            }
        }
    }

    #[test]
    fn two_thirds_rule_drops_what_a_square_aliases() {
        let torus = Torus::new(&[24]).unwrap();
        let kept = mode(&torus, 8.0);
        // cos² has mode 16, which 24 nodes see as mode 8; 9 > 24/3 is dropped, the mean is kept.
        let mut high = mode(&torus, 9.0);
        let mut low = kept.clone();
        let mut spectral = Spectral::dealiased(&torus);
        spectral.project(&mut high);
        spectral.project(&mut low);
        assert!(sup(&high) < 1e-14);
        assert!(sup_difference(&low, &kept) < 1e-14);
        let mut untouched = mode(&torus, 9.0);
        Spectral::new(&torus).project(&mut untouched);
        assert_eq!(untouched, mode(&torus, 9.0));
    }

    #[test]
    fn a_band_limit_keeps_its_modes_and_refuses_the_nyquist_mode() {
        let torus = Torus::new(&[24, 16]).unwrap();
        let mut spectral = Spectral::band_limited(&torus, 5).unwrap();
        let (mut low, mut high) = (mode(&torus, 5.0), mode(&torus, 6.0));
        spectral.project(&mut low);
        spectral.project(&mut high);
        assert!(sup_difference(&low, &mode(&torus, 5.0)) < 1e-14);
        assert!(sup(&high) < 1e-14);
        let refused = Spectral::band_limited(&torus, 8).err().unwrap().to_string();
        assert!(refused.contains("band limit ≤ 7"), "{refused}");
    }
}
