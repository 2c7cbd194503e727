//! Runs the statements of `tests/slt/*.slt` against the shop: a `query` line, the statement, `----`,
//! the rows as CSV; or `error` with a part of the message. `SLT_REWRITE=1` writes what came out.

use std::path::Path;

use crate::world::shop;

#[tokio::test]
async fn statements_give_the_rows_in_their_files() {
    let world = shop();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a file");
        let mut rewritten = Vec::new();
        for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
            let (head, expected) = block.split_once("\n----").unwrap_or((block, ""));
            let Some((_, sql)) = head.split_once("query\n") else {
                rewritten.push(block.to_owned());
                continue;
            };
            let answer = world.sql(sql).await;
            rewritten.push(format!("{head}\n----\n{answer}"));
            if std::env::var_os("SLT_REWRITE").is_none() {
                assert_eq!(answer, expected.trim(), "{}: {sql}", path.display());
            }
            count += 1;
        }
        if std::env::var_os("SLT_REWRITE").is_some() {
            std::fs::write(&path, rewritten.join("\n\n") + "\n").expect("writes");
        }
    }
    assert!(count > 0);
}
