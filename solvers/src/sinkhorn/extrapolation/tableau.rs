//! Extrapolation to ε = 0 of an error in even powers of ε.
//!
//! The value at 0 of the polynomial in ε² through `(H/j, T_j)`, j = first, …, last, is `Σ_j w_j T_j` with
//! `w_j = Π_{i≠j} j²/(j² − i²)`: what Aitken and Neville's scheme comes to.

/// Weights of the columns `first, …, last`.
pub fn weights(first: usize, last: usize) -> Vec<f64> {
    let square = |j: usize| (j * j) as f64;
    let weight = |j: usize| {
        let others = (first..=last).filter(|&i| i != j);
        others
            .map(|i| square(j) / (square(j) - square(i)))
            .product()
    };
    (first..=last).map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_polynomials_are_extrapolated_exactly_up_to_the_order() {
        for (first, last) in [(1, 2), (1, 5), (2, 5), (1, 8)] {
            let value = |power: i32| -> f64 {
                let columns = weights(first, last).into_iter().zip(first..);
                columns.map(|(w, j)| w * (j as f64).powi(-power)).sum()
            };
            approx::assert_abs_diff_eq!(value(0), 1.0, epsilon = 1e-12);
            let order = 2 * (last - first + 1) as i32;
            for power in (2..order).step_by(2) {
                approx::assert_abs_diff_eq!(value(power), 0.0, epsilon = 1e-12);
            }
            assert!(value(order).abs() > 1e-10 && value(1).abs() > 1e-3);
        }
    }
}
