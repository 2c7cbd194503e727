//! How long messages take: a base delay of each direction, queues, and now and then a very long wait.

use super::random::Random;
use super::world::World;

const BASE_NS: (f64, f64) = (60_000.0, 640_000.0);
const QUEUE_MEAN_NS: f64 = 100_000.0;
const TAIL_SHARE: f64 = 0.01;
const TAIL_LEAST_NS: f64 = 1_000_000.0;
const TAIL_SHAPE: f64 = 1.5;
const TAIL_NS_MAX: f64 = 2e9;
/// Messages that nobody waits for lie in a queue up to this long.
const QUEUED_NS_MAX: f64 = 200e6;

/// The network between nodes.
#[derive(Debug)]
pub(super) struct Network {
    nodes: usize,
    base_ns: Vec<f64>,
    /// The shortest delay there was, by sender and receiver.
    pub(super) least_ns: Vec<Option<i64>>,
}

impl Network {
    pub(super) fn new(world: &World, random: &mut Random) -> Self {
        let pairs = world.nodes * world.nodes;
        let base_ns = (0..pairs).map(|_| random.between(BASE_NS.0, BASE_NS.1)).collect();
        Self { nodes: world.nodes, base_ns, least_ns: vec![None; pairs] }
    }

    /// The delay of one message.
    pub(super) fn delay_ns(&mut self, from: usize, to: usize, random: &mut Random) -> i64 {
        let pair = from * self.nodes + to;
        let base_ns = self.base_ns.get(pair).copied().unwrap_or(BASE_NS.0);
        let mut delay_ns = base_ns + random.exponential(QUEUE_MEAN_NS);
        if random.chance(TAIL_SHARE) {
            delay_ns += random.pareto(TAIL_LEAST_NS, TAIL_SHAPE).min(TAIL_NS_MAX);
        }
        let delay_ns = delay_ns as i64;
        if let Some(least) = self.least_ns.get_mut(pair) {
            *least = Some(least.map_or(delay_ns, |known| known.min(delay_ns)));
        }
        delay_ns
    }

    /// The delay of a message that waits in a queue first.
    pub(super) fn queued_ns(&mut self, from: usize, to: usize, random: &mut Random) -> i64 {
        self.delay_ns(from, to, random) + random.between(0.0, QUEUED_NS_MAX) as i64
    }
}
