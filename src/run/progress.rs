//! A progress bar with the time left, quiet when standard error is not a terminal; and Ctrl-C.

use crate::study::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const RESOLUTION: u64 = 10_000;
const TEMPLATE: &str =
    "{prefix:.bold} [{bar:30}] {percent:>3} %  {elapsed} elapsed, {eta} left  {msg}";

/// Progress of one study on standard error.
pub struct Bar(ProgressBar);

impl Bar {
    pub fn new(study: &str) -> Self {
        let style = ProgressStyle::with_template(TEMPLATE)
            .expect("the template is valid")
            .progress_chars("━╸ ");
        let bar = ProgressBar::new(RESOLUTION)
            .with_style(style)
            .with_prefix(study.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn update(&self, stage: &str, fraction: f64) {
        self.0
            .set_position((fraction.clamp(0.0, 1.0) * RESOLUTION as f64) as u64);
        self.0.set_message(stage.to_owned());
    }

    fn interrupted(&self) -> bool {
        INTERRUPTS.load(Ordering::Relaxed) > 0
    }
}

static INTERRUPTS: AtomicUsize = AtomicUsize::new(0);

/// From now on a first Ctrl-C asks the measurement to stop and keep what there is; a second one ends at once.
pub fn interrupts() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let handler = ctrlc::set_handler(|| {
            if INTERRUPTS.fetch_add(1, Ordering::Relaxed) > 0 {
                std::process::exit(130);
            }
            eprintln!(
                "\nstopping after this step; what was measured is kept. Ctrl-C again ends at once."
            );
        });
        if let Err(error) = handler {
            eprintln!("warning: Ctrl-C will not keep what was measured: {error}");
        }
    });
}
