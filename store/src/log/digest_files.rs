//! Digest files: they keep the digests of released segments over restarts, and the highest released sequence.
//!
//! Format version 1, little-endian: slots of 24 bytes, each with its own checksum, so that damage costs one slot.
//! The name is `<released-through sequence at creation, 20 digits>-<random, 16 hex digits>.digests`.
//!
//! ```text
//! kind     0..20                                                        20..24
//! header   "CWDG", version u32 = 1, zeros                               CRC32C of "H" + bytes 0..20
//! digest   digest u128, received at u32 (seconds since 1970)            CRC32C of "D" + bytes 0..20
//! mark     released-through sequence u64, zeros                         CRC32C of "M" + bytes 0..20
//! ```
//!
//! The header is slot 0; then each release appends its digests and one mark, and fsyncs, before segments are deleted.
//! A mark says: the table holds every record up to this sequence. Files are only appended to by the process that
//! began them. The newest one is never deleted, because its mark keeps sequence numbers from being used again.
//! Bytes at the end that are less than a slot, or only zeros, are a torn write and mean nothing.

use std::path::{Path, PathBuf};

use super::{digests::DigestEntry, directory::digests_path, error::LogError, format::Fields};
use crate::disk::{Disk, DiskFile};

/// Size of a slot.
pub(super) const SLOT_BYTES: usize = 24;
const MAGIC: [u8; 4] = *b"CWDG";
const VERSION: u32 = 1;
/// A new file is begun beyond this, about 44,000 digests, so that old ones can expire.
const FILE_BYTES_MAX: usize = 1 << 20;
/// A new file is also begun when the oldest entry is this part of the window old.
const FILES_PER_WINDOW: u32 = 8;

/// One slot of a digest file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// Start of a file and its version.
    Header(u32),
    /// Digest and when it was received.
    Digest(u128, u32),
    /// Released through this sequence.
    Mark(u64),
    /// Fails its checksum.
    Damaged,
}

impl Slot {
    fn encode_into(self, buffer: &mut Vec<u8>) {
        let mut body = [0_u8; SLOT_BYTES - 4];
        let mut fill = Vec::with_capacity(body.len());
        let kind = match self {
            Self::Header(version) => {
                fill.extend_from_slice(&MAGIC);
                fill.extend_from_slice(&version.to_le_bytes());
                b'H'
            }
            Self::Digest(digest, received_s) => {
                fill.extend_from_slice(&digest.to_le_bytes());
                fill.extend_from_slice(&received_s.to_le_bytes());
                b'D'
            }
            Self::Mark(through) => {
                fill.extend_from_slice(&through.to_le_bytes());
                b'M'
            }
            Self::Damaged => return,
        };
        for (to, from) in body.iter_mut().zip(fill) {
            *to = from;
        }
        buffer.extend_from_slice(&body);
        buffer.extend_from_slice(&slot_crc(kind, &body).to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Self {
        Self::decode_checked(bytes).unwrap_or(Self::Damaged)
    }

    fn decode_checked(bytes: &[u8]) -> Option<Self> {
        let (body, rest) = bytes.split_at_checked(SLOT_BYTES - 4)?;
        let crc = Fields(rest).u32()?;
        let mut fields = Fields(body);
        if crc == slot_crc(b'D', body) {
            return Some(Self::Digest(fields.u128()?, fields.u32()?));
        }
        if crc == slot_crc(b'M', body) {
            return Some(Self::Mark(fields.u64()?));
        }
        let is_header = crc == slot_crc(b'H', body) && fields.take()? == MAGIC;
        is_header.then(|| fields.u32().map(Self::Header))?
    }
}

fn slot_crc(kind: u8, body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&[kind]), body)
}

/// The slots of a file with their offsets, without the header and without a torn end.
///
/// # Errors
/// `UnsupportedVersion` if a sound header says so.
pub(super) fn read_slots<'a>(
    path: &Path,
    bytes: &'a [u8],
) -> Result<impl Iterator<Item = (usize, Slot)> + 'a, LogError> {
    if let Some(Slot::Header(version)) = bytes.get(..SLOT_BYTES).map(Slot::decode)
        && version != VERSION
    {
        let path = path.to_path_buf();
        return Err(LogError::UnsupportedVersion { path, version });
    }
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let (slots, _) = bytes.as_chunks::<SLOT_BYTES>();
    Ok(slots
        .iter()
        .enumerate()
        .map(|(idx, slot)| (idx * SLOT_BYTES, Slot::decode(slot)))
        .take_while(move |(offset, _)| *offset < written)
        .filter(|(_, slot)| !matches!(slot, Slot::Header(_))))
}

/// Writes digest files and removes expired ones.
#[derive(Debug)]
pub(super) struct DigestFiles {
    /// All files but the current one, oldest first, each with the newest time in it.
    old: Vec<(PathBuf, u32)>,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    bytes: usize,
    oldest_s: u32,
    newest_s: u32,
}

/// What one release adds.
#[derive(Debug)]
pub(super) struct Release<'a> {
    /// Digests of the records in the segments to be deleted.
    pub(super) entries: Vec<&'a DigestEntry>,
    /// The table holds all records up to this.
    pub(super) through: u64,
    /// The time.
    pub(super) now_s: u32,
    /// Digests received before this are out of the window.
    pub(super) expire_before_s: u32,
    /// Makes the name of a new file unique.
    pub(super) salt: u64,
}

impl DigestFiles {
    /// Takes over the files that were found, oldest first, each with the newest time in it.
    pub(super) fn new(old: Vec<(PathBuf, u32)>) -> Self {
        Self { old, current: None }
    }

    /// Appends the release durably, then removes what has expired.
    ///
    /// After an error the file is left to expire and the next attempt begins a new one: what a failed fsync left
    /// behind cannot be known, and an entry written twice does no harm.
    pub(super) fn append(
        &mut self,
        disk: &dyn Disk,
        dir: &Path,
        release: &Release<'_>,
    ) -> Result<(), LogError> {
        let mut current = match self.current.take() {
            Some(current) if !current.is_full(release) => current,
            full => {
                self.retire(full);
                begin(disk, dir, release)?
            }
        };
        let written = current.write(release);
        if written.is_err() {
            self.retire(Some(current));
            return written;
        }
        self.current = Some(current);
        self.remove_expired(disk, release.expire_before_s);
        Ok(())
    }

    fn retire(&mut self, file: Option<Current>) {
        if let Some(file) = file {
            self.old.push((file.path, file.newest_s));
        }
    }

    /// Not made durable: a file that comes back after a crash is removed by a later release.
    fn remove_expired(&mut self, disk: &dyn Disk, before_s: u32) {
        self.old.retain(|(path, newest_s)| {
            if *newest_s >= before_s {
                return true;
            }
            let removed = disk.remove(path);
            if let Err(error) = &removed {
                tracing::warn!(path = %path.display(), %error, "cannot remove expired digests");
            }
            removed.is_err()
        });
    }
}

fn begin(disk: &dyn Disk, dir: &Path, release: &Release<'_>) -> Result<Current, LogError> {
    let path = digests_path(dir, release.through, release.salt);
    let mut file = disk.create(&path).map_err(LogError::disk("create", &path))?;
    let mut header = Vec::new();
    Slot::Header(VERSION).encode_into(&mut header);
    file.write_all(&header).map_err(LogError::disk("write", &path))?;
    disk.sync_dir(dir).map_err(LogError::disk("fsync", dir))?;
    Ok(Current { path, file, bytes: header.len(), oldest_s: release.now_s, newest_s: 0 })
}

impl Current {
    fn is_full(&self, release: &Release<'_>) -> bool {
        let window_s = release.now_s.saturating_sub(release.expire_before_s);
        let age_s = release.now_s.saturating_sub(self.oldest_s);
        self.bytes > FILE_BYTES_MAX || age_s > window_s / FILES_PER_WINDOW
    }

    fn write(&mut self, release: &Release<'_>) -> Result<(), LogError> {
        let mut buffer = Vec::with_capacity((release.entries.len() + 1) * SLOT_BYTES);
        for entry in &release.entries {
            Slot::Digest(entry.digest(), entry.received_s).encode_into(&mut buffer);
            self.newest_s = self.newest_s.max(entry.received_s);
        }
        Slot::Mark(release.through).encode_into(&mut buffer);
        self.file.write_all(&buffer).map_err(LogError::disk("write", &self.path))?;
        self.file.sync().map_err(LogError::disk("fsync", &self.path))?;
        self.bytes += buffer.len();
        Ok(())
    }
}
