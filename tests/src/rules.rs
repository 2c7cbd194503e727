//! What the rules prove about one request through a chain: derived here from what the services do,
//! not from what they record.
//!
//! An event is `S` or `E` (start or end), the service and the span's name; the rest are messages:
//! `m1` front to orders, `m2` orders to stock, `order` and `sender` the two contexts in the message
//! to worker, `r1` and `r2` the answers of orders and stock.

use std::collections::HashMap;

use crate::chain::Level;

/// What each service does in one request, in order; the chain has nothing else in one process.
const DONE: [(&str, &[&str]); 4] = [
    ("front", &["S front checkout", "S front POST", "m1", "E front POST", "E front checkout"]),
    (
        "orders",
        &[
            "S orders POST /orders",
            "order",
            "S orders Stock/Reserve",
            "m2",
            "E orders Stock/Reserve",
            "S orders orders send",
            "sender",
            "E orders orders send",
            "E orders POST /orders",
            "r1",
        ],
    ),
    ("stock", &["S stock Stock/Reserve", "E stock Stock/Reserve", "r2"]),
    ("worker", &["S worker orders process", "E worker orders process"]),
];

/// Parents and children, outside in.
const PARENTS: [(&str, &str); 5] = [
    ("front checkout", "front POST"),
    ("orders POST /orders", "orders Stock/Reserve"),
    ("orders POST /orders", "orders orders send"),
    ("orders Stock/Reserve", "stock Stock/Reserve"),
    ("orders POST /orders", "worker orders process"),
];

/// How two spans relate, of what is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proven {
    /// The first ends before the second starts.
    Before,
    /// The other way round.
    After,
    /// The first starts before the second and ends after it.
    Contains,
    /// The other way round.
    Inside,
    /// Each starts before the other ends.
    Overlaps,
}

impl Proven {
    /// As the API says it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Contains => "contains",
            Self::Inside => "inside",
            Self::Overlaps => "overlaps",
        }
    }
}

/// Every event that is proven to precede another.
#[derive(Debug)]
pub struct Rules {
    events: Vec<String>,
    /// `precedes[a][b]`.
    precedes: Vec<Vec<bool>>,
}

impl Rules {
    /// For services of these levels (front, orders, stock, worker), and with a stock gateway between
    /// front and orders or without.
    pub fn new(levels: [Level; 4], has_gateway: bool) -> Self {
        let [front, orders, stock, _] = levels;
        let mut edges = Vec::new();
        let mut add = |from: &str, to: &str| edges.push((from.to_owned(), to.to_owned()));
        for (level, (_, done)) in levels.into_iter().zip(DONE) {
            ticks(level, done).windows(2).for_each(|pair| add(pair[0], pair[1]));
        }
        let called: &[(&str, &str)] = match has_gateway {
            true => &[
                ("front POST", "gateway POST /gateway"),
                ("gateway POST /gateway", "gateway POST"),
                ("gateway POST", "orders POST /orders"),
            ],
            false => &[("front POST", "orders POST /orders")],
        };
        for (parent, child) in PARENTS.iter().chain(called) {
            add(&format!("S {parent}"), &format!("S {child}"));
            for span in [parent, child] {
                add(&format!("S {span}"), &format!("E {span}"));
            }
        }
        add("S orders orders send", "E worker orders process");
        // A stock service passes on the stamp that it got.
        let entry = (front >= 1).then_some("m1");
        if let Some(entry) = entry {
            add(entry, "S orders POST /orders");
            if has_gateway {
                add(entry, "S gateway POST /gateway");
            }
        }
        let sent = |own| if orders >= 1 { Some(own) } else { entry };
        for (own, to) in [
            ("m2", "S stock Stock/Reserve"),
            ("order", "S worker orders process"),
            ("sender", "E worker orders process"),
        ] {
            sent(own).into_iter().for_each(|from| add(from, to));
        }
        if orders >= 3 && stock >= 3 {
            add("r2", "E orders Stock/Reserve");
        }
        // The gateway keeps the answer's stamp to itself.
        if front >= 3 && orders >= 3 && !has_gateway {
            add("r1", "E front POST");
        }
        Self::closed(&edges)
    }

    fn closed(edges: &[(String, String)]) -> Self {
        let mut events: Vec<String> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for event in edges.iter().flat_map(|(from, to)| [from, to]) {
            places.entry(event).or_insert_with(|| {
                events.push(event.clone());
                events.len() - 1
            });
        }
        let mut precedes = vec![vec![false; events.len()]; events.len()];
        for (from, to) in edges {
            precedes[places[from.as_str()]][places[to.as_str()]] = true;
        }
        // Warshall's algorithm.
        for middle in 0..events.len() {
            let onward = precedes[middle].clone();
            for row in precedes.iter_mut().filter(|row| row[middle]) {
                row.iter_mut().zip(&onward).for_each(|(known, more)| *known |= more);
            }
        }
        Self { events, precedes }
    }

    /// Whether the rules prove that one event precedes another.
    pub fn precedes(&self, earlier: &str, later: &str) -> bool {
        let place = |name: &str| self.events.iter().position(|event| event == name);
        let places = place(earlier).zip(place(later));
        places.is_some_and(|(earlier, later)| self.precedes[earlier][later])
    }

    /// How two spans (service and name) relate, as far as that is proven.
    pub fn relation(&self, a: &str, b: &str) -> Option<Proven> {
        let is = |from: &str, a: &str, to: &str, b: &str| {
            self.precedes(&format!("{from} {a}"), &format!("{to} {b}"))
        };
        if is("E", a, "S", b) {
            Some(Proven::Before)
        } else if is("E", b, "S", a) {
            Some(Proven::After)
        } else if is("S", a, "S", b) && is("E", b, "E", a) {
            Some(Proven::Contains)
        } else if is("S", b, "S", a) && is("E", a, "E", b) {
            Some(Proven::Inside)
        } else if is("S", a, "E", b) && is("S", b, "E", a) {
            Some(Proven::Overlaps)
        } else {
            None
        }
    }

    /// Pairs of events on different services that are proven.
    pub fn pairs(&self) -> usize {
        let service = |event: &str| event.split(' ').nth(1).map(str::to_owned);
        let services: Vec<_> = self.events.iter().map(|event| service(event)).collect();
        let mut count = 0;
        for (from, row) in services.iter().zip(&self.precedes) {
            let others = services.iter().zip(row).filter(|(to, is)| **is && to.is_some());
            count += others.filter(|(to, _)| from.is_some() && from != *to).count();
        }
        count
    }
}

/// What of a service's doing its clock records: nothing, messages, spans too, answers too.
fn ticks(level: Level, done: &[&'static str]) -> Vec<&'static str> {
    let is_tick = |event: &&'static str| match event.get(..2) {
        Some("S " | "E ") => level >= 2,
        Some("r1" | "r2") => level >= 3,
        _ => level >= 1,
    };
    done.iter().copied().filter(is_tick).collect()
}
