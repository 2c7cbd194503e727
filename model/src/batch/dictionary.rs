//! Dictionary-encoded columns under construction.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;

use super::texts::{Novelty, Texts, unchecked};

/// A dictionary-encoded column under construction. Where its first texts hardly repeat, no further ones are looked up, so
/// that equal ones may have several keys.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    texts: Texts,
    novelty: Novelty,
    /// Negative for null.
    pub(super) keys: Vec<i32>,
}

pub(super) const NULL_KEY: i32 = -1;

/// Texts of a column after which it shows whether they repeat. With fewer, some thousand values of a long batch would be taken
/// for texts that do not.
const LOOK_UPS_MIN: u64 = 1_024;

impl Dictionary {
    /// One whose rows have no text yet.
    pub(super) fn of_rows(rows: usize) -> Self {
        Self { keys: vec![NULL_KEY; rows], ..Self::default() }
    }

    /// The key of a text.
    pub(super) fn key(&mut self, text: &[u8]) -> i32 {
        let Ok(number) = self.texts.number_in(&mut self.novelty, LOOK_UPS_MIN, text, unchecked);
        number as i32
    }

    /// Gives a row a text.
    pub(super) fn set(&mut self, row: usize, text: &[u8]) -> bool {
        let key = self.key(text);
        self.set_key(row, key)
    }

    /// Gives a row the text with this key.
    pub(super) fn set_key(&mut self, row: usize, key: i32) -> bool {
        self.keys.get_mut(row).is_some_and(|place| {
            *place = key;
            true
        })
    }

    pub(super) fn finish(self) -> Result<ArrayRef, ArrowError> {
        let (data, ends) = self.texts.parts();
        let mut offsets = Vec::with_capacity(ends.len() + 1);
        offsets.push(0);
        for end in ends {
            let too_large = |_| ArrowError::OffsetOverflowError(i32::MAX as usize);
            offsets.push(i32::try_from(*end).map_err(too_large)?);
        }
        let offsets = OffsetBuffer::new(offsets.into());
        let values = StringArray::try_new(offsets, Buffer::from(data), None)?;
        dictionary(self.keys, Arc::new(values))
    }
}

/// Keys below zero become nulls.
fn dictionary(mut keys: Vec<i32>, values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let has_nulls = keys.iter().any(|key| *key < 0);
    let validity = has_nulls.then(|| keys.iter().map(|key| *key >= 0).collect::<NullBuffer>());
    if has_nulls {
        keys.iter_mut().for_each(|key| *key = (*key).max(0));
    }
    let keys = Int32Array::try_new(ScalarBuffer::from(keys), validity)?;
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;

    fn values(texts: impl Iterator<Item = String>) -> (usize, Vec<String>) {
        let mut column = Dictionary::default();
        for text in texts {
            let key = column.key(text.as_bytes());
            column.keys.push(key);
        }
        let array = column.finish().expect("small");
        let array = array.as_dictionary::<Int32Type>();
        let rows = array.downcast_dict::<StringArray>().expect("text");
        (array.values().len(), rows.into_iter().flatten().map(str::to_owned).collect())
    }

    #[test]
    fn texts_that_hardly_repeat_are_not_looked_up_for_ever() {
        let numbered = |n: usize| format!("text {n}");
        let repeated: Vec<_> = (0..8_000).map(|n| numbered(n % 500)).collect();
        assert_eq!(values(repeated.clone().into_iter()), (500, repeated));
        let hardly: Vec<_> = (0..8_000).map(|n| numbered(n % 4_000)).collect();
        assert_eq!(values(hardly.clone().into_iter()), (8_000, hardly), "new for long enough");
    }
}
