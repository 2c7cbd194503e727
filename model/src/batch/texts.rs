//! Texts, numbered in the order they came: what repeats is stored and checked once.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// A table of byte strings, distinct but for those that were appended.
#[derive(Debug, Default, Clone)]
pub struct Texts {
    data: Vec<u8>,
    ends: Vec<u32>,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Texts {
    /// The number of `text`, which `check` has to pass when it is new.
    pub(crate) fn number_of<E>(
        &mut self,
        text: &[u8],
        check: impl FnOnce(&[u8]) -> Result<(), E>,
    ) -> Result<u32, E> {
        let hash = self.hasher.hash_one(text);
        let (data, ends) = (&self.data, &self.ends);
        if let Some(number) = self.numbers.find(hash, |number| at(data, ends, *number) == text) {
            return Ok(*number);
        }
        let number = self.append(text, check)?;
        let (data, ends, hasher) = (&self.data, &self.ends, &self.hasher);
        self.numbers.insert_unique(hash, number, |number| hasher.hash_one(at(data, ends, *number)));
        Ok(number)
    }

    /// The number of a text that needs no check.
    pub fn add(&mut self, text: &[u8]) -> u32 {
        let Ok(number) = self.number_of(text, |_| Ok::<_, std::convert::Infallible>(()));
        number
    }

    /// The number of a text that `check` has to pass, under which it is not found again. For texts that do not repeat: looking
    /// them up and keeping them findable costs more than a copy.
    pub(crate) fn append<E>(
        &mut self,
        text: &[u8],
        check: impl FnOnce(&[u8]) -> Result<(), E>,
    ) -> Result<u32, E> {
        check(text)?;
        // A request is limited far below 2^32 bytes, and so is a batch.
        let number = self.ends.len() as u32;
        self.data.extend_from_slice(text);
        self.ends.push(self.data.len() as u32);
        Ok(number)
    }

    /// The text with this number; empty if there is none.
    pub fn get(&self, number: u32) -> &[u8] {
        at(&self.data, &self.ends, number)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all texts together.
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    /// All texts, joined, and where each ends.
    pub(crate) fn parts(&self) -> (&[u8], &[u32]) {
        (&self.data, &self.ends)
    }

    /// All texts by number.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let text = self.data.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            text
        })
    }
}

#[inline]
fn at<'a>(data: &'a [u8], ends: &[u32], number: u32) -> &'a [u8] {
    let number = number as usize;
    let start = number.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    let end = ends.get(number).copied().unwrap_or(start);
    data.get(start as usize..end as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_a_number_and_refused_ones_leave_no_trace() {
        let mut texts = Texts::default();
        assert_eq!((texts.add(b"a"), texts.add(b""), texts.add(b"a")), (0, 1, 0));
        assert_eq!(texts.number_of(b"bad", |_| Err("no")), Err("no"));
        assert_eq!(texts.number_of(b"b", |_| Ok::<_, ()>(())), Ok(2));
        assert_eq!(texts.iter().collect::<Vec<_>>(), [&b"a"[..], b"", b"b"]);
        assert_eq!((texts.get(2), texts.len()), (&b"b"[..], 3));
        assert_eq!(texts.append(b"once", |_| Err("no")), Err("no"));
        assert_eq!(texts.append(b"once", |_| Ok::<_, ()>(())), Ok(3));
        assert_eq!(texts.add(b"once"), 4, "not found again");
        assert_eq!((texts.get(3), texts.get(4)), (&b"once"[..], &b"once"[..]));
    }
}
