//! Pseudo-random numbers that depend on the seed alone.

/// xorshift64*: Vigna, *An experimental exploration of Marsaglia's xorshift generators, scrambled*, TOMS 42 (2016).
#[derive(Debug, Clone)]
pub struct XorShift(u64);

impl XorShift {
    /// Seeds that differ little give unrelated states, none zero.
    pub fn new(seed: u64) -> Self {
        Self(scrambled(seed) | 1)
    }

    /// Number `index` of the generators that belong to a seed: one per independent piece of work, so that the numbers do not depend
    /// on who does which piece.
    ///
    /// Their states are as good as random in a cycle of 2⁶⁴, so a thousand generators that draw a million numbers each overlap with
    /// probability below 10⁻⁶.
    pub fn stream(seed: u64, index: u64) -> Self {
        Self::new(scrambled(seed) ^ scrambled(!index))
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        self.bits() as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [−1, 1).
    pub fn symmetric(&mut self) -> f64 {
        self.bits() as f64 * (2.0 / (1u64 << 53) as f64) - 1.0
    }

    /// The 53 high bits of the next number.
    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }
}

/// The output function of splitmix64, a bijection.
fn scrambled(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean ½, variance 1/12, no correlation with the next number nor between streams: each within four standard deviations.
    #[test]
    fn uniform_numbers_have_the_moments_of_independent_ones() {
        const COUNT: usize = 100_000;
        for (mut a, mut b) in [
            (XorShift::new(1), XorShift::new(2)),
            (XorShift::stream(7, 0), XorShift::stream(7, 1)),
            (XorShift::stream(7, 3), XorShift::stream(8, 3)),
        ] {
            let draw = |random: &mut XorShift| -> Vec<f64> {
                (0..=COUNT).map(|_| random.uniform() - 0.5).collect()
            };
            let (x, y) = (draw(&mut a), draw(&mut b));
            assert!(x.iter().all(|x| (-0.5..0.5).contains(x)));
            let mean = |f: &dyn Fn(usize) -> f64| (0..COUNT).map(f).sum::<f64>() / COUNT as f64;
            let bound = |deviation: f64| 4.0 * deviation / (COUNT as f64).sqrt();
            assert!(mean(&|i| x[i]).abs() < bound(12f64.sqrt().recip()));
            // Var of x² is 1/80 − 1/144.
            let square = mean(&|i| x[i] * x[i]) - 1.0 / 12.0;
            assert!(square.abs() < bound((1.0 / 180.0f64).sqrt()));
            assert!(mean(&|i| x[i] * x[i + 1]).abs() < bound(1.0 / 12.0));
            assert!(mean(&|i| x[i] * y[i]).abs() < bound(1.0 / 12.0));
        }
    }
}
