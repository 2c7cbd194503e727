//! Parquet's hybrid of run-length encoding and bit packing, for levels and dictionary indices.
//!
//! Source: the Parquet format, `Encodings.md`, "Run Length Encoding / Bit-Packing Hybrid". A run is
//! worth its header from eight equal values on; what is between runs is packed in groups of eight.

/// Values per packed group, and the shortest run.
const GROUP: usize = 8;

/// Bits that hold all values up to `max`.
pub(super) fn bit_width(max: u32) -> u8 {
    // At most 32.
    (u32::BITS - max.leading_zeros()) as u8
}

/// Appends `values`, none of which needs more than `bit_width` bits.
pub(super) fn encode(values: &[u32], bit_width: u8, out: &mut Vec<u8>) {
    let mut rest = values;
    while let Some(&first) = rest.first() {
        let run = rest.iter().take_while(|value| **value == first).count();
        if run >= GROUP || run == rest.len() {
            push_run(first, run, bit_width, out);
            rest = rest.get(run..).unwrap_or_default();
        } else {
            let packed = packed_len(rest);
            let (groups, after) = rest.split_at(packed);
            push_varint((packed.div_ceil(GROUP) as u64) << 1 | 1, out);
            pack(groups, bit_width, out);
            rest = after;
        }
    }
}

/// Appends `count` times the same value.
pub(super) fn push_run(value: u32, count: usize, bit_width: u8, out: &mut Vec<u8>) {
    push_varint((count as u64) << 1, out);
    out.extend(value.to_le_bytes().iter().take(usize::from(bit_width).div_ceil(8)));
}

/// Appends values of one bit that are packed already, from the lowest bit on.
pub(super) fn push_bits(packed: &[u8], out: &mut Vec<u8>) {
    // A byte is a group of eight.
    push_varint((packed.len() as u64) << 1 | 1, out);
    out.extend_from_slice(packed);
}

/// How many values to pack until a run begins at the border of a group, or to the end.
fn packed_len(values: &[u32]) -> usize {
    let mut len = GROUP;
    while let Some(group) = values.get(len..len + GROUP) {
        if group.iter().all(|value| Some(value) == group.first()) {
            return len;
        }
        len += GROUP;
    }
    values.len()
}

/// Packs values from the lowest bit on; the last group is filled up with zeros.
fn pack(values: &[u32], bit_width: u8, out: &mut Vec<u8>) {
    let bit_width = u32::from(bit_width);
    let (mut pending, mut bits) = (0u64, 0u32);
    let padding = values.len().next_multiple_of(GROUP) - values.len();
    for value in values.iter().copied().chain(std::iter::repeat_n(0, padding)) {
        pending |= u64::from(value) << bits;
        bits += bit_width;
        if bits >= 32 {
            out.extend_from_slice(&(pending as u32).to_le_bytes());
            pending >>= 32;
            bits -= 32;
        }
    }
    // Whole groups are whole bytes.
    out.extend(pending.to_le_bytes().iter().take(bits.div_ceil(8) as usize));
}

fn push_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the encoding as the format describes it.
    fn decode(mut bytes: &[u8], bit_width: u8, count: usize) -> Vec<u32> {
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0u64, 0);
            loop {
                let (byte, rest) = bytes.split_first().expect("header");
                bytes = rest;
                header |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if *byte < 0x80 {
                    break;
                }
            }
            let width = usize::from(bit_width);
            if header & 1 == 0 {
                let (value, rest) = bytes.split_at(width.div_ceil(8));
                bytes = rest;
                let value = value.iter().rev().fold(0u32, |v, byte| v << 8 | u32::from(*byte));
                values.extend(std::iter::repeat_n(value, (header >> 1) as usize));
            } else {
                let packed = (header >> 1) as usize * 8;
                let (data, rest) = bytes.split_at(packed * width / 8);
                bytes = rest;
                let bit = |at: usize| u32::from(data[at / 8] >> (at % 8) & 1);
                values.extend((0..packed).map(|nth| {
                    (0..width).map(|place| bit(nth * width + place) << place).sum::<u32>()
                }));
            }
        }
        values.truncate(count);
        assert!(bytes.is_empty());
        values
    }

    #[test]
    fn runs_and_packed_values_come_back() {
        let mut seed = 7u64;
        for bit_width in 0..=20u8 {
            for run_bound in [1u64, 3, 9, 40, 1000] {
                let mut values = Vec::new();
                while values.len() < 3000 {
                    seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    let value = (seed >> 40) as u32 & ((1u32 << bit_width) - 1);
                    let run = (seed >> 8) % run_bound + 1;
                    values.extend(std::iter::repeat_n(value, run as usize));
                }
                for len in [0, 1, 7, 8, 9, 2999, values.len()] {
                    let (mut out, values) = (Vec::new(), &values[..len]);
                    encode(values, bit_width, &mut out);
                    assert_eq!(decode(&out, bit_width, len), values, "{bit_width} bits");
                }
            }
        }
    }
}
