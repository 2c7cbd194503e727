//! A statement's form and what it does.
//!
//! Last step of the [SQL form](super): limits, the verb, the main table, whether it writes, and whether
//! it is housekeeping of the connection rather than work.

use super::dialect::Dialect;
use super::lists::fold;
use super::pieces::{CUT, Class, Piece, read, render, rendered_bytes};
use crate::forms::call::Effect;
use crate::forms::path::uuid_at;

/// Longer statements are formed from their first bytes, and their forms end in `…`.
///
/// 16 KiB hold any statement people write; what is longer is generated lists, which say nothing after their
/// first elements.
pub const STATEMENT_BYTES_MAX: usize = 16 << 10;

/// Longer forms end after a whole token, and in `…`.
pub const TEMPLATE_BYTES_MAX: usize = 4 << 10;

/// Longest verb that is told.
const VERB_BYTES_MAX: usize = 24;

/// The normal form of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// The form: `SELECT * FROM users WHERE id = ?`; at most [`TEMPLATE_BYTES_MAX`] bytes.
    pub template: String,
    /// The verb in capitals: `SELECT`; empty where there is none.
    pub operation: String,
    /// The main table as written, or the procedure called; empty where there is none.
    pub table: String,
    /// Whether it writes.
    pub effect: Effect,
    /// A ping, transaction or session statement.
    pub is_housekeeping: bool,
}

impl Statement {
    /// Forms a statement; any text has a form, and the form of a form is itself.
    pub fn of(text: &str, dialect: Dialect) -> Self {
        let (kept, is_long) = cut_at(text, STATEMENT_BYTES_MAX);
        let kept = without_uuids(kept);
        let (mut pieces, mut is_cut) = read(&kept, dialect);
        if is_long {
            // It may be half a word or number.
            pieces.pop();
            is_cut = true;
        }
        let mut pieces = fold(pieces, is_cut);
        if rendered_bytes(&pieces) > TEMPLATE_BYTES_MAX - CUT.len() - 1 {
            shorten(&mut pieces);
            is_cut = true;
            pieces = fold(pieces, is_cut);
        }
        let mut found = None;
        for statement in pieces.split(|piece| piece.class == Class::Semicolon) {
            let reading = Reading::of(statement);
            let is_work = !reading.is_housekeeping;
            if found.is_none() || is_work {
                found = Some(reading);
            }
            if is_work {
                break;
            }
        }
        let Reading { operation, table, effect, is_housekeeping } = found.unwrap_or_default();
        Self { template: render(&pieces, is_cut), operation, table, effect, is_housekeeping }
    }
}

/// The text up to a limit, and whether there was more.
pub(in crate::forms) fn cut_at(text: &str, bytes_max: usize) -> (&str, bool) {
    if text.len() <= bytes_max {
        return (text, false);
    }
    let end = (0..=bytes_max).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    (text.get(..end).unwrap_or_default(), true)
}

/// Replaces UUIDs, which Cassandra writes without quotes and tokenizers take to pieces.
fn without_uuids(text: &str) -> std::borrow::Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(dash) = text.get(from..).and_then(|rest| rest.find('-')) {
        let dash = from + dash;
        from = dash + 1;
        let Some(uuid) = dash.checked_sub(8).and_then(|start| uuid_at(text, start)) else {
            continue;
        };
        if uuid.start >= copied {
            out.push_str(text.get(copied..uuid.start).unwrap_or_default());
            out.push('?');
            copied = uuid.end;
            from = uuid.end;
        }
    }
    if copied == 0 {
        return text.into();
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out.into()
}

/// Leaves out pieces at the end until the form fits with its `…`.
fn shorten(pieces: &mut Vec<Piece>) {
    let room = TEMPLATE_BYTES_MAX - CUT.len() - 1;
    let mut bytes = 0;
    let fits = pieces.iter().take_while(|piece| {
        // A space each is more than it takes, so one pass is enough.
        bytes += piece.text.len() + 1;
        bytes <= room
    });
    let kept = fits.count();
    pieces.truncate(kept);
}

/// What one statement of a batch does.
#[derive(Default)]
struct Reading {
    operation: String,
    table: String,
    effect: Effect,
    is_housekeeping: bool,
}

impl Reading {
    fn of(pieces: &[Piece]) -> Self {
        let is_word = |piece: &Piece| matches!(piece.class, Class::Keyword | Class::Name);
        let Some(first) = pieces.iter().position(is_word) else { return Self::default() };
        let pieces = pieces.get(first..).unwrap_or_default();
        let verb = verb_of(pieces);
        let operation =
            if verb.len() <= VERB_BYTES_MAX { verb.to_ascii_uppercase() } else { String::new() };
        let table = match operation.as_str() {
            _ if sequence_of(pieces).is_some() => sequence_of(pieces).unwrap_or_default(),
            "CALL" | "EXEC" | "EXECUTE" => pieces.get(1..).map(dotted).unwrap_or_default(),
            _ => main_table(pieces),
        };
        let is_housekeeping = is_housekeeping(&operation, pieces, &table);
        Self { effect: effect_of(&operation, pieces), operation, table, is_housekeeping }
    }
}

/// The word that says what the statement does.
fn verb_of(pieces: &[Piece]) -> &str {
    let first = pieces.first().map_or("", |piece| piece.text.as_ref());
    let batch = pieces.iter().take(3).find(|piece| piece.is_keyword("BATCH"));
    if let Some(batch) = batch {
        return &batch.text;
    }
    if first != "WITH" {
        return first;
    }
    let mut depth = 0_usize;
    for piece in pieces {
        match piece.class {
            Class::Open => depth += 1,
            Class::Close => depth = depth.saturating_sub(1),
            Class::Keyword if depth == 0 => {
                if let "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" = piece.text.as_ref() {
                    return &piece.text;
                }
            }
            _ => {}
        }
    }
    first
}

/// The sequence of `NEXT VALUE FOR ids`.
fn sequence_of(pieces: &[Piece]) -> Option<String> {
    let is_next = |window: &[Piece]| {
        let words = ["next", "value", "for"];
        window.iter().zip(words).all(|(piece, word)| piece.text.eq_ignore_ascii_case(word))
    };
    let at = pieces.windows(3).take(8).position(is_next)?;
    pieces.get(at + 3..).map(dotted)
}

/// The first table named outside parentheses, or else within them.
fn main_table(pieces: &[Piece]) -> String {
    let mut depth = 0_usize;
    let mut within = None;
    for (at, piece) in pieces.iter().enumerate() {
        match piece.class {
            Class::Open => depth += 1,
            Class::Close => depth = depth.saturating_sub(1),
            Class::Keyword => {
                if let "FROM" | "INTO" | "UPDATE" | "TABLE" | "TRUNCATE" = piece.text.as_ref() {
                    let after = pieces.get(at + 1..).unwrap_or_default();
                    let skipped = ["only", "if", "exists", "not", "ignore", "lateral"];
                    let is_skipped = |piece: &&Piece| {
                        skipped.iter().any(|word| piece.text.eq_ignore_ascii_case(word))
                    };
                    let skip = after.iter().take_while(is_skipped).count();
                    let table = dotted(after.get(skip..).unwrap_or_default());
                    if !table.is_empty() && depth == 0 {
                        return table;
                    }
                    if !table.is_empty() {
                        within.get_or_insert(table);
                    }
                }
            }
            _ => {}
        }
    }
    within.unwrap_or_default()
}

/// A name and the names joined to it by periods, where one begins.
fn dotted(pieces: &[Piece]) -> String {
    let mut name = String::new();
    let mut wants_name = true;
    for piece in pieces {
        let fits = if wants_name { piece.is_name() } else { piece.class == Class::Period };
        if !fits {
            break;
        }
        name.push_str(&piece.text);
        wants_name = !wants_name;
    }
    name
}

fn effect_of(operation: &str, pieces: &[Piece]) -> Effect {
    // PostgreSQL writes in WITH: `WITH gone AS (DELETE ...) SELECT ...`.
    let writes_within = pieces.windows(2).any(|pair| match pair {
        [before, piece] => {
            before.class == Class::Open
                && piece.class == Class::Keyword
                && matches!(piece.text.as_ref(), "INSERT" | "UPDATE" | "DELETE" | "MERGE")
        }
        _ => false,
    });
    match operation {
        _ if writes_within => Effect::Write,
        "SELECT" | "SHOW" | "EXPLAIN" | "DESCRIBE" | "DESC" | "VALUES" | "TABLE" | "FETCH" => {
            Effect::Read
        }
        "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "REPLACE" | "UPSERT" | "BATCH" | "CREATE"
        | "DROP" | "ALTER" | "TRUNCATE" | "GRANT" | "REVOKE" | "COPY" | "LOAD" => Effect::Write,
        _ => Effect::Unknown,
    }
}

/// Pings, transactions, and statements about the session.
fn is_housekeeping(operation: &str, pieces: &[Piece], table: &str) -> bool {
    match operation {
        "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "SET" | "USE" | "PING" | "DISCARD"
        | "DEALLOCATE" | "RESET" | "PRAGMA" | "ABORT" | "SHOW" => true,
        "START" => pieces.get(1).is_some_and(|piece| piece.is_keyword("TRANSACTION")),
        // `BEGIN` also begins blocks of procedural code, which work.
        "BEGIN" | "END" => pieces.iter().skip(1).all(|piece| {
            let words = ["transaction", "tran", "work", "isolation", "level", "read", "write"];
            let modes = ["only", "committed", "deferred", "immediate", "exclusive"];
            words.iter().chain(&modes).any(|word| piece.text.eq_ignore_ascii_case(word))
        }),
        "SELECT" | "VALUES" => {
            let is_nowhere = table.is_empty()
                || ["dual", "sysibm.sysdummy1"].iter().any(|name| table.eq_ignore_ascii_case(name));
            let is_alias = |at: usize| pieces.get(at).is_some_and(|before| before.is_keyword("AS"));
            let mut columns = pieces.iter().enumerate().skip(1);
            is_nowhere
                && columns.all(|(at, piece)| is_about_session(piece, table) || is_alias(at - 1))
        }
        _ => false,
    }
}

/// Whether a piece may stand in `SELECT 1`, `SELECT version()` or `SELECT @@autocommit`.
fn is_about_session(piece: &Piece, table: &str) -> bool {
    const FUNCTIONS: &[&str] = &[
        "version",
        "current_schema",
        "current_database",
        "current_user",
        "session_user",
        "database",
        "schema",
        "connection_id",
        "pg_backend_pid",
        "pg_is_in_recovery",
        "sysdate",
        "sqlite_version",
    ];
    match piece.class {
        Class::Name | Class::Quoted => {
            piece.text.starts_with("@@")
                || table.split('.').any(|part| part == piece.text)
                || FUNCTIONS.iter().any(|name| piece.text.eq_ignore_ascii_case(name))
        }
        Class::Keyword => matches!(piece.text.as_ref(), "FROM" | "AS"),
        Class::Literal | Class::Open | Class::Close | Class::Comma | Class::Period => true,
        _ => false,
    }
}
