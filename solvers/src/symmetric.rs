//! Symmetric d×d matrices, d = 1, 2, 3, packed by rows of the upper triangle: (0,0), (0,1), …, (1,1), …
//!
//! The Hessian at a node is one of these; so is `A = (∇²u)^{-1}`.

/// Index pairs (i, j), i ≤ j, in packing order.
pub fn pairs(dimension: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..dimension).flat_map(move |i| (i..dimension).map(move |j| (i, j)))
}

/// Number of packed entries, d(d+1)/2.
pub const fn packed_len(dimension: usize) -> usize {
    dimension * (dimension + 1) / 2
}

/// Position of entry (i, j) in the packing.
pub fn position(dimension: usize, i: usize, j: usize) -> usize {
    let (i, j) = (i.min(j), i.max(j));
    i * dimension - i * (i + 1) / 2 + j
}

/// Packed symmetric matrix; entries past d(d+1)/2 are unused.
pub type Packed = [f64; 6];

/// `I + ∇²p` at a node, from the packed components of ∇²p.
#[inline(always)]
pub fn identity_plus(d: usize, hessian: &[Vec<f64>], node: usize) -> Packed {
    let mut m = [0.0; 6];
    for (component, (i, j)) in pairs(d).enumerate() {
        m[component] = hessian[component][node] + if i == j { 1.0 } else { 0.0 };
    }
    m
}

/// Determinant.
#[inline(always)]
pub fn determinant(d: usize, m: &Packed) -> f64 {
    match d {
        1 => m[0],
        2 => m[0] * m[2] - m[1] * m[1],
        _ => {
            m[0] * (m[3] * m[5] - m[4] * m[4]) - m[1] * (m[1] * m[5] - m[4] * m[2])
                + m[2] * (m[1] * m[4] - m[3] * m[2])
        }
    }
}

/// Inverse given the determinant.
#[inline(always)]
pub fn inverse(d: usize, m: &Packed, determinant: f64) -> Packed {
    let s = 1.0 / determinant;
    match d {
        1 => [s, 0.0, 0.0, 0.0, 0.0, 0.0],
        2 => [s * m[2], -s * m[1], s * m[0], 0.0, 0.0, 0.0],
        _ => [
            s * (m[3] * m[5] - m[4] * m[4]),
            s * (m[2] * m[4] - m[1] * m[5]),
            s * (m[1] * m[4] - m[2] * m[3]),
            s * (m[0] * m[5] - m[2] * m[2]),
            s * (m[1] * m[2] - m[0] * m[4]),
            s * (m[0] * m[3] - m[1] * m[1]),
        ],
    }
}

/// Smallest and largest eigenvalue.
///
/// d = 3 by the trigonometric formula of Smith (1961); its absolute error is about 1e-16·‖m‖ for separated
/// eigenvalues and the square root of that only in their difference.
#[inline(always)]
pub fn extreme_eigenvalues(d: usize, m: &Packed) -> (f64, f64) {
    match d {
        1 => (m[0], m[0]),
        2 => {
            let centre = 0.5 * (m[0] + m[2]);
            let half = 0.5 * (m[0] - m[2]);
            let radius = (half * half + m[1] * m[1]).sqrt();
            (centre - radius, centre + radius)
        }
        _ => extreme_eigenvalues_3(m),
    }
}

fn extreme_eigenvalues_3(m: &Packed) -> (f64, f64) {
    let centre = (m[0] + m[3] + m[5]) / 3.0;
    let (a, b, c) = (m[0] - centre, m[3] - centre, m[5] - centre);
    let off = m[1] * m[1] + m[2] * m[2] + m[4] * m[4];
    let scale = ((a * a + b * b + c * c + 2.0 * off) / 6.0).sqrt();
    if scale == 0.0 {
        return (centre, centre);
    }
    let shifted = [a, m[1], m[2], b, m[4], c].map(|v| v / scale);
    let half_det = (0.5 * determinant(3, &shifted)).clamp(-1.0, 1.0);
    let angle = half_det.acos() / 3.0;
    let largest = centre + 2.0 * scale * angle.cos();
    let smallest = centre + 2.0 * scale * (angle + 2.0 * std::f64::consts::FRAC_PI_3).cos();
    (smallest, largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    const SPD: [Packed; 3] = [
        [1.7, 0.0, 0.0, 0.0, 0.0, 0.0],
        [1.7, 0.3, 0.9, 0.0, 0.0, 0.0],
        [1.7, 0.3, -0.2, 0.9, 0.4, 1.3],
    ];

    fn entry(d: usize, m: &Packed, i: usize, j: usize) -> f64 {
        m[position(d, i, j)]
    }

    #[test]
    fn packing_order_is_the_upper_triangle_by_rows() {
        for d in 1..=3 {
            for (k, (i, j)) in pairs(d).enumerate() {
                assert_eq!(position(d, i, j), k);
                assert_eq!(position(d, j, i), k);
            }
            assert_eq!(pairs(d).count(), packed_len(d));
        }
    }

    #[test]
    fn inverse_times_matrix_is_the_identity() {
        for d in 1..=3 {
            let m = &SPD[d - 1];
            let a = inverse(d, m, determinant(d, m));
            for i in 0..d {
                for j in 0..d {
                    let product: f64 = (0..d).map(|k| entry(d, m, i, k) * entry(d, &a, k, j)).sum();
                    assert_relative_eq!(product, f64::from(i == j), epsilon = 1e-14);
                }
            }
        }
    }

    #[test]
    fn extreme_eigenvalues_are_roots_of_the_characteristic_polynomial() {
        for d in 1..=3 {
            let m = &SPD[d - 1];
            let (low, high) = extreme_eigenvalues(d, m);
            for eigenvalue in [low, high] {
                let mut shifted = *m;
                for i in 0..d {
                    shifted[position(d, i, i)] -= eigenvalue;
                }
                assert!(determinant(d, &shifted).abs() < 1e-14);
            }
            let trace: f64 = (0..d).map(|i| entry(d, m, i, i)).sum();
            assert!(low <= trace / d as f64 && trace / d as f64 <= high);
        }
        assert_eq!(
            extreme_eigenvalues(3, &[2.0, 0.0, 0.0, 2.0, 0.0, 2.0]),
            (2.0, 2.0)
        );
    }
}
