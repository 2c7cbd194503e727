//! How far clocks are apart, as far as messages bound it.

mod solver;

pub use solver::{PairBounds, Solver, State};
