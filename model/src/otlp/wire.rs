//! The protobuf wire format: reading fields out of a slice, writing fields into a buffer.
//!
//! Source: the protobuf encoding guide. Reading borrows from the input and allocates only to skip groups,
//! which OTLP does not use. No input makes it panic or loop.

use super::DecodeError;

/// How deep skipped groups may nest: as deep as other readers of protobuf let messages nest.
const GROUP_DEPTH_MAX: usize = 100;

/// One field's payload.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Payload<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
    /// Skipped: a wrong wire type for every field that is known.
    Group,
}

/// One field: its number and payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    payload: Payload<'a>,
}

impl<'a> Field<'a> {
    pub(crate) fn varint(&self) -> Result<u64, DecodeError> {
        match self.payload {
            Payload::Varint(value) => Ok(value),
            _ => Err(self.wire_type_error()),
        }
    }

    pub(crate) fn bytes(&self) -> Result<&'a [u8], DecodeError> {
        match self.payload {
            Payload::Bytes(bytes) => Ok(bytes),
            _ => Err(self.wire_type_error()),
        }
    }

    pub(crate) fn fixed64(&self) -> Result<u64, DecodeError> {
        match self.payload {
            Payload::Fixed64(value) => Ok(value),
            _ => Err(self.wire_type_error()),
        }
    }

    pub(crate) fn fixed32(&self) -> Result<u32, DecodeError> {
        match self.payload {
            Payload::Fixed32(value) => Ok(value),
            _ => Err(self.wire_type_error()),
        }
    }

    /// A `uint32`: protobuf keeps the low 32 bits of a longer varint.
    pub(crate) fn uint32(&self) -> Result<u32, DecodeError> {
        self.varint().map(|value| (value & u64::from(u32::MAX)) as u32)
    }

    /// An enum or `int32`: likewise the low 32 bits, as a signed number.
    pub(crate) fn int32(&self) -> Result<i32, DecodeError> {
        self.uint32().map(u32::cast_signed)
    }

    fn wire_type_error(&self) -> DecodeError {
        DecodeError::WireType { field: self.number }
    }
}

/// The fields of one message, in the order they were sent.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field, or `None` at the end of the message.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Field<'a>>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.tag()?;
        let payload = self.payload(number, wire_type)?;
        Ok(Some(Field { number, payload }))
    }

    fn tag(&mut self) -> Result<(u32, u8), DecodeError> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| DecodeError::Tag { tag })?;
        if number == 0 || tag > u64::from(u32::MAX) {
            return Err(DecodeError::Tag { tag });
        }
        Ok((number, (tag & 7) as u8))
    }

    #[inline]
    fn payload(&mut self, number: u32, wire_type: u8) -> Result<Payload<'a>, DecodeError> {
        Ok(match wire_type {
            0 => Payload::Varint(self.varint()?),
            1 => Payload::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| DecodeError::Truncated)?;
                let (bytes, rest) =
                    self.rest.split_at_checked(length).ok_or(DecodeError::Truncated)?;
                self.rest = rest;
                Payload::Bytes(bytes)
            }
            5 => Payload::Fixed32(u32::from_le_bytes(self.array()?)),
            3 => {
                self.skip_group(number)?;
                Payload::Group
            }
            _ => {
                return Err(DecodeError::Tag {
                    tag: u64::from(number) << 3 | u64::from(wire_type),
                });
            }
        })
    }

    fn skip_group(&mut self, number: u32) -> Result<(), DecodeError> {
        let mut open = vec![number];
        while let Some(&innermost) = open.last() {
            let (number, wire_type) = self.tag()?;
            match wire_type {
                3 if open.len() < GROUP_DEPTH_MAX => open.push(number),
                4 if number == innermost => {
                    open.pop();
                }
                3 | 4 => return Err(DecodeError::Group),
                _ => {
                    self.payload(number, wire_type)?;
                }
            }
        }
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, DecodeError> {
        if let Some((&byte, rest)) = self.rest.split_first()
            && byte < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(byte));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for (place, &byte) in self.rest.iter().take(10).enumerate() {
            let bits = u64::from(byte & 0x7f);
            if place == 9 && bits > 1 {
                return Err(DecodeError::Varint);
            }
            value |= bits << (7 * place);
            if byte < 0x80 {
                self.rest = self.rest.get(place + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(if self.rest.len() < 10 { DecodeError::Truncated } else { DecodeError::Varint })
    }
}

/// Appends protobuf fields to a buffer.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) out: Vec<u8>,
}

impl Writer {
    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    fn tag(&mut self, number: u32, wire_type: u8) {
        self.raw_varint(u64::from(number) << 3 | u64::from(wire_type));
    }

    pub(crate) fn varint(&mut self, number: u32, value: u64) {
        self.tag(number, 0);
        self.raw_varint(value);
    }

    /// Enums and `int32`: negative values take 10 bytes, as protobuf has it.
    pub(crate) fn int32(&mut self, number: u32, value: i32) {
        self.varint(number, i64::from(value).cast_unsigned());
    }

    pub(crate) fn fixed64(&mut self, number: u32, value: u64) {
        self.tag(number, 1);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn fixed32(&mut self, number: u32, value: u32) {
        self.tag(number, 5);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, number: u32, value: &[u8]) {
        self.tag(number, 2);
        self.raw_varint(value.len() as u64);
        self.out.extend_from_slice(value);
    }

    /// Starts a nested message; [`close`](Self::close) it with the returned mark.
    pub(crate) fn open(&mut self, number: u32) -> usize {
        self.tag(number, 2);
        self.out.len()
    }

    /// Ends a nested message: its length is put in front of what was written since `open`.
    pub(crate) fn close(&mut self, start: usize) {
        let length = self.out.len() - start;
        self.raw_varint(length as u64);
        let prefix = self.out.len() - start - length;
        if let Some(tail) = self.out.get_mut(start..) {
            tail.rotate_right(prefix);
        }
    }
}
