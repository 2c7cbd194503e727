//! A message field that may come in parts, and what stops reading it.
//!
//! Protobuf says to merge a singular message that is sent twice. Reading the concatenation of its
//! parts is the same.

use super::descriptor::Message;
use super::wire::{Field, Fields};
use super::{DecodeError, Refusal, form};

/// What stops a span: a body that cannot be parsed, or a reason to refuse the span alone.
pub(super) enum Stop {
    Malformed(DecodeError),
    Refused(Refusal),
}

impl From<DecodeError> for Stop {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

impl From<Refusal> for Stop {
    fn from(reason: Refusal) -> Self {
        Self::Refused(reason)
    }
}

/// A singular message field: usually one slice, several when it was sent in parts.
#[derive(Debug, Default, Clone)]
pub(super) struct Parts<'a> {
    first: Option<&'a [u8]>,
    rest: Vec<&'a [u8]>,
}

impl<'a> Parts<'a> {
    pub(super) fn of(part: &'a [u8]) -> Self {
        Self { first: Some(part), rest: Vec::new() }
    }

    pub(super) fn add(&mut self, part: &'a [u8]) {
        match self.first {
            None => self.first = Some(part),
            Some(_) => self.rest.push(part),
        }
    }

    pub(super) fn is_present(&self) -> bool {
        self.first.is_some()
    }

    /// Checks the form of what will not be read, or not to its end.
    pub(super) fn check(&self, descriptor: &'static Message) -> Result<(), DecodeError> {
        self.first.iter().chain(&self.rest).try_for_each(|part| form::check(part, descriptor))
    }

    pub(super) fn each_field(
        &self,
        mut visit: impl FnMut(Field<'a>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        for part in self.first.iter().chain(&self.rest) {
            let mut fields = Fields::new(part);
            while let Some(field) = fields.next()? {
                visit(field)?;
            }
        }
        Ok(())
    }
}

pub(super) fn text(bytes: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes).map_err(|_| Refusal::Utf8)
}
