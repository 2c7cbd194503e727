//! `docs/demo.md` lists the faults as the table of the code does.

use crate::shop::Fault;

#[test]
fn the_documentation_lists_every_fault() {
    let page = include_str!("../../../../docs/demo.md");
    let rows: Vec<String> = Fault::all()
        .map(|fault| {
            let line = fault.line();
            let detector = if line.detector == line.name { "" } else { line.detector };
            let place = if line.operation.is_empty() { "" } else { line.operation };
            format!(
                "| `{}` | {detector} | {} | {place} | {} |",
                line.name,
                line.services.join(", "),
                line.what
            )
        })
        .collect();
    let missing: Vec<&String> = rows.iter().filter(|row| !page.contains(*row)).collect();
    assert!(missing.is_empty(), "docs/demo.md has to have these rows:\n{rows:#?}");
}
