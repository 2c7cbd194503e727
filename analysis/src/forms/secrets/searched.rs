//! Texts that were searched and hold no secret, so that what repeats is searched once.
//!
//! Nearly all values of attributes repeat from span to span, and comparing hashes takes a tenth of a search. Each text has
//! one place; what comes to it later drives it out, and is searched again when it comes back, to the same result.

/// Texts that are remembered, 8 bytes each; a power of two. 64 KiB stay in a core's cache.
const TEXTS_MAX: usize = 8_192;

/// Hashes of texts without secrets.
#[derive(Debug, Default)]
pub(in crate::forms) struct Searched {
    /// By the lowest bits of the hash; 0 for none. Empty until the first comes.
    hashes: Vec<u64>,
}

impl Searched {
    /// Whether a text of this hash was searched and holds none.
    #[inline]
    pub(in crate::forms) fn is_clean(&self, hash: u64) -> bool {
        self.hashes.get(place(hash)) == Some(&hash)
    }

    /// Remembers that it holds none.
    pub(in crate::forms) fn add_clean(&mut self, hash: u64) {
        if self.hashes.is_empty() {
            self.hashes = vec![0; TEXTS_MAX];
        }
        if let Some(place) = self.hashes.get_mut(place(hash)) {
            *place = hash;
        }
    }
}

fn place(hash: u64) -> usize {
    hash as usize % TEXTS_MAX
}
