//! The command line: what can be asked, and the help that teaches it.

use crate::quantities::parse_bytes;
use crate::scenario::template::Kind;
use crate::summary::Format;
use clap::{Parser, Subcommand};
use clap_complete::Shell;
use std::num::NonZeroUsize;
use std::path::PathBuf;

const EXAMPLE: &str = "\
Example:
  mirrorflow run scenarios/smoke_1d.ron      measure, judge and draw: seconds
  open output/smoke_1d/report.html           the verdicts and the figures
  mirrorflow new mine.ron                    a commented scenario to change (--problem gaussian for another kind)
  mirrorflow check mine.ron                  is it valid, what will it cost?
  mirrorflow run mine.ron --output results/mine

Where results go: output/<scenario>/, or the folder given by --output. It holds
  scenario.ron, provenance.json   the resolved scenario, where and when it ran
  data/, figures/                 npz and csv; svg and png
  verdicts.json, report.html      one verdict per claim; all of it on one page

Exit codes:
  0  every claim is consistent, or none was asked
  1  some claim is inconsistent
  2  the scenario or the command line is wrong
  3  a numerical failure, named with where, when and what to change, or a damaged record
  4  nothing is inconsistent but something is inconclusive
  5  results cannot be written, or another run writes to the folder
  130  interrupted by Ctrl-C or SIGTERM; what was measured is kept";

/// A laboratory for Sinkhorn's ε → 0 limit and the parabolic Monge–Ampère flow on the periodic torus.
///
/// One scenario file says the densities, the grid and what to study; a run leaves measured curves, a verdict on each
/// claim of the theory, and figures.
#[derive(Debug, Parser)]
#[command(name = "mirrorflow", version, after_help = EXAMPLE, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure, judge and draw scenarios
    Run {
        /// Scenario files; - is standard input
        #[arg(required = true, value_name = "SCENARIO")]
        scenarios: Vec<PathBuf>,
        /// Where to write; with several scenarios, each gets a sub-folder with its name [default: output/ and its name]
        #[arg(short, long, value_name = "DIR")]
        output: Option<PathBuf>,
        /// Replace the results of an earlier run
        #[arg(short, long)]
        force: bool,
        /// Number of threads [default: all cores]; the results are the same bits for any number
        #[arg(short, long, value_name = "N")]
        threads: Option<NonZeroUsize>,
    },
    /// Validate scenarios, and try each for a second or two to say what memory and time it takes
    Check {
        /// Scenario files
        #[arg(required = true, value_name = "SCENARIO")]
        scenarios: Vec<PathBuf>,
        /// Judge for a machine with this much memory, such as 256GB [default: what this one has free]
        #[arg(short, long, value_name = "SIZE", value_parser = parse_bytes)]
        memory: Option<f64>,
        /// Judge for this many threads [default: all cores]
        #[arg(short, long, value_name = "N")]
        threads: Option<NonZeroUsize>,
        /// Say what each stage takes on one thread
        #[arg(short, long)]
        verbose: bool,
    },
    /// Judge and draw again from the data of a finished run, measuring nothing
    Report {
        /// Folder of the run, such as output/smoke_1d
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Print the verdicts as a table for a paper instead
        #[arg(short, long, value_name = "FORMAT", value_enum)]
        table: Option<Format>,
    },
    /// List scenarios with their titles
    List {
        /// Folder to look in
        #[arg(short, long, value_name = "DIR", default_value = "scenarios")]
        directory: PathBuf,
    },
    /// List every claim that can be judged: statement, source, prediction
    Claims,
    /// Write a commented scenario that explains every field of one kind of problem
    New {
        /// File to write
        #[arg(value_name = "FILE", default_value = "scenario.ron")]
        file: PathBuf,
        /// Kind of problem
        #[arg(short, long, value_enum, default_value_t)]
        problem: Kind,
        /// Replace an existing file
        #[arg(short, long)]
        force: bool,
    },
    /// Print completions for a shell, to be sourced or saved where the shell looks for them
    Completions {
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn zero_threads_and_no_scenario_are_refused() {
        assert!(Cli::try_parse_from(["mirrorflow", "run", "a.ron", "--threads", "0"]).is_err());
        assert!(Cli::try_parse_from(["mirrorflow", "run"]).is_err());
        assert!(Cli::try_parse_from(["mirrorflow", "check"]).is_err());
    }

    #[test]
    fn help_teaches_places_and_exit_codes() {
        let help = Cli::command().render_long_help().to_string();
        for word in [
            "output/<scenario>/",
            "Exit codes",
            "  4  ",
            "mirrorflow run",
        ] {
            assert!(help.contains(word), "{word}");
        }
    }
}
