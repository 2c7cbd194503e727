//! The daily traffic: home page, product page, search, cart, checkout.

use super::super::attributes::Sql;
use super::super::calls::Call;
use super::super::cast::Service;
use super::super::fault::Fault;
use super::super::plan::{At, Outcome, Planner};
use super::super::queue::Topic;
use super::bad_gateway;

const FEATURED: Sql = Sql::new(
    "SELECT",
    "products",
    "SELECT p.id, p.title, p.brand_id FROM products p WHERE p.featured ORDER BY p.rank LIMIT 12",
);
const PRODUCTS: Sql = Sql::new(
    "SELECT",
    "products",
    "SELECT p.id, p.title, p.image FROM products p WHERE p.id IN ($1, $2, $3, $4, $5, $6, $7, $8)",
);
const PRODUCT: Sql = Sql::new(
    "SELECT",
    "products",
    "SELECT p.id, p.sku, p.title, p.description, p.brand_id FROM products p WHERE p.id = $1",
);
const DIMENSIONS: Sql = Sql::new(
    "SELECT",
    "dimensions",
    "SELECT d.width, d.height, d.depth, d.weight FROM dimensions d WHERE d.product_id = $1",
);
const USER: Sql = Sql::new(
    "SELECT",
    "users",
    "SELECT u.id, u.given_name, u.locale, u.created_at FROM users u WHERE u.id = %s",
);
const PRICE: Sql = Sql::new(
    "SELECT",
    "prices",
    "SELECT amount_minor, currency, valid_until FROM prices WHERE sku = ? AND country = ?",
);
const STOCK: Sql = Sql::new(
    "SELECT",
    "stock_levels",
    "SELECT sku, location_id, on_hand, reserved FROM stock_levels WHERE sku = $1 FOR UPDATE",
);
const RESERVE: Sql = Sql::new(
    "UPDATE",
    "stock_levels",
    "UPDATE stock_levels SET reserved = reserved + $1 WHERE sku = $2 AND on_hand - reserved >= $1",
);
const PAYMENT: Sql = Sql::new(
    "INSERT",
    "payments",
    "INSERT INTO payments (id, order_id, amount_minor, currency, state) VALUES (?, ?, ?, ?, 'new')",
);
const ORDER: Sql = Sql::new(
    "INSERT",
    "orders",
    "INSERT INTO orders (id, customer_id, currency, total_minor, placed_at) VALUES ($1, $2, $3, $4, now())",
);

/// What recommendation does by itself; one instance of it is old, slow and fails.
pub(super) fn recommends(p: &mut Planner<'_>, at: &mut At) -> Outcome {
    let is_old = p.instance(at.instance).faults.contains(&Fault::VersionSkew);
    p.cache(at, "GET", "embedding");
    p.work(at, "predict", if is_old { 26_000 } else { 6_500 });
    if is_old && p.random.chance(150) {
        p.exception(at.span, at.now_ns, "KeyError", "'model.v2.weights'");
        return Outcome::failed(500, "KeyError", "'model.v2.weights'");
    }
    Outcome::OK
}

pub(super) fn reads_user(p: &mut Planner<'_>, at: &mut At) -> Outcome {
    p.query(at, &USER, 2_600);
    p.work(at, "serialise", 500);
    Outcome::OK
}

pub(super) fn home(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/"), |p, at| {
        let (mut featured, mut recommended, mut user) = (*at, *at, *at);
        let call = Call::new(Service::Catalogue, "GET", "/featured");
        let outcome = p.call(&mut featured, &call, |p, at| {
            p.cache(at, "GET", "featured");
            p.query(at, &FEATURED, 5_200);
            Outcome::OK
        });
        let call = Call::new(Service::Recommendation, "GET", "/recommendations");
        // A home page without recommendations is a home page.
        p.call(&mut recommended, &call, |p, at| {
            let outcome = recommends(p, at);
            if outcome.is_ok() {
                let call = Call::new(Service::Catalogue, "POST", "/products/batch");
                p.call(at, &call, |p, at| {
                    p.query(at, &PRODUCTS, 3_800);
                    Outcome::OK
                });
            }
            outcome
        });
        p.call(&mut user, &Call::new(Service::User, "GET", "/users/{id}"), reads_user);
        at.join(&[featured, recommended, user]);
        bad_gateway(outcome)
    });
}

pub(super) fn product(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/products/{id}"), |p, at| {
        let (mut details, mut stock) = (*at, *at);
        let call = Call::new(Service::Catalogue, "GET", "/products/{id}");
        let outcome = p.call(&mut details, &call, |p, at| {
            p.cache(at, "GET", "product");
            p.query(at, &PRODUCT, 2_800);
            let call = Call::new(Service::Pricing, "GET", "/prices/{sku}");
            p.call(at, &call, |p, at| {
                p.query(at, &PRICE, 16_000);
                p.work(at, "discount", 1_200);
                Outcome::OK
            })
        });
        let waits = p.strikes(Fault::MissingTimeout);
        p.call(&mut stock, &Call::rpc(Service::Inventory, "GetStock"), |p, at| {
            let took_ns = match waits {
                true => p.random.between(6_000_000_000, 9_000_000_000).cast_signed(),
                false => p.took_ns(4_000),
            };
            p.query_for(at, &STOCK, took_ns);
            Outcome::OK
        });
        at.join(&[details, stock]);
        bad_gateway(outcome)
    });
}

pub(super) fn search(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/search"), |p, at| {
        let (mut hits, mut facets) = (*at, *at);
        let first = p.random.between(0, 2) as usize;
        let call = Call::new(Service::Search, "GET", "/v1/search");
        let outcome = p.call(&mut hits, &Call { nth: Some(first), ..call }, |p, at| {
            p.search_index(at, "products", 14_000);
            p.work(at, "rank", 2_200);
            Outcome::OK
        });
        let call = Call::new(Service::Search, "GET", "/v1/facets");
        p.call(&mut facets, &Call { nth: Some(1 - first), ..call }, |p, at| {
            p.search_index(at, "facets", 9_000);
            Outcome::OK
        });
        at.join(&[hits, facets]);
        bad_gateway(outcome)
    });
}

pub(super) fn add_to_cart(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("POST", "/cart/items"), |p, at| {
        let call = Call::new(Service::Cart, "POST", "/carts/{id}/items");
        let outcome = p.call(at, &call, |p, at| {
            p.cache(at, "HSET", "cart");
            p.work(at, "price", 3_000);
            Outcome::OK
        });
        bad_gateway(outcome)
    });
}

pub(super) fn checkout(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("POST", "/checkout"), |p, at| {
        let call = Call::new(Service::Checkout, "POST", "/orders");
        bad_gateway(p.call(at, &call, places_order))
    });
}

fn places_order(p: &mut Planner<'_>, at: &mut At) -> Outcome {
    let (mut cart, mut stock) = (*at, *at);
    p.call(&mut cart, &Call::new(Service::Cart, "GET", "/carts/{id}"), |p, at| {
        p.cache(at, "HGETALL", "cart");
        p.work(at, "total", 2_400);
        Outcome::OK
    });
    p.call(&mut stock, &Call::rpc(Service::Inventory, "Reserve"), |p, at| {
        if p.instance(at.instance).faults.contains(&Fault::ClockOffset) {
            p.sightings.see(Fault::RefusedStamps, &p.trace_id);
        }
        p.query(at, &RESERVE, 4_200);
        p.call(at, &Call::new(Service::Catalogue, "GET", "/products/{id}/dimensions"), |p, at| {
            p.query(at, &DIMENSIONS, 2_300);
            Outcome::OK
        })
    });
    at.join(&[cart, stock]);
    let outcome = p.call(at, &Call::new(Service::Payment, "POST", "/payments"), |p, at| {
        p.query(at, &PAYMENT, 3_100);
        p.external(at, "api.acquirer.example", "/v2/authorisations", 42_000, Outcome::OK);
        p.publish(at, Topic::PaymentsSettled);
        Outcome::OK
    });
    p.query(at, &ORDER, 3_400);
    p.publish(at, Topic::OrdersConfirmed);
    outcome
}
