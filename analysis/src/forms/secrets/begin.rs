//! Where in a value a secret may begin: what decides how fast values without one are searched.

/// Part of a word.
pub(super) const WORD: u8 = 1;
/// What stands between a name and its value, or before a text of SQL.
pub(super) const SIGN: u8 = 2;
/// The first byte of a token that tells itself.
pub(super) const FIRST: u8 = 4;

/// The classes of every byte.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let value = byte as u8;
        if value.is_ascii_alphanumeric() || value == b'_' {
            classes[byte] |= WORD;
        }
        if matches!(value, b'=' | b':' | b'\'') {
            classes[byte] |= SIGN;
        }
        if matches!(
            value,
            b'-' | b'b'
                | b'B'
                | b'A'
                | b'e'
                | b'g'
                | b'x'
                | b's'
                | b'r'
                | b'n'
                | b'S'
                | b'd'
                | b'h'
                | b'w'
        ) {
            classes[byte] |= FIRST;
        }
        byte += 1;
    }
    classes
};

/// The classes of a byte, as bits.
pub(super) fn classes_of(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Whether a token that tells itself may begin with two bytes. Of the words of usual values hardly one does.
pub(super) fn may_begin(first: u8, second: Option<&u8>) -> bool {
    let Some(second) = second else { return false };
    matches!(
        (first, second),
        (b'b' | b'B', b'e' | b'E' | b'a' | b'A')
            | (b'-', b'-')
            | (b'e', b'y')
            | (b'A', b'K' | b'S' | b'I')
            | (b'S', b'G')
            | (b'd' | b'x', b'o')
            | (b'g', b'h' | b'i' | b'l')
            | (b'h', b'v')
            | (b'n', b'p')
            | (b'r', b'k')
            | (b's', b'h' | b'k')
            | (b'w', b'h')
    )
}
