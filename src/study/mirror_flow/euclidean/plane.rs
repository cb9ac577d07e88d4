//! The paths in the plane over level sets of F.

use super::figures::{Page, line, markers, panel};
use crate::figure::{Panel, Scale, Series, Style};
use crate::record::RecordError;
use crate::study::euclidean::level_set;
use mirrorflow_solvers::euclidean::Euclidean;

/// Colour of what the paths are drawn on.
const GREY: usize = 7;

impl Page<'_> {
    /// The paths over level sets of F.
    pub fn plane(&self) -> Result<Panel, RecordError> {
        let mut series = self.level_sets()?;
        for (k, part) in self.parts.iter().enumerate() {
            let pair = |x: &[f64]| (x[0], x[1]);
            let path = part.values("path")?.chunks(2).map(pair).collect();
            series.push(line(self.label(k), path, k));
            series.push(markers(part.values("x")?.chunks(2).map(pair).collect(), k));
        }
        if let Ok(end) = self.parts[0].values("end") {
            series.push(Series {
                label: String::new(),
                points: vec![(end[0], end[1])],
                style: Style::HollowMarkers,
                colour: 4,
            });
        }
        Ok(panel(
            "paths",
            ("x", Scale::Linear),
            ("y", Scale::Linear),
            series,
        ))
    }

    fn level_sets(&self) -> Result<Vec<Series>, RecordError> {
        let (Ok(end), Ok(gap)) = (self.parts[0].values("end"), self.parts[0].values("gap")) else {
            return Ok(Vec::new());
        };
        let problem: &Euclidean = self.built.first();
        let inside = |x| self.built.problems.iter().all(|p| p.mirror().holds(x));
        let f = |(x, y): (f64, f64)| match [x, y] {
            x if inside(x) => problem.objective(x).value,
            _ => f64::NAN,
        };
        let start = problem.start();
        let way = (start[0] - end[0]).hypot(start[1] - end[1]);
        let least = self.parts[0].number("minimum")?;
        let parts = [1.0, 0.5, 0.2, 0.05];
        let set = |part: f64| Series {
            label: String::new(),
            points: level_set(f, (end[0], end[1]), least + part * gap[0], 1.15 * way),
            style: Style::Dotted,
            colour: GREY,
        };
        Ok(parts.into_iter().map(set).collect())
    }
}
