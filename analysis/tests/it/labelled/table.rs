//! The table of how many cases came out right.

use std::fmt::Write as _;

use super::Error;
use super::case::{Labelled, Level};
use super::judge::Score;

/// The table, a line a detector.
pub(crate) fn table(judged: &[(Labelled, Score)]) -> Result<String, Error> {
    let mut page = String::from(
        "| detector | of | must fire: right / all | near misses: right / all | clocks up to 10 s off |\n|---|---|---|---|---|\n",
    );
    for (labelled, score) in judged {
        let of = match labelled.level {
            Level::Trace => "a trace",
            Level::Window => "a window",
            Level::Clocks => "clocks",
        };
        let skew = if labelled.needs_clocks { "as the cases set them" } else { "change nothing" };
        let Score { fires_right, fires, near_right, near, .. } = score;
        let name = labelled.detector;
        writeln!(
            page,
            "| `{name}` | {of} | {fires_right} / {fires} | {near_right} / {near} | {skew} |"
        )?;
    }
    let sum = |of: fn(&Score) -> usize| judged.iter().map(|(_, score)| of(score)).sum::<usize>();
    let fires = (sum(|score| score.fires_right), sum(|score| score.fires));
    let near = (sum(|score| score.near_right), sum(|score| score.near));
    writeln!(page, "| all | | {} / {} | {} / {} | |", fires.0, fires.1, near.0, near.1)?;
    Ok(page)
}
