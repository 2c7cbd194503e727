//! One group commit: which requests are new, which repeat something, and what each is answered.

use hashbrown::HashSet;
use tokio::sync::oneshot;

use super::{
    digests::DigestWindow,
    error::LogError,
    queue::Request,
    record::{Appended, Record},
};

/// The requests of one group, sorted into records to store and senders to answer.
#[derive(Debug)]
pub(super) struct Group {
    records: Vec<Record>,
    waiters: Vec<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    done: oneshot::Sender<Result<Appended, LogError>>,
    verdict: Verdict,
}

#[derive(Debug, Clone, Copy)]
enum Verdict {
    /// Stored under this sequence, if the group succeeds.
    New(u64),
    /// Repeats an earlier request of the group, so it shares its fate.
    RepeatsGroup,
    /// Repeats what is durable and visible already, whatever becomes of the group.
    RepeatsStored,
}

impl Group {
    /// Sorts the requests; new records are numbered from `first_sequence`.
    pub(super) fn new(requests: Vec<Request>, window: &DigestWindow, first_sequence: u64) -> Self {
        let mut in_group = HashSet::new();
        let mut records = Vec::with_capacity(requests.len());
        let mut waiters = Vec::with_capacity(requests.len());
        let mut sequence = first_sequence;
        for Request { record, done } in requests {
            let verdict = if window.contains(record.digest) {
                Verdict::RepeatsStored
            } else if in_group.insert(record.digest) {
                Verdict::New(sequence)
            } else {
                Verdict::RepeatsGroup
            };
            if let Verdict::New(sequence) = verdict {
                records.push(Record {
                    sequence,
                    received_at_unix_ns: record.received_at_unix_ns,
                    digest: record.digest,
                    payload: record.payload,
                    decoded: record.decoded,
                });
            }
            sequence = first_sequence.saturating_add(records.len() as u64);
            waiters.push(Waiter { done, verdict });
        }
        Self { records, waiters }
    }

    /// The records to store, in sequence order.
    pub(super) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Takes the records out, to be published.
    pub(super) fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// How many requests repeat something.
    pub(super) fn repeated(&self) -> u64 {
        let repeats = |waiter: &&Waiter| !matches!(waiter.verdict, Verdict::New(_));
        self.waiters.iter().filter(repeats).count() as u64
    }

    /// Answers the senders, in the order they came. Those that left are no error: their record is stored all the
    /// same, and their repetition will be a duplicate.
    pub(super) fn answer(self, outcome: &Result<(), LogError>) {
        for Waiter { done, verdict } in self.waiters {
            let answer = match (verdict, outcome) {
                (Verdict::RepeatsStored, _) | (Verdict::RepeatsGroup, Ok(())) => {
                    Ok(Appended::Duplicate)
                }
                (Verdict::New(sequence), Ok(())) => Ok(Appended::Stored { sequence }),
                (_, Err(error)) => Err(error.clone()),
            };
            let _ = done.send(answer);
        }
    }
}
