//! A line on the terminal that says how far a run is, and Ctrl-C.

use crate::study::Progress;
use console::{Term, truncate_str};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Once};
use std::time::{Duration, Instant};

/// Between two drawings of the line.
const REDRAWN: Duration = Duration::from_millis(200);

/// Progress of one study, or of what comes after, on standard error; quiet where that is no terminal.
pub struct Bar {
    line: ProgressBar,
    seen: Arc<Mutex<Seen>>,
}

/// What was last heard.
struct Seen {
    name: String,
    stage: String,
    fraction: f64,
    began: Instant,
}

impl Bar {
    pub fn new(name: &str) -> Self {
        let seen = Arc::new(Mutex::new(Seen {
            name: name.to_owned(),
            stage: String::new(),
            fraction: 0.0,
            began: Instant::now(),
        }));
        let shown = Arc::clone(&seen);
        let text = move |_: &ProgressState, out: &mut dyn Write| {
            let columns = usize::from(Term::stderr().size().1);
            // The last column stays free: some terminals break the line there.
            let text = shown
                .lock()
                .expect("nobody panicked")
                .line(columns.saturating_sub(1));
            let _ = out.write_str(&text);
        };
        let style = ProgressStyle::with_template("{text}").expect("the template is valid");
        let line = ProgressBar::new_spinner().with_style(style.with_key("text", text));
        line.enable_steady_tick(REDRAWN);
        Self { line, seen }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.line.finish_and_clear();
    }
}

impl Progress for Bar {
    fn update(&self, stage: &str, fraction: f64) {
        let mut seen = self.seen.lock().expect("nobody panicked");
        seen.fraction = fraction.clamp(0.0, 1.0);
        if seen.stage != stage {
            stage.clone_into(&mut seen.stage);
        }
    }

    fn interrupted(&self) -> bool {
        interrupted()
    }
}

impl Seen {
    fn line(&self, columns: usize) -> String {
        let stage = if interrupted() {
            "stopping; Ctrl-C again ends at once"
        } else {
            &self.stage
        };
        let elapsed = self.began.elapsed().as_secs_f64();
        line(columns, (&self.name, stage), self.fraction, elapsed)
    }
}

/// Name, bar, percentage, time elapsed and left, stage, in at most so many columns: a narrow terminal has a short bar and then none, and
/// names are cut.
fn line(columns: usize, (name, stage): (&str, &str), fraction: f64, elapsed: f64) -> String {
    let left = match left(fraction, elapsed) {
        Some(left) => format!("{} left", duration(left)),
        None => "? left".to_owned(),
    };
    let percent = (100.0 * fraction).floor();
    let numbers = match columns {
        ..60 => format!("{percent:>3.0} %  {left}"),
        _ => format!("{percent:>3.0} %  {}, {left}", duration(elapsed)),
    };
    let name = truncate_str(name, (columns / 4).max(8), "…");
    let width = match columns {
        ..60 => 0,
        columns => (columns / 6).min(30),
    };
    let mut line = format!("{name}  ");
    if width > 0 {
        let full = (fraction * width as f64) as usize;
        let _ = write!(line, "{}{}  ", "━".repeat(full), "─".repeat(width - full));
    }
    let _ = write!(line, "{numbers}  {stage}");
    truncate_str(&line, columns, "…").trim_end().to_owned()
}

/// Until then nothing can be said.
const FIRST: f64 = 0.5;

/// Seconds left; while anything is left at least one.
fn left(fraction: f64, elapsed: f64) -> Option<f64> {
    (fraction > 0.0 && elapsed >= FIRST).then(|| (elapsed * (1.0 - fraction) / fraction).max(1.0))
}

fn duration(seconds: f64) -> String {
    let whole = seconds.min(1e9) as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{}:{:02} min", whole / 60, whole % 60),
        _ => format!("{}:{:02} h", whole / 3600, whole / 60 % 60),
    }
}

/// A line on standard error. One that nobody reads is no reason to stop.
pub fn tell(text: &str) {
    use std::io::Write;
    let _ = std::io::stderr()
        .lock()
        .write_all(format!("{text}\n").as_bytes());
}

/// Exit code of a run that was interrupted.
pub const INTERRUPTED: i32 = 130;

/// Set by the first signal.
static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Whether a signal ends the process at once: while there is nothing to keep, and after the first.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// Whether the user asked to stop.
pub fn interrupted() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// From now on Ctrl-C and the other signals that end a process end it with exit code 130, those apart that whoever started it wants
/// ignored (`nohup`).
pub fn handle_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in signals() {
            // In this order: what the first signal sets, the second one meets.
            let handled = signal_hook::flag::register_conditional_shutdown(
                signal,
                INTERRUPTED,
                Arc::clone(&AT_ONCE),
            )
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&AT_ONCE)))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&ASKED)));
            // A signal that cannot be handled ends the process as it always did.
            drop(handled);
        }
    });
}

/// From now on there is something to keep: the first signal asks the measurement to stop, the second one ends the process.
pub fn keep_when_interrupted() {
    AT_ONCE.store(interrupted(), Ordering::Relaxed);
}

fn signals() -> Vec<i32> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut all = vec![SIGINT, SIGTERM];
    #[cfg(unix)]
    all.push(signal_hook::consts::SIGHUP);
    let ignored = ignored();
    all.retain(|signal| ignored >> (signal - 1) & 1 == 0);
    all
}

/// The signals that are ignored, a bit each from 1 on, as far as the system tells.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use console::measure_text_width;

    #[test]
    fn a_line_fits_any_terminal() {
        let names = [
            ("flow", "flow, t = 0.05"),
            (
                "exponential-convergence-12",
                "the flow on three quarters of the nodes of a very long scenario, ε = 0.00125, t = 4.8e-2",
            ),
        ];
        for columns in 40..=200 {
            for (fraction, elapsed) in [(0.0, 0.1), (0.42, 12.0), (0.001, 4000.0), (1.0, 90.0)] {
                for name in names {
                    let line = line(columns, name, fraction, elapsed);
                    assert!(measure_text_width(&line) <= columns, "{columns}: {line}");
                    assert!(line.contains(" left"), "{columns}: {line}");
                    assert_eq!(columns >= 60, line.contains(['━', '─']), "{line}");
                }
            }
        }
    }

    #[test]
    fn the_time_left_halves_when_half_is_done_and_is_never_nothing() {
        assert_eq!(left(0.25, 10.0), Some(30.0));
        assert_eq!(left(0.5, 20.0), Some(20.0));
        assert_eq!(left(0.75, 30.0), Some(10.0));
        assert_eq!(left(0.999, 30.0), Some(1.0));
        assert_eq!(left(0.0, 30.0), None);
        assert_eq!(left(0.5, 0.1), None);
    }

    #[test]
    fn durations_are_short() {
        let found = [0.4, 59.9, 60.0, 3599.0, 3600.0, 86400.0].map(duration);
        let expected = ["0 s", "59 s", "1:00 min", "59:59 min", "1:00 h", "24:00 h"];
        assert_eq!(found, expected);
    }
}
