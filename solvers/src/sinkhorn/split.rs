//! A Gaussian as two of half the variance in succession, with fewer nodes between ([`super::line`]).
//!
//! The nodes between are `s = p/q` nodes of the grid apart, at most so far as the error allows. Where `n/s` is a whole number they
//! close round the circle: then their sums repeat as the inputs do, and none is taken twice. A block of eight outputs may begin
//! anywhere between two inputs, and each such place has a table of its own; of the spacings whose tables stay in the cache, or
//! else have the smallest, the one that takes the fewest terms is chosen.

use super::line::{CUTOFF, gaussian};
use super::piece::Piece;
use super::taps::{OUTPUTS, Row, Taps, places};
use std::f64::consts::PI;

/// Largest relative error of a split, for any data.
const ERROR: f64 = 5e-16;

/// Bytes of the tables that the windows of flat data read.
const CACHED: f64 = 256e3;

/// Nodes between closer than this are not worth it.
const CLOSEST: f64 = 1.2;

/// How lines of n nodes are split.
pub struct Split {
    pub spacing: Spacing,
    /// From the nodes to those between.
    pub to_between: Taps,
    /// From those between to the nodes.
    pub to_outputs: Taps,
}

impl Split {
    /// `None` where the grid is too coarse to gain by it, with weights of `windowed` for its terms and those of the direct sum.
    pub fn new(points: usize, c: f64, windowed: f64) -> Option<Self> {
        let spacing = Spacing::best(points, c)?;
        let direct = 2.0 * (CUTOFF / c).sqrt() + OUTPUTS as f64;
        let other = f64::min(windowed * direct, points as f64);
        if windowed * spacing.terms(points, c) > other {
            return None;
        }
        let (s, [p, q]) = (spacing.nodes(), spacing.ratio);
        Some(Self {
            spacing,
            to_between: gaussian(2.0 * c, [p, q], s * (4.0 * c / PI).sqrt()),
            to_outputs: gaussian(2.0 * c * s * s, [q, p], 1.0),
        })
    }

    /// Nodes between round the circle, where their sums repeat.
    pub fn circle(&self, piece: &Piece) -> Option<usize> {
        self.spacing.circle.filter(|_| piece.whole)
    }
}

/// Distance of the nodes between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spacing {
    /// s = p/q in nodes of the grid.
    pub ratio: [usize; 2],
    /// How many close the circle, if any number does.
    pub circle: Option<usize>,
}

impl Spacing {
    fn best(points: usize, c: f64) -> Option<Self> {
        let longest = longest(c);
        let fewest = (points as f64 / longest).ceil() as usize;
        let closing = (fewest..2 * fewest).map(|between| Self {
            ratio: [points, between],
            circle: Some(between),
        });
        let whole = Self {
            ratio: [longest as usize, 1],
            circle: None,
        };
        let candidates: Vec<_> = closing
            .chain([whole])
            .filter(|s| s.nodes() >= CLOSEST)
            .collect();
        let least = candidates
            .iter()
            .map(|s| s.tables(c))
            .fold(f64::MAX, f64::min);
        candidates
            .into_iter()
            .filter(|s| s.tables(c) <= f64::max(CACHED, least))
            .min_by(|a, b| a.terms(points, c).total_cmp(&b.terms(points, c)))
    }

    /// s.
    pub fn nodes(&self) -> f64 {
        let [p, q] = self.ratio;
        p as f64 / q as f64
    }

    /// Multiply–adds per node for windows of `reach` nodes on either side in the two sums, on lines of `points` nodes.
    pub fn terms_within(&self, reach: [f64; 2], points: usize) -> f64 {
        let (s, n, block) = (self.nodes(), points as f64, OUTPUTS as f64);
        let blocks = |count: f64| (count / block).ceil() * block;
        let between = match self.circle {
            Some(count) => blocks(count as f64),
            None => blocks((n + 2.0 * reach[1]) / s),
        };
        between / n * (2.0 * reach[0] + block * s) + (2.0 * reach[1] + block) / s
    }

    /// The same for flat data.
    fn terms(&self, points: usize, c: f64) -> f64 {
        self.terms_within([reach(c); 2], points)
    }

    /// Bytes of the tables that the windows of flat data read.
    fn tables(&self, c: f64) -> f64 {
        let ([p, q], s, block) = (self.ratio, self.nodes(), OUTPUTS as f64);
        let rows = places([p, q]) as f64 * (2.0 * reach(c) + block * s)
            + places([q, p]) as f64 * (2.0 * reach(c) + block) / s;
        rows * size_of::<Row>() as f64
    }
}

/// Half-width of the window of one half in nodes where the data are flat.
fn reach(c: f64) -> f64 {
    (0.5 * CUTOFF / c).sqrt()
}

/// Largest s with `2 e^{−π²/4cs²} ≤ ERROR`.
fn longest(c: f64) -> f64 {
    PI / (4.0 * c * (2.0 / ERROR).ln()).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_spacing_is_the_one_that_keeps_the_bound() {
        for c in [1e-2, 1e-3, 1e-4] {
            let s = longest(c);
            // The bracket of the split where it is largest and smallest: midway on a node and between two.
            let sum = |s: f64, middle: f64| -> f64 {
                let terms = (-4000..=4000).map(|z| f64::from(z) * s - middle);
                terms.map(|z| (-4.0 * c * z * z).exp()).sum::<f64>() * s
            };
            let spread = |s: f64| sum(s, 0.0) / sum(s, 0.5 * s) - 1.0;
            assert!(spread(s).abs() < 2e-15, "{s}: {:e}", spread(s));
            assert!(spread(2.0 * s) > 1e-9);
        }
    }

    #[test]
    fn spacings_close_the_circle_where_tables_allow_it() {
        let spacing = |points: usize, epsilon: f64| {
            let h = 1.0 / points as f64;
            Spacing::best(points, h * h / (2.0 * epsilon))
        };
        for (points, epsilon) in [
            (256, 1e-3),
            (500, 1e-3),
            (512, 1e-3),
            (1024, 1e-4),
            (2048, 1e-3),
        ] {
            let spacing = spacing(points, epsilon).unwrap();
            let closed = spacing.circle.unwrap();
            assert_eq!(closed as f64 * spacing.nodes(), points as f64);
            let fewest = 1.0 / (0.37 * f64::sqrt(epsilon));
            assert!(
                closed as f64 <= 1.2 * fewest,
                "{points} {epsilon}: {closed}"
            );
        }
        // A prime number of nodes: every block would need tables of its own.
        assert_eq!(spacing(4093, 1e-3).unwrap().circle, None);
        // No tables fit the cache: the smallest.
        assert_eq!(spacing(65_536, 1e-3).unwrap().circle, Some(128));
        assert_eq!(spacing(64, 1e-3), None);
    }
}
