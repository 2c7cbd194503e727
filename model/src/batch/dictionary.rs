//! Dictionary-encoded columns under construction.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;

use super::texts::Texts;

/// A dictionary-encoded column under construction.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    pub(super) texts: Texts,
    /// Negative for null.
    pub(super) keys: Vec<i32>,
}

pub(super) const NULL_KEY: i32 = -1;

impl Dictionary {
    /// Gives a row a text.
    pub(super) fn set(&mut self, row: usize, text: &[u8]) -> bool {
        let key = self.texts.add(text) as i32;
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
