//! The clock through its public interface: what must hold for any history, and the shared vectors.

mod clock;
mod vectors;
