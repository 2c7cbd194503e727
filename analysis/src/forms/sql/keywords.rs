//! Words that are written in capitals and told from names.
//!
//! Short on purpose: the tokenizer's own list holds a thousand words, among them `name`, `user` and
//! `date`, which are mostly columns. Sorted, for binary search.

/// Words that begin clauses, join conditions or stand between expressions.
const KEYWORDS: &[&str] = &[
    "ALL",
    "ALTER",
    "ANALYZE",
    "AND",
    "ANY",
    "APPLY",
    "ARRAY",
    "AS",
    "ASC",
    "BATCH",
    "BEGIN",
    "BETWEEN",
    "BY",
    "CALL",
    "CASE",
    "COMMIT",
    "CONFLICT",
    "CREATE",
    "CROSS",
    "DELETE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DO",
    "DROP",
    "DUPLICATE",
    "ELSE",
    "END",
    "EXCEPT",
    "EXEC",
    "EXECUTE",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FETCH",
    "FILTERING",
    "FOR",
    "FROM",
    "FULL",
    "GRANT",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INDEX",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "ISNULL",
    "JOIN",
    "KEY",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOCK",
    "MERGE",
    "NATURAL",
    "NOT",
    "NOTHING",
    "NOTNULL",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PRAGMA",
    "PREPARE",
    "RECURSIVE",
    "RELEASE",
    "REPLACE",
    "RETURNING",
    "REVOKE",
    "RIGHT",
    "ROLLBACK",
    "ROWS",
    "SAVEPOINT",
    "SELECT",
    "SET",
    "SHOW",
    "START",
    "TABLE",
    "THEN",
    "TOP",
    "TRANSACTION",
    "TRUE",
    "TRUNCATE",
    "UNION",
    "UPDATE",
    "UPSERT",
    "USE",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Functions everybody writes in either case; no space before their parenthesis.
const FUNCTIONS: &[&str] = &[
    "AVG",
    "CAST",
    "COALESCE",
    "CONCAT",
    "COUNT",
    "LOWER",
    "MAX",
    "MIN",
    "NOW",
    "ROUND",
    "SUBSTR",
    "SUBSTRING",
    "SUM",
    "TRIM",
    "UPPER",
];

/// Longest word of both lists.
const BYTES_MAX: usize = 11;

/// What an unquoted word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WordKind {
    /// A keyword, with its spelling in capitals.
    Keyword(&'static str),
    /// A function, with its spelling in capitals.
    Function(&'static str),
    /// Anything else.
    Name,
}

/// Looks a word up, whatever its case.
pub(super) fn kind_of(word: &str) -> WordKind {
    if word.len() > BYTES_MAX {
        return WordKind::Name;
    }
    if let Some(found) = find(KEYWORDS, word) {
        WordKind::Keyword(found)
    } else if let Some(found) = find(FUNCTIONS, word) {
        WordKind::Function(found)
    } else {
        WordKind::Name
    }
}

fn find(list: &[&'static str], word: &str) -> Option<&'static str> {
    let upper = |byte: &u8| byte.to_ascii_uppercase();
    let at = list.binary_search_by(|known| known.bytes().cmp(word.as_bytes().iter().map(upper)));
    list.get(at.ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_and_within_the_length() {
        for list in [KEYWORDS, FUNCTIONS] {
            assert!(list.is_sorted());
            assert!(list.iter().all(|word| word.len() <= BYTES_MAX));
        }
        assert_eq!(kind_of("transAction"), WordKind::Keyword("TRANSACTION"));
        assert_eq!(kind_of("user"), WordKind::Name);
    }
}
