//! Runs of this very program that were made before, so that a bench that was cut short goes on where it was.

use crate::Result;
use crate::trial::{Task, Trial};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::time::UNIX_EPOCH;

/// One line per run: what was asked, a tab, what came of it.
pub struct Kept {
    file: File,
    trials: HashMap<String, Trial>,
}

impl Kept {
    /// Runs made by the same build of the program.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open() -> Result<Self> {
        let built = std::fs::metadata(std::env::current_exe()?)?.modified()?;
        let stamp = built.duration_since(UNIX_EPOCH)?.as_nanos();
        std::fs::create_dir_all(crate::folder())?;
        let path = crate::folder().join(format!("runs-{stamp:x}"));
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let trials = before.lines().filter_map(|line| {
            let (asked, came) = line.split_once('\t')?;
            Some((asked.to_owned(), ron::from_str(came).ok()?))
        });
        Ok(Self {
            trials: trials.collect(),
            file: OpenOptions::new().create(true).append(true).open(path)?,
        })
    }

    /// The run, made now unless it was made before.
    ///
    /// # Errors
    /// As [`Task::delegate`].
    pub fn run(&mut self, task: &Task, cap: f64) -> Result<Trial> {
        let asked = task.describe(cap);
        if let Some(trial) = self.trials.get(&asked) {
            return Ok(trial.clone());
        }
        let trial = task.delegate(cap)?;
        writeln!(self.file, "{asked}\t{}", ron::to_string(&trial)?)?;
        Ok(trial)
    }
}
