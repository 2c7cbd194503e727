//! How SQL is spelt by the database at hand, for sqlparser's tokenizer.
//!
//! First step of the [SQL form](super). The dialects of sqlparser decide much that only parsers need, and
//! read `?` as an operator for PostgreSQL where drivers mean a parameter; these read identifiers, strings
//! and comments rightly and leave the rest alone.

use std::any::TypeId;

use sqlparser::dialect::{Dialect as SqlparserDialect, GenericDialect, MySqlDialect};

/// A family of databases that spell SQL alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Unknown or standard: `"x"` and `` `x` `` are identifiers, comments nest.
    Standard,
    /// MySQL, MariaDB, BigQuery, ClickHouse, Spark and Hive: `"x"` is a string, `\` escapes, `#` begins a comment.
    MySql,
    /// SQL Server and SQLite: `[x]` is an identifier.
    Brackets,
    /// Oracle: `q'[...]'` is a string.
    Oracle,
}

impl Dialect {
    /// The dialect of a `db.system.name` or `db.system`.
    pub fn of(system: &str) -> Self {
        match system {
            "mysql" | "mariadb" | "gcp.bigquery" | "bigquery" | "clickhouse" | "spark" | "hive"
            | "databricks" | "tidb" => Self::MySql,
            "mssql" | "microsoft.sql_server" | "azure.sql" | "sqlite" | "sybase" => Self::Brackets,
            "oracle" | "oracle.db" => Self::Oracle,
            _ => Self::Standard,
        }
    }

    /// The quote around identifiers that need one.
    pub(super) fn quote(self) -> char {
        if self == Self::MySql { '`' } else { '"' }
    }
}

impl SqlparserDialect for Dialect {
    fn dialect(&self) -> TypeId {
        // The tokenizer asks by type for what it has no method for: `#` comments, `b''` strings.
        match self {
            Self::MySql => TypeId::of::<MySqlDialect>(),
            _ => TypeId::of::<GenericDialect>(),
        }
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        match ch {
            '`' => true,
            '"' => *self != Self::MySql,
            '[' => *self == Self::Brackets,
            _ => false,
        }
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || matches!(ch, '_' | '$') || (ch == '#' && *self == Self::Oracle)
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        *self == Self::MySql
    }

    fn supports_string_escape_constant(&self) -> bool {
        *self == Self::Standard
    }

    fn supports_unicode_string_literal(&self) -> bool {
        *self == Self::Standard
    }

    fn supports_quote_delimited_string(&self) -> bool {
        *self == Self::Oracle
    }

    fn supports_nested_comments(&self) -> bool {
        matches!(self, Self::Standard | Self::Brackets)
    }

    fn supports_numeric_literal_underscores(&self) -> bool {
        true
    }
}
