//! Protobuf out: what the collector answers, and traces imported from other formats.
//!
//! A writer for the few messages this crate makes itself. Reading OTLP and writing stored spans is
//! `causeway_model::otlp`.

/// A protobuf message under construction. Default values are left out, as proto3 does, except by
/// `bytes_always` for members of a oneof and of repeated fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    out: Vec<u8>,
}

impl Message {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    fn push_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push((value as u8) | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    fn push_tag(&mut self, field: u32, wire_type: u32) {
        self.push_varint(u64::from(field << 3 | wire_type));
    }

    pub(crate) fn varint_always(&mut self, field: u32, value: u64) -> &mut Self {
        self.push_tag(field, 0);
        self.push_varint(value);
        self
    }

    pub(crate) fn varint(&mut self, field: u32, value: u64) -> &mut Self {
        if value == 0 { self } else { self.varint_always(field, value) }
    }

    pub(crate) fn fixed64_always(&mut self, field: u32, value: u64) -> &mut Self {
        self.push_tag(field, 1);
        self.out.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn fixed64(&mut self, field: u32, value: u64) -> &mut Self {
        if value == 0 { self } else { self.fixed64_always(field, value) }
    }

    pub(crate) fn fixed32(&mut self, field: u32, value: u32) -> &mut Self {
        if value != 0 {
            self.push_tag(field, 5);
            self.out.extend_from_slice(&value.to_le_bytes());
        }
        self
    }

    pub(crate) fn bytes_always(&mut self, field: u32, value: &[u8]) -> &mut Self {
        self.push_tag(field, 2);
        self.push_varint(value.len() as u64);
        self.out.extend_from_slice(value);
        self
    }

    pub(crate) fn bytes(&mut self, field: u32, value: &[u8]) -> &mut Self {
        if value.is_empty() { self } else { self.bytes_always(field, value) }
    }

    pub(crate) fn text(&mut self, field: u32, value: &str) -> &mut Self {
        self.bytes(field, value.as_bytes())
    }

    /// Adds the fields of a message of the same type.
    pub(crate) fn append(&mut self, mut fields: Self) -> &mut Self {
        self.out.append(&mut fields.out);
        self
    }

    pub(crate) fn message(&mut self, field: u32, value: &Self) -> &mut Self {
        self.bytes_always(field, &value.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_protobuf_says() {
        let mut message = Message::default();
        message.varint(1, 300).varint(2, 0).text(3, "ab").fixed32(4, 1).bytes_always(5, b"");
        assert_eq!(
            message.into_bytes(),
            [0x08, 0xac, 0x02, 0x1a, 2, b'a', b'b', 0x25, 1, 0, 0, 0, 0x2a, 0]
        );
    }
}
