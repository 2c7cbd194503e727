//! What is wrong with spans, as data. Nothing is repaired, and nothing here drops a span.

use crate::NodeId;

/// One thing that can be wrong with a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Fault {
    /// Another span has the same id: proofs by parent and link through that id are void.
    Duplicate = 0,
    /// Claimed times are missing, reversed or later than the end tick: rules on wall clocks do not use them.
    Time = 1,
    /// A stamp could not be read; only whoever reads the text can tell.
    Malformed = 2,
    /// A stamp lies further ahead of the collector than any healthy clock may be.
    Future = 3,
    /// The end does not follow the start on one node, or the start does not follow what was received: same-node proofs
    /// of this span are void.
    Order = 4,
    /// Two clocks share the node id: same-node proofs of that id are void.
    Clash = 5,
    /// The claimed start is far from the reading of the start tick.
    Backdated = 6,
    /// The received stamp is older than the span it claims to come from: a replayed or forged context.
    Replayed = 7,
    /// The span lies on a cycle of edges that should have been proofs.
    Cycle = 8,
}

impl Fault {
    /// All faults, in the order of their bits.
    pub const ALL: [Self; 9] = [
        Self::Duplicate,
        Self::Time,
        Self::Malformed,
        Self::Future,
        Self::Order,
        Self::Clash,
        Self::Backdated,
        Self::Replayed,
        Self::Cycle,
    ];

    /// A short stable name, for metrics and people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Time => "time",
            Self::Malformed => "malformed",
            Self::Future => "future",
            Self::Order => "order",
            Self::Clash => "clash",
            Self::Backdated => "backdated",
            Self::Replayed => "replayed",
            Self::Cycle => "cycle",
        }
    }

    /// What it is in a set.
    pub const fn bit(self) -> u32 {
        1 << self as u8
    }
}

/// A set of faults; the bits are stored and must not change their meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Faults(u32);

impl Faults {
    /// The set of those bits; bits without a meaning are kept.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits, [`Fault::bit`] for each.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether nothing is wrong.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this is wrong.
    pub const fn contains(self, fault: Fault) -> bool {
        self.0 & fault.bit() != 0
    }

    /// Adds a fault.
    pub const fn insert(&mut self, fault: Fault) {
        self.0 |= fault.bit();
    }

    /// The faults one by one.
    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.into_iter().filter(move |fault| self.contains(*fault))
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        let mut set = Self::default();
        for fault in faults {
            set.insert(fault);
        }
        set
    }
}

/// Something that was found wrong, for people to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    /// Index of the span.
    pub span: u32,
    /// What is wrong with it.
    pub fault: Fault,
    /// The node whose ticks are doubted, where it is one node.
    pub node: Option<NodeId>,
}
