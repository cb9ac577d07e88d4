//! Verdicts as tables: for the terminal, 80 columns wide, and for a paper.

use crate::figure::label_plain;
use crate::verdict::{Status, Verdict};
use std::fmt::Write as _;
use textwrap::{Options, WordSeparator, WordSplitter, fill};

/// Columns of a terminal.
const WIDTH: usize = 80;

/// Under each study (and run) its claims, then the reasons of those that are not consistent, each once.
pub fn terminal(verdicts: &[Verdict]) -> String {
    let rows: Vec<[String; 4]> = verdicts.iter().map(row).collect();
    let widths: [usize; 3] = std::array::from_fn(|k| {
        let cells = rows.iter().map(|row| row[k].chars().count());
        cells.max().unwrap_or(0)
    });
    let (mut text, mut group) = (String::new(), None);
    for (verdict, [claim, law, observed, status]) in verdicts.iter().zip(&rows) {
        let this = Some((&verdict.study, &verdict.run));
        if group != this {
            group = this;
            text += &format!("{}\n", heading(verdict));
        }
        let [a, b, c] = widths;
        let _ = writeln!(text, "  {claim:<a$}  {law:<b$}  {observed:>c$}  {status}");
    }
    for (reason, claims) in reasons(verdicts) {
        text += &wrapped(&format!("{}: {reason}", claims.join(", ")), "  ");
    }
    text
}

fn row(verdict: &Verdict) -> [String; 4] {
    [
        verdict.claim.clone(),
        law(verdict),
        verdict.observed_text(),
        verdict.status.to_string(),
    ]
}

fn heading(verdict: &Verdict) -> String {
    match &verdict.run {
        Some(run) => wrapped(&format!("{}, {run}", verdict.study), "")
            .trim_end()
            .into(),
        None => verdict.study.clone(),
    }
}

/// `order ≥ 1`, `≤ 1e-5`, `≈ 50.3 ± 2 %`.
fn law(verdict: &Verdict) -> String {
    let law = &verdict.law;
    match (law.kind.as_str(), law.value, law.tolerance) {
        ("number", Some(value), Some(part)) => {
            format!("{value:.4} ± {} %", (1e6 * part).round() / 1e4)
        }
        ("number", None, _) => "as predicted".into(),
        ("order", Some(value), _) => format!("order {} {value}", law.relation),
        ("ratio", Some(value), _) => format!("ratio {} {value}", law.relation),
        (_, Some(value), _) => format!("{} {value:e}", law.relation),
        _ => verdict.prediction.clone(),
    }
}

fn wrapped(text: &str, indent: &str) -> String {
    let options = Options::new(WIDTH)
        .initial_indent(indent)
        .subsequent_indent("    ")
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation);
    fill(text, options) + "\n"
}

/// Why claims are not consistent, each reason once with the claims it concerns.
fn reasons(verdicts: &[Verdict]) -> Vec<(String, Vec<String>)> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for verdict in verdicts.iter().filter(|v| v.status != Status::Consistent) {
        let mut reason = verdict.reason.clone();
        if !verdict.interval_text().is_empty() {
            reason += &format!("; observed in {}", verdict.interval_text());
        }
        for excluded in &verdict.excluded {
            reason += &format!("\nleft out: {excluded}");
        }
        let run = verdict.run.as_ref().map(|run| format!(" ({run})"));
        let name = format!(
            "{}/{}{}",
            verdict.study,
            verdict.claim,
            run.unwrap_or_default()
        );
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, claims)) => claims.push(name),
            None => reasons.push((reason, vec![name])),
        }
    }
    reasons
}

/// A format for papers and notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// `tabular` with booktabs' rules; asks for amssymb
    Latex,
    /// As on code hosting sites
    Markdown,
}

const HEADER: [&str; 6] = [
    "claim",
    "statement",
    "prediction",
    "observed",
    "interval",
    "verdict",
];

/// All verdicts, a row each.
pub fn table(verdicts: &[Verdict], format: Format) -> String {
    let rows = verdicts.iter().map(|v| {
        let name = match &v.run {
            Some(run) => format!("{}/{} ({run})", v.study, v.claim),
            None => format!("{}/{}", v.study, v.claim),
        };
        [
            name,
            v.statement.clone(),
            v.prediction.clone(),
            v.observed_text(),
            v.interval_text(),
            v.status.to_string(),
        ]
    });
    match format {
        Format::Markdown => markdown(rows),
        Format::Latex => latex(rows),
    }
}

fn markdown(rows: impl Iterator<Item = [String; 6]>) -> String {
    let line = |cells: [String; 6]| format!("| {} |\n", cells.join(" | "));
    let plain = |cell: String| label_plain(&cell).replace('|', "\\|");
    let mut text = line(HEADER.map(str::to_owned)) + &line(HEADER.map(|_| "---".to_owned()));
    text.extend(rows.map(|row| line(row.map(plain))));
    text
}

fn latex(rows: impl Iterator<Item = [String; 6]>) -> String {
    let line = |cells: [String; 6]| format!("{} \\\\\n", cells.join(" & "));
    let mut text = format!(
        "\\begin{{tabular}}{{llllll}}\n\\toprule\n{}",
        line(HEADER.map(str::to_owned))
    );
    text += "\\midrule\n";
    text.extend(rows.map(|row| line(row.map(|cell| in_latex(&cell)))));
    text + "\\bottomrule\n\\end{tabular}\n"
}

/// Labels have `^{…}` and `_{…}` as LaTeX has; the rest of them is text with symbols.
fn in_latex(label: &str) -> String {
    let (mut text, mut scripts) = (String::new(), 0);
    let mut symbols = label.chars().peekable();
    while let Some(symbol) = symbols.next() {
        match symbol {
            '^' | '_' if symbols.peek() == Some(&'{') => {
                symbols.next();
                scripts += 1;
                let _ = write!(text, "\\ensuremath{{{symbol}{{");
            }
            '}' if scripts > 0 => {
                scripts -= 1;
                text += "}}";
            }
            _ if symbols.next_if_eq(&DOT).is_some() => {
                let _ = write!(text, "\\ensuremath{{\\dot{{{}}}}}", latex_symbol(symbol));
            }
            _ => text += &latex_symbol(symbol),
        }
    }
    text
}

fn latex_symbol(symbol: char) -> String {
    let math = SYMBOLS.iter().find(|(known, _)| *known == symbol);
    match (symbol, math) {
        (_, Some((_, name))) => format!("\\ensuremath{{{name}}}"),
        ('&' | '%' | '$' | '#' | '_' | '{' | '}', _) => format!("\\{symbol}"),
        ('^', _) => "\\^{}".into(),
        ('~', _) => "\\ensuremath{\\sim}".into(),
        ('<' | '>' | '|', _) => format!("\\ensuremath{{{symbol}}}"),
        ('\\', _) => "\\textbackslash{}".into(),
        _ => symbol.to_string(),
    }
}

/// Combines with the symbol before it.
const DOT: char = '\u{307}';

/// Symbols of statements and predictions.
#[rustfmt::skip]
const SYMBOLS: &[(char, &str)] = &[
    ('ε', "\\varepsilon"), ('ρ', "\\rho"), ('η', "\\eta"), ('θ', "\\theta"), ('κ', "\\kappa"), ('λ', "\\lambda"), ('μ', "\\mu"),
    ('ξ', "\\xi"), ('π', "\\pi"), ('ψ', "\\psi"), ('χ', "\\chi"), ('γ', "\\gamma"), ('δ', "\\delta"), ('Σ', "\\Sigma"),
    ('∇', "\\nabla"), ('∂', "\\partial"), ('∫', "\\int"), ('√', "\\surd"), ('∞', "\\infty"), ('∘', "\\circ"),
    ('≤', "\\le"), ('≥', "\\ge"), ('≈', "\\approx"), ('→', "\\to"), ('−', "-"), ('·', "\\cdot"), ('±', "\\pm"), ('½', "\\tfrac12"),
    ('∈', "\\in"), ('⟨', "\\langle"), ('⟩', "\\rangle"), ('‖', "\\|"), ('⇒', "\\Rightarrow"), ('ẋ', "\\dot x"), ('ℝ', "\\mathbb R"),
    ('²', "^2"), ('³', "^3"), ('⁴', "^4"), ('⁻', "^-"), ('¹', "^1"), ('₁', "_1"), ('₂', "_2"), ('₀', "_0"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::Study;
    use crate::verdict::{Claim, Law, Observed};

    fn verdicts() -> Vec<Verdict> {
        let claim = Claim::new(
            "first-order-gradient-order",
            "sup|∇(p^{ε} − p_{t})/ε − ∇r_{t}| & 2 %",
            "[B]",
            "profile",
            Law::Within(1e-6),
        );
        let judged = claim.judge_against(
            "exponential-convergence-2",
            Observed::plus_minus(1.0, 1e-9),
            ("rate/prediction", 1.0),
            "why".into(),
        );
        let of_run = Verdict {
            run: Some("explicit, η = 0.01".into()),
            ..claim.undecided("mirror-descent", &"too early; ".repeat(30))
        };
        vec![judged, of_run]
    }

    #[test]
    fn the_terminal_table_fits_eighty_columns_and_names_study_run_and_reason() {
        let text = terminal(&verdicts());
        assert!(
            text.lines().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
        for part in [
            "exponential-convergence-2\n",
            "mirror-descent, explicit, η = 0.01\n",
            "too early",
            "inconclusive",
        ] {
            assert!(text.contains(part), "{part} not in\n{text}");
        }
    }

    #[test]
    fn tables_for_papers_have_a_row_a_verdict_and_escape_what_is_markup() {
        let latex = table(&verdicts(), Format::Latex);
        assert_eq!(latex.matches("\\\\\n").count(), 3);
        assert!(
            latex.contains("p\\ensuremath{^{\\ensuremath{\\varepsilon}}}")
                && latex.contains("\\& 2 \\%"),
            "{latex}"
        );
        let markdown = table(&verdicts(), Format::Markdown);
        assert_eq!(markdown.lines().count(), 4);
        assert!(markdown.contains("sup\\|∇(p^ε"), "{markdown}");
    }

    #[test]
    fn latex_knows_every_symbol_of_every_claim() {
        for table in Study::claims() {
            for claim in table.claims {
                let text = in_latex(claim.statement) + &in_latex(&claim.law.to_string());
                let text = text.replace('–', "--");
                let unknown: Vec<char> = text
                    .chars()
                    .filter(|c| !c.is_ascii() && !c.is_alphabetic())
                    .collect();
                assert!(unknown.is_empty(), "{}: {unknown:?}", claim.name);
                assert!(
                    text.chars().all(|c| c.is_ascii() || "éèöüáí–".contains(c)),
                    "{}: {text}",
                    claim.name
                );
            }
        }
    }
}
