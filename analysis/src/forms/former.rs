//! Turns spans into calls, and remembers what it has formed.
//!
//! The whole of [forming](super): picks the family by the attributes present, drafts the call in reused
//! memory, and answers with the shared [`Call`]. Statements repeat, so their forms are kept by a hash of
//! their text; calls are kept by a hash of all they tell. Both memories are bounded; what falls out is formed again, to
//! the same result.

use std::sync::Arc;

use causeway_model::value::{display, set_texts};
use xxhash_rust::xxh3::xxh3_128;

use super::call::{Call, Draft, Kind, System};
use super::conventions::{Field, Fields, text_hash};
use super::document::{is_document, push_document};
use super::path::push_name;
use super::recent::Recent;
use super::resources::{Resource, Resources};
use super::secrets::{Searched, SecretKind, SecretSite, find_secrets, may_be_secret_name};
use super::sql::{Dialect, STATEMENT_BYTES_MAX, Statement, cut_at, push_skeleton};
use super::{cache, genai, http, messaging, names, recognise, rpc};

/// Forms of statements that are remembered.
///
/// With 4 KiB forms at worst this is 32 MiB, with usual ones about 2 MiB.
pub const STATEMENTS_MAX: usize = 8192;

/// Calls that are remembered; about 300 bytes each.
pub const CALLS_MAX: usize = 16_384;

/// Kinds of spans whose calls are remembered, by all that forming reads of them; about 60 bytes each.
pub const SPANS_MAX: usize = 16_384;

/// More of a callee's name is left out.
pub const CALLEE_BYTES_MAX: usize = 1024;

/// Tells documents from statements of any dialect in the memory of statements.
const DOCUMENT: u8 = u8::MAX;

/// What a span that was not recognised is remembered by; `None` for one that is not worth it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanHash(Option<u128>);

/// Forms calls; one per thread.
#[derive(Debug)]
pub struct Former {
    draft: Draft,
    /// Reused for the [skeletons](push_skeleton) of statements.
    skeleton: String,
    statements: Recent<Arc<Statement>>,
    calls: Recent<Arc<Call>>,
    spans: Recent<Option<Arc<Call>>>,
    searched: Searched,
    resources: Resources,
}

impl Default for Former {
    fn default() -> Self {
        Self::new(STATEMENTS_MAX, CALLS_MAX)
    }
}

impl Former {
    /// A former that remembers at most this many statements and calls.
    pub fn new(statements_max: usize, calls_max: usize) -> Self {
        Self {
            draft: Draft::default(),
            skeleton: String::new(),
            statements: Recent::new(statements_max),
            calls: Recent::new(calls_max),
            spans: Recent::new(SPANS_MAX.min(calls_max)),
            searched: Searched::default(),
            resources: Resources::default(),
        }
    }

    /// The call a span makes or serves; `None` for spans that are no call, such as work inside a process.
    pub fn form(&mut self, kind: Kind, name: &str, fields: &Fields<'_>) -> Option<Arc<Call>> {
        self.recognise(kind, name, fields)
            .unwrap_or_else(|seen| self.form_as(seen, kind, name, fields))
    }

    /// The same where a span that tells the same was formed before; otherwise what it is to be [formed](Self::form_as) as.
    pub(crate) fn recognise(
        &mut self,
        kind: Kind,
        name: &str,
        fields: &Fields<'_>,
    ) -> Result<Option<Arc<Call>>, SpanHash> {
        if kind == Kind::Internal && fields.is_empty() {
            return Ok(None);
        }
        let hash = recognise::hash(kind, name, fields);
        hash.and_then(|hash| self.spans.find(hash)).ok_or(SpanHash(hash))
    }

    /// Forms the call of a span that was not recognised, and remembers it.
    pub(crate) fn form_as(
        &mut self,
        SpanHash(hash): SpanHash,
        kind: Kind,
        name: &str,
        fields: &Fields<'_>,
    ) -> Option<Arc<Call>> {
        let mut draft = std::mem::take(&mut self.draft);
        draft.clear();
        draft.is_exit = matches!(kind, Kind::Client | Kind::Producer);
        let is_call = self.draft_call(kind, name, fields, &mut draft);
        if kind == Kind::Server {
            // It is the callee; addresses of the connection are the caller's.
            draft.callee.clear();
        }
        let call = is_call.then(|| self.shared(&mut draft));
        if let Some(hash) = hash {
            self.spans.insert(hash, call.clone());
        }
        self.draft = draft;
        call
    }

    /// The kinds of secrets in an attribute's value, whose [value text](causeway_model::value) is given with its
    /// [hash](super::text_hash); see [`find_secrets`]. Of a key it is told whether it is one of
    /// [`NAMES`](super::conventions::NAMES), as none of these means a secret.
    #[inline]
    pub(crate) fn secrets(
        &mut self,
        key: &str,
        is_known: bool,
        text: &str,
        hash: u64,
    ) -> Vec<SecretSite> {
        // What the key says is told of each value.
        let is_told_by_value = is_known || !may_be_secret_name(key);
        if is_told_by_value && self.searched.is_clean(hash) {
            return Vec::new();
        }
        let found = find_secrets(key, &display(text));
        if is_told_by_value && found.is_empty() {
            self.searched.add_clean(hash);
        }
        found
    }

    /// Keys and kinds of secrets among the attributes of an event, given the [text](causeway_model::value) of all of them.
    pub(crate) fn event_secrets(&mut self, attributes: &str) -> Vec<(String, SecretKind)> {
        // Apart from the same text as the value of one attribute.
        let hash = text_hash(attributes).rotate_left(32) ^ 1;
        if self.searched.is_clean(hash) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (key, value) in set_texts(attributes) {
            let Some(text) = value else { continue };
            let sites = find_secrets(&key, &display(&text));
            found.extend(sites.into_iter().map(|site| (key.clone().into_owned(), site.kind)));
        }
        if found.is_empty() {
            self.searched.add_clean(hash);
        }
        found
    }

    /// The attributes of a resource, given the text of all of them.
    pub(crate) fn resource(&mut self, text: &str) -> Arc<Resource> {
        self.resources.read(text)
    }

    /// The same call with what its server span tells: the service called, and its route, procedure or name.
    ///
    /// Spans named `HTTP GET` alone are the same call only if this makes them so; and a route also tells
    /// the ids in `/users/joe` that no path shows.
    pub fn with_target(&mut self, call: &Call, service: &str, target: &str) -> Arc<Call> {
        let mut draft = std::mem::take(&mut self.draft);
        draft.clear();
        draft.system = call.system;
        draft.callee.push_str(service);
        draft.operation.push_str(&call.operation);
        // Servers name their spans with and without the method.
        let named = http::read_name(target).and_then(|(_, path)| path);
        push_name(named.unwrap_or(target), &mut draft.target);
        draft.template_from_parts();
        draft.effect = call.effect;
        draft.is_housekeeping = call.is_housekeeping;
        draft.source = call.source;
        draft.is_exit = call.is_exit;
        let refined = self.shared(&mut draft);
        self.draft = draft;
        refined
    }

    fn draft_call(
        &mut self,
        kind: Kind,
        name: &str,
        fields: &Fields<'_>,
        draft: &mut Draft,
    ) -> bool {
        let crosses_unsaid = matches!(kind, Kind::Internal | Kind::Unspecified);
        if genai::is_gen_ai(fields) {
            genai::draft(kind, name, fields, draft);
        } else if is_db(fields) {
            self.draft_db(name, fields, draft);
            draft.is_exit |= crosses_unsaid;
        } else if messaging::is_messaging(fields) {
            messaging::draft(kind, name, fields, draft);
        } else if rpc::is_rpc(fields) {
            rpc::draft(name, fields, draft);
            draft.is_exit |= crosses_unsaid;
        } else if fields.has(Field::FaasInvokedName) {
            genai::draft_function(fields, draft);
            draft.is_exit |= crosses_unsaid;
        } else if fields.has(Field::GraphqlType) || fields.has(Field::GraphqlDocument) {
            genai::draft_graphql(fields, draft);
        } else if http::is_http(fields) {
            http::draft(kind, name, fields, draft);
        } else {
            return draft_by_name(kind, name, fields, draft);
        }
        true
    }

    fn draft_db(&mut self, name: &str, fields: &Fields<'_>, draft: &mut Draft) {
        let system = fields.text(Field::DbSystem).unwrap_or_default();
        if cache::is_cache(system) {
            cache::draft(name, fields, draft);
        } else {
            draft.system = System::Db;
            self.draft_statement(system, name, fields, draft);
        }
        push_database(system, fields, &mut draft.callee);
    }

    /// Template, verb, table and effect of a database call, by the best that tells them.
    fn draft_statement(
        &mut self,
        system: &str,
        name: &str,
        fields: &Fields<'_>,
        draft: &mut Draft,
    ) {
        let text = fields.text(Field::DbStatement);
        let dialect = Dialect::of(system);
        if let Some(summary) = fields.text(Field::DbSummary) {
            names::draft_summary(summary, draft);
            if let Some(text) = text.filter(|_| draft.target.is_empty()) {
                // `SELECT` alone may be a ping or a sequence.
                draft.is_housekeeping = self.statement(text, dialect).is_housekeeping;
            }
            return;
        }
        let is_search = matches!(system, "elasticsearch" | "opensearch");
        let document = text.filter(|text| is_search || is_document(text));
        if let Some(text) = text.filter(|_| document.is_none()) {
            // Shells of document stores write strings in double quotes.
            let dialect = if system == "mongodb" { Dialect::MySql } else { dialect };
            let statement = self.statement(text, dialect);
            take_statement(&statement, draft);
            return;
        }
        let operation = fields.text(Field::DbOperation);
        let collection = fields.text(Field::DbCollection);
        if operation.is_none() && document.is_none() {
            // `SELECT shop.orders`: names are templates by the conventions.
            names::draft_summary(name, draft);
            draft.target_known = !draft.target.is_empty();
            return;
        }
        push_name(operation.unwrap_or_default(), &mut draft.operation);
        if let Some(collection) = collection {
            push_name(collection.trim_matches(['[', ']', '"']), &mut draft.target);
        } else if let Some(url) =
            fields.text(Field::UrlFull).or_else(|| fields.text(Field::UrlPath))
        {
            super::path::push_path(http::path_of_url(url), &mut draft.target);
        }
        draft.effect = names::effect_of(&draft.operation);
        draft.target_known = !draft.target.is_empty() || document.is_some();
        draft.template_from_parts();
        if let Some(text) = document.filter(|_| draft.target.is_empty()) {
            if !draft.template.is_empty() {
                draft.template.push(' ');
            }
            draft.template.push_str(&self.document(text).template);
        }
    }

    /// The form of a statement, from memory if it or one with other values was formed before.
    fn statement(&mut self, text: &str, dialect: Dialect) -> Arc<Statement> {
        // What lies beyond the limit is not formed; the few bytes more tell a longer text from one that ends there.
        let (kept, _) = cut_at(text, STATEMENT_BYTES_MAX + 4);
        let hash = hash_of(kept, dialect as u8);
        if let Some(statement) = self.statements.find(hash) {
            return statement;
        }
        let mut skeleton = std::mem::take(&mut self.skeleton);
        // Of a long text only the beginning is formed, so what has its skeleton need not have its form.
        let is_short = text.len() <= STATEMENT_BYTES_MAX;
        let has_skeleton = is_short && push_skeleton(text, dialect, &mut skeleton);
        let skeleton_hash = if has_skeleton { hash_of(&skeleton, dialect as u8) } else { hash };
        self.skeleton = skeleton;
        let statement = self.statements.find(skeleton_hash).unwrap_or_else(|| {
            let statement = Arc::new(Statement::of(text, dialect));
            self.statements.insert(skeleton_hash, Arc::clone(&statement));
            statement
        });
        if skeleton_hash != hash {
            self.statements.insert(hash, Arc::clone(&statement));
        }
        statement
    }

    /// The form of a document, likewise.
    fn document(&mut self, text: &str) -> Arc<Statement> {
        let hash = hash_of(cut_at(text, STATEMENT_BYTES_MAX + 4).0, DOCUMENT);
        if let Some(statement) = self.statements.find(hash) {
            return statement;
        }
        let mut template = String::new();
        push_document(text, &mut template);
        let statement = Arc::new(Statement { template, ..Statement::default() });
        self.statements.insert(hash, Arc::clone(&statement));
        statement
    }

    /// The shared call of a draft.
    fn shared(&mut self, draft: &mut Draft) -> Arc<Call> {
        let callee_bytes = cut_at(&draft.callee, CALLEE_BYTES_MAX).0.len();
        draft.callee.truncate(callee_bytes);
        let hash = draft.hash();
        if let Some(call) = self.calls.find(hash) {
            return call;
        }
        let call = Arc::new(draft.to_call());
        self.calls.insert(hash, Arc::clone(&call));
        call
    }
}

fn hash_of(text: &str, how: u8) -> u128 {
    xxh3_128(text.as_bytes()) ^ u128::from(how)
}

/// Forms a call by its name alone, if its name has a known shape.
fn draft_by_name(kind: Kind, name: &str, fields: &Fields<'_>, draft: &mut Draft) -> bool {
    if !names::draft(kind, name, draft) {
        return false;
    }
    if !matches!(kind, Kind::Server | Kind::Consumer) {
        http::push_callee(fields, &mut draft.callee);
    }
    true
}

/// Whether attributes speak of a database.
fn is_db(fields: &Fields<'_>) -> bool {
    fields.has_any(recognise::DB)
}

fn take_statement(statement: &Statement, draft: &mut Draft) {
    draft.template.push_str(&statement.template);
    draft.operation.push_str(&statement.operation);
    draft.target.push_str(&statement.table);
    draft.effect = statement.effect;
    draft.is_housekeeping = statement.is_housekeeping;
}

/// Appends whose data is used: peer service, or host and namespace, or system and namespace.
///
/// Addresses that are numbers, and the numbers of a cluster's nodes, tell machines apart rather than databases.
fn push_database(system: &str, fields: &Fields<'_>, out: &mut String) {
    if let Some(service) = fields.text(Field::PeerService) {
        out.push_str(service);
        return;
    }
    let host = fields.text(Field::ServerAddress).filter(|host| !rpc::is_address(host));
    match host {
        Some(host) => {
            let (first, rest) = host.split_once('.').unwrap_or((host, ""));
            let node = first.trim_end_matches(|ch: char| ch.is_ascii_digit());
            out.push_str(node.strip_suffix('-').unwrap_or(node));
            if !rest.is_empty() {
                out.push('.');
                out.push_str(rest);
            }
        }
        None => out.push_str(system),
    }
    match fields.value(Field::DbNamespace) {
        Some(super::Value::Text(namespace)) if !namespace.is_empty() => {
            out.push('/');
            out.push_str(cut_at(namespace, 256).0);
        }
        Some(super::Value::Int(index)) => {
            out.push('/');
            out.push_str(&index.to_string());
        }
        _ => {}
    }
}
