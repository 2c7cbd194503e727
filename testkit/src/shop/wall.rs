//! Wall clocks that are wrong in known ways: off, too fast or slow, set now and then, or coarse.
//!
//! Whole numbers only, so that a clock shows the same on every machine. What it claims is known for
//! every moment, which is what tests and `causeway demo` compare findings with.

/// The wall clock of a host. Its true offset is a function of true time alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    /// True time from which it is described, nanoseconds since the Unix epoch.
    pub origin_ns: i64,
    /// How far it is ahead at the origin.
    pub offset_ns: i64,
    /// How much it gains, in parts of a billion, until it turns.
    pub rate_ppb: i64,
    /// After this long it loses as much as it gained before, and so on: no clock runs away.
    pub turn_ns: i64,
    /// How far it is set forward and, the next time, back again; 0 if it is never set.
    pub step_ns: i64,
    /// How often it is set.
    pub step_every_ns: i64,
    /// It counts in steps of this length; 1 if it is as fine as can be.
    pub granularity_ns: i64,
}

impl WallClock {
    /// How far the clock is ahead at a true time, before it rounds.
    pub fn offset_ns(&self, true_ns: i64) -> i64 {
        let is_set = self.sets_until(true_ns) % 2 == 1;
        self.steady_offset_ns(true_ns) + if is_set { self.step_ns } else { 0 }
    }

    /// How far the clock would be ahead at a true time if it had never been set.
    pub fn steady_offset_ns(&self, true_ns: i64) -> i64 {
        let turn_ns = self.turn_ns.max(1);
        let phase_ns = (true_ns - self.origin_ns).rem_euclid(2 * turn_ns);
        let gaining_ns = if phase_ns < turn_ns { phase_ns } else { 2 * turn_ns - phase_ns };
        let gained_ns = i128::from(gaining_ns) * i128::from(self.rate_ppb) / 1_000_000_000;
        self.offset_ns + i64::try_from(gained_ns).unwrap_or_default()
    }

    /// What the clock shows at a true time, nanoseconds since the Unix epoch.
    pub fn shows_ns(&self, true_ns: i64) -> i64 {
        let finely_ns = true_ns + self.offset_ns(true_ns);
        finely_ns - finely_ns.rem_euclid(self.granularity_ns.max(1))
    }

    /// How often the clock was set until a true time.
    pub fn sets_until(&self, true_ns: i64) -> i64 {
        let is_set = self.step_ns != 0 && self.step_every_ns > 0;
        if is_set { ((true_ns - self.origin_ns) / self.step_every_ns).max(0) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: i64 = 1_000_000_000;
    const CLOCK: WallClock = WallClock {
        origin_ns: 1_000 * SECOND_NS,
        offset_ns: -500,
        rate_ppb: 2_000,
        turn_ns: 10 * SECOND_NS,
        step_ns: 0,
        step_every_ns: 0,
        granularity_ns: 1,
    };

    #[test]
    fn a_clock_gains_until_it_turns() {
        let after = |seconds: i64| CLOCK.offset_ns(CLOCK.origin_ns + seconds * SECOND_NS);
        assert_eq!([after(0), after(1), after(10)], [-500, 1_500, 19_500]);
        assert_eq!([after(11), after(20), after(21)], [17_500, -500, 1_500]);
    }

    #[test]
    fn a_clock_is_set_forward_and_back() {
        let clock = WallClock { rate_ppb: 0, step_ns: 70, step_every_ns: 100, ..CLOCK };
        let after = |ns: i64| clock.offset_ns(clock.origin_ns + ns);
        assert_eq!([after(99), after(100), after(199), after(200)], [-500, -430, -430, -500]);
        assert_eq!(clock.steady_offset_ns(clock.origin_ns + 150), -500);
    }

    #[test]
    fn a_coarse_clock_shows_less_than_it_is() {
        let clock = WallClock { granularity_ns: 1_000, rate_ppb: 0, ..CLOCK };
        assert_eq!(clock.shows_ns(CLOCK.origin_ns + 1_499) - CLOCK.origin_ns, 0);
        assert_eq!(clock.shows_ns(CLOCK.origin_ns + 1_500) - CLOCK.origin_ns, 1_000);
        assert_eq!(clock.shows_ns(CLOCK.origin_ns) - CLOCK.origin_ns, -1_000);
    }
}
