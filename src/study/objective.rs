//! The objective F of a mirror flow, as written in the file.

use mirrorflow_solvers::objective as numerics;
use serde::{Deserialize, Serialize};

/// What the mirror flow decreases (THEORY §5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Objective {
    /// `KL(ρ|e^{-f})`: parabolic Monge–Ampère.
    #[default]
    RelativeEntropy,
    /// `KL(e^{-f}|ρ)`.
    ReverseRelativeEntropy,
    /// `½χ²(ρ|e^{-f})`.
    ChiSquare,
    /// `∫e^{-f}(r^m − 1 − m(r − 1))/(m(m − 1))`, `r = ρ/e^{-f}`.
    PowerDivergence { exponent: f64 },
    /// `∫ρ log ρ`.
    Entropy,
    /// `∫(ρ^m − 1 − m(ρ − 1))/(m(m − 1))`.
    PowerEntropy { exponent: f64 },
    /// `∫fρ`.
    PotentialEnergy,
}

impl Objective {
    /// The functional.
    pub fn build(self) -> Box<dyn numerics::Objective> {
        match self {
            Self::RelativeEntropy => Box::new(numerics::RelativeEntropy),
            Self::ReverseRelativeEntropy => Box::new(numerics::ReverseRelativeEntropy),
            Self::ChiSquare => Box::new(numerics::ChiSquare),
            Self::PowerDivergence { exponent } => {
                Box::new(numerics::PowerDivergence::new(exponent))
            }
            Self::Entropy => Box::new(numerics::Entropy),
            Self::PowerEntropy { exponent } => Box::new(numerics::PowerEntropy::new(exponent)),
            Self::PotentialEnergy => Box::new(numerics::PotentialEnergy),
        }
    }

    /// For figures and verdicts.
    pub fn label(self) -> String {
        match self {
            Self::RelativeEntropy => "KL".into(),
            Self::ReverseRelativeEntropy => "reverse KL".into(),
            Self::ChiSquare => "½χ²".into(),
            Self::PowerDivergence { exponent } => {
                format!("power divergence, m = {}", minus(exponent))
            }
            Self::Entropy => "entropy".into(),
            Self::PowerEntropy { exponent } => format!("power entropy, m = {}", minus(exponent)),
            Self::PotentialEnergy => "potential energy".into(),
        }
    }

    /// Whether it is least at e^{-f}.
    pub fn is_divergence(self) -> bool {
        !matches!(
            self,
            Self::Entropy | Self::PowerEntropy { .. } | Self::PotentialEnergy
        )
    }

    /// The exponent, of a power.
    pub fn exponent(self) -> Option<f64> {
        match self {
            Self::PowerDivergence { exponent } | Self::PowerEntropy { exponent } => Some(exponent),
            _ => None,
        }
    }
}

/// With a proper minus sign.
fn minus(value: f64) -> String {
    value.to_string().replace('-', "−")
}
