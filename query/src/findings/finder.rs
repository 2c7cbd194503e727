//! Looks for findings: in one trace after the other, and in what those of a window show together.
//!
//! Windows are a quarter of an hour long by arrival; traces of the past do not count in them.

use std::time::{Duration, Instant};

use causeway_analysis::detectors::window::{Window, WindowSettings};
use causeway_analysis::detectors::{Finding, Settings, Subject, detect_in};
use causeway_analysis::forms::Former;
use causeway_model::trace::MergedTrace;

const WINDOW: Duration = Duration::from_secs(15 * 60);

/// See the module.
#[derive(Debug)]
pub(crate) struct Finder {
    former: Former,
    settings: Settings,
    window: Window,
    opened: Instant,
}

impl Default for Finder {
    fn default() -> Self {
        Self {
            former: Former::default(),
            settings: Settings::default(),
            window: Window::new(&WindowSettings::default()),
            opened: Instant::now(),
        }
    }
}

impl Finder {
    /// What a trace shows. It counts in the window if it just came.
    pub(crate) fn look_at(&mut self, trace: &MergedTrace<'_>, just_came: bool) -> Vec<Finding> {
        // A trace only grows, so more spans are a later revision.
        let revision = trace.len() as u64;
        let subject = Subject::new(trace, revision, &mut self.former);
        if just_came {
            self.window.observe(&subject);
        }
        detect_in(&subject, &self.settings)
    }

    /// What the traces of the window show together so far, and whether it is over; the next one is open then.
    pub(crate) fn look_at_window(&mut self) -> (Vec<Finding>, bool) {
        let found = self.window.finish();
        let is_over = self.opened.elapsed() >= WINDOW;
        if is_over {
            (self.window, self.opened) = (Window::new(&WindowSettings::default()), Instant::now());
        }
        (found, is_over)
    }
}
