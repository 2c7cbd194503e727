//! Random schedules of a store on a faulty disk, each from a seed, against a simple model.
//!
//! ```text
//! seed -> steps -> store (real: log, Parquet, Delta, maintenance) -> disk (real files, faults, power)
//!           |                                                          ^
//!           |---> another process that writes and merges in the same table
//!           '---> model: the set of acknowledged spans  ==?  what snapshots answer
//! ```
//!
//! Steps: requests with new, repeated and conflicting spans, late and early ones; flushes; rounds of
//! maintenance; checkpoints; snapshots that are held and read later; the clock; and what goes wrong:
//! operations of the disk that fail before or after they took effect, once or for a while; writes of
//! which a part arrives; a process that dies at any operation, also while it starts; power cuts, after
//! which any name and any byte that no fsync confirmed may be gone, back, or zero; operations that
//! stand still while others overtake them; the other process's merges that come late.
//!
//! After each step and each restart: every acknowledged span is visible once and nothing else is, but
//! what was refused and may have got as far as the log; counts by trace and by service agree with it by
//! other ways of reading; every file that a snapshot names exists, with its summary; a snapshot that
//! is held never changes. At the end the folder holds no other file and `verify` finds it sound.
//!
//! `CAUSEWAY_SIM_SCHEDULES` sets how many schedules run, `CAUSEWAY_SIM_SEED` the first seed. What fails
//! is told by its seed. Threads of the store run as they like where a schedule does not hold them, so
//! that a seed may need some runs to fail again.

mod disk;
mod each_operation;
mod faults;
mod machine;
mod model;
mod other;
mod random;
mod reading;
mod schedule;
mod schedules;
mod spans;
mod world;
