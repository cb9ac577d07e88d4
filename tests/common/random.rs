//! Problems drawn from seeds.

/// xorshift64*: the same numbers everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Waves of size `amplitude` in all.
    pub fn waves(&mut self, amplitude: f64, dimension: usize) -> String {
        let waves: Vec<(f64, f64, [i64; 2])> = (1..=3)
            .map(|k| {
                let other = (self.unit() * 5.0) as i64 - 2;
                (self.between(0.2, 1.0) / k as f64, self.unit(), [k, other])
            })
            .collect();
        let total: f64 = waves.iter().map(|wave| wave.0).sum();
        let term = |(size, phase, [k, l]): &(f64, f64, [i64; 2])| {
            let at = match dimension {
                1 => format!("{k}*x"),
                _ => format!("{k}*x + ({l})*y"),
            };
            format!(
                "{:.4}*cos(2*pi*({at} + {phase:.4}))",
                amplitude * size / total
            )
        };
        waves.iter().map(term).collect::<Vec<_>>().join(" + ")
    }
}

/// A scenario on the torus.
pub fn torus(points: &str, f: &str, g: &str, studies: &str) -> String {
    format!(
        "Scenario(title: \"t\", problem: Torus(points: [{points}], source: Formula(\"{f}\"), target: Formula(\"{g}\")), studies: [{studies}])"
    )
}

/// The lists of `mirrorflow new` and of the guide.
const DEFAULTS: &str = "OptimalMap(), MirrorFlow(times: [0.005, 0.02]), ExponentialConvergence(time: 0.24, samples: 48, epsilons: [0.005, 0.0025, \
                        0.00125, 0.000625], others: [ChiSquare]), ScalingLimit(time: 0.05, epsilons: [0.005, 0.0025, 0.00125, 0.000625])";
/// The same with less beside it, for two dimensions.
const DEFAULTS_2D: &str = "OptimalMap(), MirrorFlow(times: [0.005, 0.02]), ExponentialConvergence(time: 0.24, samples: 48), \
                           ScalingLimit(time: 0.05, epsilons: [0.005, 0.0025, 0.00125, 0.000625])";

/// Forty of ordinary data: random waves up to amplitude ½ on both sides; others than the usual ones are asked for by SEED=….
pub fn ordinary() -> Vec<(String, String)> {
    let first: u64 = std::env::var("SEED").map_or(1001, |seed| seed.parse().expect("a number"));
    let problem = |seed: u64| {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let amplitude = random.between(0.1, 0.5);
        let (points, studies, dimension) = match seed % 5 {
            0 => ("72, 72", DEFAULTS_2D, 2),
            _ => ("96", DEFAULTS, 1),
        };
        let (f, g) = (
            random.waves(amplitude, dimension),
            random.waves(amplitude, dimension),
        );
        (
            format!("ordinary {amplitude:.2} {seed}"),
            torus(points, &f, &g, studies),
        )
    };
    (first..first + 40).map(problem).collect()
}
