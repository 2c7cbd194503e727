//! Cases of `clock_offset`, `clock_step`, `clock_drift` and `coarse_clock`: what calls both ways tell of a clock.
//!
//! `web` and `cart` call each other, and `pay` where it takes a third, for some time; `web` is the clock of reference, `cart` the one that is off or not.
//! Calls tell offsets to about the time they are on the way, 0.1 to 0.3 ms here.

use super::Labelled;
use super::case::Level;

/// How long calls go on and how often there is one.
#[derive(Clone, Copy)]
struct Talk {
    seconds: i64,
    every_ms: i64,
    /// Least time on the way, one way.
    way_us: i64,
    /// Who calls whom, in turn.
    calls: &'static [(&'static str, &'static str)],
}

const TWO: &[(&str, &str)] = &[("web", "cart"), ("cart", "web")];
/// Between two clocks alone nobody knows which one was set.
const THREE: &[(&str, &str)] = &[
    ("web", "cart"),
    ("cart", "web"),
    ("web", "pay"),
    ("pay", "web"),
    ("pay", "cart"),
    ("cart", "pay"),
];

const TALK: Talk = Talk { seconds: 12, every_ms: 250, way_us: 200, calls: TWO };

impl Talk {
    /// Calls both ways; `cart` reads `off` at a true time, nanoseconds both.
    fn traces(self, off: impl Fn(i64) -> i64) -> Vec<String> {
        let count = self.seconds * 1_000 / self.every_ms;
        let one = |nth: i64| {
            // Odd nanoseconds, as fine clocks show.
            let at = nth * self.every_ms * 1_000_000 + 7 + nth * 13;
            let (from, to) = self.calls[nth as usize % self.calls.len()];
            self.call(from, to, at, &off)
        };
        (0..count).map(one).collect()
    }

    fn call(self, from: &str, to: &str, at: i64, off: &impl Fn(i64) -> i64) -> String {
        let read = |service: &str, true_ns: i64| {
            true_ns + if service == "cart" { off(true_ns) } else { 0 }
        };
        let span = |service: &str, (start, end): (i64, i64)| {
            format!("{}ns..{}ns", read(service, at + start), read(service, at + end))
        };
        let way = self.way_us * 1_000;
        format!(
            "{from} page server {}\n {from} GET client {} http.request.method=GET url.full=https://{to}/x\n  {to} x server {}",
            span(from, (0, 9_000_111)),
            span(from, (500_003, 500_003 + 2 * way + 5_000_007)),
            span(to, (500_003 + way, 500_003 + way + 5_000_007)),
        )
    }

    /// Calls in one direction only.
    fn one_way(self, off: impl Fn(i64) -> i64) -> Vec<String> {
        self.traces(off).into_iter().step_by(2).collect()
    }
}

const MS: i64 = 1_000_000;

pub(crate) fn cases() -> Vec<Labelled> {
    let new = |name| Labelled::new(name, Level::Clocks).with_clocks();
    let mut offset = new("clock_offset");
    let mut step = new("clock_step");
    let mut drift = new("clock_drift");
    let mut coarse = new("coarse_clock");
    for (at, off) in [2, 3, 5, 30, 200, 900, 3_000, 10_000, 4, 60].into_iter().enumerate() {
        let talk = Talk { every_ms: 250 + 50 * at as i64, way_us: 100 + 20 * at as i64, ..TALK };
        offsets(&mut offset, talk, off);
    }
    for at in 0..10 {
        steps(&mut step, at);
        rates(&mut drift, at);
        granularities(&mut coarse, at);
    }
    vec![offset, step, drift, coarse]
}

fn offsets(cases: &mut Labelled, talk: Talk, off_ms: i64) {
    let title = |way: &str| format!("the clock of cart cart-0 is at least * ms {way}");
    cases.fires_in(format!("{off_ms} ms ahead"), &talk.traces(|_| off_ms * MS), &[&title("ahead")]);
    cases.fires_in(
        format!("{off_ms} ms behind"),
        &talk.traces(|_| -off_ms * MS),
        &[&title("behind")],
    );
    let small = off_ms.min(9) * MS / 10;
    cases.near_in(
        format!("{small} ns ahead, calls every {} ms", talk.every_ms),
        &talk.traces(|_| small),
    );
    cases.near_in(format!("{off_ms} ms ahead, calls one way"), &talk.one_way(|_| off_ms * MS));
    cases.near_in(
        format!("{off_ms} ms on the way"),
        &Talk { way_us: off_ms.min(1_000) * 500 + 600, ..talk }.traces(|_| MS / 2),
    );
}

fn steps(cases: &mut Labelled, at: i64) {
    let (by, when) = ([5, 20, 50, 150, 700][at as usize % 5] * MS, (4 + at % 4) * 1_000 * MS);
    let talk = Talk { every_ms: 60 + 5 * at, calls: THREE, ..TALK };
    let sign = if at % 2 == 0 { 1 } else { -1 };
    let stepped = talk.traces(|now| if now > when { sign * by } else { 0 });
    cases.fires_in(
        format!("set by {} ms after {when} ns, {at}", sign * by / MS),
        &stepped,
        &["the clock of cart cart-0 was set * times"],
    );
    let late = talk.traces(|now| if now > when { 40 * MS + sign * by } else { 40 * MS });
    cases.fires_in(
        format!("off, and set by {} ms, {at}", sign * by / MS),
        &late,
        &["the clock of cart cart-0 was set * times"],
    );
    cases.near_in(format!("off by {} ms all the time, {at}", by / MS), &talk.traces(|_| sign * by));
    // Within what calls and drift leave open.
    cases.near_in(
        format!("set by {} us, {at}", 10 * at),
        &talk.traces(|now| if now > when { sign * at * 10_000 } else { 0 }),
    );
}

fn rates(cases: &mut Labelled, at: i64) {
    let ppm = 110 + 9 * at;
    let talk = Talk { seconds: 120, every_ms: 1_000, way_us: 60 + 10 * at, ..TALK };
    let title = |verb: &str| format!("the clock of cart cart-0 {verb} at least * ppm");
    cases.fires_in(
        format!("gains {ppm} ppm"),
        &talk.traces(|now| now / 1_000_000 * ppm),
        &[&title("gains")],
    );
    cases.fires_in(
        format!("loses {ppm} ppm"),
        &talk.traces(|now| -now / 1_000_000 * ppm),
        &[&title("loses")],
    );
    let less = 10 * at;
    cases.near_in(format!("gains {less} ppm"), &talk.traces(|now| now / 1_000_000 * less));
    cases.near_in(
        format!("gains {ppm} ppm for 4 s"),
        &Talk { seconds: 4, ..talk }.traces(|now| now / 1_000_000 * ppm),
    );
}

fn granularities(cases: &mut Labelled, at: i64) {
    let talk = Talk { every_ms: 97 + at, ..TALK };
    let coarse = |step: i64| talk.traces(move |now| -(now.rem_euclid(step)));
    cases.fires_in(
        format!("whole milliseconds, {at}"),
        &coarse(MS),
        &["the clock of cart cart-0 counts in steps of 1000 us"],
    );
    let ahead = talk.traces(move |now| at * 7 * MS - (now + at * 7 * MS).rem_euclid(MS));
    cases.fires_in(
        format!("whole milliseconds, {} ms ahead", at * 7),
        &ahead,
        &["the clock of cart cart-0 counts in steps of 1000 us"],
    );
    cases.near_in(format!("whole microseconds, {at}"), &coarse(1_000));
    let few = Talk { seconds: 1, every_ms: 200 + at, ..TALK };
    cases.near_in(format!("few readings, {at}"), &few.traces(|now| -(now.rem_euclid(MS))));
}
