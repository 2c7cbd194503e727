//! The same on the file system.

use std::{path::Path, sync::Arc};

use super::{TestResult, stored};
use bytes::Bytes;

use crate::log::{Log, LogError, LogSettings, NewRecord, Replay, inspect};

fn open(dir: &Path) -> Result<(Log, Replay), LogError> {
    let settings = LogSettings::new(dir.to_path_buf(), Arc::new(|| 1_800_000_000_000_000_000));
    Log::open(settings, 1, Box::new(|_| ()))
}

fn record(text: &'static str) -> NewRecord {
    NewRecord {
        received_at_unix_ns: 1_800_000_000_000_000_000,
        digest: super::digest(text),
        payload: Bytes::from_static(text.as_bytes()),
        decoded: None,
    }
}

#[tokio::test]
async fn append_crash_inspect_replay_release() -> TestResult {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("deeper/log");
    let (log, _) = open(&path)?;
    assert_eq!(log.append(record("one")).await?, stored(1));
    assert_eq!(log.append(record("two")).await?, stored(2));
    assert!(matches!(open(&path), Err(LogError::InUse { .. })));
    drop(log);

    let is_segment =
        |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|end| end == "log");
    let mut entries = std::fs::read_dir(&path)?.filter_map(Result::ok);
    let segment = entries.find(is_segment).ok_or("no segment")?.path();
    let bytes = std::fs::read(&segment)?;
    std::fs::write(&segment, bytes.get(..bytes.len() - 1).unwrap_or_default())?;

    let report = inspect(&path)?;
    assert_eq!((report.records, report.damaged.len()), (1, 0));
    assert_eq!(report.torn.map(|torn| torn.bytes), Some(50));
    assert_eq!(inspect(&path)?.records, 1, "inspecting changes nothing");

    let (log, replay) = open(&path)?;
    let sequences: Vec<u64> =
        replay.map(|record| record.map(|record| record.sequence)).collect::<Result<_, _>>()?;
    assert_eq!(sequences, [1]);
    assert_eq!(
        log.append(record("two")).await?,
        stored(2),
        "it was never acknowledged as far as this log knows"
    );
    log.release(2);
    drop(log);
    let report = inspect(&path)?;
    assert_eq!((report.segments, report.digests, report.torn), (0, 2, None));
    let (log, _) = open(&path)?;
    assert_eq!(log.append(record("three")).await?, stored(3));
    Ok(())
}

#[test]
fn inspecting_what_is_not_there_is_an_error() {
    assert!(matches!(inspect(Path::new("/nowhere/log")), Err(LogError::Disk { .. })));
}
