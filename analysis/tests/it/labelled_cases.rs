//! Every labelled case comes out right, and the page that says so is current.

use std::path::Path;

use crate::labelled::{CASES_MIN, Error, all, score, table};

#[test]
fn every_labelled_case_is_right() -> Result<(), Error> {
    let mut judged = Vec::new();
    let mut wrong = Vec::new();
    for labelled in all() {
        let mut score = score(&labelled)?;
        let cases = score.fires.min(score.near);
        if cases < CASES_MIN {
            wrong.push(format!("{}: only {cases} cases of a kind", labelled.detector));
        }
        wrong.append(&mut score.wrong);
        judged.push((labelled, score));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/findings-evaluation.md");
    let page = std::fs::read_to_string(page)?;
    assert!(
        page.contains(&table(&judged)?),
        "docs/findings-evaluation.md is stale; its head says how to write it"
    );
    Ok(())
}
