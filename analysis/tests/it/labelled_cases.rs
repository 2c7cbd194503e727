//! Every labelled case comes out right.

use crate::labelled::{CASES_MIN, Error, all, score};

#[test]
fn every_labelled_case_is_right() -> Result<(), Error> {
    let mut wrong = Vec::new();
    for labelled in all() {
        let started = std::time::Instant::now();
        let score = score(&labelled)?;
        eprintln!("TIME {} {:?} {}", labelled.detector, started.elapsed(), labelled.cases.len());
        assert!(
            score.fires.min(score.near) >= CASES_MIN,
            "{}: too few cases {} {}",
            labelled.detector,
            score.fires,
            score.near
        );
        wrong.extend(score.wrong);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}
