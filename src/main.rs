//! The command `mirrorflow`.
#![forbid(unsafe_code)]

use clap::{CommandFactory, Parser};
use miette::{IntoDiagnostic, Report, Result, miette};
use mirrorflow::cli::{Cli, Command};
use mirrorflow::figure::label_plain;
use mirrorflow::machine::Machine;
use mirrorflow::quantities::{bytes, duration};
use mirrorflow::scenario::{Loaded, load, load_for, shown, template::Kind};
use mirrorflow::study::{Claims, Study};
use mirrorflow::verdict::gravest;
use mirrorflow::{estimate, run, summary};
use std::collections::HashSet;
use std::io::{Write, stdout};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The scenario or the command line is wrong.
const WRONG: u8 = 2;

/// Something cannot be written.
const UNWRITABLE: u8 = 5;

fn main() -> ExitCode {
    match command(Cli::parse().command) {
        Ok(code) => ExitCode::from(code),
        Err(report) => {
            run::tell(&format!("{report:?}"));
            ExitCode::from(
                report
                    .downcast_ref()
                    .map_or(WRONG, |Ended { code, .. }| *code),
            )
        }
    }
}

/// What ends the program with another code than [`WRONG`].
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{message}")]
struct Ended {
    message: String,
    code: u8,
}

/// A folder that cannot be used.
fn unusable(error: &run::FolderError) -> Report {
    Report::new(Ended {
        message: error.to_string(),
        code: error.exit_code(),
    })
}

/// Something that cannot be written.
fn unwritable(message: String) -> Report {
    Report::new(Ended {
        message,
        code: UNWRITABLE,
    })
}

fn command(command: Command) -> Result<u8> {
    match command {
        Command::Run {
            scenarios,
            output,
            force,
            threads,
        } => {
            if let Some(threads) = threads {
                rayon::ThreadPoolBuilder::new()
                    .num_threads(threads.get())
                    .build_global()
                    .into_diagnostic()?;
            }
            run::handle_signals();
            run_all(&scenarios, output.as_deref(), force)
        }
        Command::Check {
            scenarios,
            memory,
            threads,
            verbose,
        } => {
            let machine = Machine::this().with(memory, threads.map(NonZeroUsize::get));
            check(&scenarios, &machine, verbose)
        }
        Command::Report { directory, table } => {
            let ended = run::report(&directory).map_err(|e| unusable(&e))?;
            match table {
                Some(format) => {
                    say(&summary::table(&ended.verdicts, format)).map(|()| ended.exit_code())
                }
                None => conclude(&ended, &directory),
            }
        }
        Command::List { directory } => list(&directory),
        Command::Claims => say(&claims()).map(|()| 0),
        Command::New {
            file,
            problem,
            force,
        } => new(&file, problem, force),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "mirrorflow", &mut script);
            say(&String::from_utf8_lossy(&script)).map(|()| 0)
        }
    }
}

/// Standard output; a reader that closed its end has seen enough.
fn say(text: &str) -> Result<()> {
    match stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| unwritable(format!("cannot write to standard output: {e}"))),
    }
}

/// All scenarios are validated and all folders looked at before anything is computed.
fn run_all(scenarios: &[PathBuf], output: Option<&Path>, force: bool) -> Result<u8> {
    let loaded = scenarios
        .iter()
        .map(|path| load(path))
        .collect::<Result<Vec<_>>>()?;
    let folders: Vec<PathBuf> = loaded
        .iter()
        .map(|l| match output {
            Some(folder) if loaded.len() == 1 => folder.to_owned(),
            Some(folder) => folder.join(&l.name),
            None => Path::new("output").join(&l.name),
        })
        .collect();
    let mut seen = HashSet::new();
    if let Some(twice) = folders.iter().find(|folder| !seen.insert(*folder)) {
        return Err(miette!(
            help = "run them one at a time, each with its own --output",
            "two scenarios would write to {}",
            twice.display()
        ));
    }
    for folder in &folders {
        run::Folder::check(folder, force, scenarios).map_err(|e| unusable(&e))?;
    }
    let machine = Machine::this();
    for loaded in &loaded {
        if estimate::may_not_fit(loaded, &machine) {
            fits(
                &loaded.name,
                loaded,
                &estimate::estimate(loaded, &machine),
                &machine,
            )?;
        }
    }
    run::keep_when_interrupted();
    let mut codes = Vec::new();
    for (loaded, folder) in loaded.iter().zip(&folders) {
        let code = run_one(loaded, folder, force)?;
        codes.push(code);
        if code == 130 {
            break;
        }
    }
    Ok(gravest(&codes))
}

fn run_one(loaded: &Loaded, folder: &Path, force: bool) -> Result<u8> {
    let ended = run::run(loaded, folder, force).map_err(|e| unusable(&e))?;
    say(&format!("{}\n", shown(&loaded.scenario.title)))?;
    say_found(loaded)?;
    conclude(&ended, folder)
}

/// The grid that was found for `points: Auto(…)`, and the times that were left out.
fn say_found(loaded: &Loaded) -> Result<()> {
    if let Some(points) = &loaded.found {
        say(&format!(
            "points: {points:?}, the coarsest that resolve it\n"
        ))?;
    }
    for time in &loaded.times {
        say(&format!("time: {time}, by the spectral gap\n"))?;
    }
    Ok(())
}

/// Verdict table, where the report is, what failed; the exit code.
fn conclude(ended: &run::Ended, folder: &Path) -> Result<u8> {
    say(&summary::terminal(&ended.verdicts))?;
    say(&format!("{}\n", folder.join("report.html").display()))?;
    if let Some(failure) = &ended.failure {
        let report: Report = miette!("{failure}");
        run::tell(&format!("{report:?}"));
    }
    Ok(ended.exit_code())
}

fn check(scenarios: &[PathBuf], machine: &Machine, verbose: bool) -> Result<u8> {
    for path in scenarios {
        let loaded = load_for(path, machine)?;
        let estimate = estimate::estimate(&loaded, machine);
        if verbose {
            say(&parts(&estimate))?;
        }
        fits(&path.display().to_string(), &loaded, &estimate, machine)?;
        say_found(&loaded)?;
        say(&format!(
            "{}: {}\n",
            path.display(),
            costs(&estimate, machine)
        ))?;
    }
    Ok(0)
}

/// What each stage takes, those of a moment left out.
fn parts(estimate: &estimate::Estimate) -> String {
    let long = |part: &&estimate::Part| part.seconds > 0.01 * estimate.seconds;
    let line = |part: &estimate::Part| {
        let stage = match part.stage.as_str() {
            "" => "between stages",
            stage => stage,
        };
        let (seconds, bytes) = (duration(part.seconds), bytes(part.bytes));
        format!("  {seconds:>18}  {bytes:>9}  {}: {stage}\n", part.study)
    };
    estimate.parts.iter().filter(long).map(line).collect()
}

/// What a valid scenario costs, and what that rests on.
fn costs(estimate: &estimate::Estimate, machine: &Machine) -> String {
    let threads = match machine.threads {
        1 => "1 thread".to_owned(),
        n => format!("{n} threads"),
    };
    let basis = if estimate.whole {
        "measured on this machine, to the end"
    } else {
        "measured on this machine in part, and extrapolated"
    };
    let mut text = format!(
        "valid. About {} of memory and {} on {threads}; {basis}",
        bytes(estimate.bytes),
        duration(estimate.seconds),
    );
    if machine.threads > 1 && estimate.parallel > 0.0 {
        text += &format!(
            "; {:.0} % of the work on this grid is taken to be shared",
            100.0 * estimate.parallel
        );
    }
    text.push('.');
    if let Some(failure) = &estimate.failure {
        text += &format!("\n  It ended early when it was tried: {failure}");
    }
    text
}

/// Refuses what does not fit into the machine's memory.
fn fits(
    name: &str,
    loaded: &Loaded,
    estimate: &estimate::Estimate,
    machine: &Machine,
) -> Result<()> {
    let Some(room) = machine
        .allowance()
        .filter(|room| estimate.bytes > room.bytes)
    else {
        return Ok(());
    };
    Err(miette!(
        help = estimate::remedy(loaded, estimate, room.bytes),
        "{name}: a run needs about {} of memory, {} may be used ({})",
        bytes(estimate.bytes),
        bytes(room.bytes),
        room.limit
    ))
}

fn list(directory: &Path) -> Result<u8> {
    let entries = std::fs::read_dir(directory).map_err(|e| {
        miette!(
            "cannot list {}: {e}; give a folder with --directory",
            directory.display()
        )
    })?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "ron"))
        .collect();
    paths.sort();
    for path in paths {
        let title = match load(&path) {
            Ok(loaded) => shown(&loaded.scenario.title),
            Err(_) => "not valid; see `mirrorflow check`".to_owned(),
        };
        say(&format!(
            "{:<42} {title}\n",
            shown(&path.display().to_string())
        ))?;
    }
    Ok(0)
}

fn claims() -> String {
    let mut text =
        "p^ε and ρ^ε are Sinkhorn's potential and X-marginal after t/ε iterations, p_t and ρ_t the flow's.\n\n"
            .to_owned();
    for Claims {
        study,
        problem,
        claims,
    } in Study::claims()
    {
        for claim in claims {
            text += &format!(
                "{study}/{} ({problem})\n  {}\n  prediction: {}   source: {}\n",
                claim.name,
                label_plain(claim.statement),
                claim.law,
                claim.reference
            );
        }
    }
    text
}

fn new(file: &Path, problem: Kind, force: bool) -> Result<u8> {
    if file.exists() && !force {
        return Err(miette!(
            "{} exists already; name another file, or use --force",
            file.display()
        ));
    }
    run::write_whole(file, |written| {
        written.write_all(problem.template().as_bytes())
    })
    .map_err(|e| unwritable(format!("cannot write {}: {e}", file.display())))?;
    say(&format!(
        "{}: change it, then `mirrorflow check` and `mirrorflow run` it\n",
        file.display()
    ))?;
    Ok(0)
}
