//! What goes wrong in one process, and when.

use std::io;
use std::path::Path;

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

/// The operations of a disk that can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Create,
    Write,
    Sync,
    Truncate,
    CreateDir,
    SyncDir,
    Link,
    Rename,
    Remove,
}

/// Which operations count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    All,
    /// Those of the write-ahead log.
    Log,
    /// Those of the table: data files, summaries, the Delta log.
    Table,
    /// The fsync of a data file.
    DataFile,
    /// Those of the Delta log.
    DeltaLog,
    /// What makes a commit visible.
    Commit,
}

impl Target {
    fn includes(self, operation: Operation, path: &Path) -> bool {
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        let is_log = folder == "log" || path.ends_with("log");
        match self {
            Self::All => true,
            Self::Log => is_log,
            Self::Table => !is_log,
            Self::DataFile => {
                let is_data = path.components().any(|part| part.as_os_str() == "spans");
                operation == Operation::Sync && is_data && folder != "_delta_log"
            }
            Self::DeltaLog => folder == "_delta_log" || path.ends_with("_delta_log"),
            Self::Commit => operation == Operation::Link,
        }
    }
}

/// How much of an operation takes effect, of 256; all but writes are done whole or not at all.
pub(super) type Done = u64;
pub(super) const WHOLE: Done = 256;
/// What a schedule chooses from.
pub(super) const DONE: [Done; 4] = [0, 100, WHOLE, WHOLE];

/// What an operation meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It reports an error.
    Fail(Done),
    /// It is the last of its process.
    Die(Done),
    /// It stands still until it is let go.
    Hold,
}

/// A fault and its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Armed {
    pub(super) target: Target,
    /// So many operations are passed over first.
    pub(super) after: u64,
    /// So many operations meet it.
    pub(super) times: u64,
    pub(super) fault: Fault,
}

/// The faults of one process.
#[derive(Debug, Default)]
pub(super) struct Faults {
    state: Mutex<State>,
    let_go: Condvar,
    held: Notify,
}

#[derive(Debug, Default)]
struct State {
    is_dead: bool,
    has_struck: bool,
    armed: Option<Armed>,
    is_holding: bool,
    /// What an operation meets that stood still.
    after_hold: Option<Fault>,
}

impl Faults {
    pub(super) fn arm(&self, armed: Armed) {
        self.state.lock().armed = Some(armed);
    }

    pub(super) fn disarm(&self) {
        self.state.lock().armed = None;
    }

    /// From now on no operation takes effect.
    pub(super) fn die(&self) {
        let mut state = self.state.lock();
        state.is_dead = true;
        state.armed = None;
        state.is_holding = false;
        self.let_go.notify_all();
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state.lock().is_dead
    }

    /// Whether a fault was met.
    pub(super) fn has_struck(&self) -> bool {
        self.state.lock().has_struck
    }

    /// Resolves when an operation stands still.
    pub(super) async fn holding(&self) {
        self.held.notified().await;
    }

    /// Lets it go on, into a fault if there is one.
    pub(super) fn let_go(&self, fault: Option<Fault>) {
        let mut state = self.state.lock();
        state.is_holding = false;
        state.after_hold = fault;
        self.let_go.notify_all();
    }

    /// What an operation meets. Blocks while it stands still.
    pub(super) fn meet(&self, operation: Operation, path: &Path) -> Option<Fault> {
        let mut state = self.state.lock();
        let armed = state.armed.as_mut().filter(|armed| armed.target.includes(operation, path))?;
        if armed.after > 0 {
            armed.after -= 1;
            return None;
        }
        let fault = armed.fault;
        armed.times = armed.times.saturating_sub(1);
        if armed.times == 0 {
            state.armed = None;
        }
        state.has_struck = true;
        if fault != Fault::Hold {
            return Some(fault);
        }
        state.is_holding = true;
        self.held.notify_one();
        while state.is_holding {
            self.let_go.wait(&mut state);
        }
        state.after_hold.take()
    }
}

pub(super) fn dead() -> io::Error {
    io::Error::other("the process died")
}

pub(super) fn failed() -> io::Error {
    io::Error::other("fault injected")
}
