//! The report of a run: one self-contained HTML page.
//!
//! The page loads nothing: its style is inside it and its figures are data URIs (an image of its own each, so that the
//! identifiers inside two drawings cannot clash). Everything that comes from outside is escaped; labels may use the
//! markup of [`crate::figure`] (`p^{ε}`, `W_{2}`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::figure::{escape, label_html, label_plain};

/// What a report shows, in the order of the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    pub title: String,
    /// What stopped a study, if anything did.
    pub failures: Vec<String>,
    pub verdicts: Vec<VerdictRow>,
    pub figures: Vec<ReportFigure>,
    pub tables: Vec<Table>,
    /// Keys and values: version, platform, threads, times.
    pub provenance: Vec<(String, String)>,
    /// The resolved scenario.
    pub scenario_ron: String,
    /// The command that repeats the run.
    pub rerun: String,
}

/// A line of the verdict table.
#[derive(Clone, Debug, PartialEq)]
pub struct VerdictRow {
    pub study: String,
    pub claim: String,
    /// The run that it is about, empty when the study has one.
    pub run: String,
    /// Where the claim is stated.
    pub reference: String,
    pub statement: String,
    pub prediction: String,
    pub observed: String,
    /// Interval of the observed value, empty when there is none.
    pub interval: String,
    pub status: Status,
    pub reason: String,
    /// Points left out, each with its reason.
    pub excluded: Vec<String>,
}

pub use crate::verdict::Status;

/// A drawing with its caption.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportFigure {
    pub name: String,
    /// A whole SVG document.
    pub svg: String,
    pub caption: String,
}

/// Numbers behind a figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub title: String,
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Status {
    const ALL: [Status; 4] = [
        Status::Consistent,
        Status::Inconsistent,
        Status::Inconclusive,
        Status::NotApplicable,
    ];
}

/// The report as one HTML document.
pub fn html(report: &Report) -> String {
    let title = label_plain(&report.title);
    let body = [
        format!(
            "<h1>{}</h1>\n<p>{}</p>\n",
            label_html(&report.title),
            summary(report)
        ),
        section("Failures", &report.failures, |message| failure(message)),
        verdicts(&report.verdicts),
        section("Figures", &report.figures, figure),
        section("Numbers", &report.tables, table),
        provenance(&report.provenance),
        preformatted("Resolved scenario", &report.scenario_ron),
        preformatted("How to run it again", &report.rerun),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en-GB\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
        escape(&title),
        include_str!("report.css"),
        body.concat()
    )
}

/// The outcome in a sentence.
fn summary(report: &Report) -> String {
    let judged = report.verdicts.len();
    let counts: Vec<String> = Status::ALL
        .into_iter()
        .map(|status| {
            (
                status,
                report
                    .verdicts
                    .iter()
                    .filter(|verdict| verdict.status == status)
                    .count(),
            )
        })
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    let claims = match judged {
        0 => "No claim was judged.".to_owned(),
        1 => format!("One claim was judged: {}.", counts.join(", ")),
        _ => format!("{judged} claims were judged: {}.", counts.join(", ")),
    };
    match report.failures.len() {
        0 => claims,
        _ => format!("{claims} The run is not complete."),
    }
}

/// A heading and its entries, or nothing when there are none.
fn section<T>(heading: &str, entries: &[T], entry: impl Fn(&T) -> String) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let entries: String = entries.iter().map(entry).collect();
    format!("<h2>{}</h2>\n{entries}", escape(heading))
}

fn failure(message: &str) -> String {
    format!(
        "<p class=\"failure\" role=\"alert\">{}</p>\n",
        escape(message)
    )
}

fn verdicts(verdicts: &[VerdictRow]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let header = [
        "Claim",
        "Statement",
        "Prediction",
        "Observed",
        "Status",
        "Reason",
    ];
    let rows: String = verdicts.iter().map(verdict).collect();
    format!(
        "<h2>Verdicts</h2>\n{}",
        html_table("verdicts", &header.map(str::to_owned), &rows)
    )
}

fn verdict(row: &VerdictRow) -> String {
    // An interval is read as one word.
    let interval = quiet(&row.interval.replace(' ', "\u{a0}"));
    let status = row.status.to_string();
    let excluded: String = row
        .excluded
        .iter()
        .map(|point| quiet(&format!("Excluded: {point}")))
        .collect();
    let cells = [
        format!(
            "{}{}{}",
            label_html(&row.statement),
            quiet(&row.study),
            quiet(&row.run)
        ),
        label_html(&row.prediction),
        format!("{}{interval}", label_html(&row.observed)),
        format!(
            "<span class=\"status {}\">{status}</span>",
            status.replace(' ', "-")
        ),
        format!("{}{excluded}", label_html(&row.reason)),
    ];
    let cells: String = cells
        .iter()
        .map(|cell| format!("<td>{cell}</td>"))
        .collect();
    let claim = format!("{}{}", label_html(&row.claim), quiet(&row.reference));
    format!("<tr><th scope=\"row\">{claim}</th>{cells}</tr>\n")
}

/// A second line in grey, if there is something to say.
fn quiet(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("<div class=\"quiet\">{}</div>", label_html(text))
    }
}

fn figure(figure: &ReportFigure) -> String {
    let alternative = if figure.caption.is_empty() {
        &figure.name
    } else {
        &figure.caption
    };
    format!(
        "<figure id=\"figure-{}\">\n<img alt=\"{}\" src=\"data:image/svg+xml;base64,{}\">\n\
         <figcaption>{}</figcaption>\n</figure>\n",
        escape(&figure.name),
        escape(&label_plain(alternative)),
        STANDARD.encode(&figure.svg),
        label_html(&figure.caption)
    )
}

fn table(table: &Table) -> String {
    let row = |cells: &Vec<String>| {
        let cells: String = cells
            .iter()
            .map(|cell| format!("<td>{}</td>", label_html(cell)))
            .collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = table.rows.iter().map(row).collect();
    format!(
        "<h3>{}</h3>\n{}",
        label_html(&table.title),
        html_table("numbers", &table.header, &rows)
    )
}

fn html_table(class: &str, header: &[String], rows: &str) -> String {
    let header: String = header
        .iter()
        .map(|cell| format!("<th scope=\"col\">{}</th>", label_html(cell)))
        .collect();
    format!(
        "<div class=\"scroll\"><table class=\"{class}\">\n<thead><tr>{header}</tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

fn provenance(entries: &[(String, String)]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let row = |(key, value): &(String, String)| {
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n",
            escape(key),
            escape(value)
        )
    };
    let rows: String = entries.iter().map(row).collect();
    format!(
        "<h2>Provenance</h2>\n<div class=\"scroll\"><table class=\"provenance\"><tbody>\n{rows}</tbody></table></div>\n"
    )
}

fn preformatted(heading: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!(
        "<h2>{}</h2>\n<pre>{}</pre>\n",
        escape(heading),
        escape(text.trim_end())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(claim: &str, status: Status) -> VerdictRow {
        VerdictRow {
            study: "scaling-limit".to_owned(),
            claim: claim.to_owned(),
            run: String::new(),
            reference: "[B]".to_owned(),
            statement: "sup|p^{ε} − p|".to_owned(),
            prediction: "O(ε)".to_owned(),
            observed: "1.00".to_owned(),
            interval: "[0.98, 1.02]".to_owned(),
            status,
            reason: String::new(),
            excluded: vec!["ε = 0.01: budget <too> large".to_owned()],
        }
    }

    fn report() -> Report {
        let hostile = "</pre><script>alert(\"x\")</script>&".to_owned();
        let figure = |name: &str| ReportFigure {
            name: name.to_owned(),
            svg: "<svg id=\"clash\"/>".to_owned(),
            caption: "Orders \"in\" W_{2}".to_owned(),
        };
        Report {
            title: format!("Limit {hostile}"),
            failures: vec![hostile.clone()],
            verdicts: vec![
                verdict("potential", Status::Consistent),
                verdict(&hostile, Status::NotApplicable),
            ],
            figures: vec![figure("orders"), figure("profiles")],
            tables: vec![Table {
                title: hostile.clone(),
                header: vec!["ε".to_owned(), hostile.clone()],
                rows: vec![vec!["0.01".to_owned(), hostile.clone()]],
            }],
            provenance: vec![("version".to_owned(), hostile.clone())],
            scenario_ron: hostile.clone(),
            rerun: hostile,
        }
    }

    #[test]
    fn everything_is_escaped() {
        let page = html(&report());
        assert!(!page.contains("<script") && !page.contains("alert(\""));
        assert_eq!(page.matches("&lt;script&gt;").count(), 10);
        assert_eq!(page.matches("</pre>").count(), 2);
    }

    #[test]
    fn the_page_loads_nothing_and_figures_do_not_share_identifiers() {
        let page = html(&report());
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<link"));
        assert_eq!(page.matches("src=\"data:image/svg+xml;base64,").count(), 2);
        assert!(!page.contains("id=\"clash\""));
        assert!(page.contains("alt=\"Orders &quot;in&quot; W_2\""));
    }

    #[test]
    fn the_status_is_worded_and_counted() {
        let page = html(&report());
        assert!(page.contains(
            "2 claims were judged: 1 consistent, 1 not applicable. The run is not complete."
        ));
        assert!(page.contains("<span class=\"status not-applicable\">not applicable</span>"));
        assert!(page.contains("sup|p<sup>ε</sup> − p|"));
        assert!(page.contains("budget &lt;too&gt; large"));
    }

    #[test]
    fn empty_parts_leave_no_heading() {
        let page = html(&Report {
            title: "t".to_owned(),
            ..Report::default()
        });
        assert!(!page.contains("<h2>"));
        assert!(page.contains("No claim was judged."));
    }
}
