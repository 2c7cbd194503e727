//! Crashes at every byte, flipped bytes, stale bytes, unreadable files.

use std::path::PathBuf;

use super::faulty_disk::{Faults, FaultyDisk};
use super::{Surroundings, TestResult, replayed, stored};
use crate::log::format::{RECORD_HEADER_BYTES, RecordHeader, SEGMENT_HEADER_BYTES};
use crate::log::{DamageKind, LogError, TornTail};

const TEXTS: [&str; 4] = ["one", "", "three three three", "four"];

/// A closed log of one segment that holds `TEXTS`, and the segment.
async fn small_log() -> Result<(Surroundings, PathBuf, Vec<u8>), Box<dyn std::error::Error>> {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    for text in TEXTS {
        around.append(&log, text).await?;
    }
    drop(log);
    let path = around.files(".log").pop().ok_or("no segment")?;
    let bytes = around.disk.bytes(&path)?;
    Ok((around, path, bytes))
}

/// Where each of `TEXTS` ends in the segment.
fn record_ends() -> Vec<usize> {
    let mut end = SEGMENT_HEADER_BYTES;
    let ends = TEXTS.iter().map(|text| {
        end += RECORD_HEADER_BYTES + text.len();
        end
    });
    ends.collect()
}

fn on_disk(around: &Surroundings, disk: FaultyDisk) -> Surroundings {
    Surroundings {
        disk,
        ..Surroundings { settings: around.settings.clone(), ..Surroundings::new() }
    }
}

fn numbered(texts: &[&str]) -> Vec<(u64, String)> {
    (1..).zip(texts.iter().map(|text| (*text).to_owned())).collect()
}

#[tokio::test]
async fn crash_at_every_byte_keeps_exactly_the_whole_records() -> TestResult {
    let (around, path, bytes) = small_log().await?;
    let ends = record_ends();
    assert_eq!(ends.last(), Some(&bytes.len()));
    for cut in 0..=bytes.len() {
        for zeros in [0, 1, 100] {
            let crashed = on_disk(&around, around.disk.copied());
            let mut torn = bytes.get(..cut).unwrap_or_default().to_vec();
            torn.resize(cut + zeros, 0);
            crashed.disk.put(&path, &torn);
            let whole = ends.iter().filter(|end| **end <= cut).count();
            let is_clean = cut == 0 || cut == SEGMENT_HEADER_BYTES || ends.contains(&cut);
            // Zeros after half a header or payload are not only zeros to the end.
            let expected = numbered(TEXTS.get(..whole).unwrap_or_default());

            let (log, replay) = crashed.open()?;
            let report = replay.report().clone();
            if is_clean || zeros == 0 {
                assert_eq!(report.damaged, [], "cut at {cut} with {zeros} zeros");
                assert_eq!(report.torn.is_some(), !is_clean || zeros > 0, "cut at {cut}");
            }
            assert_eq!(replayed(replay)?, expected, "cut at {cut} with {zeros} zeros");
            crashed.append(&log, "after").await?;
            drop(log);

            let (_log, replay) = crashed.open()?;
            assert_eq!(replay.report().torn, None, "the torn end was cut off");
            assert_eq!(replay.report().damaged, report.damaged);
            let texts: Vec<String> = replayed(replay)?.into_iter().map(|(_, text)| text).collect();
            let kept = expected.iter().map(|(_, text)| text.as_str());
            assert_eq!(texts, kept.chain(["after"]).collect::<Vec<_>>());
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_flipped_byte_is_reported_and_costs_one_record() -> TestResult {
    let (around, path, bytes) = small_log().await?;
    let ends = record_ends();
    for offset in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let damaged = on_disk(&around, around.disk.copied());
            let mut flipped = bytes.clone();
            if let Some(byte) = flipped.get_mut(offset) {
                *byte ^= flip;
            }
            damaged.disk.put(&path, &flipped);

            let (log, replay) = damaged.open()?;
            let report = replay.report().clone();
            assert_eq!((report.torn, report.damaged.len()), (None, 1), "flip at {offset}");
            let mut expected = numbered(&TEXTS);
            if offset >= SEGMENT_HEADER_BYTES {
                expected.remove(ends.iter().filter(|end| **end <= offset).count());
            }
            assert_eq!(replayed(replay)?, expected, "flip at {offset}");

            // No number is used again and the file is kept for a person to look at.
            damaged.append(&log, "after").await?;
            let last = damaged.published.lock().last().map_or(0, |record| record.sequence);
            assert!(last > TEXTS.len() as u64, "flip at {offset}");
            log.release(last);
            drop(log);
            assert_eq!(damaged.files(".log"), Vec::<PathBuf>::new());
            let kept = damaged.files(".damaged").pop().ok_or("damaged segment is gone")?;
            assert_eq!(damaged.disk.bytes(&kept)?, flipped);
            let (_log, replay) = damaged.open()?;
            assert_eq!(replay.report().set_aside, [kept]);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_destroyed_block_costs_only_what_it_touched() -> TestResult {
    let (around, path, mut bytes) = small_log().await?;
    let ends = record_ends();
    // From the segment's first byte into the second record.
    let destroyed = ends.first().ok_or("no record")? + 5;
    bytes.iter_mut().take(destroyed).for_each(|byte| *byte = 0);
    around.disk.put(&path, &bytes);
    let (_log, replay) = around.open()?;
    let kinds: Vec<_> = replay.report().damaged.iter().map(|damage| damage.kind).collect();
    assert_eq!(kinds, [DamageKind::SegmentHeader, DamageKind::RecordHeader]);
    assert_eq!(replayed(replay)?, numbered(&TEXTS).split_off(2));
    Ok(())
}

#[tokio::test]
async fn a_payload_that_looks_like_a_record_is_never_read_as_one() -> TestResult {
    let around = Surroundings::new();
    let (log, _) = around.open()?;
    let mut forged = Vec::new();
    let header = RecordHeader {
        sequence: 9,
        received_at_unix_ns: 0,
        digest: 9,
        payload_bytes: 0,
        payload_crc: 0,
    };
    header.encode_into(0, &mut forged);
    let carrier =
        crate::log::NewRecord { payload: forged.into(), decoded: None, ..around.record("carrier") };
    log.append(carrier).await?;
    around.append(&log, "next").await?;
    drop(log);
    let path = around.files(".log").pop().ok_or("no segment")?;
    let mut bytes = around.disk.bytes(&path)?;
    if let Some(byte) = bytes.get_mut(SEGMENT_HEADER_BYTES) {
        *byte ^= 1;
    }
    around.disk.put(&path, &bytes);
    let (_log, replay) = around.open()?;
    assert_eq!(replayed(replay)?, [(2, "next".to_owned())]);
    Ok(())
}

#[tokio::test]
async fn a_short_segment_before_the_last_is_damage() -> TestResult {
    let around = Surroundings::with_small_segments();
    let (log, _) = around.open()?;
    for text in ["first segment", "second segment"] {
        around.append(&log, text).await?;
    }
    drop(log);
    let path = around.files(".log").first().ok_or("no segment")?.clone();
    let mut bytes = around.disk.bytes(&path)?;
    bytes.pop();
    around.disk.put(&path, &bytes);
    let (_log, replay) = around.open()?;
    let [damage] = replay.report().damaged.as_slice() else {
        return Err(format!("{:?}", replay.report()).into());
    };
    assert_eq!((damage.kind, damage.sequence), (DamageKind::Truncated, Some(1)));
    assert_eq!(replayed(replay)?, [(2, "second segment".to_owned())]);
    Ok(())
}

#[tokio::test]
async fn an_unreadable_rest_neither_stops_the_start_nor_frees_numbers() -> TestResult {
    let (around, path, bytes) = small_log().await?;
    let readable = record_ends().first().ok_or("no record")? + 10;
    around.disk.set(Faults { readable_bytes: Some(readable), ..Faults::default() });
    let (log, replay) = around.open()?;
    let last = replay.report().damaged.last().ok_or("no damage")?.clone();
    assert_eq!((last.kind, last.offset), (DamageKind::Unreadable, readable as u64));
    assert_eq!(replayed(replay)?, numbered(&["one"]));
    around.append(&log, "after").await?;
    let last = around.published.lock().last().map_or(0, |record| record.sequence);
    assert!(last > TEXTS.len() as u64);
    assert_eq!(around.disk.bytes(&path)?, bytes, "nothing was cut");
    Ok(())
}

#[tokio::test]
async fn a_segment_that_fails_between_open_and_replay_is_an_error_once() -> TestResult {
    let (around, path, bytes) = small_log().await?;
    let (_log, mut replay) = around.open()?;
    around.disk.put(&path, bytes.get(..bytes.len() - 1).unwrap_or_default());
    for _ in 1..TEXTS.len() {
        replay.next().ok_or("too short")??;
    }
    assert!(matches!(replay.next(), Some(Err(LogError::Corrupt { .. }))));
    assert!(replay.next().is_none());
    Ok(())
}

#[tokio::test]
async fn garbage_is_survived_and_newer_versions_are_refused() -> TestResult {
    let around = Surroundings::new();
    let garbage = around.dir().join("00000000000000000001-00000000000000aa.log");
    around.disk.put(&garbage, &[0xff; 5000]);
    let (log, replay) = around.open()?;
    assert!(!replay.report().damaged.is_empty());
    assert_eq!(replayed(replay)?, []);
    around.append(&log, "after").await?;
    drop(log);

    let mut header = b"CWLOGSEG\x02\0\0\0".to_vec();
    header.resize(SEGMENT_HEADER_BYTES - 4, 0);
    header.extend_from_slice(&crc32c::crc32c(&header).to_le_bytes());
    around.disk.put(&garbage, &header);
    assert!(matches!(around.open(), Err(LogError::UnsupportedVersion { version: 2, .. })));
    Ok(())
}

#[tokio::test]
async fn the_report_says_where_the_torn_end_was() -> TestResult {
    let (around, path, bytes) = small_log().await?;
    around.disk.put(&path, bytes.get(..bytes.len() - 1).unwrap_or_default());
    let (log, replay) = around.open()?;
    let offset = bytes.len() - RECORD_HEADER_BYTES - 4;
    let bytes = (RECORD_HEADER_BYTES + 3) as u64;
    assert_eq!(replay.report().torn, Some(TornTail { path, offset: offset as u64, bytes }));
    assert_eq!(around.append(&log, "after").await?, stored(4));
    Ok(())
}

#[tokio::test]
async fn an_old_record_at_the_end_is_damage() -> TestResult {
    let (around, path, bytes) = small_log().await?;
    let first = record_ends().first().copied().ok_or("no record")?;
    let mut stale = bytes.clone();
    stale.extend_from_slice(bytes.get(SEGMENT_HEADER_BYTES..first).unwrap_or_default());
    around.disk.put(&path, &stale);
    let (_log, replay) = around.open()?;
    let [damage] = replay.report().damaged.as_slice() else {
        return Err(format!("{:?}", replay.report()).into());
    };
    assert_eq!((damage.kind, damage.offset), (DamageKind::RecordHeader, bytes.len() as u64));
    assert_eq!(replayed(replay)?, numbered(&TEXTS));
    Ok(())
}
