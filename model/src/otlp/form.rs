//! The wire form of messages that the decoder leaves unread: protobuf refuses a request for them too.
//!
//! A span that is refused is not read to its end, nor is a value that another one replaces, nor the scope of
//! no spans. They are rare, so that reading them once more by the tables of `descriptor` costs nothing.

use super::DecodeError;
use super::descriptor::{Kind, Message};
use super::wire::Fields;

/// Checks a message and all messages within it, however deep they nest.
pub(super) fn check(message: &[u8], descriptor: &'static Message) -> Result<(), DecodeError> {
    // A stack of its own: the sender decides the depth.
    let mut open = vec![(Fields::new(message), descriptor)];
    while let Some((fields, descriptor)) = open.last_mut() {
        let Some(field) = fields.next()? else {
            open.pop();
            continue;
        };
        let Some(known) = descriptor.by_number(field.number) else {
            continue;
        };
        match known.kind {
            Kind::Bool | Kind::Int64 | Kind::Uint32 | Kind::Enum(_) => drop(field.varint()?),
            Kind::Fixed32 => drop(field.fixed32()?),
            Kind::Fixed64 | Kind::Double => drop(field.fixed64()?),
            Kind::String | Kind::Strings | Kind::Bytes | Kind::Hex { .. } => drop(field.bytes()?),
            Kind::Message(inner) | Kind::Messages(inner) => {
                open.push((Fields::new(field.bytes()?), inner));
            }
        }
    }
    Ok(())
}
