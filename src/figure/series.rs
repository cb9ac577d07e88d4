//! One series of points on the page: its line, its markers.

use super::canvas::{Canvas, Drawn, Point, Stroke};
use super::markers;
use super::style::{LINE_WIDTH, Rgb, as_text, palette};
use super::{Series, Style};

/// On a long line, markers stand at about this many points only.
const MARKERS_ON_A_LINE: usize = 24;

impl Style {
    fn stroke(self, colour: Rgb) -> Option<Stroke> {
        let solid = Stroke::solid(colour, LINE_WIDTH);
        match self {
            Style::Line | Style::LineMarkers => Some(solid),
            Style::Dashed => Some(Stroke {
                dash: Some((8.0, 4.5)),
                ..solid
            }),
            Style::Dotted => Some(Stroke {
                dash: Some((2.25, 3.25)),
                ..solid
            }),
            Style::Markers | Style::HollowMarkers => None,
        }
    }

    pub(super) fn has_markers(self) -> bool {
        matches!(
            self,
            Style::Markers | Style::LineMarkers | Style::HollowMarkers
        )
    }
}

impl Series {
    pub(super) fn text_colour(&self) -> Rgb {
        as_text(palette(self.colour))
    }

    /// Draws the series through places on the page; a `None` interrupts it.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, places: &[Option<Point>]) -> Drawn {
        if let Some(stroke) = self.style.stroke(palette(self.colour)) {
            for piece in pieces(places) {
                self.draw_piece(canvas, &piece, stroke)?;
            }
        }
        if self.style.has_markers() {
            self.draw_markers(canvas, places)?;
        }
        Ok(())
    }

    /// A short piece of its line with one marker in the middle, to the right of a point.
    pub(super) fn draw_sample(&self, canvas: &Canvas<'_>, (x, y): Point, length: f64) -> Drawn {
        let colour = palette(self.colour);
        if let Some(stroke) = self.style.stroke(colour) {
            canvas.line(&[(x, y), (x + length, y)], stroke)?;
        }
        if self.style.has_markers() {
            let hollow = self.style == Style::HollowMarkers;
            markers::draw(canvas, (x + 0.5 * length, y), self.colour, colour, hollow)?;
        }
        Ok(())
    }

    /// A piece of one point has no length: it becomes a dot, so that it is not lost.
    fn draw_piece(&self, canvas: &Canvas<'_>, piece: &[Point], stroke: Stroke) -> Drawn {
        match piece {
            [only] => canvas.disc(*only, 0.8 * LINE_WIDTH, stroke.colour),
            _ => canvas.line(&thinned(piece), stroke),
        }
    }

    fn draw_markers(&self, canvas: &Canvas<'_>, places: &[Option<Point>]) -> Drawn {
        let thinned = self.style == Style::LineMarkers && places.len() > 2 * MARKERS_ON_A_LINE;
        let every = if thinned {
            places.len().div_ceil(MARKERS_ON_A_LINE)
        } else {
            1
        };
        let hollow = self.style == Style::HollowMarkers;
        for place in places.iter().step_by(every).flatten() {
            markers::draw(canvas, *place, self.colour, palette(self.colour), hollow)?;
        }
        Ok(())
    }
}

/// The runs of consecutive places.
pub(super) fn pieces(places: &[Option<Point>]) -> impl Iterator<Item = Vec<Point>> {
    places
        .split(Option::is_none)
        .map(|piece| piece.iter().flatten().copied().collect::<Vec<_>>())
        .filter(|piece| !piece.is_empty())
}

/// Lines of more points than this are thinned.
const MOST_POINTS: usize = 2000;
/// Width in pixels of what looks like one vertical stroke.
const COLUMN: f64 = 0.125;

/// The same line to the eye: of successive points in one narrow column the first, the lowest, the highest and the last.
fn thinned(piece: &[Point]) -> Vec<Point> {
    if piece.len() <= MOST_POINTS {
        return piece.to_vec();
    }
    let column = |point: &Point| (point.0 / COLUMN).floor();
    let by_height = |a: &&Point, b: &&Point| a.1.total_cmp(&b.1);
    let mut kept = Vec::new();
    for run in piece.chunk_by(|a, b| column(a) == column(b)) {
        let ends = [run.first(), run.last()];
        let extremes = [run.iter().min_by(by_height), run.iter().max_by(by_height)];
        let four: Vec<&Point> = ends.into_iter().chain(extremes).flatten().collect();
        kept.extend(
            run.iter()
                .filter(|point| four.iter().any(|one| std::ptr::eq(*one, *point))),
        );
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_keep_their_ends_and_extremes() {
        let wave = |k: usize| (0.001 * k as f64, (0.9 * k as f64).sin());
        let line: Vec<Point> = (0..100_000).map(wave).collect();
        let thin = thinned(&line);
        assert!(thin.len() <= 4 * 801, "{}", thin.len());
        assert_eq!((thin[0], thin[thin.len() - 1]), (line[0], line[99_999]));
        let highest = |points: &[Point]| points.iter().map(|p| p.1).fold(f64::MIN, f64::max);
        assert_eq!(highest(&thin), highest(&line));
        assert!(thin.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(thinned(&line[..MOST_POINTS]).len(), MOST_POINTS);
    }

    #[test]
    fn a_line_is_interrupted_where_points_are_missing() {
        let (a, b, c) = ((0.0, 0.0), (1.0, 1.0), (3.0, 3.0));
        let found: Vec<_> = pieces(&[None, Some(a), Some(b), None, None, Some(c)]).collect();
        assert_eq!(found, [vec![a, b], vec![c]]);
        assert_eq!(pieces(&[None, None]).count(), 0);
    }
}
