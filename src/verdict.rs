//! Claims, and what the measurement says of them. Numerics do not prove.

use crate::order::{Estimate, Excluded, Point, estimate, split};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A statement of the theory that a study can judge. The criterion is part of the claim: fixed before the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// Short name, unique within the study.
    pub name: &'static str,
    pub statement: &'static str,
    /// Where the statement comes from.
    pub reference: &'static str,
    /// The measured quantity: the column of the study's record.
    pub quantity: &'static str,
    pub law: Law,
}

/// What a claim says of the order s in `quantity ~ ε^s`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// `O(ε^a)`: s ≥ a.
    AtLeast(f64),
    /// s = a.
    Equals(f64),
    /// `→ 0`: s > 0.
    Vanishes,
}

/// How a measurement stands to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    Consistent,
    Inconsistent,
    /// The measurement does not decide; the reason says why.
    Inconclusive,
    /// A hypothesis of the claim fails on this scenario.
    NotApplicable,
}

/// One entry of `verdicts.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub study: String,
    pub claim: String,
    pub reference: String,
    pub quantity: String,
    pub prediction: String,
    pub observed: Option<f64>,
    pub interval: Option<(f64, f64)>,
    pub status: Status,
    pub reason: String,
    pub excluded: Vec<String>,
}

/// An interval wider than this on either side of its middle decides nothing.
const WIDEST: f64 = 0.25;
/// An order this near the claimed one does not refute it. Laws that are told apart differ by halves; a prefactor that still
/// varies with ε shifts the orders of all pairs alike by up to a tenth.
const CLEAR: f64 = 0.15;
/// Orders below this do not show that something vanishes.
const VANISHING: f64 = 0.1;

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::AtLeast(a) => write!(f, "order ≥ {a}"),
            Self::Equals(a) => write!(f, "order = {a}"),
            Self::Vanishes => write!(f, "order > 0"),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(match self {
            Self::Consistent => "consistent",
            Self::Inconsistent => "inconsistent",
            Self::Inconclusive => "inconclusive",
            Self::NotApplicable => "not applicable",
        })
    }
}

impl Claim {
    /// Judges the claim by measured points, in descending ε.
    pub fn judge(&self, study: &str, points: &[Point]) -> Verdict {
        let (used, excluded) = split(points);
        let mut verdict = self.verdict(study, Status::Inconclusive, String::new());
        verdict.excluded = excluded.iter().map(describe).collect();
        match estimate(&used) {
            None => verdict.reason = too_few(&used, &excluded),
            Some(found) => {
                verdict.observed = Some(found.order);
                verdict.interval = Some(found.interval);
                (verdict.status, verdict.reason) = self.law.decide(&found);
            }
        }
        verdict
    }

    /// The verdict that a hypothesis fails.
    pub fn not_applicable(&self, study: &str, why: &str) -> Verdict {
        self.verdict(study, Status::NotApplicable, why.to_owned())
    }

    fn verdict(&self, study: &str, status: Status, reason: String) -> Verdict {
        Verdict {
            study: study.to_owned(),
            claim: self.name.to_owned(),
            reference: self.reference.to_owned(),
            quantity: self.quantity.to_owned(),
            prediction: self.law.to_string(),
            observed: None,
            interval: None,
            status,
            reason,
            excluded: Vec::new(),
        }
    }
}

fn describe(excluded: &Excluded) -> String {
    format!("ε = {}: {}", excluded.epsilon, excluded.reason)
}

fn too_few(used: &[Point], excluded: &[Excluded]) -> String {
    let why = if excluded.is_empty() {
        "add smaller ε to the list"
    } else {
        "the others are at the error budget: by its largest part, use more points (space), a tighter tolerance (time), or larger ε \
         (round-off)"
    };
    format!(
        "too few points: {} usable, {} needed; {why}",
        used.len(),
        crate::order::FEWEST
    )
}

impl Law {
    fn decide(self, found: &Estimate) -> (Status, String) {
        let (low, high) = found.interval;
        let pairs: Vec<String> = found.pairs.iter().map(|p| format!("{p:.3}")).collect();
        let pairs = pairs.join(", ");
        let half = 0.5 * (high - low);
        let gap = match self {
            Self::AtLeast(a) => a - high,
            Self::Equals(a) => (a - high).max(low - a),
            Self::Vanishes => VANISHING - high,
        };
        let decided = match self {
            // One end is enough for a one-sided claim, however wide the interval.
            Self::AtLeast(a) if low >= a => Some(true),
            Self::Vanishes if low >= VANISHING => Some(true),
            Self::Vanishes if gap > 0.0 && half <= WIDEST => Some(false),
            Self::Vanishes => None,
            // To refute, the claimed order must be clearly off: also by the measure of the interval itself.
            Self::AtLeast(_) | Self::Equals(_) if gap > half.max(CLEAR) => Some(false),
            Self::AtLeast(_) | Self::Equals(_) if half > WIDEST || gap > 0.0 => None,
            Self::AtLeast(_) | Self::Equals(_) => Some(true),
        };
        match decided {
            None => (
                Status::Inconclusive,
                format!(
                    "pre-asymptotic: the orders of pairs have not settled ({pairs}); use smaller ε"
                ),
            ),
            Some(true) => (Status::Consistent, self.remark(low, &pairs)),
            Some(false) => (
                Status::Inconsistent,
                format!("orders of pairs: {pairs}; fit {:.3}", found.fit),
            ),
        }
    }

    fn remark(self, low: f64, pairs: &str) -> String {
        match self {
            Self::AtLeast(a) if low > a + WIDEST => {
                format!("orders of pairs: {pairs}; higher than claimed")
            }
            _ => format!("orders of pairs: {pairs}"),
        }
    }
}

/// Exit code of a set of verdicts: 1 if any is inconsistent, else 4 if any is inconclusive, else 0.
pub fn exit_code(verdicts: &[Verdict]) -> u8 {
    let any = |status| verdicts.iter().any(|v| v.status == status);
    match (any(Status::Inconsistent), any(Status::Inconclusive)) {
        (true, _) => 1,
        (false, true) => 4,
        (false, false) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(law: Law, value: impl Fn(f64) -> f64) -> Status {
        let claim = Claim {
            name: "test",
            statement: "",
            reference: "",
            quantity: "",
            law,
        };
        let points: Vec<Point> = [0.01, 0.005, 0.0025, 0.00125]
            .map(|epsilon| Point {
                epsilon,
                value: value(epsilon),
                budget: 1e-12,
                largest_part: "space",
            })
            .to_vec();
        claim.judge("study", &points).status
    }

    #[test]
    fn each_law_accepts_what_it_says_and_nothing_else() {
        use Status::{Consistent, Inconclusive, Inconsistent};
        let first = |e: f64| e * (1.0 + 3.0 * e);
        assert_eq!(judge(Law::Equals(1.0), first), Consistent);
        assert_eq!(judge(Law::Equals(1.5), first), Inconsistent);
        assert_eq!(judge(Law::Equals(0.5), first), Inconsistent);
        assert_eq!(judge(Law::AtLeast(1.0), first), Consistent);
        assert_eq!(judge(Law::AtLeast(0.5), first), Consistent);
        assert_eq!(judge(Law::AtLeast(2.0), first), Inconsistent);
        assert_eq!(judge(Law::Vanishes, first), Consistent);
        assert_eq!(judge(Law::Vanishes, |_| 0.3), Inconsistent);
        assert_eq!(judge(Law::AtLeast(0.5), |e| 1.0 / e), Inconsistent);
        // Noise at the budget decides nothing.
        assert_eq!(judge(Law::Equals(1.0), |_| 5e-12), Inconclusive);
        // A prefactor that varies slowly shifts every order a little: near the law, but not on it.
        assert_eq!(judge(Law::Equals(1.0), |e| e.powf(0.9)), Inconclusive);
        assert_eq!(judge(Law::AtLeast(1.0), |e| e.powf(0.9)), Inconclusive);
        assert_eq!(judge(Law::AtLeast(1.0), |e| e.powf(0.75)), Inconsistent);
        // Two regimes: the drift says so.
        let between = |e: f64| e * (1.0 + 400.0 * e);
        assert_eq!(judge(Law::Equals(1.5), between), Inconclusive);
    }

    #[test]
    fn exit_codes() {
        let with = |statuses: &[Status]| {
            let claim = Claim {
                name: "",
                statement: "",
                reference: "",
                quantity: "",
                law: Law::Vanishes,
            };
            let verdicts: Vec<Verdict> = statuses
                .iter()
                .map(|&s| claim.verdict("", s, String::new()))
                .collect();
            exit_code(&verdicts)
        };
        assert_eq!(with(&[]), 0);
        assert_eq!(with(&[Status::Consistent, Status::NotApplicable]), 0);
        assert_eq!(with(&[Status::Inconclusive, Status::Consistent]), 4);
        assert_eq!(with(&[Status::Inconclusive, Status::Inconsistent]), 1);
    }
}
