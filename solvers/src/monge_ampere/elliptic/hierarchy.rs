//! Coarser grids of a grid.

use crate::resolution::fast_length;
use crate::torus::Torus;

/// No coarser grids for a grid with fewer nodes along every axis: Newton's method there takes milliseconds.
const WORTHWHILE: usize = 64;
/// Fewest nodes along an axis that is made coarser.
const COARSEST: usize = 16;

/// Grids with half the nodes, a quarter, …, along every axis that has enough, finest first; none for a small grid.
///
/// Lengths are the next even ones whose transforms are fast, products of 2, 3 and 5.
pub(super) fn coarser(torus: &Torus) -> Vec<Torus> {
    if torus.points().iter().all(|&n| n < WORTHWHILE) {
        return Vec::new();
    }
    let half = |torus: &Torus| {
        let points: Vec<usize> = torus.points().iter().map(|&n| halved(n)).collect();
        let smaller = points != torus.points();
        smaller.then(|| Torus::new(&points).expect("even and not small"))
    };
    std::iter::successors(half(torus), half).collect()
}

/// The smallest fast even length of at least n/2 and [`COARSEST`]; n where that is not less.
fn halved(n: usize) -> usize {
    fast_length((n / 2).max(COARSEST), 2).min(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(finest: &[usize]) -> Vec<Vec<usize>> {
        let grids = coarser(&Torus::new(finest).unwrap());
        grids.iter().map(|grid| grid.points().to_vec()).collect()
    }

    #[test]
    fn grids_halve_to_sixteen_nodes_along_each_axis() {
        assert_eq!(points(&[128]), [[64], [32], [16]]);
        assert_eq!(
            points(&[128, 32, 8]),
            [[64, 16, 8], [32, 16, 8], [16, 16, 8]]
        );
        assert!(points(&[62, 48]).is_empty());
    }

    #[test]
    fn lengths_are_even_and_of_small_factors() {
        // 127 and 257 are prime.
        assert_eq!(points(&[254]), [[128], [64], [32], [16]]);
        assert_eq!(
            points(&[514, 96]),
            [[270, 48], [144, 24], [72, 16], [36, 16], [18, 16], [16, 16]]
        );
        for n in (64..600).step_by(2) {
            for grid in points(&[n]) {
                assert!(
                    grid[0].is_multiple_of(2)
                        && grid[0] == fast_length(grid[0], 2)
                        && grid[0] >= 16,
                    "{n}: {grid:?}"
                );
            }
        }
    }
}
