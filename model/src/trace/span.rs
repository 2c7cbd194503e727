//! What one row of a merged trace can be: its kind, its status, and what is strange about it.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// The place of a span in its merged trace; parents come before their children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row(pub u32);

impl Row {
    /// The row as a position in a column.
    pub fn idx(self) -> usize {
        self.0 as usize
    }
}

/// A text of a merged trace; equal texts of one trace have equal ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextId(pub(super) u32);

impl TextId {
    /// The id as a position in a table of the trace's texts.
    pub fn idx(self) -> usize {
        self.0 as usize
    }
}

/// What OTLP says about a span's role.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of OTLP")]
pub enum Kind {
    #[default]
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl Kind {
    /// The kind of an OTLP number; unspecified for numbers that OTLP does not know.
    pub fn from_otlp(number: i32) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }

    /// Whether spans of the two kinds are the calling and the called end of one message.
    pub fn is_called_by(self, caller: Self) -> bool {
        matches!((caller, self), (Self::Client, Self::Server) | (Self::Producer, Self::Consumer))
    }
}

/// The status of a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of OTLP")]
pub enum Status {
    #[default]
    Unset,
    Ok,
    Error,
}

impl Status {
    /// The status of an OTLP number; unset for numbers that OTLP does not know.
    pub fn from_otlp(number: i32) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }
}

/// What is strange about a span.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(u16);

impl Flags {
    /// Stands for a parent that was never received.
    pub const PLACEHOLDER: Self = Self(1);
    /// The parent link closed a cycle and was cut.
    pub const CYCLE: Self = Self(2);
    /// Another span has the same id and other content.
    pub const DUPLICATE_ID: Self = Self(4);
    /// Start or end cannot be used.
    pub const NO_TIME: Self = Self(8);
    /// The end lies before the start, by raw times.
    pub const ENDS_BEFORE_START: Self = Self(16);
    /// Starts before its parent, by raw times.
    pub const STARTS_BEFORE_PARENT: Self = Self(32);
    /// The parent was never received; the span hangs under a placeholder.
    pub const ORPHAN: Self = Self(64);
    /// Client and server half of one call share the id, as Zipkin does.
    pub const SHARED_ID: Self = Self(128);

    const NAMES: [(Self, &str); 8] = [
        (Self::PLACEHOLDER, "placeholder"),
        (Self::CYCLE, "cycle"),
        (Self::DUPLICATE_ID, "duplicate_id"),
        (Self::NO_TIME, "no_time"),
        (Self::ENDS_BEFORE_START, "ends_before_start"),
        (Self::STARTS_BEFORE_PARENT, "starts_before_parent"),
        (Self::ORPHAN, "orphan"),
        (Self::SHARED_ID, "shared_id"),
    ];

    /// Whether all flags of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags as the bits they are stored and shown as.
    pub fn bits(self) -> u16 {
        self.0
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = Self::NAMES.iter().filter(|(flag, _)| self.contains(*flag));
        f.debug_set().entries(set.map(|(_, name)| name)).finish()
    }
}

/// Times of a span on the clock of reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanTimes {
    /// Start, nanoseconds since 1970.
    pub start_ns: i64,
    /// End, not before the start.
    pub end_ns: i64,
    /// Half the width of the interval in which the offset of the span's clock is known to lie; `None` where nothing
    /// bounds it, and for raw times.
    pub half_width_ns: Option<i64>,
}
