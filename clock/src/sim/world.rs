//! What a world is like. The defaults are those of the evaluation: twelve nodes whose clocks are 20 ms apart.

/// How much of the protocol a node takes part in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A stock SDK, which passes tracestate on as it is.
    Stock,
    /// Messages carry stamps.
    Propagates,
    /// Spans carry stamps of their start and end too.
    Tags,
    /// Responses carry stamps too.
    #[default]
    Responds,
}

/// Who calls whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Everyone calls everyone.
    #[default]
    Mesh,
    /// Nodes of a layer call nodes of the next one only, so requests go one way.
    Layered,
}

/// A wall clock that jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Whose clock.
    pub node: usize,
    /// When, in true time since the start.
    pub at_ns: i64,
    /// By how much.
    pub by_ns: i64,
    /// Whether the process notices and takes a new node id.
    pub is_noticed: bool,
}

/// A clock that is wrong from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// Whose clock.
    pub node: usize,
    /// By how much it is ahead.
    pub by_ns: i64,
}

/// A world to simulate.
#[derive(Debug, Clone)]
pub struct World {
    /// Everything random follows from it.
    pub seed: u64,
    /// How many processes there are, each with a clock of its own.
    pub nodes: usize,
    /// Who calls whom.
    pub shape: Shape,
    /// What nodes take part in; node `i` has entry `i` modulo the length.
    pub levels: Vec<Level>,
    /// How long requests arrive.
    pub duration_ns: i64,
    /// Requests from outside per second.
    pub traces_per_s: f64,
    /// Calls below a request at most.
    pub depth_max: usize,
    /// Spans of a trace at most, give or take a call.
    pub spans_max: usize,
    /// Standard deviation of the offsets of clocks.
    pub offset_sd_ns: f64,
    /// Rates are up to so many parts in a million off.
    pub rate_ppm_max: f64,
    /// Share of nodes whose clocks count in milliseconds.
    pub coarse_share: f64,
    /// Share of servers that end their span long after they answered.
    pub late_share: f64,
    /// Share of responses that get lost.
    pub lost_share: f64,
    /// Share of calls that are messages nobody waits for.
    pub async_share: f64,
    /// How far ahead a stamp may be for clocks to accept it; `i64::MAX` accepts all.
    pub offset_ns_max: i64,
    /// A clock that jumps.
    pub step: Option<Step>,
    /// A clock that is wrong.
    pub ahead: Option<Ahead>,
    /// Two nodes that share an id, as a process and its fork without a hook do.
    pub clones: Option<(usize, usize)>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            seed: 0,
            nodes: 12,
            shape: Shape::Mesh,
            levels: vec![Level::Responds],
            duration_ns: 60_000_000_000,
            traces_per_s: 60.0,
            depth_max: 4,
            spans_max: 60,
            offset_sd_ns: 20e6,
            rate_ppm_max: 30.0,
            coarse_share: 0.0,
            late_share: 0.05,
            lost_share: 0.02,
            async_share: 0.12,
            offset_ns_max: 500_000_000,
            step: None,
            ahead: None,
            clones: None,
        }
    }
}

impl World {
    /// What a node takes part in.
    pub fn level(&self, node: usize) -> Level {
        let place = node.checked_rem(self.levels.len()).unwrap_or(0);
        self.levels.get(place).copied().unwrap_or_default()
    }

    /// The layer of a node, three to a world.
    pub fn layer(&self, node: usize) -> usize {
        node * 3 / self.nodes.max(1)
    }
}
