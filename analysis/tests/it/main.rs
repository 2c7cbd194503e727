//! Seams of the analysis that need real data.

mod answer_keys;
