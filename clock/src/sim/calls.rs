//! What happens in a world, in true time: requests arrive, servers call servers, responses get lost, messages wait.
//!
//! Delays do not depend on clocks, so this comes first; `ticks` then plays the events back in their true order.

use super::network::Network;
use super::random::Random;
use super::world::{Shape, World};
use crate::order::Kind;

/// How long a client waits for a response, before it tries once more.
const TIMEOUT_NS: i64 = 60_000_000;
const ATTEMPTS_MAX: usize = 2;
/// How long servers that end late go on, on average.
const LATE_MEAN_NS: f64 = 8e6;

/// A span in true time.
#[derive(Debug, Clone)]
pub(super) struct SimSpan {
    pub(super) trace: u32,
    /// Index among all spans.
    pub(super) parent: Option<u32>,
    pub(super) node: usize,
    pub(super) kind: Kind,
    pub(super) start_ns: i64,
    pub(super) end_ns: i64,
    /// Message whose context the span was started with.
    pub(super) received: Option<u32>,
    /// Span and message of a link.
    pub(super) link: Option<(u32, u32)>,
    pub(super) responded: bool,
    pub(super) processes: bool,
}

/// What a node does at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    /// A message is sent from within a span.
    Send {
        message: u32,
        span: u32,
    },
    /// A message is received by a span that already runs.
    Receive {
        message: u32,
        span: u32,
    },
    Start(u32),
    Respond {
        response: u32,
        span: u32,
    },
    ReceiveResponse {
        response: u32,
        span: u32,
    },
    End(u32),
}

/// All that happened.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) spans: Vec<SimSpan>,
    /// True time, node and action.
    pub(super) actions: Vec<(i64, usize, Action)>,
    pub(super) messages: u32,
    pub(super) responses: u32,
    pub(super) traces: u32,
}

/// Plays a world.
pub(super) fn play(world: &World, network: &mut Network, random: &mut Random) -> History {
    let mut player = Player { world, network, random, history: History::default(), in_trace: 0 };
    let mut at_ns = 0.0;
    loop {
        at_ns += player.random.exponential(1e9 / world.traces_per_s);
        if at_ns as i64 >= world.duration_ns {
            return player.history;
        }
        player.request(at_ns as i64);
    }
}

struct Player<'a> {
    world: &'a World,
    network: &'a mut Network,
    random: &'a mut Random,
    history: History,
    in_trace: usize,
}

impl Player<'_> {
    fn request(&mut self, at_ns: i64) {
        self.in_trace = 0;
        let entries = match self.world.shape {
            Shape::Mesh => self.world.nodes,
            Shape::Layered => (0..self.world.nodes).filter(|n| self.world.layer(*n) == 0).count(),
        };
        let node = self.random.below(entries as u64) as usize;
        let root = self.start(None, node, Kind::Server, at_ns);
        let done_ns = self.work(root, at_ns, 0);
        self.end(root, done_ns);
        self.history.traces += 1;
    }

    fn start(&mut self, parent: Option<u32>, node: usize, kind: Kind, start_ns: i64) -> u32 {
        let index = self.history.spans.len() as u32;
        let of_parent = parent.and_then(|p| self.history.spans.get(p as usize));
        // Local children carry what their parent received.
        let received = of_parent.filter(|p| p.node == node).and_then(|p| p.received);
        self.history.spans.push(SimSpan {
            trace: self.history.traces,
            parent,
            node,
            kind,
            start_ns,
            end_ns: start_ns,
            received,
            link: None,
            responded: false,
            processes: false,
        });
        self.act(start_ns, node, Action::Start(index));
        self.in_trace += 1;
        index
    }

    fn end(&mut self, span: u32, end_ns: i64) {
        let Some(of) = self.history.spans.get_mut(span as usize) else { return };
        of.end_ns = end_ns;
        let node = of.node;
        self.act(end_ns, node, Action::End(span));
    }

    fn act(&mut self, at_ns: i64, node: usize, action: Action) {
        self.history.actions.push((at_ns, node, action));
    }

    fn edit(&mut self, span: u32, edit: impl FnOnce(&mut SimSpan)) {
        if let Some(span) = self.history.spans.get_mut(span as usize) {
            edit(span);
        }
    }

    fn node_of(&self, span: u32) -> usize {
        self.history.spans.get(span as usize).map_or(0, |span| span.node)
    }

    /// What a span does: computes, works inside the process, calls others one after another or all at once. Returns when
    /// it is done.
    fn work(&mut self, span: u32, from_ns: i64, depth: usize) -> i64 {
        let mut now_ns = from_ns + self.pause_ns(200_000.0);
        if depth >= self.world.depth_max || self.in_trace >= self.world.spans_max {
            return now_ns;
        }
        let node = self.node_of(span);
        let at_once = self.random.chance(0.3);
        let mut all_done_ns = now_ns;
        for _ in 0..self.random.below(4) {
            let started_ns = now_ns;
            let done_ns = if self.random.chance(0.25) {
                let inner = self.start(Some(span), node, Kind::Internal, started_ns);
                let done_ns = self.work(inner, started_ns, depth + 1);
                self.end(inner, done_ns);
                done_ns
            } else if self.random.chance(self.world.async_share) {
                self.publish(span, started_ns, depth)
            } else {
                self.call(span, started_ns, depth)
            };
            all_done_ns = all_done_ns.max(done_ns);
            now_ns = if at_once { now_ns } else { done_ns } + self.pause_ns(50_000.0);
        }
        now_ns.max(all_done_ns) + self.pause_ns(100_000.0)
    }

    /// At least a microsecond: nothing is instantaneous, and no two ticks of a node fall together.
    fn pause_ns(&mut self, mean_ns: f64) -> i64 {
        1_000 + self.random.exponential(mean_ns) as i64
    }

    fn other_node(&mut self, node: usize) -> Option<usize> {
        let world = self.world;
        let may_call = |other: usize| match world.shape {
            Shape::Mesh => other != node,
            Shape::Layered => world.layer(other) == world.layer(node) + 1,
        };
        let count = (0..world.nodes).filter(|other| may_call(*other)).count();
        let nth = self.random.below(count as u64) as usize;
        (0..world.nodes).filter(|other| may_call(*other)).nth(nth)
    }

    fn send(&mut self, span: u32, at_ns: i64) -> u32 {
        let message = self.history.messages;
        self.history.messages += 1;
        self.act(at_ns, self.node_of(span), Action::Send { message, span });
        message
    }

    /// A call that waits for its answer, tried again once. Returns when the caller goes on.
    fn call(&mut self, caller: u32, from_ns: i64, depth: usize) -> i64 {
        let node = self.node_of(caller);
        let Some(other) = self.other_node(node) else { return from_ns };
        let mut now_ns = from_ns;
        for _ in 0..ATTEMPTS_MAX {
            let client = self.start(Some(caller), node, Kind::Client, now_ns);
            let sent_ns = now_ns + self.pause_ns(10_000.0);
            let message = self.send(client, sent_ns);
            let arrived_ns = sent_ns + self.network.delay_ns(node, other, self.random);
            let (response, responded_ns) = self.serve(client, other, message, arrived_ns, depth);
            let returned_ns = responded_ns + self.network.delay_ns(other, node, self.random);
            let is_lost = self.random.chance(self.world.lost_share);
            if !is_lost && returned_ns < sent_ns + TIMEOUT_NS {
                self.act(returned_ns, node, Action::ReceiveResponse { response, span: client });
                self.edit(client, |client| client.responded = true);
                now_ns = returned_ns + self.pause_ns(5_000.0);
                self.end(client, now_ns);
                return now_ns;
            }
            now_ns = sent_ns + TIMEOUT_NS;
            self.end(client, now_ns);
            now_ns += self.pause_ns(50_000.0);
        }
        now_ns
    }

    /// The other side of a call. Returns the response and when it was sent.
    fn serve(
        &mut self,
        client: u32,
        node: usize,
        message: u32,
        from_ns: i64,
        depth: usize,
    ) -> (u32, i64) {
        let server = self.start(Some(client), node, Kind::Server, from_ns);
        self.edit(server, |server| server.received = Some(message));
        let done_ns = self.work(server, from_ns, depth + 1);
        let response = self.history.responses;
        self.history.responses += 1;
        // Spans end just before or just after the response is written, and some much later.
        let (responded_ns, end_ns) = if self.random.chance(self.world.late_share) {
            (done_ns, done_ns + self.pause_ns(LATE_MEAN_NS))
        } else if self.random.chance(0.5) {
            (done_ns + self.pause_ns(3_000.0), done_ns)
        } else {
            (done_ns, done_ns + self.pause_ns(3_000.0).min(20_000))
        };
        self.act(responded_ns, node, Action::Respond { response, span: server });
        self.end(server, end_ns);
        (response, responded_ns)
    }

    /// A message that nobody waits for. Consumers start as children of the producer, or by themselves with a link, the
    /// latter sometimes before the message exists. Returns when the producer goes on.
    fn publish(&mut self, caller: u32, from_ns: i64, depth: usize) -> i64 {
        let node = self.node_of(caller);
        let Some(other) = self.other_node(node) else { return from_ns };
        let producer = self.start(Some(caller), node, Kind::Producer, from_ns);
        let sent_ns = from_ns + self.pause_ns(10_000.0);
        let message = self.send(producer, sent_ns);
        let published_ns = sent_ns + self.pause_ns(20_000.0);
        self.end(producer, published_ns);
        let arrived_ns = sent_ns + self.network.queued_ns(node, other, self.random);
        if self.random.chance(0.5) {
            let consumer = self.start(Some(producer), other, Kind::Consumer, arrived_ns);
            self.edit(consumer, |consumer| consumer.received = Some(message));
            let done_ns = self.work(consumer, arrived_ns, depth + 2);
            self.end(consumer, done_ns);
            return published_ns;
        }
        let polls = self.random.chance(0.5);
        let waited_ns = if polls { self.pause_ns(20e6) } else { 0 };
        let consumer = self.start(None, other, Kind::Consumer, (arrived_ns - waited_ns).max(0));
        self.act(arrived_ns, other, Action::Receive { message, span: consumer });
        self.edit(consumer, |consumer| {
            consumer.link = Some((producer, message));
            consumer.processes = !polls;
        });
        let done_ns = self.work(consumer, arrived_ns + 1_000, depth + 2);
        self.end(consumer, done_ns);
        published_ns
    }
}
