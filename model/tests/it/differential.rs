//! Our decoder against prost on requests of every shape, and on tens of thousands of damaged ones.

use std::collections::BTreeMap;

use causeway_testkit::nasty;
use prost::Message;

use crate::agreement::{Verdict, check};

const REQUESTS: usize = 200;
/// Damaged copies of each; every one is damaged in one to three places.
const COPIES: usize = 100;

#[test]
fn whole_requests_are_read_as_prost_reads_them() {
    for request in nasty::requests().take(REQUESTS) {
        let bytes = request.encode_to_vec();
        assert_eq!(check(&bytes), Ok(Verdict::Accepted), "{}", hex(&bytes));
    }
}

#[test]
fn damaged_requests_are_read_or_refused_as_prost_does() {
    let requests: Vec<Vec<u8>> = nasty::requests()
        .map(|it| it.encode_to_vec())
        .filter(|it| !it.is_empty())
        .take(REQUESTS)
        .collect();
    let mut random = Random(1);
    let mut verdicts = BTreeMap::<String, usize>::new();
    for request in &requests {
        for _ in 0..COPIES {
            let mut bytes = request.clone();
            for _ in 0..1 + random.below(3) {
                let other = &requests[random.below(requests.len())];
                bytes = damage(&bytes, other, &mut random);
            }
            match check(&bytes) {
                Ok(verdict) => *verdicts.entry(format!("{verdict:?}")).or_default() += 1,
                Err(difference) => panic!("{difference}\n{}", hex(&bytes)),
            }
        }
    }
    // Otherwise the damage is too small or too great to say anything.
    for verdict in [Verdict::Accepted, Verdict::PartlyRefused, Verdict::Refused] {
        let count = verdicts.get(&format!("{verdict:?}")).copied().unwrap_or_default();
        assert!(count >= REQUESTS * COPIES / 20, "{verdict:?}: {verdicts:?}");
    }
}

/// Inputs on which the two once disagreed, as hexadecimal digits.
#[test]
fn earlier_differences_stay_settled() {
    for (what, digits) in [
        ("a group in the place of resource_spans", "0b0c"),
        ("a scope that is no message, without spans", "0a050a00120112"),
        ("an unknown group in 40 groups", &format!("{}{}", "7b".repeat(40), "7c".repeat(40))),
    ] {
        let bytes: Vec<u8> = (0..digits.len() / 2)
            .filter_map(|at| u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok())
            .collect();
        assert!(check(&bytes).is_ok(), "{what}: {:?}", check(&bytes));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.bits() % limit.max(1) as u64) as usize
    }
}

/// One field of a message, its payload without a length.
#[derive(Clone)]
struct Field {
    number: u64,
    wire_type: u64,
    payload: Vec<u8>,
}

/// Damages a message in one place: its bytes, one of its fields, or a message within it, whose new
/// length is then told to those around it.
fn damage(message: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let Some(mut fields) = parse(message).filter(|fields| !fields.is_empty()) else {
        return damage_bytes(message, other, random);
    };
    if random.below(12) == 0 {
        return damage_bytes(message, other, random);
    }
    let at = random.below(fields.len());
    if fields[at].wire_type == 2 && random.below(5) > 0 {
        fields[at].payload = damage(&fields[at].payload, other, random);
    } else {
        damage_fields(&mut fields, at, random);
    }
    let overlong = random.below(20) == 0;
    fields.iter().flat_map(|field| encode(field, overlong)).collect()
}

fn damage_fields(fields: &mut Vec<Field>, at: usize, random: &mut Random) {
    let unknown =
        |wire_type, payload: &[u8]| Field { number: 99, wire_type, payload: payload.to_vec() };
    match random.below(9) {
        0 => fields.insert(random.below(fields.len()), fields[at].clone()),
        1 => fields.push(fields[at].clone()),
        2 => drop(fields.remove(at)),
        3 => fields[at].wire_type = random.below(8) as u64,
        4 => fields[at].number = random.below(18) as u64,
        5 => fields.insert(at, unknown(0, &[0x80, 0x80, 0x01])),
        6 => fields.insert(at, unknown(2, b"unknown")),
        // A group with a varint in it; and one that another field number closes.
        7 => fields.insert(at, unknown(3, &[0x08, 0x01, 0x9c, 0x06])),
        _ => fields.insert(at, unknown(3, &[0x08, 0x01, 0x0c])),
    }
}

fn damage_bytes(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = random.below(bytes.len());
    match random.below(6) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        1 => bytes.truncate(at),
        2 if !bytes.is_empty() => bytes[at] = random.bits() as u8,
        3 => drop(bytes.splice(at..at, [0xff; 9])),
        4 => bytes.extend([0x80; 10].iter().take(random.below(11))),
        _ => {
            let from = random.below(other.len());
            let to = from + random.below(other.len() - from);
            drop(bytes.splice(at..at, other[from..to].iter().copied()));
        }
    }
    bytes
}

fn parse(mut rest: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let (number, wire_type) = (tag >> 3, tag & 7);
        let before = rest;
        let length = match wire_type {
            0 => {
                varint(&mut rest)?;
                let length = before.len() - rest.len();
                rest = before;
                length
            }
            1 => 8,
            2 => usize::try_from(varint(&mut rest)?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (payload, after) = rest.split_at_checked(length)?;
        fields.push(Field { number, wire_type, payload: payload.to_vec() });
        rest = after;
    }
    Some(fields)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn encode(field: &Field, overlong: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    push_varint(field.number << 3 | field.wire_type, overlong, &mut bytes);
    if field.wire_type == 2 {
        push_varint(field.payload.len() as u64, overlong, &mut bytes);
    }
    bytes.extend(&field.payload);
    bytes
}

/// An overlong one ends in a byte that adds nothing.
fn push_varint(mut value: u64, overlong: bool, bytes: &mut Vec<u8>) {
    while value >= 0x80 || (overlong && value > 0) {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
