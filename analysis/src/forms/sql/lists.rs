//! Lists whose length says nothing: `IN` lists, rows of `VALUES`, arrays, batches of statements.
//!
//! Third step of the [SQL form](super). In a list an element equal to the one before it falls away, so
//! `IN (?, ?, ?)` is `IN (?)` and a thousand inserted rows are one. One pass; every piece is compared at most
//! once for each list it stands in, and only lists within lists repeat that.

use std::ops::Range;

use super::pieces::{Class, Piece};

/// An open parenthesis, bracket or list.
struct Level {
    kind: LevelKind,
    /// Where the current element begins.
    element_start: usize,
    /// The last finished element.
    previous: Option<Range<usize>>,
}

#[derive(PartialEq, Eq)]
enum LevelKind {
    /// The statements of a batch, parted by `;`.
    Statements,
    /// After `VALUES`: rows, parted by `,`.
    Rows,
    /// In `IN (...)` or `[...]`.
    List,
    /// In any other parenthesis.
    Other,
}

/// Folds repeated elements; of a cut statement the unfinished element of a list falls away as well.
pub(super) fn fold(pieces: impl IntoIterator<Item = Piece>, is_cut: bool) -> Vec<Piece> {
    let statements = Level { kind: LevelKind::Statements, element_start: 0, previous: None };
    let mut folder = Folder { out: Vec::new(), levels: vec![statements] };
    for piece in pieces {
        folder.add(piece);
    }
    if is_cut {
        folder.drop_unfinished()
    } else {
        folder.finish()
    }
    folder.out
}

struct Folder {
    out: Vec<Piece>,
    levels: Vec<Level>,
}

impl Folder {
    fn add(&mut self, piece: Piece) {
        self.leave_rows(&piece);
        match piece.class {
            Class::Open | Class::OpenBracket => self.open(piece),
            Class::Close | Class::CloseBracket => self.close(piece),
            Class::Comma if self.is_in(&[LevelKind::Rows, LevelKind::List]) => {
                self.end_element();
                self.separate(piece);
            }
            Class::Semicolon if self.is_in(&[LevelKind::Statements]) => {
                self.end_element();
                // An empty statement has nothing to part it from.
                if self.out.last().is_some_and(|last| last.class != Class::Semicolon) {
                    self.separate(piece);
                }
            }
            _ => {
                let begins_rows = piece.is_keyword("VALUES");
                self.push(piece);
                if begins_rows {
                    self.enter(LevelKind::Rows);
                }
            }
        }
    }

    fn is_in(&self, kinds: &[LevelKind]) -> bool {
        self.levels.last().is_some_and(|level| kinds.contains(&level.kind))
    }

    fn enter(&mut self, kind: LevelKind) {
        self.levels.push(Level { kind, element_start: self.out.len(), previous: None });
    }

    fn push(&mut self, piece: Piece) {
        if let Some(level) = self.levels.last_mut()
            && level.kind == LevelKind::List
            && level.element_start == self.out.len()
            && (piece.is_keyword("SELECT") || piece.is_keyword("WITH"))
        {
            // A query's columns are no list.
            level.kind = LevelKind::Other;
        }
        self.out.push(piece);
    }

    /// Ends the rows of `VALUES` where something else follows them.
    fn leave_rows(&mut self, piece: &Piece) {
        let Some(level) = self.levels.last() else { return };
        if level.kind != LevelKind::Rows {
            return;
        }
        let at_element_start = level.element_start == self.out.len();
        let goes_on = if at_element_start {
            matches!(piece.class, Class::Open | Class::Literal)
        } else {
            piece.class == Class::Comma
        };
        if !goes_on {
            self.end_element();
            self.levels.pop();
        }
    }

    fn open(&mut self, piece: Piece) {
        let is_list = piece.class == Class::OpenBracket
            || self.out.last().is_some_and(|last| last.is_keyword("IN"));
        self.out.push(piece);
        self.enter(if is_list { LevelKind::List } else { LevelKind::Other });
    }

    fn close(&mut self, piece: Piece) {
        if self.is_in(&[LevelKind::List]) {
            self.end_element();
        }
        // One that was never opened closes nothing.
        if !self.is_in(&[LevelKind::Statements]) {
            self.levels.pop();
        }
        self.out.push(piece);
    }

    fn separate(&mut self, separator: Piece) {
        self.out.push(separator);
        if let Some(level) = self.levels.last_mut() {
            level.element_start = self.out.len();
        }
    }

    /// Keeps the current element unless it repeats the one before.
    fn end_element(&mut self) {
        let end = self.out.len();
        let Some(level) = self.levels.last_mut() else { return };
        let current = level.element_start..end;
        let repeats = level.previous.clone().is_some_and(|previous| {
            self.out.get(previous).is_some_and(|held| self.out.get(current.clone()) == Some(held))
        });
        match &level.previous {
            Some(previous) if repeats => {
                // The separator between them goes as well.
                self.out.truncate(previous.end);
                level.element_start = previous.start;
            }
            _ if !current.is_empty() => level.previous = Some(current),
            _ => {}
        }
    }

    /// At a proper end: the last statement may repeat the one before, and needs no `;`.
    fn finish(&mut self) {
        while self.levels.len() > 1 {
            if self.is_in(&[LevelKind::Rows]) {
                self.end_element();
            } else {
                // A parenthesis is open: what is in it belongs to no finished statement.
                return;
            }
            self.levels.pop();
        }
        self.end_element();
        if self.out.last().is_some_and(|last| last.class == Class::Semicolon) {
            self.out.pop();
        }
    }

    /// At a cut: in the outermost open list, what follows its last separator is left out.
    fn drop_unfinished(&mut self) {
        let is_list = |level: &&Level| matches!(level.kind, LevelKind::Rows | LevelKind::List);
        let in_list = self.levels.iter().filter(is_list);
        if let Some(level) = in_list.into_iter().find(|level| level.previous.is_some()) {
            self.out.truncate(level.element_start);
        }
    }
}
