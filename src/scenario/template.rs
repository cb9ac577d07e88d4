//! The commented scenario that `mirrorflow new` writes.

/// A complete scenario whose comments explain every field and its alternatives.
pub const TEMPLATE: &str = include_str!("template.ron");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    #[test]
    fn the_template_is_a_valid_scenario() {
        let loaded = parse("template.ron", TEMPLATE).unwrap();
        assert_eq!(loaded.scenario.studies.len(), 7);
    }

    #[test]
    fn the_template_teaches_every_name_of_the_format() {
        let names = "title points source target start space time studies Formula Uniform WrappedGaussians weight \
            mean deviation VonMises concentration Identity Spectral Dealiased FiniteDifference order Adaptive \
            tolerance Euler RungeKutta4 step Flow times Sinkhorn epsilon iterations kernel Heat Geodesic Plain \
            Prepared ScalingLimit epsilons OptimalMap MirrorFlow objective RelativeEntropy ReverseRelativeEntropy \
            ChiSquare PowerDivergence exponent Entropy PowerEntropy PotentialEnergy refinements \
            ExponentialConvergence samples others SideBySide horizon";
        for name in names.split_whitespace() {
            assert!(TEMPLATE.contains(name), "{name}");
        }
    }
}
