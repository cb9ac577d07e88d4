pub mod parameters;
