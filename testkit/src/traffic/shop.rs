//! The shop whose traffic is simulated: thirty services, what each offers, and what it does to answer.
//!
//! Data only. A step names another service and the position of one of its operations.

use self::Language::{DotNet, Go, Java, Node, Python, Rust};

/// What a service is written in, which decides its resource and its instrumentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    DotNet,
    Go,
    Java,
    Node,
    Python,
    Rust,
}

#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) language: Language,
    pub(super) replicas: usize,
    pub(super) operations: &'static [Operation],
}

#[derive(Debug)]
pub(super) struct Operation {
    pub(super) entry: Entry,
    pub(super) steps: &'static [Step],
}

/// How an operation is reached.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    Http { method: &'static str, route: &'static str },
    Rpc { service: &'static str, method: &'static str },
    Message { topic: &'static str },
}

/// One thing that an operation does, in order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Call {
        service: &'static str,
        operation: usize,
    },
    Query(Query),
    /// One query per row of the query before, as an object-relational mapper makes them.
    QueryPerRow(Query),
    Cache {
        command: &'static str,
        key: &'static str,
    },
    Publish {
        topic: &'static str,
    },
    Work {
        name: &'static str,
        median_us: u64,
    },
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Query {
    pub(super) system: &'static str,
    pub(super) operation: &'static str,
    pub(super) table: &'static str,
    pub(super) text: &'static str,
}

/// An operation that clients of the shop call, and how often out of a hundred.
pub(super) struct Root {
    pub(super) service: &'static str,
    pub(super) operation: usize,
    pub(super) percent: u64,
}

const fn service(
    name: &'static str,
    language: Language,
    replicas: usize,
    operations: &'static [Operation],
) -> Service {
    Service { name, language, replicas, operations }
}

const fn http(method: &'static str, route: &'static str, steps: &'static [Step]) -> Operation {
    Operation { entry: Entry::Http { method, route }, steps }
}

const fn rpc(service: &'static str, method: &'static str, steps: &'static [Step]) -> Operation {
    Operation { entry: Entry::Rpc { service, method }, steps }
}

const fn message(topic: &'static str, steps: &'static [Step]) -> Operation {
    Operation { entry: Entry::Message { topic }, steps }
}

const fn call(service: &'static str, operation: usize) -> Step {
    Step::Call { service, operation }
}

const fn work(name: &'static str, median_us: u64) -> Step {
    Step::Work { name, median_us }
}

const fn cache(command: &'static str, key: &'static str) -> Step {
    Step::Cache { command, key }
}

const fn publish(topic: &'static str) -> Step {
    Step::Publish { topic }
}

const fn query(operation: &'static str, table: &'static str, text: &'static str) -> Query {
    Query { system: "postgresql", operation, table, text }
}

const fn select(table: &'static str, text: &'static str) -> Step {
    Step::Query(query("SELECT", table, text))
}

const fn select_per_row(table: &'static str, text: &'static str) -> Step {
    Step::QueryPerRow(query("SELECT", table, text))
}

const fn write(operation: &'static str, table: &'static str, text: &'static str) -> Step {
    Step::Query(query(operation, table, text))
}

const fn query_in(
    system: &'static str,
    operation: &'static str,
    table: &'static str,
    text: &'static str,
) -> Step {
    Step::Query(Query { system, operation, table, text })
}

pub(super) const ROOTS: &[Root] = &[
    Root { service: "storefront", operation: 0, percent: 22 },
    Root { service: "storefront", operation: 1, percent: 26 },
    Root { service: "storefront", operation: 2, percent: 15 },
    Root { service: "storefront", operation: 3, percent: 10 },
    Root { service: "storefront", operation: 4, percent: 3 },
    Root { service: "storefront", operation: 5, percent: 5 },
    Root { service: "mobile-gateway", operation: 0, percent: 10 },
    Root { service: "mobile-gateway", operation: 1, percent: 7 },
    Root { service: "mobile-gateway", operation: 2, percent: 2 },
];

// One line per operation reads as the table that it is.
#[rustfmt::skip]
pub(super) const SERVICES: &[Service] = &[
    service("storefront", Node, 4, &[
        http("GET", "/", &[
            call("session", 0), call("feature-flags", 0), call("recommendation", 0), call("promotions", 0), call("ads", 0),
            work("render home.hbs", 900),
        ]),
        http("GET", "/products/{id}", &[
            call("session", 0), call("catalog", 0), call("reviews", 0), call("media", 0), call("recommendation", 0),
            work("render product.hbs", 700),
        ]),
        http("GET", "/search", &[call("session", 0), call("search", 0), call("ads", 0), work("render results.hbs", 1100)]),
        http("POST", "/cart/items", &[call("session", 0), call("cart", 1), call("promotions", 0)]),
        http("POST", "/checkout", &[call("session", 0), call("checkout", 0)]),
        http("GET", "/orders", &[call("session", 0), call("orders", 1), work("render orders.hbs", 800)]),
    ]),
    service("mobile-gateway", Go, 3, &[
        http("GET", "/api/v2/home", &[call("auth", 0), call("feature-flags", 0), call("recommendation", 0), call("loyalty", 0)]),
        http("GET", "/api/v2/products/{id}", &[call("auth", 0), call("catalog", 0), call("media", 0), call("reviews", 0)]),
        http("POST", "/api/v2/checkout", &[call("auth", 0), call("checkout", 0)]),
    ]),
    service("auth", Go, 2, &[
        rpc("shop.auth.v1.AuthService", "VerifyToken", &[cache("GET", "token"), work("verify signature", 120)]),
        rpc("shop.auth.v1.AuthService", "Login", &[
            select("credentials", "SELECT id, customer_id, password_hash, algorithm, failed_attempts, locked_until FROM credentials WHERE email = $1"),
            work("argon2id", 42_000),
        ]),
    ]),
    service("session", Rust, 2, &[
        rpc("shop.session.v1.SessionService", "Get", &[cache("GET", "session"), cache("EXPIRE", "session")]),
    ]),
    service("catalog", Java, 4, &[
        http("GET", "/v1/products/{id}", &[
            cache("GET", "product"),
            select("products", "SELECT p.id, p.sku, p.title, p.description, p.brand_id, p.category_id, p.updated_at FROM products p WHERE p.id = $1"),
            call("pricing", 0), call("inventory", 0),
        ]),
        rpc("shop.catalog.v1.CatalogService", "ListProducts", &[
            select("products", "SELECT p.id, p.sku, p.title, p.brand_id, p.category_id FROM products p WHERE p.category_id = $1 ORDER BY p.rank LIMIT 24"),
            select_per_row("brands", "SELECT b.id, b.name, b.logo_url, b.country, b.created_at, b.updated_at FROM brands b WHERE b.id = $1"),
        ]),
    ]),
    service("inventory", Java, 2, &[
        rpc("shop.inventory.v1.InventoryService", "GetStock", &[
            select("stock_levels", "SELECT sku, location_id, on_hand, reserved FROM stock_levels WHERE sku = $1 AND location_id IN ($2, $3, $4, $5)"),
        ]),
        rpc("shop.inventory.v1.InventoryService", "Reserve", &[
            write("UPDATE", "stock_levels", "UPDATE stock_levels SET reserved = reserved + $1 WHERE sku = $2 AND on_hand - reserved >= $1 RETURNING location_id"),
            publish("inventory.reserved"),
        ]),
    ]),
    service("pricing", Go, 3, &[
        rpc("shop.pricing.v1.PricingService", "GetPrice", &[cache("MGET", "price"), call("currency", 0)]),
        rpc("shop.pricing.v1.PricingService", "GetPrices", &[cache("MGET", "price"), work("apply rules", 350)]),
    ]),
    service("promotions", Python, 2, &[
        http("GET", "/promotions/active", &[
            select("promotions", "SELECT id, code, kind, value, starts_at, ends_at FROM promotions WHERE starts_at <= now() AND ends_at > now() ORDER BY priority"),
            work("evaluate eligibility", 1500),
        ]),
    ]),
    service("search", Java, 2, &[
        http("GET", "/v1/search", &[
            query_in("elasticsearch", "search", "products-2026-11", "{\"query\":{\"multi_match\":{\"query\":\"?\",\"fields\":[\"title^3\",\"brand^2\",\"description\"]}},\"size\":24}"),
            call("catalog", 1), call("pricing", 1),
        ]),
    ]),
    service("recommendation", Python, 3, &[
        rpc("shop.recommendation.v1.RecommendationService", "ListRecommendations", &[
            cache("GET", "embedding"), work("model.predict", 6500), call("catalog", 1), call("pricing", 1),
        ]),
    ]),
    service("reviews", Node, 2, &[
        http("GET", "/v1/reviews/{product}", &[
            query_in("mongodb", "find", "reviews", "{\"find\":\"reviews\",\"filter\":{\"productId\":\"?\",\"state\":\"published\"},\"sort\":{\"createdAt\":-1},\"limit\":10}"),
            Step::QueryPerRow(Query {
                system: "mongodb", operation: "find", table: "authors",
                text: "{\"find\":\"authors\",\"filter\":{\"_id\":\"?\"},\"projection\":{\"displayName\":1,\"avatarUrl\":1},\"limit\":1}",
            }),
        ]),
    ]),
    service("media", Go, 2, &[http("GET", "/images/{id}/variants", &[cache("HGETALL", "variants"), work("sign urls", 90)])]),
    service("cart", DotNet, 2, &[
        rpc("shop.cart.v1.CartService", "GetCart", &[cache("HGETALL", "cart")]),
        rpc("shop.cart.v1.CartService", "AddItem", &[call("catalog", 0), cache("HSET", "cart"), publish("cart.changed")]),
    ]),
    service("checkout", Java, 2, &[
        http("POST", "/v1/checkouts", &[
            call("cart", 0), call("customer", 0), call("address", 0), call("inventory", 1), call("tax", 0), call("shipping", 0),
            call("payment", 0), call("orders", 0), cache("DEL", "cart"),
        ]),
    ]),
    service("orders", Java, 3, &[
        rpc("shop.orders.v1.OrderService", "PlaceOrder", &[
            write("INSERT", "orders", "INSERT INTO orders (id, customer_id, currency, total_minor, state, placed_at) VALUES ($1, $2, $3, $4, $5, now())"),
            write("INSERT", "order_lines", "INSERT INTO order_lines (order_id, line_no, sku, quantity, unit_price_minor) SELECT * FROM unnest($1, $2, $3, $4, $5)"),
            publish("orders.placed"),
        ]),
        http("GET", "/v1/customers/{id}/orders", &[
            select("orders", "SELECT o.id, o.state, o.total_minor, o.currency, o.placed_at FROM orders o WHERE o.customer_id = $1 ORDER BY o.placed_at DESC LIMIT 20"),
            select_per_row("order_lines", "SELECT l.order_id, l.line_no, l.sku, l.quantity, l.unit_price_minor FROM order_lines l WHERE l.order_id = $1"),
            call("shipping", 1),
        ]),
    ]),
    service("payment", Java, 2, &[
        http("POST", "/v1/payments", &[
            call("fraud", 0),
            write("INSERT", "payments", "INSERT INTO payments (id, order_id, amount_minor, currency, provider, state) VALUES ($1, $2, $3, $4, $5, 'authorising')"),
            work("provider.authorise", 85_000),
            write("UPDATE", "payments", "UPDATE payments SET state = $1, provider_reference = $2, authorised_at = now() WHERE id = $3"),
        ]),
    ]),
    service("fraud", Python, 2, &[
        rpc("shop.fraud.v1.FraudService", "Score", &[cache("ZRANGEBYSCORE", "velocity"), work("score.evaluate", 4200)]),
    ]),
    service("tax", Go, 1, &[http("POST", "/v1/quotes", &[work("lookup jurisdiction", 240), work("compute lines", 160)])]),
    service("shipping", Go, 2, &[
        http("POST", "/v1/rates", &[call("address", 0), work("carrier.quote", 23_000)]),
        rpc("shop.shipping.v1.ShippingService", "ListShipments", &[
            select("shipments", "SELECT id, order_id, carrier, tracking_number, state, estimated_at FROM shipments WHERE order_id = ANY($1)"),
        ]),
    ]),
    service("warehouse", Java, 1, &[
        message("inventory.reserved", &[
            select("bins", "SELECT bin_id, sku, quantity, aisle, shelf FROM bins WHERE sku = $1 AND quantity > 0 ORDER BY picked_at NULLS FIRST LIMIT 5"),
            write("INSERT", "pick_tasks", "INSERT INTO pick_tasks (id, bin_id, sku, quantity, priority, created_at) VALUES ($1, $2, $3, $4, $5, now())"),
            work("plan route", 2600), call("inventory", 0),
        ]),
    ]),
    service("notification", Node, 1, &[
        message("orders.placed", &[call("customer", 0), work("choose channel", 200), call("email", 0)]),
    ]),
    service("email", Python, 1, &[
        http("POST", "/v1/messages", &[work("render mjml", 5200), work("smtp.send", 61_000)]),
    ]),
    service("loyalty", DotNet, 1, &[
        http("GET", "/v1/members/{id}", &[
            query_in("microsoft.sql_server", "SELECT", "members", "SELECT TOP 1 m.Id, m.Tier, m.Points, m.ValidUntil FROM dbo.Members AS m WHERE m.CustomerId = @p0"),
            cache("SETEX", "member"),
        ]),
    ]),
    service("customer", Java, 2, &[
        rpc("shop.customer.v1.CustomerService", "GetCustomer", &[
            select("customers", "SELECT c.id, c.email, c.given_name, c.family_name, c.locale, c.created_at FROM customers c WHERE c.id = $1"),
        ]),
    ]),
    service("address", Go, 1, &[
        rpc("shop.address.v1.AddressService", "Validate", &[
            select("postcodes", "SELECT postcode, city, region, country, latitude, longitude FROM postcodes WHERE country = $1 AND postcode = $2"),
        ]),
    ]),
    service("currency", Rust, 2, &[rpc("shop.currency.v1.CurrencyService", "Convert", &[cache("GET", "rate")])]),
    service("ads", Java, 2, &[
        rpc("shop.ads.v1.AdService", "GetAds", &[
            cache("SRANDMEMBER", "campaign"), work("auction", 1300),
        ]),
    ]),
    service("analytics", Python, 2, &[
        message("cart.changed", &[
            work("parse events", 420), work("sessionise", 950),
            write("INSERT", "cart_events", "INSERT INTO cart_events (event_id, session_id, sku, quantity, occurred_at) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"),
            cache("INCRBY", "counter"),
        ]),
    ]),
    service("invoice", DotNet, 1, &[
        message("orders.placed", &[
            query_in("microsoft.sql_server", "SELECT", "tax_profiles", "SELECT p.Id, p.VatNumber, p.Country, p.ReverseCharge FROM dbo.TaxProfiles AS p WHERE p.CustomerId = @p0"),
            work("RenderPdf", 38_000),
            query_in("microsoft.sql_server", "INSERT", "invoices", "INSERT INTO dbo.Invoices (Id, OrderId, Number, TotalMinor, Currency, IssuedAt) VALUES (@p0, @p1, @p2, @p3, @p4, @p5)"),
            call("email", 0),
        ]),
    ]),
    service("feature-flags", Go, 2, &[rpc("shop.flags.v1.FlagService", "EvaluateAll", &[cache("HGETALL", "flags")])]),
];

/// The position of a service in [`SERVICES`].
pub(super) fn position(name: &str) -> Option<usize> {
    SERVICES.iter().position(|service| service.name == name)
}
