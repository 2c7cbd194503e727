//! Limits push back and lose nothing.

use causeway_store::{Store, StoreError, StoreSettings, verify};
use causeway_testkit::nasty;
use prost::Message;

use super::{TestResult, append, close_without_flush, open, settings, spans};

/// Scenario: senders are faster than the flush. Guarantee: above `recent_bytes_max` requests are
/// refused by name and retryable; after a flush they are taken; what was taken is there.
#[tokio::test]
async fn recent_bytes_max_pushes_back_until_flushed() -> TestResult {
    let dir = tempfile::tempdir()?;
    let limits = StoreSettings { recent_bytes_max: 100_000, ..settings(dir.path()) };
    let mut registry = prometheus_client::registry::Registry::default();
    let store = Store::open(limits, &mut registry).await?;
    let mut requests = nasty::requests();
    let mut taken = 0;
    let refused = loop {
        let request = requests.next().ok_or("requests ended")?;
        match append(&store, request.encode_to_vec()).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 100_000, "the limit never pushed back");
    };
    let error = refused.downcast_ref::<StoreError>();
    assert!(
        matches!(error, Some(StoreError::Busy { limit: "recent_bytes_max", value: 100_000 })),
        "{refused}"
    );
    assert!(store.readiness().is_err_and(|why| why.contains("recent_bytes_max")));
    let before = spans(&store).await?.len();
    store.flush().await?;
    assert!(store.readiness().is_ok());
    assert_eq!(spans(&store).await?.len(), before);
    close_without_flush(store).await?;
    let report = verify(dir.path()).await?;
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.table_spans, before as u64);
    Ok(())
}

#[tokio::test]
async fn a_folder_in_use_is_refused() -> TestResult {
    let dir = tempfile::tempdir()?;
    let store = open(dir.path()).await?;
    assert!(matches!(open(dir.path()).await, Err(StoreError::InUse { .. })));
    Ok(close_without_flush(store).await?)
}

/// Scenario: a byte of a table file flips. Guarantee: `verify` names the file.
#[tokio::test]
async fn verify_names_a_damaged_file() -> TestResult {
    let dir = tempfile::tempdir()?;
    let store = open(dir.path()).await?;
    for request in nasty::requests().take(20) {
        append(&store, request.encode_to_vec()).await?;
    }
    store.flush().await?;
    let snapshot = store.snapshot().await?;
    close_without_flush(store).await?;
    let file = snapshot.files.first().ok_or("no file")?;
    let path = snapshot.table_root.join(&file.path);
    let mut bytes = std::fs::read(&path)?;
    let middle = bytes.len() / 3;
    bytes.drain(middle..middle + 1);
    std::fs::write(&path, bytes)?;
    let report = verify(dir.path()).await?;
    assert!(!report.is_sound());
    assert!(report.findings.iter().any(|finding| finding.place.contains(&file.path)), "{report:?}");
    Ok(())
}
