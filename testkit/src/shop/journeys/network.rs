//! What is sent, and to whom: too much of it, readable, with secrets, or across a boundary that loses the context.

use super::super::attributes::Sql;
use super::super::calls::Call;
use super::super::cast::Service;
use super::super::fault::Fault;
use super::super::plan::{Outcome, Planner};
use super::bad_gateway;

const CATALOGUE: Sql = Sql::new(
    "SELECT",
    "products",
    "SELECT p.id, p.sku, p.title, p.description FROM products p WHERE p.updated_at > $1",
);
const STORES: Sql = Sql::new(
    "SELECT",
    "stores",
    "SELECT s.id, s.name, s.street, s.city FROM stores s WHERE s.postcode LIKE $1",
);
const FEED: Sql = Sql::new(
    "SELECT",
    "partner_prices",
    "SELECT f.sku, f.amount_minor FROM partner_prices f WHERE f.partner_id = $1",
);
const POINTS: Sql =
    Sql::new("SELECT", "POINTS", "SELECT POINTS, TIER FROM MEMBERS WHERE MEMBER_NO = ?");

pub(super) fn export(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/export"), |p, at| {
        let is_large = p.strikes(Fault::LargePayload);
        let response_bytes = if is_large { p.random.between(1_200_000, 4_000_000) } else { 40_000 };
        let call = Call::new(Service::Catalogue, "GET", "/catalogue/export");
        bad_gateway(p.call(at, &Call { response_bytes, ..call }, |p, at| {
            p.query(at, &CATALOGUE, if is_large { 45_000 } else { 12_000 });
            p.work(at, "encode", if is_large { 25_000 } else { 2_000 });
            Outcome::OK
        }))
    });
}

pub(super) fn stores(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/stores"), |p, at| {
        let is_plaintext = p.strikes(Fault::PlaintextCall);
        let call = Call::new(Service::Catalogue, "GET", "/stores");
        bad_gateway(p.call(at, &Call { is_plaintext, ..call }, |p, at| {
            p.query(at, &STORES, 5_000);
            Outcome::OK
        }))
    });
}

pub(super) fn partner_feed(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/partner/feed"), |p, at| {
        // Made up, and of no use anywhere.
        let secret =
            format!("api_key=sk_live_{:016x}{:08x}", 0x51c0_ffee_u64, p.random.bits() >> 32);
        let query = if p.strikes(Fault::SecretInUrl) { secret } else { "page=1".to_owned() };
        let call = Call::new(Service::Catalogue, "GET", "/partner/feed");
        bad_gateway(p.call(at, &Call { query, ..call }, |p, at| {
            p.query(at, &FEED, 9_000);
            Outcome::OK
        }))
    });
}

pub(super) fn points(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/points"), |p, at| {
        let starts_trace = p.strikes(Fault::BrokenBoundary);
        let call = Call::new(Service::Loyalty, "GET", "/members/{id}/points");
        bad_gateway(p.call(at, &Call { starts_trace, ..call }, |p, at| {
            p.query(at, &POINTS, 11_000);
            Outcome::OK
        }))
    });
}
