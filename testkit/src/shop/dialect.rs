//! Generations of semantic conventions: attributes are written in the new one, and turned into the old one for who speaks it.

use crate::proto::common::v1::KeyValue;

/// A generation of semantic conventions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Of before 2023: `http.method`, `db.statement`, `net.peer.name`.
    Old,
    /// Stable: `http.request.method`, `db.query.text`, `server.address`.
    New,
}

impl Dialect {
    pub(super) fn schema_url(self) -> &'static str {
        match self {
            Self::Old => "https://opentelemetry.io/schemas/1.11.0",
            Self::New => "https://opentelemetry.io/schemas/1.37.0",
        }
    }
}

/// New names and the old ones; nothing where the old generation had no such attribute.
const OLD_NAMES: &[(&str, &str)] = &[
    ("http.request.method", "http.method"),
    ("http.response.status_code", "http.status_code"),
    ("http.response.body.size", "http.response_content_length"),
    ("http.request.body.size", "http.request_content_length"),
    ("url.full", "http.url"),
    ("url.path", "http.target"),
    ("url.scheme", "http.scheme"),
    ("url.query", ""),
    ("url.template", ""),
    ("user_agent.original", "http.user_agent"),
    ("client.address", "http.client_ip"),
    ("network.protocol.version", "http.flavor"),
    ("network.protocol.name", ""),
    ("network.peer.address", "net.sock.peer.addr"),
    ("network.peer.port", "net.sock.peer.port"),
    ("network.transport", "net.transport"),
    ("db.system.name", "db.system"),
    ("db.namespace", "db.name"),
    ("db.operation.name", "db.operation"),
    ("db.collection.name", "db.sql.table"),
    ("db.query.text", "db.statement"),
    ("db.query.summary", ""),
    ("db.response.returned_rows", ""),
    ("tls.established", ""),
    ("tls.protocol.version", ""),
    ("error.type", ""),
];

/// Attributes in the old generation's words. `is_server`: of a span that answers.
pub(super) fn to_old(attributes: &mut Vec<KeyValue>, is_server: bool) {
    let own = |key: &str| match (key, is_server) {
        ("server.address", true) => Some("net.host.name"),
        ("server.port", true) => Some("net.host.port"),
        ("server.address", false) => Some("net.peer.name"),
        ("server.port", false) => Some("net.peer.port"),
        _ => OLD_NAMES.iter().find(|(new, _)| *new == key).map(|(_, old)| *old),
    };
    attributes.retain_mut(|attribute| match own(&attribute.key) {
        Some("") => false,
        Some(old) => {
            old.clone_into(&mut attribute.key);
            true
        }
        None => true,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::attributes::text;

    #[test]
    fn old_words_depend_on_the_side() {
        let new = || vec![text("server.address", "a"), text("url.template", "/"), text("x", "y")];
        let keys = |is_server| {
            let mut attributes = new();
            to_old(&mut attributes, is_server);
            attributes.into_iter().map(|attribute| attribute.key).collect::<Vec<_>>()
        };
        assert_eq!(keys(true), ["net.host.name", "x"]);
        assert_eq!(keys(false), ["net.peer.name", "x"]);
    }
}
