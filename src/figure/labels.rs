//! Places for labels that would overlap where they belong.

/// The positions nearest to `wanted` (least squares), in the same order from small to large, that keep `spacing`
/// between neighbours and stay in `[low, high]`. Everything is squeezed evenly when the room is too small.
///
/// After subtracting `i · spacing` from the i-th smallest position the constraint is that the sequence increases: the
/// solution is the isotonic regression, found by pooling adjacent violators (Barlow et al. 1972), cut to the interval.
pub(super) fn spread(wanted: &[f64], spacing: f64, low: f64, high: f64) -> Vec<f64> {
    let gaps = wanted.len().saturating_sub(1).max(1) as f64;
    let spacing = spacing.min((high - low) / gaps);
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    let shifted = order
        .iter()
        .enumerate()
        .map(|(rank, &index)| wanted[index] - rank as f64 * spacing);
    let top = high - spacing * wanted.len().saturating_sub(1) as f64;
    let mut places = vec![0.0; wanted.len()];
    for (rank, fitted) in isotonic(shifted).into_iter().enumerate() {
        places[order[rank]] = fitted.min(top).max(low) + rank as f64 * spacing;
    }
    places
}

/// The increasing sequence nearest to `values`.
fn isotonic(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for value in values {
        let mut block = (value, 1);
        while let Some(&(mean, count)) = blocks.last().filter(|(mean, _)| *mean > block.0) {
            let total = count + block.1;
            block = (
                (mean * count as f64 + block.0 * block.1 as f64) / total as f64,
                total,
            );
            blocks.pop();
        }
        blocks.push(block);
    }
    blocks
        .into_iter()
        .flat_map(|(mean, count)| std::iter::repeat_n(mean, count))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn labels_with_room_stay_where_they_are() {
        let wanted = [50.0, 10.0, 90.0];
        assert_eq!(spread(&wanted, 20.0, 0.0, 100.0), wanted);
    }

    #[test]
    fn labels_on_one_spot_are_spread_about_it() {
        let places = spread(&[50.0, 50.0, 50.0], 20.0, 0.0, 100.0);
        for (place, expected) in places.iter().zip([30.0, 50.0, 70.0]) {
            assert_relative_eq!(*place, expected, epsilon = 1e-12);
        }
    }

    #[test]
    fn spacing_order_and_bounds_hold() {
        let wanted = [3.0, 99.0, 4.0, 98.0, 97.0, 41.0, 40.5];
        let places = spread(&wanted, 12.0, 0.0, 100.0);
        let mut sorted: Vec<_> = places.iter().zip(wanted).collect();
        sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
        assert!(
            sorted
                .windows(2)
                .all(|pair| pair[1].0 - pair[0].0 >= 12.0 - 1e-9)
        );
        assert!(places.iter().all(|place| (0.0..=100.0).contains(place)));
    }

    #[test]
    fn too_many_labels_share_the_room_evenly() {
        let places = spread(&[1.0; 11], 30.0, 0.0, 100.0);
        for (rank, place) in places.iter().enumerate() {
            assert_relative_eq!(*place, 10.0 * rank as f64, epsilon = 1e-9);
        }
        assert!(spread(&[], 10.0, 0.0, 1.0).is_empty());
    }
}
