//! The coarsest system, solved by dense LU.

use super::grid::Grid;
use super::stencil::Stencil;
use faer::Mat;
use faer::linalg::solvers::PartialPivLu;

/// `P M = L U` with both factors in one matrix, by rows, and the inverse pivots.
pub(super) struct Direct {
    places: Vec<usize>,
    /// Numbers of the nodes by place, margin included.
    numbers: Vec<usize>,
    rows: Vec<f64>,
    order: Vec<usize>,
    solution: Vec<f64>,
}

impl Direct {
    pub(super) fn new(grid: &Grid) -> Self {
        let mut places = Vec::new();
        let mut numbers = vec![0.0; grid.len()];
        grid.for_each(|_, place| {
            numbers[place] = places.len() as f64;
            places.push(place);
        });
        grid.fill_margin(&mut numbers);
        let len = places.len();
        Self {
            places,
            numbers: numbers.iter().map(|&n| n as usize).collect(),
            rows: vec![0.0; len * len],
            order: vec![0; len],
            solution: vec![0.0; len],
        }
    }

    pub(super) fn factor(&mut self, stencil: &Stencil) {
        let len = self.places.len();
        let mut matrix = Mat::<f64>::zeros(len, len);
        for (row, &place) in self.places.iter().enumerate() {
            for (plane, away) in stencil.planes.iter().zip(&stencil.away) {
                let column = self.numbers[place.wrapping_add_signed(*away)];
                matrix[(row, column)] += plane[place];
            }
        }
        let lu = PartialPivLu::new(matrix.as_ref());
        let (lower, upper) = (lu.L(), lu.U());
        self.order.copy_from_slice(lu.P().arrays().0);
        for (i, row) in self.rows.chunks_exact_mut(len).enumerate() {
            for (j, value) in row.iter_mut().enumerate() {
                *value = match i.cmp(&j) {
                    std::cmp::Ordering::Greater => lower[(i, j)],
                    std::cmp::Ordering::Equal => upper[(i, j)].recip(),
                    std::cmp::Ordering::Less => upper[(i, j)],
                };
            }
        }
    }

    /// `x = M^{-1} b`; fields have their margin, that of x is not filled.
    pub(super) fn solve(&mut self, b: &[f64], x: &mut [f64]) {
        let len = self.places.len();
        let y = &mut self.solution;
        for i in 0..len {
            let row = &self.rows[i * len..][..i];
            y[i] = b[self.places[self.order[i]]] - product(row, &y[..i]);
        }
        for i in (0..len).rev() {
            let row = &self.rows[i * len..][..len];
            y[i] = (y[i] - product(&row[i + 1..], &y[i + 1..])) * row[i];
        }
        for (place, y) in self.places.iter().zip(y) {
            x[*place] = *y;
        }
    }
}

/// `Σ a_i b_i`, in lanes.
fn product(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a_whole, a_rest) = a.as_chunks::<8>();
    let (b_whole, b_rest) = b.as_chunks::<8>();
    for (a, b) in a_whole.iter().zip(b_whole) {
        for k in 0..8 {
            lanes[k] += a[k] * b[k];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f64>() + rest
}
