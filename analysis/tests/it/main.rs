//! Seams of the analysis that need real data, and all detectors against labelled cases.

mod answer_keys;
mod labelled;
mod labelled_cases;
