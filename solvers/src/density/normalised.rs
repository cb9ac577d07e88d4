//! Densities of unit mass: a function f checked, and shifted so that `∫ e^{-f} = 1`.

use super::mass::{LogMass, log_mass, mean_density};
use super::{Jet, LogDensity, at_nodes, validity};
use crate::error::{Error, Result};
use crate::parallel::{sup, sup_difference};
use crate::resample::refine;
use crate::torus::Torus;
use std::fmt;
use std::sync::Arc;

/// Largest relative uncertainty of the mass that is accepted.
const MOST_UNCERTAIN: f64 = 1e-6;
/// Largest defect of the node sum of `e^{-f}` on a grid that is said to resolve it.
const UNRESOLVED: f64 = 1e-3;
/// Most nodes of a grid that is tried for a recommendation.
const MOST_NODES: usize = 1 << 22;

/// A density `e^{-f}` on the torus, smooth, positive in floating point and of unit mass.
///
/// As a [`LogDensity`] it is `f = shape + constant`, the constant included.
#[derive(Clone)]
pub struct Density {
    shape: Arc<dyn LogDensity>,
    mass: LogMass,
}

impl Density {
    /// Checks `shape` and normalises it: `f = shape + ln ∫ e^{-shape}`.
    ///
    /// # Errors
    /// [`Error::Density`], with place and remedy, if the shape or its derivatives are not finite, if it is
    /// not periodic, if it ranges over more than 600, or if its mass cannot
    /// be computed to a millionth with the nodes allowed.
    pub fn new(shape: Arc<dyn LogDensity>) -> Result<Self> {
        if !(1..=3).contains(&shape.dimension()) {
            return Err(Error::Density {
                reason: format!("a function of {} coordinates", shape.dimension()),
                remedy: "the torus has 1 to 3 axes".into(),
            });
        }
        validity::check(&*shape)?;
        let mass = log_mass(&*shape)?;
        if mass.uncertainty > MOST_UNCERTAIN {
            return Err(Error::Density {
                reason: format!(
                    "the mass of e^{{-f}} is known only to {:.1e} with {} points per axis",
                    mass.uncertainty, mass.points
                ),
                remedy: "make f smoother: its steepest parts are narrower than these grids resolve"
                    .into(),
            });
        }
        Ok(Self { shape, mass })
    }

    /// `f − shape = ln ∫ e^{-shape}`.
    pub fn constant(&self) -> f64 {
        self.mass.log
    }

    /// Relative uncertainty of the mass: the difference of two trapezoid rules, about 10⁻¹⁵ for smooth f.
    pub fn mass_uncertainty(&self) -> f64 {
        self.mass.uncertainty
    }

    /// f at the nodes, in C order.
    ///
    /// # Panics
    /// If the torus has another dimension than the density.
    pub fn on(&self, torus: &Torus) -> Vec<f64> {
        at_nodes(self, torus)
    }

    /// How well the grid resolves the density: the larger of `|mean over the nodes of e^{-f} − 1|` and the relative error of the
    /// trigonometric interpolant of f between the nodes.
    ///
    /// # Errors
    /// [`Error::Density`] if the defect exceeds 10⁻³, naming the points that suffice, or if the dimensions differ.
    pub fn check_resolved(&self, torus: &Torus) -> Result<f64> {
        if self.dimension() != torus.dimension() {
            return Err(Error::Density {
                reason: format!(
                    "a function of {} coordinates on a torus of {} axes",
                    self.dimension(),
                    torus.dimension()
                ),
                remedy: "give as many numbers of points as the density has coordinates".into(),
            });
        }
        let defect = self.defect(torus);
        if defect <= UNRESOLVED {
            return Ok(defect);
        }
        Err(Error::Density {
            reason: format!(
                "the grid {:?} does not resolve e^{{-f}}: its mass, or f between the nodes, is off by {defect:.1e}",
                torus.points()
            ),
            remedy: match self.adequate(torus) {
                Some(points) => format!("use points {points:?}"),
                None => "use many more points, or a smoother density".into(),
            },
        })
    }

    /// The larger of the defect of the mass and the relative miss of the trigonometric interpolant of f at the nodes of a grid
    /// with odd multiples of the spacing. The mass alone does not see a mode that the grid takes for another one.
    fn defect(&self, torus: &Torus) -> f64 {
        let f = self.on(torus);
        let mass = (mean_density(&f) - 1.0).abs();
        let Ok(fine) = torus.resized(|n| n + n / 2) else {
            return mass;
        };
        let between = self.on(&fine);
        let miss = sup_difference(&refine(torus, &f, &fine), &between);
        mass.max(miss / (1.0 + sup(&between)))
    }

    /// Points of the first of the grids 2, 4, 8, … times as fine that resolves the density.
    fn adequate(&self, torus: &Torus) -> Option<Vec<usize>> {
        let finer = |torus: &Torus| torus.resized(|n| 2 * n).ok();
        std::iter::successors(finer(torus), finer)
            .take_while(|torus| torus.len() <= MOST_NODES)
            .find(|torus| self.defect(torus) <= UNRESOLVED)
            .map(|torus| torus.points().to_vec())
    }
}

impl LogDensity for Density {
    fn dimension(&self) -> usize {
        self.shape.dimension()
    }

    fn jet(&self, points: &[Vec<f64>], jet: &mut Jet) {
        self.shape.jet(points, jet);
        jet.value.iter_mut().for_each(|f| *f += self.mass.log);
    }
}

impl fmt::Debug for Density {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.debug_struct("Density")
            .field("dimension", &self.dimension())
            .field("constant", &self.constant())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::density::{Formula, Gaussian, Mixture, Uniform};

    fn density(text: &str, dimension: usize) -> Result<Density> {
        Density::new(Arc::new(Formula::parse(text, dimension)?))
    }

    #[test]
    fn constants_agree_with_an_independent_program() {
        for (text, dimension, constant) in [
            (
                "0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)",
                1,
                0.071_226_757_539_047_11,
            ),
            (
                "0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)",
                1,
                0.034_553_329_086_608_09,
            ),
            (
                "0.4*cos(2*pi*x) + 0.3*sin(2*pi*(x + y)) - 0.2*sin(2*pi*y)",
                2,
                0.077_731_217_725_727_26,
            ),
            (
                "0.5*cos(2*pi*y) + 0.2*cos(2*pi*(x - y)) + 0.1*sin(2*pi*(x - y))",
                2,
                0.074_010_872_310_242_71,
            ),
        ] {
            let density = density(text, dimension).unwrap();
            assert!(
                (density.constant() - constant).abs() < 2e-15,
                "{text}: {density:?}"
            );
            assert!(density.mass_uncertainty() < 1e-14);
        }
    }

    #[test]
    fn mixtures_and_the_uniform_density_have_unit_mass_already() {
        let gaussian = Gaussian {
            weight: 3.0,
            mean: vec![0.1, 0.5, 0.9],
            deviation: vec![0.2, 0.1, 0.5],
        };
        let mixture = Mixture::wrapped_gaussians(&[gaussian]).unwrap();
        let shapes: [Arc<dyn LogDensity>; 2] =
            [Arc::new(mixture), Arc::new(Uniform { dimension: 2 })];
        for shape in shapes {
            let constant = Density::new(shape).unwrap().constant();
            assert!(constant.abs() < 1e-14, "{constant}");
        }
    }

    #[test]
    fn values_on_the_nodes_include_the_constant_and_have_unit_mass() {
        let density = density("3 + sin(2*pi*x)*cos(4*pi*y)", 2).unwrap();
        let torus = Torus::new(&[32, 48]).unwrap();
        let on = density.on(&torus);
        assert!((on[0] - (3.0 + density.constant())).abs() < 1e-14);
        assert!((mean_density(&on) - 1.0).abs() < 1e-14);
        assert!(density.check_resolved(&torus).unwrap() < 1e-14);
    }

    #[test]
    fn a_frequency_of_the_grid_does_not_pass_for_a_constant() {
        // On 32 and on 64 nodes cos(2π·64 x) is 1 everywhere; the mass is I₀(1).
        let density = density("cos(2*pi*64*x)", 1).unwrap();
        assert!((density.constant() - 1.266_065_877_752_008_3_f64.ln()).abs() < 1e-14);
        let message = density
            .check_resolved(&Torus::new(&[64]).unwrap())
            .unwrap_err();
        assert!(
            message.to_string().contains("use points [512]"),
            "{message}"
        );
    }

    /// On 64 nodes mode 60 looks like mode 4 and the mass is right to round-off.
    #[test]
    fn a_mode_that_the_grid_takes_for_another_is_refused() {
        let shape = Formula::parse("0.5*cos(2*pi*60*x)", 1).unwrap();
        let density = Density::new(Arc::new(shape)).unwrap();
        assert!(density.check_resolved(&Torus::new(&[64]).unwrap()).is_err());
        assert!(density.check_resolved(&Torus::new(&[128]).unwrap()).is_ok());
    }

    #[test]
    fn coarse_grids_are_refused_with_the_points_that_suffice() {
        let needle = Gaussian {
            weight: 1.0,
            mean: vec![0.3],
            deviation: vec![0.02],
        };
        let uniform_part = Gaussian {
            deviation: vec![1.0],
            ..needle.clone()
        };
        let mixture = Mixture::wrapped_gaussians(&[needle, uniform_part]).unwrap();
        let density = Density::new(Arc::new(mixture)).unwrap();
        let message = density
            .check_resolved(&Torus::new(&[16]).unwrap())
            .unwrap_err();
        assert!(
            message.to_string().contains("use points [128]"),
            "{message}"
        );
        assert!(
            density
                .check_resolved(&Torus::new(&[16, 16]).unwrap())
                .is_err()
        );
    }

    #[test]
    fn densities_that_floating_point_cannot_hold_are_refused() {
        for (text, said) in [
            ("400*cos(2*pi*x)", "ranges over 8.0e2"),
            ("tan(pi*(x - 0.3))", "ranges over"),
            ("x^2", "not periodic along x"),
        ] {
            let message = density(text, 2).unwrap_err().to_string();
            assert!(message.contains(said), "{message}");
        }
        let steep = density("5*tanh(1e5*sin(2*pi*(x - 0.3))*cos(2*pi*y))", 2).unwrap_err();
        assert!(steep.to_string().contains("known only to"), "{steep}");
        assert!(density("250*cos(2*pi*x)", 1).is_ok());
    }
}
