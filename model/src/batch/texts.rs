//! Texts, numbered in the order they came: what repeats is stored and checked once.

use std::convert::Infallible;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// How many texts of a column were new among those looked up.
#[derive(Debug, Default, Clone)]
pub(crate) struct Novelty {
    looked_up: u64,
    new: u64,
}

/// Texts hardly repeat if so many in a hundred are new.
const NEW_PERCENT_MIN: u64 = 90;

/// A table of byte strings, distinct but for those of columns that hardly repeat.
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
        let Ok(number) = self.number_of(text, unchecked);
        number
    }

    /// As [`Texts::number_of`], for the texts of one column: once at least `look_ups_min` were looked up and hardly
    /// repeated, no further one is looked up or found again, which would cost more than a copy. Equal texts may then have
    /// several numbers.
    pub(crate) fn number_in<E>(
        &mut self,
        column: &mut Novelty,
        look_ups_min: u64,
        text: &[u8],
        check: impl FnOnce(&[u8]) -> Result<(), E>,
    ) -> Result<u32, E> {
        if column.looked_up >= look_ups_min
            && column.new * 100 >= column.looked_up * NEW_PERCENT_MIN
        {
            return self.append(text, check);
        }
        let next = self.len();
        let number = self.number_of(text, check)?;
        column.looked_up += 1;
        column.new += u64::from(number as usize == next);
        Ok(number)
    }

    fn append<E>(
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

/// For texts that were checked, or made, before.
pub(crate) fn unchecked(_: &[u8]) -> Result<(), Infallible> {
    Ok(())
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
    }

    #[test]
    fn texts_of_a_column_that_hardly_repeats_are_not_looked_up_for_ever() {
        let numbers = |distinct: u32| {
            let (mut texts, mut column) = (Texts::default(), Novelty::default());
            let number = |n: u32| {
                let text = (n % distinct).to_ne_bytes();
                texts.number_in(&mut column, 20, &text, |_| Ok::<_, ()>(())).expect("checked")
            };
            let numbers: Vec<u32> = (0..100).map(number).collect();
            assert_eq!(texts.number_in(&mut column, 20, b"bad", |_| Err("no")), Err("no"));
            assert!(
                numbers
                    .iter()
                    .zip(0..)
                    .all(|(number, n)| texts.get(*number) == (n % distinct).to_ne_bytes())
            );
            texts.len()
        };
        // Of 19 distinct texts the twentieth look-up is the first that finds one.
        assert_eq!([numbers(17), numbers(19), numbers(50)], [17, 99, 100]);
    }
}
