//! The commented scenarios that `mirrorflow new` writes, one per kind of problem.

use clap::ValueEnum;

/// A complete scenario on the torus whose comments explain every field and its alternatives.
pub const TEMPLATE: &str = include_str!("template.ron");

/// The same between Gaussians.
pub const GAUSSIAN: &str = include_str!("template_gaussian.ron");

/// The same of a function on R or R².
pub const EUCLIDEAN: &str = include_str!("template_euclidean.ron");

/// Kinds of problems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Densities on the periodic torus
    #[default]
    Torus,
    /// Centred Gaussians on R^d
    Gaussian,
    /// Functions on R or R²
    Euclidean,
}

impl Kind {
    /// The commented scenario.
    pub fn template(self) -> &'static str {
        match self {
            Self::Torus => TEMPLATE,
            Self::Gaussian => GAUSSIAN,
            Self::Euclidean => EUCLIDEAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    #[test]
    fn the_templates_are_valid_scenarios() {
        let loaded = parse("template.ron", TEMPLATE).unwrap();
        assert_eq!(loaded.scenario.studies.len(), 8);
        let loaded = parse("template_gaussian.ron", GAUSSIAN).unwrap();
        assert_eq!(loaded.scenario.studies.len(), 3);
    }

    #[test]
    fn the_template_teaches_every_name_of_the_format() {
        let names = "title points source target start space time studies Formula Uniform WrappedGaussians weight \
            mean deviation VonMises concentration Identity Spectral Dealiased FiniteDifference order Adaptive \
            tolerance Euler RungeKutta4 step Flow times Sinkhorn epsilon iterations kernel Heat Geodesic Plain \
            Prepared ScalingLimit epsilons OptimalMap MirrorFlow objective RelativeEntropy ReverseRelativeEntropy \
            ChiSquare PowerDivergence exponent Entropy PowerEntropy PotentialEnergy refinements \
            ExponentialConvergence samples others SideBySide horizon \
            MirrorDescent steps runs band comparators limit Explicit Implicit Constant Harmonic LogOverT List Random \
            sampling seed bins fokker_planck_steps";
        for name in names.split_whitespace() {
            assert!(TEMPLATE.contains(name), "{name}");
        }
    }

    #[test]
    fn the_template_between_gaussians_teaches_every_name_of_its_problem() {
        let names = "title Gaussian source target start Variances Matrix Random dimension least greatest seed Identity \
            Marginal ScalingLimit time epsilons Plain Prepared MirrorFlow times objective RelativeEntropy Entropy \
            ExponentialConvergence samples";
        for name in names.split_whitespace() {
            assert!(GAUSSIAN.contains(name), "{name}");
        }
    }
}
