//! What every study can do.

use super::Curve;
use super::measure::{Context, MeasureError, Measured};
use super::problem::Described;
use crate::figure::Figure;
use crate::record::{Axes, Extent, Record, RecordError, Table};
use crate::scenario::{Built, BuiltTorus, Numerics};
use crate::study::Progress;
use crate::study::progress::Alive;
use crate::verdict::Verdict;
use mirrorflow_solvers::watch::watched;

/// A study of one kind of problem, whose objects are `B`: `measure` is the only expensive step; the others are pure functions of the record.
pub trait Experiment<B = BuiltTorus> {
    /// Computes everything that is later judged and drawn.
    ///
    /// # Errors
    /// [`MeasureError`], with what was measured before it.
    fn measure(&self, context: &Context<B>) -> Result<Measured, MeasureError>;

    /// What the record of a finished run holds.
    fn tables(&self, built: &B) -> Vec<Table>;

    /// Verdicts on the study's claims; `study` is the numbered slug.
    ///
    /// # Errors
    /// [`RecordError`] when the record is not one of this study.
    fn judge(&self, _study: &str, _record: &Record) -> Result<Vec<Verdict>, RecordError> {
        Ok(Vec::new())
    }

    /// The figures, named within the study.
    ///
    /// # Errors
    /// As [`Self::judge`].
    fn draw(&self, built: &B, record: &Record) -> Result<Vec<Figure>, RecordError>;

    /// The curves behind the figures: a row a point, units in the header.
    ///
    /// # Errors
    /// As [`Self::judge`].
    fn curve(&self, record: &Record) -> Result<Curve, RecordError>;
}

/// A study together with the problem that it is made on.
pub trait Bound {
    /// [`Experiment::measure`].
    ///
    /// # Errors
    /// [`MeasureError`].
    fn measure(
        &self,
        numerics: &Numerics,
        progress: &dyn Progress,
    ) -> Result<Measured, MeasureError>;

    /// The tables of its record, those of the problem included.
    fn tables(&self) -> Vec<Table>;

    /// What `d` and `n` are in them.
    fn axes(&self) -> Axes<'_>;

    /// Checks a record against its tables.
    ///
    /// # Errors
    /// [`RecordError::Damaged`].
    fn check(&self, record: &Record, extent: Extent) -> Result<(), RecordError>;

    /// [`Experiment::judge`].
    ///
    /// # Errors
    /// [`RecordError`].
    fn judge(&self, study: &str, record: &Record) -> Result<Vec<Verdict>, RecordError>;

    /// [`Experiment::draw`].
    ///
    /// # Errors
    /// [`RecordError`].
    fn draw(&self, record: &Record) -> Result<Vec<Figure>, RecordError>;

    /// [`Experiment::curve`].
    ///
    /// # Errors
    /// [`RecordError`].
    fn curve(&self, record: &Record) -> Result<Curve, RecordError>;
}

struct On<'a, B> {
    study: &'a dyn Experiment<B>,
    built: &'a B,
}

impl<B: Described> Bound for On<'_, B> {
    fn measure(
        &self,
        numerics: &Numerics,
        progress: &dyn Progress,
    ) -> Result<Measured, MeasureError> {
        let context = Context {
            built: self.built,
            numerics,
            progress,
        };
        // What no stage watches by itself is at least alive and can be ended.
        let alive = Alive::new();
        let measured = watched(&|_| alive.ask(progress), || self.study.measure(&context));
        measured.map(|mut measured| {
            self.built.describe(&mut measured.record);
            measured
        })
    }

    fn tables(&self) -> Vec<Table> {
        let mut tables = self.study.tables(self.built);
        tables.push(Table::new("", B::COLUMNS));
        tables
    }

    fn axes(&self) -> Axes<'_> {
        self.built.axes()
    }

    fn check(&self, record: &Record, extent: Extent) -> Result<(), RecordError> {
        record.check(&self.tables(), self.axes(), extent)
    }

    fn judge(&self, study: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
        self.study.judge(study, record)
    }

    fn draw(&self, record: &Record) -> Result<Vec<Figure>, RecordError> {
        self.study.draw(self.built, record)
    }

    fn curve(&self, record: &Record) -> Result<Curve, RecordError> {
        self.study.curve(record)
    }
}

impl super::Study {
    /// The study on this problem; `None` where it is not defined.
    pub fn on<'a>(&'a self, built: &'a Built) -> Option<Box<dyn Bound + 'a>> {
        fn bound<'a, B: Described>(
            study: &'a dyn Experiment<B>,
            built: &'a B,
        ) -> Box<dyn Bound + 'a> {
            Box::new(On { study, built })
        }
        match built {
            Built::Torus(built) => self.on_torus().map(|study| bound(study, built)),
            Built::Gaussian(built) => self.on_gaussian().map(|study| bound(study, built)),
            Built::Euclidean(built) => self.on_euclidean().map(|study| bound(study, built)),
        }
    }
}
