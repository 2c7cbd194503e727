//! From a statement's text to pieces: tokens whose values are gone and whose spelling is settled.
//!
//! Second step of the [SQL form](super). Comments and white space end here; literals and parameters of every
//! style (`?`, `$1`, `:name`, `@p`, `%s`, `%(name)s`) become `?`, with their sign. The spelling of pieces and the
//! space between them ([`render`]) are such that reading a rendered form gives the same pieces.

use std::borrow::Cow;

use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Word};

use super::dialect::Dialect;
use super::keywords::{WordKind, kind_of};

/// What a piece is to the steps that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Keyword,
    Name,
    /// A name that stays in quotes.
    Quoted,
    /// A value or parameter: `?`.
    Literal,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Comma,
    Semicolon,
    Period,
    Colon,
    DoubleColon,
    At,
    Operator,
}

/// One token of a form.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) class: Class,
    pub(super) text: Cow<'static, str>,
    /// No space stood before it.
    is_glued: bool,
}

impl PartialEq for Piece {
    fn eq(&self, other: &Self) -> bool {
        self.class == other.class && self.text == other.text
    }
}

impl Piece {
    pub(super) fn is_keyword(&self, word: &str) -> bool {
        self.class == Class::Keyword && self.text == word
    }

    pub(super) fn is_name(&self) -> bool {
        matches!(self.class, Class::Name | Class::Quoted)
    }

    /// Whether an expression can end here, so that a sign after it is an operation.
    fn is_operand(&self) -> bool {
        use Class::{Close, CloseBracket, Literal};
        self.is_name() || matches!(self.class, Literal | Close | CloseBracket)
    }
}

/// Ends a form whose statement was cut.
pub(super) const CUT: &str = "…";

/// The pieces of a statement, and whether it ends before its time.
pub(super) fn read(text: &str, dialect: Dialect) -> (Vec<Piece>, bool) {
    let mut tokens: Vec<TokenWithSpan> = Vec::with_capacity(text.len() / 4 + 1);
    // On an error, mostly a string without end, what came before it is in the buffer.
    let result = Tokenizer::new(&dialect, text).tokenize_with_location_into_buf(&mut tokens);
    let mut reader = Reader {
        pieces: Vec::with_capacity(tokens.len()),
        dialect,
        is_glued: false,
        number: false,
    };
    for token in tokens {
        reader.add(token.token);
    }
    let mut pieces = reader.pieces;
    let mut is_cut = result.is_err();
    while pieces.last().is_some_and(|piece| piece.text == CUT) {
        pieces.pop();
        is_cut = true;
    }
    (pieces, is_cut)
}

struct Reader {
    pieces: Vec<Piece>,
    dialect: Dialect,
    /// The token to come follows the last one without space.
    is_glued: bool,
    /// The last piece was a number.
    number: bool,
}

impl Reader {
    fn add(&mut self, token: Token) {
        let was_number = std::mem::take(&mut self.number);
        match token {
            Token::EOF => {}
            Token::Whitespace(_) => {
                self.is_glued = false;
                return;
            }
            Token::Number(..) => {
                self.number = true;
                self.take_prefix(Class::Colon);
                self.literal();
            }
            Token::Word(word) => self.word(word, was_number),
            Token::LParen => self.open(),
            other => match plain(&other) {
                Some((Class::Literal, _)) => self.literal(),
                Some((class, text)) => self.push(class, Cow::Borrowed(text)),
                None => self.push(Class::Operator, Cow::Owned(other.to_string())),
            },
        }
        self.is_glued = true;
    }

    fn push(&mut self, class: Class, text: Cow<'static, str>) {
        if class == Class::Period
            && let Some(last) = self.pieces.last_mut()
            && last.class == Class::Keyword
        {
            // `order.id`: what a period follows is a name, whatever else it may be.
            last.class = Class::Name;
        }
        self.pieces.push(Piece { class, text, is_glued: self.is_glued });
    }

    fn piece(&self, from_end: usize) -> Option<&Piece> {
        self.pieces.get(self.pieces.len().checked_sub(from_end)?)
    }

    /// Adds a value; the sign before it belongs to it.
    fn literal(&mut self) {
        let is_sign = |piece: &Piece| {
            piece.class == Class::Operator && matches!(piece.text.as_ref(), "-" | "+")
        };
        while self.piece(1).is_some_and(is_sign) && !self.piece(2).is_some_and(Piece::is_operand) {
            self.pieces.pop();
        }
        self.push(Class::Literal, Cow::Borrowed("?"));
    }

    /// Takes off the `:` or `@` that makes a parameter of what is glued to it, unless it joins two operands.
    fn take_prefix(&mut self, prefix: Class) -> bool {
        let is_prefix = self.is_glued
            && self.piece(1).is_some_and(|piece| piece.class == prefix)
            && !(self.piece(1).is_some_and(|piece| piece.is_glued)
                && self.piece(2).is_some_and(Piece::is_operand));
        if is_prefix {
            self.pieces.pop();
        }
        is_prefix
    }

    fn word(&mut self, word: Word, was_number: bool) {
        if word.quote_style.is_some() {
            let (class, text) = quoted(word.value, self.dialect);
            return self.push(class, text);
        }
        if self.is_glued && self.absorbed(&word.value, was_number) {
            return;
        }
        let after_period = self.piece(1).is_some_and(|piece| piece.class == Class::Period);
        match kind_of(&word.value) {
            WordKind::Keyword(keyword) if !after_period => self.keyword(keyword),
            _ => self.push(Class::Name, Cow::Owned(word.value)),
        }
    }

    fn keyword(&mut self, keyword: &'static str) {
        let is_value = match keyword {
            "NULL" | "TRUE" | "FALSE" => {
                let is_tested = |piece: &Piece| piece.is_keyword("IS") || piece.is_keyword("NOT");
                !self.piece(1).is_some_and(is_tested)
            }
            _ => false,
        };
        if is_value { self.literal() } else { self.push(Class::Keyword, Cow::Borrowed(keyword)) }
    }

    /// Whether a word glued to what came before is part of it: a parameter, a unit, a variable.
    fn absorbed(&mut self, word: &str, was_number: bool) -> bool {
        if self.take_prefix(Class::At) || self.take_prefix(Class::Colon) {
            self.literal();
            return true;
        }
        if was_number && word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return true;
        }
        let Some(last) = self.pieces.last_mut() else { return false };
        if matches!(last.text.as_ref(), "@@" | "#") {
            last.class = Class::Name;
            last.text = Cow::Owned(format!("{}{word}", last.text));
            return true;
        }
        matches!(word, "s" | "d") && self.percent_parameter()
    }

    /// Turns `%s` and `%(name)s` into a value, unless `%` divides.
    fn percent_parameter(&mut self) -> bool {
        let is_percent = |piece: Option<&Piece>| piece.is_some_and(|piece| piece.text == "%");
        let pieces_of_it = if is_percent(self.piece(1)) {
            1
        } else if is_percent(self.piece(4))
            && self.piece(3).is_some_and(|piece| piece.class == Class::Open)
            && self.piece(1).is_some_and(|piece| piece.class == Class::Close)
        {
            4
        } else {
            return false;
        };
        if self.piece(pieces_of_it + 1).is_some_and(Piece::is_operand) {
            return false;
        }
        self.pieces.truncate(self.pieces.len().saturating_sub(pieces_of_it));
        self.literal();
        true
    }

    fn open(&mut self) {
        if let Some(last) = self.pieces.last_mut()
            && last.class == Class::Name
            && let WordKind::Function(name) = kind_of(&last.text)
        {
            last.text = Cow::Borrowed(name);
        }
        self.push(Class::Open, Cow::Borrowed("("));
    }
}

/// Tokens whose piece is always the same.
fn plain(token: &Token) -> Option<(Class, &'static str)> {
    use Token::*;
    Some(match token {
        SingleQuotedString(_)
        | DoubleQuotedString(_)
        | TripleSingleQuotedString(_)
        | TripleDoubleQuotedString(_)
        | DollarQuotedString(_)
        | SingleQuotedByteStringLiteral(_)
        | DoubleQuotedByteStringLiteral(_)
        | TripleSingleQuotedByteStringLiteral(_)
        | TripleDoubleQuotedByteStringLiteral(_)
        | SingleQuotedRawStringLiteral(_)
        | DoubleQuotedRawStringLiteral(_)
        | TripleSingleQuotedRawStringLiteral(_)
        | TripleDoubleQuotedRawStringLiteral(_)
        | NationalStringLiteral(_)
        | QuoteDelimitedStringLiteral(_)
        | NationalQuoteDelimitedStringLiteral(_)
        | EscapedStringLiteral(_)
        | UnicodeStringLiteral(_)
        | HexStringLiteral(_)
        | Placeholder(_)
        | Question => (Class::Literal, "?"),
        RParen => (Class::Close, ")"),
        LBracket => (Class::OpenBracket, "["),
        RBracket => (Class::CloseBracket, "]"),
        Comma => (Class::Comma, ","),
        SemiColon => (Class::Semicolon, ";"),
        Period => (Class::Period, "."),
        Colon => (Class::Colon, ":"),
        DoubleColon => (Class::DoubleColon, "::"),
        AtSign => (Class::At, "@"),
        AtAt => (Class::Operator, "@@"),
        Sharp => (Class::Operator, "#"),
        Eq => (Class::Operator, "="),
        Neq => (Class::Operator, "<>"),
        Lt => (Class::Operator, "<"),
        Gt => (Class::Operator, ">"),
        LtEq => (Class::Operator, "<="),
        GtEq => (Class::Operator, ">="),
        Plus => (Class::Operator, "+"),
        Minus => (Class::Operator, "-"),
        Mul => (Class::Operator, "*"),
        Div => (Class::Operator, "/"),
        Mod => (Class::Operator, "%"),
        StringConcat => (Class::Operator, "||"),
        _ => return None,
    })
}

/// A quoted name: bare where that reads the same, else in the dialect's quotes.
fn quoted(name: String, dialect: Dialect) -> (Class, Cow<'static, str>) {
    let is_bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
        && kind_of(&name) == WordKind::Name;
    if is_bare {
        return (Class::Name, Cow::Owned(name));
    }
    let quote = dialect.quote();
    let mut text = String::with_capacity(name.len() + 2);
    text.push(quote);
    for ch in name.chars() {
        text.push(ch);
        if ch == quote {
            text.push(ch);
        }
    }
    text.push(quote);
    (Class::Quoted, Cow::Owned(text))
}

/// Bytes of the form these pieces make.
pub(super) fn rendered_bytes(pieces: &[Piece]) -> usize {
    let spaces = (1..pieces.len()).filter(|at| !is_tight(pieces, *at)).count();
    spaces + pieces.iter().map(|piece| piece.text.len()).sum::<usize>()
}

/// Writes pieces with the space that belongs between them.
pub(super) fn render(pieces: &[Piece], is_cut: bool) -> String {
    let mut form = String::with_capacity(rendered_bytes(pieces) + CUT.len() + 1);
    for (at, piece) in pieces.iter().enumerate() {
        if at > 0 && !is_tight(pieces, at) {
            form.push(' ');
        }
        form.push_str(&piece.text);
    }
    if is_cut {
        if !form.is_empty() {
            form.push(' ');
        }
        form.push_str(CUT);
    }
    form
}

/// Whether no space stands before piece `at`.
///
/// Pieces stand together only where they cannot be read as one token.
fn is_tight(pieces: &[Piece], at: usize) -> bool {
    use Class::*;
    let before = |n: usize| pieces.get(at.checked_sub(n)?);
    let (Some(left), Some(right)) = (before(1), pieces.get(at)) else { return false };
    match (left.class, right.class) {
        (_, Comma | Semicolon | Close | CloseBracket) | (Open | OpenBracket, _) => true,
        (Name | Quoted, Open) => true,
        (Name | Quoted | Close | CloseBracket, OpenBracket) => true,
        (_, OpenBracket) => left.text == "ARRAY",
        (Name | Quoted, Period) => pieces.get(at + 1).is_some_and(follows_period),
        (Period, _) => before(2).is_some_and(Piece::is_name) && follows_period(right),
        (Name | Quoted | Literal | Close | CloseBracket, DoubleColon) => true,
        (DoubleColon, Name | Quoted | Keyword) => true,
        _ => false,
    }
}

fn follows_period(piece: &Piece) -> bool {
    piece.is_name() || piece.text == "*"
}
