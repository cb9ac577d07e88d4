//! Claims, and what the measurement says of them. Numerics do not prove.

use crate::order::{Estimate, Excluded, Point, estimate, split};
use crate::quantities::short;
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

/// What a claim says: of the order s in `quantity ~ ε^s` (or a power of a step), or of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// `O(ε^a)`: s ≥ a.
    AtLeast(f64),
    /// s = a.
    Equals(f64),
    /// `→ 0`: s > 0.
    Vanishes,
    /// A defect that is zero in the continuum is at most this.
    Below(f64),
    /// The largest of `measured / bound` over all instants is at most 1.
    Bounded,
    /// A number equals its prediction, known only after the run, to this fraction.
    Within(f64),
}

/// A law as data: `observed relation value`, for `within` to the part `tolerance` of the value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stated {
    /// What is observed: an `order`, a `defect`, a `ratio` to a bound, or a `number`.
    pub kind: String,
    /// `≥`, `=`, `>`, `≤` or `within`.
    pub relation: String,
    /// The claimed order, the limit or the predicted number; null where the prediction was not measured.
    pub value: Option<f64>,
    pub tolerance: Option<f64>,
}

/// A measured number and the interval that its error budget leaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    pub value: f64,
    pub interval: (f64, f64),
}

impl Observed {
    /// `value ± error`.
    pub fn plus_minus(value: f64, error: f64) -> Self {
        Self {
            value,
            interval: (value - error, value + error),
        }
    }

    /// The same, less certain by `error` on both sides.
    pub fn widened(self, error: f64) -> Self {
        Self {
            interval: (self.interval.0 - error, self.interval.1 + error),
            ..self
        }
    }

    /// Whether it is a number with both ends of its interval.
    fn is_finite(&self) -> bool {
        self.value.is_finite() && self.interval.0.is_finite() && self.interval.1.is_finite()
    }
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
    pub statement: String,
    pub reference: String,
    /// The run that the verdict is about, of a study with several.
    pub run: Option<String>,
    pub quantity: String,
    /// The law in words, and as data.
    pub prediction: String,
    pub law: Stated,
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
/// Orders this far from the claimed one, and going farther, are another law's.
const FAR: f64 = 0.5;
/// An order within this of the claimed one is not another.
const NEAR: f64 = 0.1;
/// Orders of pairs that differ by less than this do not move.
const STILL: f64 = 0.01;
/// Differences of orders that shrink by less than this do not end within the values at hand. Those of ε^a(1 + cε) halve with ε.
const STEADY: f64 = 0.8;
/// Orders below this do not show that something vanishes.
const VANISHING: f64 = 0.1;

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::AtLeast(a) => write!(f, "order ≥ {a}"),
            Self::Equals(a) => write!(f, "order = {a}"),
            Self::Vanishes => write!(f, "order > 0"),
            Self::Below(limit) => write!(f, "≤ {limit:e}"),
            Self::Bounded => write!(f, "measured/bound ≤ 1"),
            Self::Within(part) => write!(f, "as predicted ± {} %", percent(*part)),
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
    /// The claim with its fields in their order.
    pub const fn new(
        name: &'static str,
        statement: &'static str,
        reference: &'static str,
        quantity: &'static str,
        law: Law,
    ) -> Self {
        Self {
            name,
            statement,
            reference,
            quantity,
            law,
        }
    }

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

    /// Judges a law about a number: [`Law::Below`] or [`Law::Bounded`]. `reason` says what the number is.
    ///
    /// # Panics
    /// On other laws.
    pub fn judge_number(&self, study: &str, observed: Observed, reason: String) -> Verdict {
        let limit = match self.law {
            Law::Below(limit) => limit,
            Law::Bounded => 1.0,
            law => panic!("{law} is not a law about one number"),
        };
        let (low, high) = observed.interval;
        let (status, reason) = if !observed.is_finite() {
            (Status::Inconclusive, format!("not finite ({reason})"))
        } else if high <= limit {
            (Status::Consistent, reason)
        } else if low > limit {
            (Status::Inconsistent, reason)
        } else {
            let why =
                "the error budget reaches past the limit: use more points or a tighter tolerance";
            (Status::Inconclusive, format!("{why} ({reason})"))
        };
        self.verdict(study, status, reason).with(observed)
    }

    /// Judges [`Law::Within`] against the number `predicted`, named by `symbol`: consistent when the whole interval is as near to the
    /// prediction as the law allows, inconsistent when none of it is.
    ///
    /// # Panics
    /// On other laws.
    pub fn judge_against(
        &self,
        study: &str,
        observed: Observed,
        (symbol, predicted): (&str, f64),
        reason: String,
    ) -> Verdict {
        let Law::Within(part) = self.law else {
            panic!("{} is not compared with a number", self.law)
        };
        let allowed = part * predicted.abs();
        let (low, high) = observed.interval;
        let (least, most) = (predicted - allowed, predicted + allowed);
        let (status, reason) = if !(observed.is_finite() && predicted.is_finite()) {
            (Status::Inconclusive, reason)
        } else if low >= least && high <= most {
            (Status::Consistent, reason)
        } else if high < least || low > most {
            (Status::Inconsistent, reason)
        } else {
            let later =
                format!("not settled: {reason}; go on to a later time, or use a tighter tolerance");
            (Status::Inconclusive, later)
        };
        let mut verdict = self.verdict(study, status, reason).with(observed);
        let text = match part < FEW_DIGITS {
            true => format!("{predicted:.7}"),
            false => number(predicted),
        };
        verdict.prediction = format!("{symbol} = {text} ± {} %", percent(part));
        verdict.law.value = predicted.is_finite().then_some(predicted);
        verdict
    }

    /// The verdict that nothing was measured that could be judged.
    pub fn undecided(&self, study: &str, why: &str) -> Verdict {
        self.verdict(study, Status::Inconclusive, why.to_owned())
    }

    /// The same claim with the law that this run's numerics imply.
    pub const fn with_law(&self, law: Law) -> Self {
        Self { law, ..*self }
    }

    /// The verdict that a hypothesis fails.
    pub fn not_applicable(&self, study: &str, why: &str) -> Verdict {
        self.verdict(study, Status::NotApplicable, why.to_owned())
    }

    fn verdict(&self, study: &str, status: Status, reason: String) -> Verdict {
        Verdict {
            study: study.to_owned(),
            claim: self.name.to_owned(),
            statement: self.statement.to_owned(),
            reference: self.reference.to_owned(),
            run: None,
            quantity: self.quantity.to_owned(),
            prediction: self.law.to_string(),
            law: self.law.stated(),
            observed: None,
            interval: None,
            status,
            reason,
            excluded: Vec::new(),
        }
    }
}

impl Verdict {
    fn with(mut self, observed: Observed) -> Self {
        if observed.value.is_finite() {
            let (low, high) = observed.interval;
            self.observed = Some(observed.value);
            self.interval = Some((low.min(observed.value), high.max(observed.value)));
        }
        self
    }

    /// What was observed, for people.
    pub fn observed_text(&self) -> String {
        self.observed.map_or("–".into(), number)
    }

    /// Its interval, for people; empty when there is none.
    pub fn interval_text(&self) -> String {
        self.interval.map_or(String::new(), |(low, high)| {
            format!("[{}, {}]", number(low), number(high))
        })
    }
}

/// Three decimals where that says enough, else an exponent.
fn number(value: f64) -> String {
    if value == 0.0 {
        "0".into()
    } else if (0.01..1e5).contains(&value.abs()) {
        format!("{value:.3}")
    } else {
        format!("{value:.1e}")
    }
}

/// Predictions to less than this part are written with more digits than three.
const FEW_DIGITS: f64 = 1e-4;

fn percent(part: f64) -> f64 {
    (1e6 * part).round() / 1e4
}

fn describe(excluded: &Excluded) -> String {
    format!(
        "{} = {}: {}",
        excluded.symbol,
        short(excluded.epsilon),
        excluded.reason
    )
}

fn too_few(used: &[Point], excluded: &[Excluded]) -> String {
    let why = if excluded.is_empty() {
        "add smaller values to the list"
    } else {
        "the others are at the error budget: by its largest part, use more points (space), a tighter tolerance (time), or larger values \
         (round-off)"
    };
    format!(
        "too few points: {} usable, {} needed; {why}",
        used.len(),
        crate::order::FEWEST
    )
}

impl Law {
    fn stated(self) -> Stated {
        let (kind, relation, value, tolerance) = match self {
            Self::AtLeast(order) => ("order", "≥", Some(order), None),
            Self::Equals(order) => ("order", "=", Some(order), None),
            Self::Vanishes => ("order", ">", Some(0.0), None),
            Self::Below(limit) => ("defect", "≤", Some(limit), None),
            Self::Bounded => ("ratio", "≤", Some(1.0), None),
            Self::Within(part) => ("number", "within", None, Some(part)),
        };
        Stated {
            kind: kind.into(),
            relation: relation.into(),
            value,
            tolerance,
        }
    }

    fn decide(self, found: &Estimate) -> (Status, String) {
        let (low, high) = found.interval;
        let pairs: Vec<String> = found.pairs.iter().map(|p| format!("{p:.3}")).collect();
        let pairs = pairs.join(", ");
        let half = 0.5 * (high - low);
        let gap = match self {
            Self::AtLeast(a) => a - high,
            Self::Equals(a) => (a - high).max(low - a),
            Self::Vanishes => VANISHING - high,
            law => panic!("{law} is not about an order"),
        };
        let decided = match self {
            // One end is enough for a one-sided claim, however wide the interval.
            Self::AtLeast(a) if low >= a => Some(true),
            Self::Vanishes if low >= VANISHING => Some(true),
            Self::Vanishes if gap > 0.0 && half <= WIDEST => Some(false),
            Self::Vanishes => None,
            // To refute, the claimed order must be clearly off: also by the measure of the interval itself, and by where the orders of
            // pairs are going.
            Self::AtLeast(_) | Self::Equals(_) if gap > half.max(CLEAR) && self.settled(found) => {
                Some(false)
            }
            _ if gap > 0.0 || self.elsewhere(found.limit) => None,
            // A wide interval decides where its width is the fit's, of values that were not asymptotic yet.
            _ if half > WIDEST && (!converges(found) || self.elsewhere(found.order)) => None,
            _ => Some(true),
        };
        match decided {
            None => (
                Status::Inconclusive,
                format!(
                    "pre-asymptotic: the orders of pairs have not settled ({pairs}); use smaller values"
                ),
            ),
            Some(true) => (Status::Consistent, self.remark(low, &pairs)),
            Some(false) => (
                Status::Inconsistent,
                format!("orders of pairs: {pairs}; fit {:.3}", found.fit),
            ),
        }
    }

    /// Whether an order, of a pair or where they go, is another one than the claimed one.
    fn elsewhere(self, order: f64) -> bool {
        match self {
            Self::AtLeast(a) => order < a - NEAR,
            Self::Equals(a) => (order - a).abs() > NEAR,
            _ => false,
        }
    }

    /// Whether the orders of pairs have settled so far that they do not lead to the claimed one: they do not move, or their differences
    /// shrink, and what a geometric sequence of the last ones still adds towards it, twice over, leaves it [`CLEAR`].
    fn settled(self, found: &Estimate) -> bool {
        let (Self::AtLeast(a) | Self::Equals(a)) = self else {
            return true;
        };
        let [.., before, last] = found.pairs[..] else {
            return false;
        };
        let (step, off) = (last - before, a - last);
        if step.abs() <= STILL {
            // Two pairs may agree by chance while they turn.
            return found.pairs.len() > 2 || off.abs() > FAR - CLEAR;
        }
        let ratio = match found.pairs[..] {
            [.., earlier, _, _] => step / (before - earlier),
            // Two pairs do not show how fast they settle.
            _ => STEADY,
        };
        let shrinks = (0.0..=STEADY).contains(&ratio);
        if step * off <= 0.0 {
            // Away from it: whatever they do, far off is far off.
            return shrinks || off.abs() > FAR;
        }
        let ahead = 2.0 * step.abs() * ratio / (1.0 - ratio);
        shrinks && off.abs() - ahead > CLEAR
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

/// Whether the last three differences of the orders of pairs shrink, all of one sign.
fn converges(found: &Estimate) -> bool {
    let [.., a, b, c, d] = found.pairs[..] else {
        return false;
    };
    [(b - a, c - b), (c - b, d - c)]
        .iter()
        .all(|(before, step)| (0.0..=STEADY).contains(&(step / before)))
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

/// The exit code of several scenarios: interruption, then results that cannot be written, then failure, then inconsistency, then
/// indecision.
pub fn gravest(codes: &[u8]) -> u8 {
    [130, 5, 3, 1, 4]
        .into_iter()
        .find(|code| codes.contains(code))
        .unwrap_or(0)
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
                symbol: "ε",
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
        // Orders on their way to the law do not refute it, faster and faster ones least of all; those that settle short of it do.
        let towards = |orders: [f64; 3]| {
            move |e: f64| {
                let halvings = (0.01 / e).log2().round() as usize;
                0.5f64.powf(orders[..halvings].iter().sum())
            }
        };
        let on_their_way = towards([0.496, 0.548, 0.636]);
        assert_eq!(judge(Law::AtLeast(1.0), on_their_way), Inconclusive);
        assert_eq!(
            judge(Law::Equals(1.0), towards([0.3, 0.5, 0.65])),
            Inconclusive
        );
        assert_eq!(
            judge(Law::AtLeast(1.0), towards([0.70, 0.73, 0.745])),
            Inconsistent
        );
        assert_eq!(
            judge(Law::Equals(1.0), |e| e.powf(0.75) * (1.0 - 10.0 * e)),
            Inconsistent
        );
        // Two regimes: the drift says so.
        let between = |e: f64| e * (1.0 + 400.0 * e);
        assert_eq!(judge(Law::Equals(1.5), between), Inconclusive);
    }

    #[test]
    fn numbers_are_judged_with_their_intervals() {
        use Status::{Consistent, Inconclusive, Inconsistent};
        let claim = |law| Claim {
            name: "",
            statement: "",
            reference: "",
            quantity: "",
            law,
        };
        let below = |value, error| {
            let observed = Observed::plus_minus(value, error);
            claim(Law::Below(1e-5))
                .judge_number("", observed, String::new())
                .status
        };
        assert_eq!(below(2e-6, 1e-6), Consistent);
        assert_eq!(below(9e-6, 5e-6), Inconclusive);
        assert_eq!(below(3e-5, 5e-6), Inconsistent);
        let against = |value, error| {
            let observed = Observed::plus_minus(value, error);
            claim(Law::Within(0.02))
                .judge_against("", observed, ("2γ", 50.0), String::new())
                .status
        };
        assert_eq!(against(50.5, 0.1), Consistent);
        assert_eq!(against(53.0, 0.1), Inconsistent);
        assert_eq!(against(53.0, 5.0), Inconclusive);
        // Near by chance: the interval says nothing.
        assert_eq!(against(50.0, 30.0), Inconclusive);
        assert_eq!(against(f64::NAN, 0.0), Inconclusive);
    }

    #[test]
    fn of_several_scenarios_the_gravest_decides() {
        assert_eq!(gravest(&[]), 0);
        let all = [0, 4, 1, 3, 5, 130];
        for (k, code) in all.iter().enumerate() {
            let mut some = all[..=k].to_vec();
            assert_eq!(gravest(&some), *code);
            some.reverse();
            assert_eq!(gravest(&some), *code);
        }
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
