//! What names mean a secret value, and what values are none.

/// Names whose values are secret, as attribute, parameter or JSON key; `-` stands for `_` too.
pub(super) const SECRET_NAMES: &[&str] = &[
    "access-token",
    "accesskey",
    "api-key",
    "api-token",
    "apikey",
    "auth-token",
    "authtoken",
    "aws-secret-access-key",
    "client-secret",
    "id-token",
    "passphrase",
    "passwd",
    "password",
    "private-key",
    "private-token",
    "pwd",
    "refresh-token",
    "secret",
    "secret-key",
    "session-token",
    "token",
    "x-amz-security-token",
    "x-amz-signature",
    "x-api-key",
    "x-auth-token",
];

/// Names of attributes, mostly headers, whose values are secret as a whole.
pub(super) const SECRET_HEADERS: &[&str] =
    &["authorization", "cookie", "proxy-authorization", "set-cookie"];

/// Longest of all these names.
pub(super) const NAME_BYTES_MAX: usize = 24;

/// Whether a name stands in a list, whatever its case and whether it has `-` or `_`.
pub(super) fn contains_name(list: &[&str], name: &str) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    name.len() <= NAME_BYTES_MAX
        && list
            .iter()
            .any(|known| known.len() == name.len() && known.bytes().eq(name.bytes().map(plain)))
}

/// Whether a parameter or key of this name holds a secret: `db_password`, `X-Api-Key`, not `next_token`.
pub(super) fn is_secret_name(name: &str) -> bool {
    const ENDINGS: &[&str] =
        &["password", "passwd", "api-key", "apikey", "client-secret", "secret-key"];
    let ending = |known: &&&str| {
        let start = name.len().checked_sub(known.len());
        start.and_then(|start| name.get(start..)).is_some_and(|end| contains_name(&[known], end))
    };
    may_be_secret_name(name)
        && (contains_name(SECRET_NAMES, name) || ENDINGS.iter().any(|known| ending(&known)))
}

/// Whether a name ends as those do that mean a secret value, which most do not.
#[inline]
pub(in crate::forms) fn may_be_secret_name(name: &str) -> bool {
    let Some([last_but_one, last]) = name.as_bytes().last_chunk() else { return false };
    matches!(
        &[last_but_one.to_ascii_lowercase(), last.to_ascii_lowercase()],
        b"en" | b"ey" | b"se" | b"wd" | b"rd" | b"et" | b"re" | b"on" | b"ie"
    )
}

/// Placeholders, masks, and words that stand for a value.
pub(super) fn is_masked(value: &str) -> bool {
    const WORDS: &[&str] = &[
        "redacted",
        "masked",
        "hidden",
        "filtered",
        "removed",
        "null",
        "none",
        "nil",
        "true",
        "false",
        "undefined",
        "empty",
        "sanitized",
        "obfuscated",
        "omitted",
        "secret",
        "password",
    ];
    let value = value.trim();
    let Some(first) = value.chars().next() else { return true };
    // $1, ${PASSWORD}, :password, @p, %s, {password}, <password>, [FILTERED], $2b$10$...
    let is_placeholder = matches!(first, '$' | ':' | '@' | '%' | '{' | '<' | '[' | '?' | '(');
    let is_one_sign = value.chars().all(|ch| ch == first || ch == '.' || ch == '*')
        || value.bytes().all(|byte| matches!(byte, b'*' | b'x' | b'X' | b'.' | b'#' | b'-' | b'_'));
    let is_masked_end = value.ends_with("***") || value.ends_with("...") || value.ends_with('…');
    let is_marked = value.len() > 2 && value.starts_with('_') && value.ends_with('_');
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(value));
    is_placeholder || is_one_sign || is_masked_end || is_marked || is_word
}

/// Digests in hex are stored instead of secrets.
pub(super) fn is_hash(value: &str) -> bool {
    matches!(value.len(), 32 | 40 | 56 | 64 | 96 | 128)
        && value.bytes().all(|byte| byte.is_ascii_hexdigit())
        || value.starts_with("{SHA")
        || value.starts_with("sha256:")
        || value.starts_with("pbkdf2")
}
