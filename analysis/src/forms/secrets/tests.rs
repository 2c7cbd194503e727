//! What is a secret, and what only looks like one.

use super::SecretKind::*;
use super::begin::{FIRST, classes_of, may_begin};
use super::find::PREFIXES;
use super::judge::{SECRET_HEADERS, SECRET_NAMES, may_be_secret_name};
use super::*;
use crate::forms::conventions::NAMES;

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
}

#[test]
fn names_that_are_known_mean_no_secret() {
    for (name, ..) in NAMES {
        assert!(find_secrets(name, "hunter2").is_empty(), "{name}");
    }
}

#[test]
fn short_cuts_leave_out_nothing() {
    for name in SECRET_NAMES.iter().chain(SECRET_HEADERS) {
        assert!(may_be_secret_name(name) && may_be_secret_name(&name.to_uppercase()), "{name}");
    }
    let tokens = ["bearer ", "Basic ", "eyJ", "AKIA", "ASIA", "-----BEGIN "];
    for token in tokens.into_iter().chain(PREFIXES.iter().map(|(prefix, _)| *prefix)) {
        let bytes = token.as_bytes();
        assert!(classes_of(bytes[0]) & FIRST != 0 && may_begin(bytes[0], bytes.get(1)), "{token}");
    }
    check("pwd=abc", &[(Password, "abc")]);
}
