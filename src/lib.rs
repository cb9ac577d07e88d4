//! mirrorflow: Sinkhorn's ε → 0 limit, the parabolic Monge–Ampère flow and their convergence rates, measured, judged and drawn.
//!
//! ```text
//! scenario.ron ──▶ Scenario (validated) ──▶ study.measure ──▶ Record ──┬──▶ judge ──▶ Verdicts
//!                                                                     └──▶ draw  ──▶ Figures ──▶ Report
//! ```
//!
//! The numerics are in [`solvers`]; here are the scenario format, the studies with their claims, and the command.

#![forbid(unsafe_code)]

pub mod cli;
pub mod estimate;
pub mod figure;
pub mod machine;
pub mod order;
pub mod quantities;
pub mod record;
pub mod report;
pub mod rule;
pub mod run;
pub mod scenario;
pub mod study;
pub mod summary;
pub mod verdict;

pub use mirrorflow_solvers as solvers;
