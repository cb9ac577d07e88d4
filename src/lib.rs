pub mod cli;
pub mod scenario;
pub mod study;
pub use mirrorflow_solvers as solvers;
