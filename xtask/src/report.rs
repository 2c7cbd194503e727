//! What was done, skipped and failed, told once more at the end.

use std::io::{self, Write};
use std::time::Instant;

use anyhow::{Result, bail};

/// The steps of one command, in order.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    outcome: Outcome,
    step: String,
    note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Ok,
    Skipped,
    Failed,
}

impl Report {
    /// Does a step; a failure is noted and told, and the next step follows.
    pub(crate) fn step(&mut self, step: &str, work: impl FnOnce() -> Result<String>) -> bool {
        eprintln!("\n== {step}");
        let started = Instant::now();
        let result = work();
        let took = format!("{:.1} s", started.elapsed().as_secs_f64());
        let (outcome, note) = match result {
            Ok(note) if note.is_empty() => (Outcome::Ok, took),
            Ok(note) => (Outcome::Ok, format!("{note}, {took}")),
            Err(error) => {
                eprintln!("{error:#}");
                (Outcome::Failed, first_line(&error))
            }
        };
        self.add(outcome, step, note);
        outcome == Outcome::Ok
    }

    /// Notes a step that was left out, and why.
    pub(crate) fn skip(&mut self, step: &str, why: &str) {
        eprintln!("\n== {step}\nskipped: {why}");
        self.add(Outcome::Skipped, step, why.to_owned());
    }

    /// Notes a step that could not even be tried.
    pub(crate) fn fail(&mut self, step: &str, why: &str) {
        eprintln!("\n== {step}\nfailed: {why}");
        self.add(Outcome::Failed, step, why.to_owned());
    }

    fn add(&mut self, outcome: Outcome, step: &str, note: String) {
        let step = step.to_owned();
        self.lines.push(Line { outcome, step, note });
    }

    /// Prints the summary; an error if any step failed.
    pub(crate) fn close(self, what: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "\nSummary of {what}")?;
        for line in &self.lines {
            let word = match line.outcome {
                Outcome::Ok => "ok",
                Outcome::Skipped => "skipped",
                Outcome::Failed => "FAILED",
            };
            writeln!(out, "  {word:<8} {:<28} {}", line.step, line.note)?;
        }
        let count = |outcome| self.lines.iter().filter(|l| l.outcome == outcome).count();
        let (failed, skipped) = (count(Outcome::Failed), count(Outcome::Skipped));
        if failed > 0 {
            bail!("{what}: {failed} failed");
        }
        writeln!(out, "{what}: passed, {skipped} skipped")?;
        Ok(())
    }
}

fn first_line(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    text.lines().next().unwrap_or_default().to_owned()
}
