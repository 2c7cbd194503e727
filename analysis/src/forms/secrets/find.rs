//! The search through a value, from one byte at which a secret may begin to the next.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::begin::{FIRST, SIGN, WORD, classes_of, may_begin};
use super::judge::{
    NAME_BYTES_MAX, SECRET_HEADERS, contains_name, is_hash, is_masked, is_secret_name,
    may_be_secret_name,
};
use crate::forms::sql::cut_at;

/// Longer values are searched up to here.
pub const SECRET_BYTES_MAX: usize = 64 << 10;

/// At most so many are told of one value.
pub const SECRETS_PER_VALUE_MAX: usize = 8;

/// How far a password, token or key is followed; of longer ones the site ends early.
const TOKEN_BYTES_MAX: usize = 1024;

/// No secret with its name is shorter: `pwd=abc`.
const SIGNED_BYTES_MIN: usize = 7;

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

/// What keys of known services begin with, and how many characters follow at least.
pub(super) const PREFIXES: &[(&str, usize)] = &[
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

/// The secrets in an attribute's value, in order; where one holds another, the more telling kind.
pub fn find_secrets(key: &str, value: &str) -> Vec<SecretSite> {
    let (value, _) = cut_at(value, SECRET_BYTES_MAX);
    let mut finder = Finder { text: value, bytes: value.as_bytes(), found: Vec::new(), at: 0 };
    if value.len() >= SIGNED_BYTES_MIN {
        finder.search();
    }
    if finder.found.is_empty() && may_be_secret_name(key) {
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
        while self.found.len() < SECRETS_PER_VALUE_MAX {
            let Some(byte) = self.advance(is_in_word) else { return };
            let before = self.found.len();
            match byte {
                b'=' => self.parameter(),
                b':' => {
                    self.url();
                    self.parameter();
                }
                b'\'' => self.identified_by(),
                b'-' => self.private_key(),
                _ => self.token(),
            }
            is_in_word = classes_of(byte) & WORD != 0;
            self.at = match self.found.last() {
                Some(site) if self.found.len() > before => site.end_idx.max(self.at + 1),
                _ => self.at + 1,
            };
        }
    }

    /// Goes on to the next byte at which a secret may show, and gives it. This is where the time goes: most values have
    /// no such byte.
    fn advance(&mut self, mut is_in_word: bool) -> Option<u8> {
        loop {
            if is_in_word {
                // Nothing begins within a word.
                let mut rest = self.bytes.get(self.at..)?.iter();
                self.at += rest.position(|byte| classes_of(*byte) & WORD == 0)?;
            }
            let byte = *self.bytes.get(self.at)?;
            let classes = classes_of(byte);
            let is_first = classes & FIRST != 0;
            if classes & SIGN != 0 || is_first && may_begin(byte, self.bytes.get(self.at + 1)) {
                return Some(byte);
            }
            is_in_word = classes & WORD != 0;
            self.at += 1;
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
