//! Decompression in small steps that stops at the limit.
//!
//! Output goes into one buffer whose growth is reserved from the budget first. A bomb therefore
//! costs at most the limit, and each step is short: between steps other requests get their turn.

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use crate::admit::Received;
use crate::budget::Reservation;
use crate::error::{AdmitError, Malformed};

/// The first piece of a buffer; most requests need no second.
const BUFFER_BYTES_MIN: usize = 64 << 10;

/// Room for a body that announces its length and is not compressed is made at once up to here; a client that announces more
/// than it sends costs no more than this.
const ANNOUNCED_BYTES_MAX: u64 = 512 << 10;

/// Input of one step: 4 KiB of deflate unpack to 4 MiB at most, some 10 ms of work.
const STEP_BYTES: usize = 4 << 10;

/// Work after which other tasks get their turn.
const TURN_BYTES: usize = 256 << 10;

/// Largest zstd window: what `zstd --ultra` uses. Its pages are touched only as output is made,
/// so it holds no more than the output does.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// A compression OTLP senders use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Identity,
    Gzip,
    Zstd,
}

impl Compression {
    /// What a server offers, as a header value.
    pub(crate) const OFFERED: &'static str = "gzip, zstd, identity";

    /// Reads `Content-Encoding` or `grpc-encoding`.
    pub(crate) fn parse(name: &str) -> Result<Self, AdmitError> {
        let name = name.trim();
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("") || is("identity") {
            Ok(Self::Identity)
        } else if is("gzip") || is("x-gzip") {
            Ok(Self::Gzip)
        } else if is("zstd") {
            Ok(Self::Zstd)
        } else {
            Err(AdmitError::Compression { found: name.chars().take(100).collect() })
        }
    }
}

enum Codec {
    Identity,
    /// `None` between members: before the first and after each.
    Gzip(Option<Box<Decompress>>),
    Zstd {
        decoder: Decoder<'static>,
        in_frame: bool,
    },
}

/// Takes a body piece by piece and gives it back decompressed.
pub(crate) struct Inflater {
    codec: Codec,
    out: Vec<u8>,
    reservation: Reservation,
    bytes_max: usize,
    /// Bytes of the first piece of the buffer.
    first_bytes: usize,
    work_bytes: usize,
}

impl Inflater {
    /// For a body of at most `bytes_max` bytes, of `announced` ones if it says so.
    pub(crate) fn new(
        compression: Compression,
        announced: Option<u64>,
        reservation: Reservation,
        bytes_max: u64,
    ) -> Result<Self, AdmitError> {
        let codec = match compression {
            Compression::Identity => Codec::Identity,
            Compression::Gzip => Codec::Gzip(None),
            Compression::Zstd => {
                let mut decoder = Decoder::new().map_err(|_| AdmitError::Bug)?;
                let window = DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX);
                decoder.set_parameter(window).map_err(|_| AdmitError::Bug)?;
                Codec::Zstd { decoder, in_frame: false }
            }
        };
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let first_bytes = match (compression, announced) {
            (Compression::Identity, Some(bytes)) => bytes.min(ANNOUNCED_BYTES_MAX) as usize,
            _ => BUFFER_BYTES_MIN,
        };
        Ok(Self { codec, out: Vec::new(), reservation, bytes_max, first_bytes, work_bytes: 0 })
    }

    /// Takes the next piece of the body.
    pub(crate) async fn feed(&mut self, piece: &[u8]) -> Result<(), AdmitError> {
        for step in piece.chunks(STEP_BYTES) {
            self.step(step)?;
            if self.work_bytes >= TURN_BYTES {
                self.work_bytes = 0;
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// The whole body, when it ended where its compression says.
    pub(crate) fn finish(self) -> Result<Received, AdmitError> {
        match &self.codec {
            Codec::Gzip(Some(_)) => Err(Malformed::CompressedTruncated("gzip").into()),
            Codec::Zstd { in_frame: true, .. } => {
                Err(Malformed::CompressedTruncated("zstd").into())
            }
            _ => {
                // The body outlives this request; its spare room must not.
                let body = Bytes::from(self.out.into_boxed_slice());
                Ok(Received { body, reservation: self.reservation })
            }
        }
    }

    fn step(&mut self, mut input: &[u8]) -> Result<(), AdmitError> {
        loop {
            self.make_room(input.len())?;
            let before = self.out.len();
            let consumed = match &mut self.codec {
                Codec::Identity => {
                    let room = self.out.capacity() - before;
                    let piece = input.get(..room).unwrap_or(input);
                    self.out.extend_from_slice(piece);
                    piece.len()
                }
                Codec::Gzip(member) => gzip_step(member, input, &mut self.out)?,
                Codec::Zstd { decoder, in_frame } => {
                    zstd_step(decoder, in_frame, input, &mut self.out)?
                }
            };
            if self.out.len() > self.bytes_max {
                return Err(self.too_large());
            }
            let produced = self.out.len() - before;
            self.work_bytes += consumed + produced;
            input = input.get(consumed..).unwrap_or_default();
            // A full buffer may hide output that is still inside the decoder.
            let pending =
                self.out.len() == self.out.capacity() && !matches!(self.codec, Codec::Identity);
            let stuck = consumed == 0 && produced == 0;
            match input.is_empty() {
                true if stuck || !pending => return Ok(()),
                false if stuck => return Err(self.malformed()),
                _ => {}
            }
        }
    }

    /// Grows a full buffer, by doubling, to one byte above the limit at most: that byte tells a
    /// body at the limit from one beyond it.
    fn make_room(&mut self, wanted: usize) -> Result<(), AdmitError> {
        let (len, capacity) = (self.out.len(), self.out.capacity());
        if len < capacity {
            return Ok(());
        }
        let ceiling = self.bytes_max.saturating_add(1);
        let target = (capacity * 2).max(len + wanted).max(self.first_bytes).min(ceiling);
        if target <= len {
            return Err(self.too_large());
        }
        // The byte above the limit is not worth a refusal by the budget.
        let reserved = target.min(self.bytes_max) - capacity.min(self.bytes_max);
        self.reservation.grow(u64::try_from(reserved).unwrap_or(u64::MAX))?;
        self.out.reserve_exact(target - len);
        Ok(())
    }

    fn too_large(&self) -> AdmitError {
        let bytes_max = u64::try_from(self.bytes_max).unwrap_or(u64::MAX);
        AdmitError::TooLarge { limit: "request_bytes_max", bytes_max }
    }

    fn malformed(&self) -> AdmitError {
        let name = match self.codec {
            Codec::Identity => "data",
            Codec::Gzip(_) => "gzip",
            Codec::Zstd { .. } => "zstd",
        };
        Malformed::Compressed(name).into()
    }
}

/// Decompresses into the spare room of `out`; gives the number of input bytes used.
fn gzip_step(
    member: &mut Option<Box<Decompress>>,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<usize, Malformed> {
    // RFC 1952: a body is a series of members, and nothing else.
    let Some(mut decoder) =
        member.take().or_else(|| (!input.is_empty()).then(|| Box::new(Decompress::new_gzip(15))))
    else {
        return Ok(0);
    };
    let before = decoder.total_in();
    let status = decoder
        .decompress_vec(input, out, FlushDecompress::None)
        .map_err(|_| Malformed::Compressed("gzip"))?;
    let consumed = usize::try_from(decoder.total_in() - before).unwrap_or(usize::MAX);
    if status != Status::StreamEnd {
        *member = Some(decoder);
    }
    Ok(consumed)
}

fn zstd_step(
    decoder: &mut Decoder<'static>,
    in_frame: &mut bool,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<usize, Malformed> {
    if input.is_empty() && !*in_frame {
        return Ok(0);
    }
    let mut source = InBuffer::around(input);
    let produced = out.len();
    let mut target = OutBuffer::around_pos(out, produced);
    let hint = decoder.run(&mut source, &mut target).map_err(|_| Malformed::Compressed("zstd"))?;
    *in_frame = hint != 0;
    Ok(source.pos())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use prometheus_client::metrics::gauge::Gauge;

    use super::*;
    use crate::budget::Budget;

    const LIMIT: u64 = 1 << 20;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(data).and_then(|()| encoder.finish()).unwrap_or_default()
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        zstd::encode_all(data, 3).unwrap_or_default()
    }

    async fn inflate<'a>(
        compression: Compression,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Bytes, AdmitError> {
        inflate_announced(compression, None, pieces).await
    }

    async fn inflate_announced<'a>(
        compression: Compression,
        announced: Option<u64>,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Bytes, AdmitError> {
        let budget = Budget::new(4 * LIMIT, Gauge::default());
        let mut inflater = Inflater::new(compression, announced, budget.reservation(), LIMIT)?;
        for piece in pieces {
            inflater.feed(piece).await?;
            assert!(inflater.out.capacity() as u64 <= LIMIT + 1, "buffer beyond the limit");
        }
        Ok(inflater.finish()?.body)
    }

    /// Compressible, yet not all the same.
    fn sample(bytes: u64) -> Vec<u8> {
        (0..bytes).map(|i| ((i * i) >> 7) as u8).collect()
    }

    #[tokio::test]
    async fn what_was_packed_comes_back_however_it_is_cut() -> Result<(), AdmitError> {
        for bytes in [0, 1, 65_536, 300_001, LIMIT] {
            let data = sample(bytes);
            for (compression, packed) in [
                (Compression::Identity, data.clone()),
                (Compression::Gzip, gzip(&data)),
                (Compression::Zstd, zstd(&data)),
            ] {
                for cut in [1_000, 70_000, usize::MAX] {
                    let body = inflate(compression, packed.chunks(cut)).await?;
                    assert!(body == data, "{compression:?} {bytes} cut at {cut}");
                }
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn room_is_made_once_for_an_announced_length_whatever_comes() -> Result<(), AdmitError> {
        let data = sample(300_001);
        let budget = Budget::new(LIMIT, Gauge::default());
        let bytes = Some(data.len() as u64);
        let mut inflater =
            Inflater::new(Compression::Identity, bytes, budget.reservation(), LIMIT)?;
        inflater.feed(&data[..1]).await?;
        assert_eq!(inflater.out.capacity(), data.len());
        inflater.feed(&data[1..]).await?;
        assert_eq!(inflater.out.capacity(), data.len());
        assert!(inflater.finish()?.body == data);
        for announced in [0, 1, 300_000, 300_002, u64::MAX] {
            for (compression, packed) in
                [(Compression::Identity, data.clone()), (Compression::Zstd, zstd(&data))]
            {
                let pieces = packed.chunks(70_000);
                let body = inflate_announced(compression, Some(announced), pieces).await?;
                assert!(body == data, "{compression:?} with {announced} announced");
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn one_byte_beyond_the_limit_is_too_large() {
        let data = sample(LIMIT + 1);
        for (compression, packed) in [
            (Compression::Identity, data.clone()),
            (Compression::Gzip, gzip(&data)),
            (Compression::Zstd, zstd(&data)),
        ] {
            let refused = inflate(compression, [packed.as_slice()]).await;
            assert!(matches!(refused, Err(AdmitError::TooLarge { bytes_max: LIMIT, .. })));
        }
    }

    #[tokio::test]
    async fn bombs_stop_at_the_limit() {
        let zeros = vec![0; 256 << 20];
        for (compression, bomb) in
            [(Compression::Gzip, gzip(&zeros)), (Compression::Zstd, zstd(&zeros))]
        {
            let refused = inflate(compression, [bomb.as_slice()]).await;
            assert!(matches!(refused, Err(AdmitError::TooLarge { .. })));
        }
    }

    #[tokio::test]
    async fn members_and_frames_are_joined() -> Result<(), AdmitError> {
        let packed = [gzip(b"one "), gzip(b""), gzip(b"two")].concat();
        assert_eq!(inflate(Compression::Gzip, packed.chunks(1)).await?, "one two");
        let packed = [zstd(b"one "), zstd(b""), zstd(b"two")].concat();
        assert_eq!(inflate(Compression::Zstd, packed.chunks(1)).await?, "one two");
        Ok(())
    }

    #[tokio::test]
    async fn damaged_data_is_malformed() {
        let data = sample(50_000);
        for (compression, packed) in
            [(Compression::Gzip, gzip(&data)), (Compression::Zstd, zstd(&data))]
        {
            let cut = packed.get(..packed.len() - 3).unwrap_or_default();
            let refused = inflate(compression, [cut]).await;
            assert!(
                matches!(refused, Err(AdmitError::Malformed(Malformed::CompressedTruncated(_)))),
                "{compression:?} {refused:?}"
            );
            for garbage in [b"garbage".to_vec(), [packed, b"garbage".to_vec()].concat()] {
                let refused = inflate(compression, [garbage.as_slice()]).await;
                assert!(matches!(refused, Err(AdmitError::Malformed(_))), "{compression:?}");
            }
        }
    }

    #[tokio::test]
    async fn gzip_checksum_is_checked() {
        let mut packed = gzip(b"some data");
        if let Some(byte) = packed.iter_mut().rev().nth(6) {
            *byte ^= 1;
        }
        let refused = inflate(Compression::Gzip, [packed.as_slice()]).await;
        assert!(matches!(refused, Err(AdmitError::Malformed(_))));
    }

    #[test]
    fn names_are_read_in_any_case() {
        assert!(matches!(Compression::parse("GZIP "), Ok(Compression::Gzip)));
        assert!(matches!(Compression::parse(""), Ok(Compression::Identity)));
        assert!(matches!(Compression::parse("gzip, zstd"), Err(AdmitError::Compression { .. })));
    }
}
