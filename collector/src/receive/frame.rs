//! The one length-prefixed message of a unary gRPC body.
//!
//! ```text
//! | 0 or 1: compressed | length, 4 bytes, big endian | message |
//! ```

use crate::error::Malformed;

const HEAD_BYTES: usize = 5;

/// Reads a body piece by piece.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    head: Vec<u8>,
    message_bytes: Option<u32>,
    taken_bytes: u32,
}

impl FrameReader {
    /// Takes the next piece; gives the part of it that belongs to the message.
    pub(crate) fn take<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], Malformed> {
        let missing = (HEAD_BYTES - self.head.len()).min(piece.len());
        let (head, message) = piece.split_at_checked(missing).unwrap_or((piece, &[]));
        self.head.extend_from_slice(head);
        if let (None, [flag, length @ ..]) = (self.message_bytes, self.head.as_slice()) {
            if *flag > 1 {
                return Err(Malformed::FrameFlag(*flag));
            }
            self.message_bytes = length.try_into().ok().map(u32::from_be_bytes);
        }
        let left = self.message_bytes.unwrap_or(0) - self.taken_bytes;
        match u32::try_from(message.len()) {
            Ok(bytes) if bytes <= left => self.taken_bytes += bytes,
            _ => return Err(Malformed::FrameExtra),
        }
        Ok(message)
    }

    /// Length of the message, once its head is here.
    pub(crate) fn message_bytes(&self) -> Option<u32> {
        self.message_bytes
    }

    /// Whether the message says it is compressed.
    pub(crate) fn is_compressed(&self) -> bool {
        self.head.first() == Some(&1)
    }

    /// Whether the message is complete.
    pub(crate) fn finish(&self) -> Result<(), Malformed> {
        match self.message_bytes {
            Some(bytes) if bytes == self.taken_bytes => Ok(()),
            _ => Err(Malformed::FrameTruncated),
        }
    }
}

/// The head of an uncompressed message.
pub(crate) fn head(message_bytes: usize) -> [u8; HEAD_BYTES] {
    // Answers are a few hundred bytes.
    let [a, b, c, d] = u32::try_from(message_bytes).unwrap_or(u32::MAX).to_be_bytes();
    [0, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_is_found_however_the_body_is_cut() {
        let body = [1, 0, 0, 0, 3, b'a', b'b', b'c'];
        for cut in 0..=body.len() {
            let (first, second) = body.split_at(cut);
            let mut reader = FrameReader::default();
            let mut message = Vec::new();
            for piece in [first, second] {
                message.extend_from_slice(reader.take(piece).unwrap_or_default());
            }
            assert!(reader.finish().is_ok() && reader.is_compressed(), "cut at {cut}");
            assert_eq!(message, b"abc");
        }
    }

    #[test]
    fn bad_frames_are_told_apart() {
        let mut reader = FrameReader::default();
        assert!(matches!(reader.take(&[2]), Err(Malformed::FrameFlag(2))));

        let mut reader = FrameReader::default();
        assert!(reader.take(&[0, 0, 0, 0, 9, 1]).is_ok());
        assert!(matches!(reader.finish(), Err(Malformed::FrameTruncated)));

        let mut reader = FrameReader::default();
        assert!(matches!(reader.take(&[0, 0, 0, 0, 1, 7, 7]), Err(Malformed::FrameExtra)));
        assert!(matches!(FrameReader::default().finish(), Err(Malformed::FrameTruncated)));
    }
}
