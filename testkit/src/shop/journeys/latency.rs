//! Time that is lost on the way: many calls where one would do, one after the other, or far away.

use super::super::attributes::Sql;
use super::super::calls::Call;
use super::super::cast::Service;
use super::super::fault::Fault;
use super::super::plan::{At, Outcome, Planner};
use super::bad_gateway;

const LISTED: Sql = Sql::new(
    "SELECT",
    "products",
    "SELECT p.id, p.title, p.brand_id FROM products p WHERE p.category_id = $1 ORDER BY p.rank LIMIT 24",
);
const BRAND: Sql = Sql::new(
    "SELECT",
    "brands",
    "SELECT b.id, b.name, b.logo_url, b.country FROM brands b WHERE b.id = $1",
);
const BRANDS: Sql = Sql::new(
    "SELECT",
    "brands",
    "SELECT b.id, b.name, b.logo_url, b.country FROM brands b WHERE b.id IN ($1, $2, $3, $4)",
);
const SUMMARY: Sql =
    Sql::new("SELECT", "products", "SELECT p.id, p.title, p.state FROM products p WHERE p.id = $1");
const RATING: Sql = Sql::new(
    "SELECT",
    "ratings",
    "SELECT avg(r.stars), count(*) FROM ratings r WHERE r.product_id = $1",
);
const STOCK: Sql = Sql::new(
    "SELECT",
    "stock_levels",
    "SELECT sku, sum(on_hand) FROM stock_levels WHERE sku = $1 GROUP BY sku",
);
const STOCKS: Sql = Sql::new(
    "SELECT",
    "stock_levels",
    "SELECT sku, sum(on_hand) FROM stock_levels WHERE sku IN ($1, $2, $3, $4) GROUP BY sku",
);
const PROFILE: Sql = Sql::new(
    "SELECT",
    "profiles",
    "SELECT p.user_id, p.newsletter, p.size, p.birthday FROM profiles p WHERE p.user_id = %s",
);
const RATES: Sql = Sql::new(
    "SELECT",
    "rates",
    "SELECT carrier, service, price_minor, days FROM rates WHERE country = $1 AND weight_to >= $2",
);

pub(super) fn category(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/categories/{id}"), |p, at| {
        let call = Call::new(Service::Catalogue, "GET", "/categories/{id}/products");
        let outcome = p.call(at, &call, |p, at| {
            p.query(at, &LISTED, 4_500);
            if p.strikes(Fault::NPlusOneSql) {
                for _ in 0..p.random.between(12, 25) {
                    p.query(at, &BRAND, 2_300);
                }
            } else {
                p.query(at, &BRANDS, 3_200);
            }
            Outcome::OK
        });
        bad_gateway(outcome)
    });
}

pub(super) fn dashboard(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/dashboard"), |p, at| {
        if !p.strikes(Fault::NPlusOneHttp) {
            let call = Call::new(Service::Catalogue, "POST", "/products/summaries");
            return bad_gateway(p.call(at, &call, |p, at| {
                p.query(at, &LISTED, 4_000);
                Outcome::OK
            }));
        }
        let mut outcome = Outcome::OK;
        for _ in 0..p.random.between(8, 13) {
            let call = Call::new(Service::Catalogue, "GET", "/products/{id}/summary");
            outcome = p.call(at, &call, |p, at| {
                p.query(at, &SUMMARY, 2_100);
                p.query(at, &RATING, 2_600);
                Outcome::OK
            });
        }
        bad_gateway(outcome)
    });
}

pub(super) fn stock(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/stock"), |p, at| {
        if !p.strikes(Fault::FanOut) {
            let call = Call::rpc(Service::Inventory, "ListStock");
            return bad_gateway(p.call(at, &call, |p, at| {
                p.query(at, &STOCKS, 5_000);
                Outcome::OK
            }));
        }
        let mut branches = Vec::new();
        for _ in 0..p.random.between(24, 31) {
            let mut branch = *at;
            p.call(&mut branch, &Call::rpc(Service::Inventory, "CountStock"), |p, at| {
                p.query(at, &STOCK, 7_500);
                Outcome::OK
            });
            branches.push(branch);
            at.wait_us(40);
        }
        at.join(&branches);
        Outcome::OK
    });
}

pub(super) fn account(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/account"), |p, at| {
        let is_sequential = p.strikes(Fault::SequentialCalls);
        let begin = *at;
        let mut branches = Vec::new();
        for (to, route) in [
            (Service::User, "/users/{id}/profile"),
            (Service::Cart, "/carts/{id}/history"),
            (Service::Recommendation, "/wishlists/{id}"),
        ] {
            let mut branch = if is_sequential { *at } else { begin };
            p.call(&mut branch, &Call::new(to, "GET", route), |p, at| account_part(p, at, to));
            branches.push(branch);
            at.join(&branches);
        }
        Outcome::OK
    });
}

fn account_part(p: &mut Planner<'_>, at: &mut At, service: Service) -> Outcome {
    match service {
        Service::User => p.query(at, &PROFILE, 38_000),
        Service::Cart => {
            p.cache(at, "LRANGE", "history");
            p.work(at, "summarise", 32_000);
        }
        _ => p.work(at, "score", 41_000),
    }
    Outcome::OK
}

/// Shipping is a region away if that is the fault.
pub(super) fn quote(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/quotes"), |p, at| {
        p.strikes(Fault::LatencyFloor);
        let outcome = p.call(at, &Call::rpc(Service::Shipping, "Quote"), |p, at| {
            p.query(at, &RATES, 5_500);
            p.work(at, "choose", 2_000);
            Outcome::OK
        });
        bad_gateway(outcome)
    });
}

pub(super) fn summary(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/checkout/summary"), |p, at| {
        let call = Call::new(Service::Checkout, "GET", "/summary");
        bad_gateway(p.call(at, &call, |p, at| {
            if p.strikes(Fault::ChattyEdge) {
                chats(p, at);
            } else {
                p.call(at, &Call::new(Service::Cart, "GET", "/carts/{id}/summary"), from_cart);
            }
            Outcome::OK
        }))
    });
}

/// Twelve calls of four kinds, two at a time.
fn chats(p: &mut Planner<'_>, at: &mut At) {
    const ROUTES: [[&str; 2]; 2] = [
        ["/carts/{id}/items/{line}", "/carts/{id}/totals/{line}"],
        ["/carts/{id}/discounts/{line}", "/carts/{id}/taxes/{line}"],
    ];
    for _ in 0..3 {
        for [one, other] in ROUTES {
            let (mut a, mut b) = (*at, *at);
            p.call(&mut a, &Call::new(Service::Cart, "GET", one), from_cart);
            p.call(&mut b, &Call::new(Service::Cart, "GET", other), from_cart);
            at.join(&[a, b]);
        }
    }
}

fn from_cart(p: &mut Planner<'_>, at: &mut At) -> Outcome {
    p.cache(at, "HGET", "cart");
    p.work(at, "map", 1_300);
    Outcome::OK
}
