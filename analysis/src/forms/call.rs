//! A call in its normal form, and the draft it is made from.
//!
//! Last step of [forming](super). A [`Call`] is shared by all spans that make it; comparing two calls is
//! comparing their [`CallKey`]s.

pub use causeway_model::trace::Kind;
use xxhash_rust::xxh3::xxh3_128;

/// Family of a call: which rules gave it its template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum System {
    /// A database.
    Db,
    /// HTTP.
    Http,
    /// gRPC, cloud APIs, and other remote procedures.
    Rpc,
    /// A broker or queue.
    Messaging,
    /// Redis, Memcached and their like.
    Cache,
    /// A model, agent or tool.
    GenAi,
    /// Something else: a function, a GraphQL operation, a client span without known attributes.
    Other,
}

/// Whether a call changes something on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Effect {
    /// It only reads.
    Read,
    /// It writes.
    Write,
    /// The form does not tell.
    #[default]
    Unknown,
}

/// What a form rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Attributes.
    Attributes,
    /// The span's name alone; weaker, as names are free text.
    Name,
}

/// Equal keys are equal calls: a hash of family, template and callee.
///
/// The same in every process and version of this program that makes the same templates, so it may be
/// part of a stored `group_key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallKey(pub u128);

/// What a span calls, free of the values of one occasion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Identity of the call.
    pub key: CallKey,
    /// Family.
    pub system: System,
    /// What is called, with values replaced: `SELECT * FROM users WHERE id = ?`, `GET /users/{id}`.
    pub template: String,
    /// Who is called: peer service, host, or database; empty where nothing says so.
    pub callee: String,
    /// The verb: `SELECT`, `GET`, `send`, `HGET`, `chat`; may be empty.
    pub operation: String,
    /// The object: main table, path, `service/method`, destination, key shape, model or tool; may be empty.
    pub target: String,
    /// Whether it writes.
    pub effect: Effect,
    /// A ping, transaction, connection or session statement: no work of its own.
    pub is_housekeeping: bool,
    /// Whether the template tells what is called. A bare `HTTP GET` does not: such calls are the same only
    /// if their server spans are (see [`Former::with_target`](super::Former::with_target)).
    pub target_known: bool,
    /// What the form rests on.
    pub source: Source,
    /// Whether the span leaves its process: CLIENT, PRODUCER, or INTERNAL and unspecified ones with
    /// attributes of a call. SERVER and CONSUMER spans are the other side.
    pub is_exit: bool,
}

/// A call in the making; its texts are reused from span to span.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) system: System,
    pub(super) template: String,
    pub(super) callee: String,
    pub(super) operation: String,
    pub(super) target: String,
    pub(super) effect: Effect,
    pub(super) is_housekeeping: bool,
    pub(super) target_known: bool,
    pub(super) source: Source,
    pub(super) is_exit: bool,
    /// Bytes that are hashed.
    hashed: Vec<u8>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            system: System::Other,
            template: String::new(),
            callee: String::new(),
            operation: String::new(),
            target: String::new(),
            effect: Effect::Unknown,
            is_housekeeping: false,
            target_known: true,
            source: Source::Attributes,
            is_exit: false,
            hashed: Vec::new(),
        }
    }
}

impl Draft {
    pub(super) fn clear(&mut self) {
        self.system = System::Other;
        self.template.clear();
        self.callee.clear();
        self.operation.clear();
        self.target.clear();
        self.effect = Effect::Unknown;
        self.is_housekeeping = false;
        self.target_known = true;
        self.source = Source::Attributes;
        self.is_exit = false;
    }

    /// Makes the template `operation target`, or whichever of them there is.
    pub(super) fn template_from_parts(&mut self) {
        self.template.clear();
        self.template.push_str(&self.operation);
        if !self.operation.is_empty() && !self.target.is_empty() {
            self.template.push(' ');
        }
        self.template.push_str(&self.target);
    }

    /// A hash of everything that is told about the call.
    pub(super) fn hash(&mut self) -> u128 {
        self.hashed.clear();
        self.hashed.extend_from_slice(&[
            self.system as u8,
            self.effect as u8,
            u8::from(self.is_housekeeping),
            u8::from(self.target_known),
            self.source as u8,
            u8::from(self.is_exit),
        ]);
        for text in [&self.template, &self.callee, &self.operation, &self.target] {
            self.hashed.extend_from_slice(text.as_bytes());
            // No valid UTF-8 holds this byte, so texts cannot run into each other.
            self.hashed.push(0xff);
        }
        xxh3_128(&self.hashed)
    }

    fn key(&self) -> CallKey {
        let mut hashed = vec![self.system as u8];
        hashed.extend_from_slice(self.template.as_bytes());
        hashed.push(0xff);
        hashed.extend_from_slice(self.callee.as_bytes());
        CallKey(xxh3_128(&hashed))
    }

    pub(super) fn to_call(&self) -> Call {
        Call {
            key: self.key(),
            system: self.system,
            template: self.template.clone(),
            callee: self.callee.clone(),
            operation: self.operation.clone(),
            target: self.target.clone(),
            effect: self.effect,
            is_housekeeping: self.is_housekeeping,
            target_known: self.target_known,
            source: self.source,
            is_exit: self.is_exit,
        }
    }
}
