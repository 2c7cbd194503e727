//! Credentials in attribute values: where they stand, never what they are.
//!
//! For the detector `secret_in_span`, beside [forming](super). Finds passwords in URLs and parameters, bearer
//! and basic credentials, cloud and service keys, JSON web tokens and private keys. What is masked, a
//! placeholder, a hash or an id is no secret: better to miss one than to cry wolf over `password = ?`. One
//! pass; every look ahead ends where the next one begins or is bounded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use super::recent::Recent;
use super::sql::cut_at;

/// Longer values are searched up to here.
pub const SECRET_BYTES_MAX: usize = 64 << 10;

/// At most so many are told of one value.
pub const SECRETS_PER_VALUE_MAX: usize = 8;

/// How far a password, token or key is followed; of longer ones the site ends early.
const TOKEN_BYTES_MAX: usize = 1024;

/// Values that a scanner remembers as clean.
const CLEAN_MAX: usize = 16_384;

/// What kind of secret was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// `https://user:password@host`
    UrlPassword,
    /// `password=...`, `"client_secret": "..."`, `IDENTIFIED BY '...'`
    Password,
    /// `Bearer ...`
    BearerToken,
    /// `Basic ...`
    BasicCredentials,
    /// An AWS access key id.
    AwsAccessKey,
    /// A JSON web token.
    Jwt,
    /// A PEM private key.
    PrivateKey,
    /// A key of a known service, by its prefix: GitHub, GitLab, Slack, Stripe, Google and others.
    ServiceKey,
    /// An attribute whose name says that its value is secret: an authorization or cookie header, `db.password`.
    NamedAttribute,
}

/// Where a secret stands in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretSite {
    /// Its kind.
    pub kind: SecretKind,
    /// First byte of the secret.
    pub start_idx: usize,
    /// One past its last byte.
    pub end_idx: usize,
}

/// Names whose values are secret, as attribute, parameter or JSON key; `-` stands for `_` too.
const SECRET_NAMES: &[&str] = &[
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
const SECRET_HEADERS: &[&str] = &["authorization", "cookie", "proxy-authorization", "set-cookie"];

/// Longest of all these names.
const NAME_BYTES_MAX: usize = 24;

/// What keys of known services begin with, and how many characters follow at least.
const PREFIXES: &[(&str, usize)] = &[
    ("AIza", 35),
    ("SG.", 40),
    ("dop_v1_", 40),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("ghu_", 30),
    ("ghr_", 30),
    ("github_pat_", 40),
    ("glpat-", 20),
    ("hvs.", 24),
    ("npm_", 36),
    ("rk_live_", 16),
    ("shpat_", 32),
    ("sk-", 32),
    ("sk_live_", 16),
    ("whsec_", 24),
    ("xoxa-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxs-", 20),
];

/// Searches values and remembers those that are clean, since values repeat.
#[derive(Debug)]
pub struct SecretScanner {
    clean: Recent<()>,
}

impl Default for SecretScanner {
    fn default() -> Self {
        Self { clean: Recent::new(CLEAN_MAX) }
    }
}

impl SecretScanner {
    /// The secrets in an attribute's value, as [`find_secrets`].
    pub fn find(&mut self, key: &str, value: &str) -> Vec<SecretSite> {
        let (value, _) = cut_at(value, SECRET_BYTES_MAX);
        if value.len() < 4 {
            return Vec::new();
        }
        let hash = xxh3_128_with_seed(value.as_bytes(), xxh3_64(key.as_bytes()));
        if self.clean.find(hash).is_some() {
            return Vec::new();
        }
        let found = find_secrets(key, value);
        if found.is_empty() {
            self.clean.insert(hash, ());
        }
        found
    }
}

/// The secrets in an attribute's value, in order; where one holds another, the more telling kind.
pub fn find_secrets(key: &str, value: &str) -> Vec<SecretSite> {
    let (value, _) = cut_at(value, SECRET_BYTES_MAX);
    let mut finder = Finder { text: value, bytes: value.as_bytes(), found: Vec::new(), at: 0 };
    finder.search();
    if finder.found.is_empty() {
        finder.whole_value(key);
    }
    finder.found
}

struct Finder<'a> {
    text: &'a str,
    bytes: &'a [u8],
    found: Vec<SecretSite>,
    /// What lies before it has been looked at.
    at: usize,
}

impl Finder<'_> {
    fn search(&mut self) {
        let mut is_in_word = false;
        while let Some(byte) = self.bytes.get(self.at).copied() {
            if self.found.len() >= SECRETS_PER_VALUE_MAX {
                return;
            }
            let before = self.found.len();
            match byte {
                b'=' => self.parameter(),
                b':' => {
                    self.url();
                    self.parameter();
                }
                b'\'' => self.identified_by(),
                b'-' if !is_in_word => self.private_key(),
                b'b' | b'B' | b'A' | b'e' | b'g' | b'x' | b's' | b'r' | b'n' | b'S' | b'd'
                | b'h' | b'w'
                    if !is_in_word =>
                {
                    self.token();
                }
                _ => {}
            }
            is_in_word = byte.is_ascii_alphanumeric() || byte == b'_';
            self.at = match self.found.last() {
                Some(site) if self.found.len() > before => site.end_idx.max(self.at + 1),
                _ => self.at + 1,
            };
        }
    }

    fn add(&mut self, kind: SecretKind, start_idx: usize, end_idx: usize) {
        self.found.push(SecretSite { kind, start_idx, end_idx });
    }

    /// The run of bytes from `start` that a predicate takes, within the bound.
    fn run(&self, start: usize, takes: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        start + rest.iter().take(TOKEN_BYTES_MAX).take_while(|byte| takes(**byte)).count()
    }

    fn between(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn starts_with(&self, start: usize, word: &str) -> bool {
        let end = start.saturating_add(word.len());
        self.bytes.get(start..end).is_some_and(|here| here.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// `://user:password@host`
    fn url(&mut self) {
        if !self.starts_with(self.at, "://") {
            return;
        }
        let start = self.at + 3;
        let end = self
            .run(start, |b| !matches!(b, b'/' | b'?' | b'#' | b'"' | b'\'' | b' ' | b'\n' | b','));
        let authority = self.between(start, end);
        let Some(at_sign) = authority.rfind('@') else { return };
        let Some(colon) = authority.get(..at_sign).and_then(|user| user.find(':')) else { return };
        let password = authority.get(colon + 1..at_sign).unwrap_or_default();
        if !is_masked(password) {
            self.add(SecretKind::UrlPassword, start + colon + 1, start + at_sign);
        }
    }

    /// `password=...`, `"password": "..."`: the name is before, the value after `at`.
    fn parameter(&mut self) {
        let before = self.bytes.get(..self.at).unwrap_or_default();
        let is_space =
            |byte: &&u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'\\');
        let gap = before.iter().rev().take(4).take_while(is_space).count();
        let name_end = self.at - gap;
        let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let before = self.bytes.get(..name_end).unwrap_or_default();
        let name_bytes = before.iter().rev().take(NAME_BYTES_MAX + 1).take_while(is_name).count();
        if !is_secret_name(self.between(name_end - name_bytes, name_end)) {
            return;
        }
        let colon = self.bytes.get(self.at) == Some(&b':');
        let gap_end = self.run(self.at + 1, |byte| matches!(byte, b' ' | b'\\'));
        let quote = self.bytes.get(gap_end).copied().filter(|byte| matches!(byte, b'"' | b'\''));
        let is_spaced = gap_end > self.at + 1;
        if quote.is_none() && (colon || is_spaced) {
            // `a.password = b.password` compares columns, `password: required` is prose.
            return;
        }
        let start = gap_end + usize::from(quote.is_some());
        let end = match quote {
            Some(quote) => self.run(start, |byte| byte != quote && byte != b'\\'),
            None => self.run(start, |b| {
                !b.is_ascii_whitespace()
                    && !matches!(b, b'&' | b';' | b',' | b'"' | b'\'' | b')' | b'}' | b'#')
            }),
        };
        let name = self.between(name_end - name_bytes, name_end);
        let value = self.between(start, end);
        let is_short_token = name.eq_ignore_ascii_case("token") && value.len() < 16;
        // A signature is a hash, and opens what it signs.
        let is_clean_hash = is_hash(value) && !contains_name(&["x-amz-signature"], name);
        if !is_masked(value) && !is_clean_hash && value.len() >= 3 && !is_short_token {
            self.add(SecretKind::Password, start, end);
        }
    }

    /// `IDENTIFIED BY '...'` and `PASSWORD '...'` of SQL.
    fn identified_by(&mut self) {
        let before = self
            .bytes
            .get(self.at.saturating_sub(24)..self.at)
            .unwrap_or_default()
            .trim_ascii_end();
        let ends_with = |word: &str| {
            before
                .len()
                .checked_sub(word.len())
                .and_then(|start| before.get(start..))
                .is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
        };
        if !ends_with("identified by") && !ends_with(" password") {
            return;
        }
        let start = self.at + 1;
        let end = self.run(start, |byte| byte != b'\'');
        let value = self.between(start, end);
        if !is_masked(value) && !is_hash(value) {
            self.add(SecretKind::Password, start, end);
        }
    }

    /// `-----BEGIN ... PRIVATE KEY-----`
    fn private_key(&mut self) {
        const BEGIN: &str = "-----BEGIN ";
        if !self.starts_with(self.at, BEGIN) {
            return;
        }
        let end = self.run(self.at + BEGIN.len(), |byte| byte.is_ascii_uppercase() || byte == b' ');
        if self.between(self.at, end).ends_with("PRIVATE KEY") {
            self.add(SecretKind::PrivateKey, self.at, self.bytes.len());
        }
    }

    /// Tokens that tell themselves, where a word begins.
    fn token(&mut self) {
        let at = self.at;
        if self.starts_with(at, "bearer ") {
            let end = self.run(at + 7, is_token_byte);
            let token = self.between(at + 7, end);
            if token.len() >= 16
                && token.bytes().any(|byte| byte.is_ascii_digit())
                && !is_masked(token)
            {
                self.add(SecretKind::BearerToken, at + 7, end);
            }
        } else if self.starts_with(at, "basic ") {
            let end = self.run(at + 6, is_token_byte);
            let decoded = STANDARD_NO_PAD.decode(self.between(at + 6, end).trim_end_matches('='));
            if decoded.is_ok_and(|plain| plain.contains(&b':') && plain.is_ascii()) {
                self.add(SecretKind::BasicCredentials, at + 6, end);
            }
        } else if self.starts_with(at, "eyJ") {
            self.jwt();
        } else if self.between(at, at + 4) == "AKIA" || self.between(at, at + 4) == "ASIA" {
            let end = self.run(at, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            let goes_on =
                self.bytes.get(end).is_some_and(|byte| byte.is_ascii_lowercase() || *byte == b'_');
            // The documentation's key is AKIAIOSFODNN7EXAMPLE.
            if end - at == 20 && !goes_on && !self.between(at, end).ends_with("EXAMPLE") {
                self.add(SecretKind::AwsAccessKey, at, end);
            }
        } else {
            let here = self.bytes.get(at..).unwrap_or_default();
            let prefix = PREFIXES.iter().find(|(prefix, _)| here.starts_with(prefix.as_bytes()));
            let Some((prefix, bytes_min)) = prefix else { return };
            let start = at + prefix.len();
            let end =
                self.run(start, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
            let token = self.between(start, end);
            let has_digit = token.bytes().any(|byte| byte.is_ascii_digit());
            // Words joined by dashes are a slug: `sk-` also begins Slovak pages.
            let is_slug = token.bytes().filter(|byte| *byte == b'-').count() * 8 > token.len();
            let may_be_slug = prefix.len() == 3 && is_slug;
            if token.len() >= *bytes_min && has_digit && !is_masked(token) && !may_be_slug {
                self.add(SecretKind::ServiceKey, at, end);
            }
        }
    }

    /// Three parts of base64url, the first two JSON objects.
    fn jwt(&mut self) {
        let end = self.run(self.at, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
        });
        let mut parts = self.between(self.at, end).split('.');
        let is_jwt = parts.next().is_some_and(|head| head.len() >= 10)
            && parts.next().is_some_and(|claims| claims.starts_with("eyJ"))
            && parts.next().is_some_and(|signature| signature.len() >= 16);
        if is_jwt {
            self.add(SecretKind::Jwt, self.at, end);
        }
    }

    /// An attribute whose name says that its value is secret.
    fn whole_value(&mut self, key: &str) {
        let name = key.rsplit('.').next().unwrap_or_default();
        if !is_secret_name(name) && !contains_name(SECRET_HEADERS, name) {
            return;
        }
        let value = self.text.trim_matches(['[', ']', '"', ' ']);
        let scheme_only =
            value.eq_ignore_ascii_case("bearer") || value.eq_ignore_ascii_case("basic");
        let masked_part = value.rsplit([' ', '=']).next().unwrap_or_default();
        let is_number = value.len() < 8 && value.bytes().all(|byte| byte.is_ascii_digit());
        if value.len() >= 4
            && !is_number
            && !scheme_only
            && !is_masked(value)
            && !is_masked(masked_part)
            && !is_hash(value)
        {
            self.add(SecretKind::NamedAttribute, 0, self.text.len());
        }
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b'-')
}

/// Whether a name stands in a list, whatever its case and whether it has `-` or `_`.
fn contains_name(list: &[&str], name: &str) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    name.len() <= NAME_BYTES_MAX
        && list
            .iter()
            .any(|known| known.len() == name.len() && known.bytes().eq(name.bytes().map(plain)))
}

/// Whether a parameter or key of this name holds a secret: `db_password`, `X-Api-Key`, not `next_token`.
fn is_secret_name(name: &str) -> bool {
    const ENDINGS: &[&str] =
        &["password", "passwd", "api-key", "apikey", "client-secret", "secret-key"];
    let ending = |known: &&&str| {
        let start = name.len().checked_sub(known.len());
        start.and_then(|start| name.get(start..)).is_some_and(|end| contains_name(&[known], end))
    };
    contains_name(SECRET_NAMES, name) || ENDINGS.iter().any(|known| ending(&known))
}

/// Placeholders, masks, and words that stand for a value.
fn is_masked(value: &str) -> bool {
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
fn is_hash(value: &str) -> bool {
    matches!(value.len(), 32 | 40 | 56 | 64 | 96 | 128)
        && value.bytes().all(|byte| byte.is_ascii_hexdigit())
        || value.starts_with("{SHA")
        || value.starts_with("sha256:")
        || value.starts_with("pbkdf2")
}

#[cfg(test)]
mod tests {
    use super::SecretKind::*;
    use super::*;

    /// Checks what is found: kind and the text at the site.
    fn check(value: &str, expected: &[(SecretKind, &str)]) {
        let found = find_secrets("some.attribute", value);
        let found: Vec<_> = found
            .iter()
            .map(|site| (site.kind, value.get(site.start_idx..site.end_idx).unwrap_or("?")))
            .collect();
        assert_eq!(found, expected, "{value}");
    }

    // Put together at run time, so that no scanner of sources takes them for real ones.
    fn fake(prefix: &str, bytes: usize) -> String {
        let rest: String = "a1B2c3D4e5F6g7H8".chars().cycle().take(bytes).collect();
        format!("{prefix}{rest}")
    }

    #[test]
    fn secrets_are_found_where_they_stand() {
        check("postgres://app:hunter2@db:5432/shop", &[(UrlPassword, "hunter2")]);
        check("https://a:b:c%40d@host/x?y=1", &[(UrlPassword, "b:c%40d")]);
        check("/login?user=joe&password=hunter2&x=1", &[(Password, "hunter2")]);
        check("Server=db;User Id=sa;Password=pa55!;", &[(Password, "pa55!")]);
        check(r#"{"client_secret": "abc123def"}"#, &[(Password, "abc123def")]);
        check("UPDATE users SET password = 'hunter2' WHERE id = 1", &[(Password, "hunter2")]);
        check("CREATE USER joe IDENTIFIED BY 'hunter2'", &[(Password, "hunter2")]);
        check("ALTER ROLE joe WITH PASSWORD 'hunter2'", &[(Password, "hunter2")]);
        let token = fake("", 40);
        check(&format!("Bearer {token}"), &[(BearerToken, &token)]);
        check("authorization: Basic am9lOmh1bnRlcjI=", &[(BasicCredentials, "am9lOmh1bnRlcjI=")]);
        let aws = format!("AKIA{}", "IOSFODNN7ABCDEFG");
        check(&format!("key={aws}"), &[(AwsAccessKey, &aws)]);
        let jwt = format!("{}.{}.{}", fake("eyJ", 20), fake("eyJ", 30), fake("", 30));
        check(&format!("t={jwt}"), &[(Jwt, &jwt)]);
        let github = fake("ghp_", 36);
        check(&format!("git clone https://{github}@github.com/x"), &[(ServiceKey, &github)]);
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE";
        check(pem, &[(PrivateKey, pem)]);
    }

    #[test]
    fn near_misses_are_no_secrets() {
        for value in [
            "SELECT * FROM users WHERE password = ? AND token = $1",
            "SELECT u.id FROM users u JOIN p ON u.password = p.password",
            "UPDATE users SET password = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'",
            "UPDATE users SET password='5f4dcc3b5aa765d61d8327deb882cf99'",
            "/login?password=***&token=[REDACTED]",
            "/login?password=",
            "password=<redacted>",
            "https://user@host/x",
            "https://user:@host",
            "https://user:***@host",
            "http://host:8080/a@b",
            "/list?next_token=abcdefghijklmnop1234",
            "/x?page_token=12345678901234567890",
            "/x?token=17",
            "bearer token is invalid",
            "basic authentication failed",
            "Basic plan: 12",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "550e8400-e29b-41d4-a716-446655440000",
            "-----BEGIN CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----",
            "AKIAIOSFODNN7EXAMPLE",
            "AKIA",
            "eyJhbGciOiJIUzI1NiJ9",
            "password: must be longer",
            "invalid password",
            "/reset-password",
            "/sk-SK/stranky/obchod-s-knihami-2024-a-hudbou-pre-deti",
            "max_tokens=4096",
            "csrf_token=abc",
            "SET password_encryption = 'scram-sha-256'",
            "",
        ] {
            check(value, &[]);
        }
    }

    #[test]
    fn names_of_attributes_tell() {
        let found = |key: &str, value: &str| find_secrets(key, value).len();
        assert_eq!(found("http.request.header.authorization", r#"["Token abcdef0123"]"#), 1);
        assert_eq!(found("http.request.header.cookie", "session=8f3a9c01d2"), 1);
        assert_eq!(found("db.password", "hunter2"), 1);
        assert_eq!(found("http.request.header.authorization", "Bearer ***"), 0);
        assert_eq!(found("http.request.header.cookie", "session=[REDACTED]"), 0);
        assert_eq!(found("db.password", "?"), 0);
        assert_eq!(found("gen_ai.usage.total_tokens", "12345"), 0);
    }

    #[test]
    fn sites_and_bytes_are_limited() {
        let many = "password=hunter2&".repeat(100);
        assert_eq!(find_secrets("x", &many).len(), SECRETS_PER_VALUE_MAX);
        let far = format!("{}&password=hunter2", "a".repeat(SECRET_BYTES_MAX));
        assert!(find_secrets("x", &far).is_empty());
        let mut scanner = SecretScanner::default();
        assert_eq!(scanner.find("x", "password=hunter2").len(), 1);
        assert_eq!(scanner.find("x", "password=hunter2").len(), 1);
        assert!(scanner.find("x", "/clean").is_empty() && scanner.find("x", "/clean").is_empty());
        assert_eq!(scanner.find("db.password", "/clean").len(), 1);
    }
}
