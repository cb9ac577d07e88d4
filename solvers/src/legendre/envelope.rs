//! The upper envelope of downward parabolas on one periodic line, in O(n).

/// Candidate on a line: a value, and how far away (in nodes along each axis) it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    pub value: f64,
    pub shift: [i32; 3],
}

/// Reusable workspace of [`Envelope::transform`].
#[derive(Default)]
pub struct Envelope {
    /// Sites whose parabola is on the envelope, and where each takes over from the one before.
    sites: Vec<i64>,
    from: Vec<f64>,
}

impl Envelope {
    /// `out_j = max_i [ line_i − (x_i − y_j)²/2 ]` over all integers i, the line continued periodically with n nodes per
    /// unit, and the shift i − j of the maximiser added along `axis`.
    ///
    /// The nearest copy of each node is its best, so i runs over `j − n/2 ..= j + n/2`. Source: Felzenszwalb & Huttenlocher,
    /// *Distance transforms of sampled functions* (2012); Lucet (1997).
    pub fn transform(&mut self, line: &[Candidate], axis: usize, out: &mut [Candidate]) {
        let n = line.len() as i64;
        let at = |i: i64| line[i.rem_euclid(n) as usize];
        self.build(n, &|i| at(i).value);
        let half_square = 0.5 / (n * n) as f64;
        let value = |i: i64, j: i64| at(i).value - half_square * ((i - j) * (i - j)) as f64;
        let mut k = 0;
        for (j, out) in out.iter_mut().enumerate() {
            let j = j as i64;
            while k + 1 < self.sites.len() && self.from[k + 1] <= j as f64 {
                k += 1;
            }
            // The rounded take-over point may be on the wrong side of j: let the neighbours compete.
            let around = k.saturating_sub(1)..(k + 2).min(self.sites.len());
            let best = around
                .map(|k| self.sites[k])
                .reduce(|a, b| if value(b, j) > value(a, j) { b } else { a })
                .expect("an envelope is never empty");
            *out = Candidate {
                value: value(best, j),
                ..at(best)
            };
            out.shift[axis] += (best - j) as i32;
        }
    }

    /// The envelope of the parabolas at the sites `−n/2 ..= 3n/2`, among which are all that the nodes 0 … n−1 can need.
    fn build(&mut self, n: i64, value: &impl Fn(i64) -> f64) {
        self.sites.clear();
        self.from.clear();
        let square = (n * n) as f64;
        for site in -n / 2..=n + n / 2 {
            let mut from = f64::NEG_INFINITY;
            while let Some(&last) = self.sites.last() {
                let rise = square * (value(last) - value(site));
                from = (rise + 0.5 * (site * site - last * last) as f64) / (site - last) as f64;
                if from > self.from[self.from.len() - 1] {
                    break;
                }
                self.sites.pop();
                self.from.pop();
                from = f64::NEG_INFINITY;
            }
            self.sites.push(site);
            self.from.push(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_spike_is_seen_from_everywhere() {
        let n = 8;
        let mut line = vec![
            Candidate {
                value: -10.0,
                shift: [0; 3]
            };
            n
        ];
        line[6].value = 0.0;
        let mut out = line.clone();
        Envelope::default().transform(&line, 1, &mut out);
        let shifts: Vec<i32> = out.iter().map(|c| c.shift[1]).collect();
        assert_eq!(shifts[0], -2);
        assert_eq!(shifts[2].abs(), 4);
        assert_eq!(&shifts[3..], &[3, 2, 1, 0, -1]);
        for (value, shift) in out.iter().map(|c| (c.value, c.shift[1])) {
            assert_eq!(value, -0.5 * f64::from(shift * shift) / 64.0);
        }
    }
}
