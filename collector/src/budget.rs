//! The bytes of all unfinished requests together: one budget, reserved as bodies grow.
//!
//! A sender that announces 64 MiB and sends nothing holds nothing. What does not fit now is
//! refused with "retry later"; what can never fit is too large.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::gauge::Gauge;

use crate::error::AdmitError;

const LIMIT: &str = "inflight_bytes_max";

/// What all requests may hold together.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes_max: u64,
    used_bytes: AtomicU64,
    gauge: Gauge,
}

impl Budget {
    pub(crate) fn new(bytes_max: u64, gauge: Gauge) -> Arc<Self> {
        Arc::new(Self { bytes_max, used_bytes: AtomicU64::new(0), gauge })
    }

    /// An empty reservation, given back when dropped.
    pub(crate) fn reservation(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), bytes: 0 }
    }

    fn show(&self) {
        let used = self.used_bytes.load(Ordering::Relaxed);
        self.gauge.set(i64::try_from(used).unwrap_or(i64::MAX));
    }
}

/// The part of the budget one request holds.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Reservation {
    /// Holds `bytes` more.
    pub(crate) fn grow(&mut self, bytes: u64) -> Result<(), AdmitError> {
        let bytes_max = self.budget.bytes_max;
        let own = self.bytes.saturating_add(bytes);
        if own > bytes_max {
            return Err(AdmitError::TooLarge { limit: LIMIT, bytes_max });
        }
        let fits = |used: u64| used.checked_add(bytes).filter(|used| *used <= bytes_max);
        let used = &self.budget.used_bytes;
        if used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_err() {
            return Err(AdmitError::Overloaded { limit: LIMIT, value: bytes_max });
        }
        self.bytes = own;
        self.budget.show();
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.used_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.budget.show();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_is_shared_and_given_back() {
        let budget = Budget::new(100, Gauge::default());
        let mut first = budget.reservation();
        let mut second = budget.reservation();
        assert!(first.grow(60).is_ok());
        assert!(second.grow(40).is_ok());
        assert!(matches!(second.grow(1), Err(AdmitError::Overloaded { value: 100, .. })));
        drop(first);
        assert!(second.grow(60).is_ok());
        assert!(matches!(second.grow(1), Err(AdmitError::TooLarge { bytes_max: 100, .. })));
        drop(second);
        assert_eq!(budget.used_bytes.load(Ordering::Relaxed), 0);
    }
}
