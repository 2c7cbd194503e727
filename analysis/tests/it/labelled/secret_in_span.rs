//! Cases of `secret_in_span`: credentials in URLs, statements, headers and events, and what only looks like them.

use super::Labelled;
use super::case::Level;

/// Attributes with a credential; made up, none opens anything.
const SECRETS: [(&str, &str); 25] = [
    ("password in a URL", "url.full=\"https://joe:hunter22@feed/x\""),
    ("old URL", "http.url=\"https://joe:hunter22@feed/x\""),
    ("key parameter", "url.full=\"https://feed/x?api_key=sk_live_0123456789abcdef01\""),
    ("token parameter", "url.full=\"https://feed/x?page=1&access_token=a8f5f167f44f4964\""),
    ("query alone", "url.query=\"client_secret=3kf9sl20fk\""),
    ("target", "http.target=\"/login?password=hunter22\""),
    (
        "signature",
        "url.full=\"https://s3/x?X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe\"",
    ),
    ("SQL user", "db.statement=\"CREATE USER joe IDENTIFIED BY 'hunter22'\""),
    ("SQL literal", "db.query.text=\"UPDATE users SET password = 'hunter22' WHERE id = 1\""),
    ("connection string", "db.connection_string=\"Server=db;User=joe;Password=hunter22\""),
    ("bearer token", "note=\"Bearer abcdef0123456789abcdef\""),
    ("authorization header", "http.request.header.authorization=\"Bearer abcdef0123456789abcdef\""),
    ("basic credentials", "note=\"Basic am9lOmh1bnRlcjIy\""),
    ("AWS key", "note=\"key AKIAIOSFODNN7EXAMPLQ\""),
    (
        "web token",
        "note=\"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqb2UiLCJhZG1pbiI6dHJ1ZX0.dBjftJeZ4CVPmB92K27uhbUJU1p1r\"",
    ),
    ("private key", "note=\"-----BEGIN RSA PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA7\""),
    ("GitHub token", "note=ghp_0123456789abcdefghij0123456789abcdef"),
    ("Slack token", "note=xoxb-0123456789-abcdefghij0123"),
    ("Stripe key", "note=sk_live_0123456789abcdef01"),
    ("Google key", "note=AIzaSyA0123456789abcdefghij0123456789ab"),
    ("GitLab token", "note=glpat-0123456789abcdefghij"),
    ("JSON", "body=\"{\\\"user\\\": \\\"joe\\\", \\\"password\\\": \\\"hunter22\\\"}\""),
    ("named attribute", "db.password=hunter22"),
    ("cookie", "http.request.header.cookie=\"session=0123456789abcdef0123\""),
    ("Vault token", "note=hvs.0123456789abcdefghij0123456789"),
];

/// Attributes without.
const CLEAN: [(&str, &str); 26] = [
    ("masked parameter", "url.full=\"https://feed/x?api_key=****&page=3\""),
    ("redacted", "url.full=\"https://feed/x?token=REDACTED\""),
    ("placeholder of SQL", "db.statement=\"SELECT a FROM t WHERE password = ?\""),
    ("numbered placeholder", "db.query.text=\"UPDATE users SET password = $1 WHERE id = $2\""),
    ("named placeholder", "db.query.text=\"UPDATE users SET password = :password\""),
    ("two columns", "db.statement=\"SELECT a FROM t JOIN u ON t.password = u.password\""),
    ("user without password", "url.full=\"https://joe@feed/x\""),
    ("empty password", "url.full=\"https://joe:@feed/x\""),
    ("masked user", "url.full=\"https://***:***@feed/x\""),
    ("port", "url.full=\"https://feed:8443/x\""),
    ("page token of few letters", "url.full=\"https://feed/x?token=abc\""),
    ("prose", "note=\"password: required\""),
    ("bearer without digits", "note=\"bearer of unexpected good news\""),
    ("basic words", "note=\"Basic information\""),
    ("public key", "note=\"-----BEGIN PUBLIC KEY-----\\nMIIBIjANBg\""),
    ("trace id", "note=4bf92f3577b34da6a3ce929d0e0e4736"),
    ("UUID", "session.note=550e8400-e29b-41d4-a716-446655440000"),
    ("hash", "note=\"password=5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8\""),
    ("short prefix", "note=sk-learn"),
    (
        "commit",
        "vcs.ref.head.revision=9d59409acf479dfa0df1aa568182e43e43df8bbe28d60fcf2bc52e30068802cc",
    ),
    ("number of tokens", "gen_ai.usage.input_tokens=812"),
    ("method about passwords", "code.function.name=resetPassword"),
    ("route about passwords", "http.route=/users/{id}/password"),
    ("masked header", "http.request.header.authorization=\"[REDACTED]\""),
    ("number", "token=7"),
    ("template of a URL", "url.template=\"/x?api_key={api_key}\""),
];

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("secret_in_span", Level::Trace);
    for (at, (name, told)) in SECRETS.into_iter().enumerate() {
        let (caller, span) = hosts(at);
        cases.fires(name, &format!("{caller}\n {span} {told} hit=1"));
    }
    for (at, (name, told)) in CLEAN.into_iter().enumerate() {
        let (caller, span) = hosts(at);
        cases.near(name, &format!("{caller}\n {span} {told}"));
    }
    shapes(&mut cases);
    cases
}

/// Any span may hold one.
fn hosts(at: usize) -> (&'static str, &'static str) {
    let hosts = [
        "web GET client 1..9",
        "web work internal 1..9",
        "feed serve server 1..9",
        "web send producer 1..9",
        "web x - 1..9",
        "web lost client 1..?",
    ];
    ("web page server 0..99", hosts[at % hosts.len()])
}

fn shapes(cases: &mut Labelled) {
    let url = SECRETS[2].1;
    cases.fires("in the root", &format!("web page server 0..99 {url} hit=1"));
    cases.fires(
        "in several calls",
        &format!("web page server 0..99\n web GET client 1..9 x4/10 {url} hit=1"),
    );
    cases.fires("in two services", &format!("web page server 0..99\n web GET client 1..9 {url} hit=1\n  feed serve server 2..8 {url} hit=2"));
    cases.fires("in an event", "web page server 0..99 hit=1 !exception@5 event.exception.message=\"login failed for https://joe:hunter22@feed/x\"");
    cases.near("a masked one in an event", "web page server 0..99 !exception@5 event.exception.message=\"login failed for https://joe:***@feed/x\"");
}
