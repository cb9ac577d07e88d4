//! Integrals over intervals by the Gauss–Kronrod pair of 7 and 15 nodes.

/// Nodes, weights of the 15, weights of the 7 (zero where it has no node), on the left half of [−1, 1].
/// Source: QUADPACK, Piessens et al. (1983).
const NODES: [f64; 8] = [
    0.991_455_371_120_812_6,
    0.949_107_912_342_758_5,
    0.864_864_423_359_769_1,
    0.741_531_185_599_394_4,
    0.586_087_235_467_691_1,
    0.405_845_151_377_397_2,
    0.207_784_955_007_898_47,
    0.0,
];
const KRONROD: [f64; 8] = [
    0.022_935_322_010_529_224,
    0.063_092_092_629_978_55,
    0.104_790_010_322_250_18,
    0.140_653_259_715_525_92,
    0.169_004_726_639_267_9,
    0.190_350_578_064_785_4,
    0.204_432_940_075_298_9,
    0.209_482_141_084_727_82,
];
const GAUSS: [f64; 8] = [
    0.0,
    0.129_484_966_168_869_7,
    0.0,
    0.279_705_391_489_276_64,
    0.0,
    0.381_830_050_505_118_9,
    0.0,
    0.417_959_183_673_469_4,
];

/// The pair on [a, b].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule15 {
    a: f64,
    b: f64,
}

impl Rule15 {
    pub fn new(a: f64, b: f64) -> Self {
        Self { a, b }
    }

    /// The 15 nodes from a to b.
    pub fn nodes(&self) -> [f64; 15] {
        let (middle, half) = (0.5 * (self.a + self.b), 0.5 * (self.b - self.a));
        std::array::from_fn(|i| match i {
            0..=7 => middle - half * NODES[i],
            _ => middle + half * NODES[14 - i],
        })
    }

    /// The integrals by all 15 nodes, and by the seven that Gauss's rule shares with them.
    pub fn both(&self, values: &[f64; 15]) -> (f64, f64) {
        let half = 0.5 * (self.b - self.a);
        let with = |weights: &[f64; 8]| -> f64 {
            let terms = values.iter().enumerate();
            terms.map(|(i, v)| half * weights[folded(i)] * v).sum()
        };
        (with(&KRONROD), with(&GAUSS))
    }

    /// The integral of a function with these values at the nodes, and QUADPACK's estimate of its error,
    /// `I·(200|I_15 − I_7|/I)^{3/2}` with I the integral of the modulus of its deviation from the mean, at most the difference.
    pub fn integral(&self, values: &[f64; 15]) -> (f64, f64) {
        let half = 0.5 * (self.b - self.a);
        let (fine, coarse) = self.both(values);
        let mean = fine / (self.b - self.a);
        let deviation: f64 = values
            .iter()
            .enumerate()
            .map(|(i, v)| half.abs() * KRONROD[folded(i)] * (v - mean).abs())
            .sum();
        let difference = (fine - coarse).abs();
        let estimate = if deviation > 0.0 {
            deviation * (200.0 * difference / deviation).powf(1.5).min(1.0)
        } else {
            difference
        };
        (fine, estimate.min(difference))
    }
}

/// The weight of node i is that of its mirror image.
fn folded(i: usize) -> usize {
    i.min(14 - i)
}

/// Intervals that are halved at most.
const MOST_INTERVALS: usize = 4000;

/// `∫_a^b f` to `tolerance` relative to the integral of |f|, by halving the interval with the largest error; and its error. Both
/// NaN where f is.
pub fn adaptive(f: impl Fn(f64) -> f64, a: f64, b: f64, tolerance: f64) -> (f64, f64) {
    let piece = |a: f64, b: f64| {
        let rule = Rule15::new(a, b);
        let (value, error) = rule.integral(&rule.nodes().map(&f));
        (a, b, value, error)
    };
    let mut pieces = vec![piece(a, b)];
    loop {
        let total: f64 = pieces.iter().map(|p| p.2).sum();
        let size: f64 = pieces.iter().map(|p| p.2.abs()).sum();
        let error: f64 = pieces.iter().map(|p| p.3).sum();
        let settled = error <= tolerance * size || !error.is_finite();
        if settled || pieces.len() >= MOST_INTERVALS {
            return (total, error);
        }
        let order = |i: &usize, j: &usize| pieces[*i].3.total_cmp(&pieces[*j].3);
        let worst = (0..pieces.len()).max_by(order).expect("one piece or more");
        let (a, b, ..) = pieces.swap_remove(worst);
        let middle = 0.5 * (a + b);
        pieces.extend([piece(a, middle), piece(middle, b)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_rules_are_exact_to_their_degrees() {
        let rule = Rule15::new(-1.0, 1.0);
        let both = |power: i32| rule.both(&rule.nodes().map(|x| x.powi(power)));
        for power in [0, 2, 8, 12] {
            let exact = 2.0 / f64::from(power + 1);
            let (kronrod, gauss) = both(power);
            assert!((kronrod - exact).abs() < 1e-14, "{power}");
            assert!((gauss - exact).abs() < 1e-14, "{power}");
        }
        let (kronrod, gauss) = both(22);
        assert!((kronrod - 2.0 / 23.0).abs() < 1e-14);
        assert!((gauss - 2.0 / 23.0).abs() > 1e-8);
    }

    #[test]
    fn integrals_of_smooth_and_of_singular_functions() {
        let (value, error) = adaptive(f64::exp, 0.0, 1.0, 1e-14);
        assert!((value - (1f64.exp() - 1.0)).abs() < 1e-15 && error < 1e-13);
        let (value, error) = adaptive(|x| 1.0 / x.sqrt(), 0.0, 1.0, 1e-10);
        assert!((value - 2.0).abs() <= 1e-9 && (value - 2.0).abs() <= 10.0 * error);
        let backwards = adaptive(f64::exp, 1.0, 0.0, 1e-14).0;
        assert!((backwards + 1f64.exp() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_estimate_covers_the_error_of_one_rule() {
        let rule = Rule15::new(0.0, 4.0);
        let peak = |x: f64| 1.0 / (1.0 + 2.0 * (x - 1.3) * (x - 1.3));
        let exact = adaptive(peak, 0.0, 4.0, 1e-14).0;
        let (value, error) = rule.integral(&rule.nodes().map(peak));
        assert!(
            (value - exact).abs() <= error && error < 0.1,
            "{value} {error}"
        );
    }
}
