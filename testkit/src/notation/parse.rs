//! From lines to spans: tokens, then a tree of lines, then the spans it stands for.

use std::fmt;

use super::{EPOCH_NS, FIRST_ID, Noted, NotedSpan};
use crate::proto::trace::v1::span::SpanKind;

/// A line that is no span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotationError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for NotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for NotationError {}

/// Reads a trace.
///
/// # Errors
/// A line is not in the notation.
pub fn parse(text: &str) -> Result<Vec<NotedSpan>, NotationError> {
    let mut lines: Vec<Line> = Vec::new();
    let mut clocks = Vec::new();
    for (at, text) in text.lines().enumerate() {
        let trimmed = text.trim();
        let error = |problem| NotationError { line: at + 1, problem };
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if let Some(rest) = trimmed.strip_prefix("%clock ") {
            clocks.push(clock(rest).map_err(error)?);
            continue;
        }
        let indent = text.len() - text.trim_start().len();
        let (span, repeat) = span(trimmed).map_err(error)?;
        lines.push(Line { indent, span, repeat });
    }
    let mut spans = expand(&lines);
    for span in &mut spans {
        let own = |(service, instance, _): &&(String, String, i64)| {
            *service == span.service && *instance == span.instance
        };
        let ahead = clocks.iter().find(own).map_or(0, |(_, _, ahead_ns)| *ahead_ns);
        for time in [&mut span.start_ns, &mut span.end_ns] {
            *time = if *time == 0 { 0 } else { time.saturating_add_signed(ahead) };
        }
    }
    Ok(spans)
}

struct Line {
    indent: usize,
    span: NotedSpan,
    repeat: Option<Repeat>,
}

#[derive(Clone, Copy)]
struct Repeat {
    times: u64,
    every_ns: i64,
}

/// Repeats what is to be repeated and gives ids: lines are walked with a list of where to go on, so depth costs nothing.
fn expand(lines: &[Line]) -> Vec<NotedSpan> {
    let mut spans: Vec<NotedSpan> = Vec::new();
    // (lines left, shift, number, position of the parent among the spans)
    let mut work: Vec<(std::ops::Range<usize>, i64, u64, Option<usize>)> =
        vec![(0..lines.len(), 0, 0, None)];
    while let Some((mut range, shift_ns, number, parent)) = work.pop() {
        let Some(line) = range.next().and_then(|at| lines.get(at)) else { continue };
        let rest = lines.get(range.clone()).unwrap_or_default();
        let below = rest.iter().take_while(|below| below.indent > line.indent).count();
        let children = range.start..range.start + below;
        work.push((range.start + below..range.end, shift_ns, number, parent));
        let Repeat { times, every_ns } = line.repeat.unwrap_or(Repeat { times: 1, every_ns: 0 });
        let first = spans.len();
        let mut copies = Vec::new();
        for copy in 0..times {
            let number = if line.repeat.is_some() { copy } else { number };
            let shift_ns = shift_ns + every_ns * copy as i64;
            copies.push((children.clone(), shift_ns, number, Some(first + copy as usize)));
            let mut span = moved(&line.span, shift_ns, number);
            if span.id == 0 {
                span.id = FIRST_ID + spans.len() as u64;
            }
            if span.parent == NOT_SAID {
                span.parent =
                    parent.and_then(|parent| spans.get(parent)).map_or(0, |parent| parent.id);
            }
            spans.push(span);
        }
        work.extend(copies.into_iter().rev());
    }
    spans
}

/// The parent of a span that follows from the lines.
const NOT_SAID: u64 = u64::MAX;

fn moved(span: &NotedSpan, shift_ns: i64, number: u64) -> NotedSpan {
    let mut span = span.clone();
    let events = span.events.iter_mut().map(|(_, time)| time);
    for time in events.chain([&mut span.start_ns, &mut span.end_ns]) {
        *time = if *time == 0 { 0 } else { time.saturating_add_signed(shift_ns) };
    }
    let number = number.to_string();
    span.name = span.name.replace("%i", &number);
    for (_, value) in &mut span.attributes {
        if let Noted::Text(text) = value {
            *text = text.replace("%i", &number);
        }
    }
    span
}

fn clock(text: &str) -> Result<(String, String, i64), String> {
    let (whose, ahead) = text.trim().split_once(' ').ok_or("a clock needs how far it is ahead")?;
    let (service, instance) = whose.split_once('/').unwrap_or((whose, ""));
    let ahead = ahead.trim();
    let (sign, ahead) = match ahead.strip_prefix('-') {
        Some(ahead) => (-1, ahead),
        None => (1, ahead.strip_prefix('+').unwrap_or(ahead)),
    };
    Ok((service.to_owned(), instance.to_owned(), sign * nanoseconds(ahead)?))
}

fn span(line: &str) -> Result<(NotedSpan, Option<Repeat>), String> {
    let mut tokens = tokens(line)?.into_iter();
    let mut next = |what: &str| tokens.next().ok_or(format!("no {what}"));
    let whose = next("service")?;
    let (service, instance) = whose.text.split_once('/').unwrap_or((&whose.text, ""));
    let mut span = NotedSpan {
        parent: NOT_SAID,
        service: service.to_owned(),
        instance: instance.to_owned(),
        name: next("name")?.text,
        kind: kind(&next("kind")?.text)?,
        ..NotedSpan::default()
    };
    let times = next("start..end")?.text;
    let (start, end) = times.split_once("..").ok_or(format!("{times:?} is not start..end"))?;
    (span.start_ns, span.end_ns) = (time(start)?, time(end)?);
    let mut repeat = None;
    for token in tokens {
        match token.value {
            Some(value) => span.attributes.push((token.text, value)),
            None => word(&token.text, &mut span, &mut repeat)?,
        }
    }
    Ok((span, repeat))
}

fn word(word: &str, span: &mut NotedSpan, repeat: &mut Option<Repeat>) -> Result<(), String> {
    let id = |text: &str| text.parse::<u64>().map_err(|_| format!("{text:?} is not an id"));
    if let Some(text) = word.strip_prefix('#') {
        span.id = id(text)?;
    } else if let Some(text) = word.strip_prefix('^') {
        span.parent = id(text)?;
    } else if let Some(text) = word.strip_prefix("->") {
        span.links.push(id(text)?);
    } else if let Some(text) = word.strip_prefix('!') {
        let (name, at) = text.split_once('@').ok_or("an event needs a time: !name@12")?;
        span.events.push((name.to_owned(), time(at)?));
    } else if let Some((times, every)) = word.strip_prefix('x').and_then(|t| t.split_once('/')) {
        let times = times.parse().map_err(|_| format!("{times:?} is not a number"))?;
        *repeat = Some(Repeat { times, every_ns: nanoseconds(every)? });
    } else {
        span.status = match word {
            "ok" => 1,
            "error" => 2,
            _ => return Err(format!("{word:?} means nothing")),
        };
    }
    Ok(())
}

fn kind(word: &str) -> Result<SpanKind, String> {
    Ok(match word {
        "-" => SpanKind::Unspecified,
        "internal" => SpanKind::Internal,
        "server" => SpanKind::Server,
        "client" => SpanKind::Client,
        "producer" => SpanKind::Producer,
        "consumer" => SpanKind::Consumer,
        _ => return Err(format!("{word:?} is not a kind")),
    })
}

/// A moment after the trace's start; 0 for `?`.
fn time(text: &str) -> Result<u64, String> {
    match text {
        "?" => Ok(0),
        text => Ok(EPOCH_NS.saturating_add(nanoseconds(text)?).max(0).cast_unsigned()),
    }
}

/// A length of time, milliseconds unless a unit is given.
fn nanoseconds(text: &str) -> Result<i64, String> {
    let units = [("ms", 1e6), ("us", 1e3), ("ns", 1.0), ("s", 1e9)];
    let unit = units.iter().find_map(|(unit, ns)| Some((text.strip_suffix(unit)?, *ns)));
    let (number, ns) = unit.unwrap_or((text, 1e6));
    let number: f64 = number.parse().map_err(|_| format!("{text:?} is not a time"))?;
    Ok((number * ns).round() as i64)
}

/// A word, or a key with its value.
struct Token {
    text: String,
    value: Option<Noted>,
}

fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        if rest.starts_with('"') {
            let (text, after) = quoted(rest)?;
            tokens.push(Token { text, value: None });
            rest = after.trim_start();
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        let Some(value) = after.strip_prefix('=') else {
            tokens.push(Token { text: text.to_owned(), value: None });
            rest = after.trim_start();
            continue;
        };
        let (value, after) = if value.starts_with('"') {
            let (value, after) = quoted(value)?;
            (Noted::Text(value), after)
        } else {
            let (value, after) =
                value.split_at(value.find(char::is_whitespace).unwrap_or(value.len()));
            (bare(value), after)
        };
        tokens.push(Token { text: text.to_owned(), value: Some(value) });
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// The text in quotes that a line begins with, and what follows; `\"` and `\\` stand for themselves, `\n` for a new line.
fn quoted(line: &str) -> Result<(String, &str), String> {
    let mut text = String::new();
    let mut chars = line.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((text, line.get(at + 1..).unwrap_or_default())),
            '\\' => match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, c)) => text.push(c),
                None => break,
            },
            c => text.push(c),
        }
    }
    Err(format!("{line:?} has no closing quote"))
}

fn bare(text: &str) -> Noted {
    match text {
        "true" => Noted::Bool(true),
        "false" => Noted::Bool(false),
        text => match (text.parse::<i64>(), text.contains('.').then(|| text.parse::<f64>())) {
            (Ok(value), _) => Noted::Int(value),
            (_, Some(Ok(value))) => Noted::Double(value),
            _ => Noted::Text(text.to_owned()),
        },
    }
}
