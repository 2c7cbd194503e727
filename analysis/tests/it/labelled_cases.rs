//! Every labelled case comes out right, and the page that says so is current.

use crate::labelled::{CASES_MIN, Error, all, score};

#[test]
fn every_labelled_case_is_right() -> Result<(), Error> {
    let mut wrong = Vec::new();
    for labelled in all() {
        let score = score(&labelled)?;
        assert!(score.fires.min(score.near) >= CASES_MIN, "{}: too few cases", labelled.detector);
        wrong.extend(score.wrong);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}
