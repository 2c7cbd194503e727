//! Calls of every kind, under old names of attributes and new ones, so that no rule is judged by HTTP alone.

/// How a call is recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) name: &'static str,
    /// Name and kind of the span.
    head: &'static str,
    /// Its attributes; `%i` is the item that is asked for.
    told: &'static str,
    /// Whether a server's span may stand below it.
    pub(crate) is_answered: bool,
}

impl Dialect {
    /// A span of the notation, without a line's indentation.
    pub(crate) fn call(&self, service: &str, times: &str) -> String {
        format!("{service} {} {times} {}", self.head, self.told)
    }

    /// The same call of one thing, so that repeating it asks for the same.
    pub(crate) fn same(&self, service: &str, times: &str) -> String {
        self.call(service, times).replace("%i", "7")
    }
}

const fn dialect(
    name: &'static str,
    head: &'static str,
    told: &'static str,
    is_answered: bool,
) -> Dialect {
    Dialect { name, head, told, is_answered }
}

/// Calls that read, or of which nobody knows.
pub(crate) const READS: [Dialect; 20] = [
    dialect("HTTP", "GET client", "http.request.method=GET url.full=https://users/users/%i", true),
    dialect("old HTTP", "GET client", "http.method=GET http.url=https://users/users/%i", true),
    dialect(
        "HTTP by template",
        "GET client",
        "http.request.method=GET url.template=/users/{id} server.address=users",
        true,
    ),
    dialect(
        "old HTTP by target",
        "\"HTTP GET\" client",
        "http.method=GET http.target=/users/%i net.peer.name=users",
        true,
    ),
    dialect(
        "SQL",
        "\"SELECT users\" client",
        "db.system.name=postgresql db.query.text=\"SELECT * FROM users WHERE id = %i\"",
        false,
    ),
    dialect(
        "old SQL",
        "query client",
        "db.system=mysql db.statement=\"SELECT name FROM users WHERE id = %i\"",
        false,
    ),
    dialect(
        "SQL by summary",
        "query client",
        "db.system.name=mysql db.query.summary=\"SELECT users\"",
        false,
    ),
    dialect("SQL by name", "\"SELECT shop.users\" client", "", false),
    dialect(
        "RPC",
        "shop.Users/Get client",
        "rpc.system.name=grpc rpc.method=shop.Users/Get server.address=users",
        true,
    ),
    dialect(
        "old RPC",
        "Get client",
        "rpc.system=grpc rpc.service=shop.Users rpc.method=Get net.peer.name=users",
        true,
    ),
    dialect("RPC by name", "shop.Users/Get client", "", true),
    dialect("Redis", "GET client", "db.system=redis db.statement=\"GET user:%i\"", false),
    dialect("memcached", "get client", "db.system.name=memcached db.operation.name=get", false),
    dialect(
        "MongoDB",
        "find client",
        "db.system=mongodb db.operation=find db.mongodb.collection=users",
        false,
    ),
    dialect(
        "DynamoDB",
        "GetItem client",
        "db.system.name=aws.dynamodb db.operation.name=GetItem db.collection.name=users",
        false,
    ),
    dialect(
        "Cassandra",
        "query client",
        "db.system=cassandra db.cassandra.keyspace=shop db.statement=\"SELECT name FROM users WHERE id = %i\"",
        false,
    ),
    dialect("function", "invoke client", "faas.invoked_name=score", false),
    dialect(
        "GraphQL",
        "query client",
        "graphql.operation.type=query graphql.operation.name=User",
        false,
    ),
    dialect(
        "model's tool",
        "\"execute_tool lookup\" internal",
        "gen_ai.operation.name=execute_tool gen_ai.tool.name=lookup",
        false,
    ),
    dialect(
        "model",
        "\"chat m\" client",
        "gen_ai.operation.name=chat gen_ai.request.model=m gen_ai.provider.name=p",
        false,
    ),
];

/// Calls that write.
pub(crate) const WRITES: [Dialect; 8] = [
    dialect(
        "HTTP",
        "POST client",
        "http.request.method=POST url.full=https://pay/payments/%i",
        true,
    ),
    dialect("old HTTP", "PUT client", "http.method=PUT http.url=https://pay/payments/%i", true),
    dialect(
        "HTTP by template",
        "PATCH client",
        "http.request.method=PATCH url.template=/payments/{id} server.address=pay",
        true,
    ),
    dialect("HTTP by name", "\"DELETE /payments/{id}\" client", "", true),
    dialect(
        "SQL",
        "INSERT client",
        "db.system.name=postgresql db.query.text=\"INSERT INTO payments VALUES (%i)\"",
        false,
    ),
    dialect(
        "old SQL",
        "query client",
        "db.system=mysql db.statement=\"UPDATE payments SET paid = 1 WHERE id = %i\"",
        false,
    ),
    dialect(
        "message",
        "\"send mails\" producer",
        "messaging.system=kafka messaging.destination.name=mails messaging.operation.type=send",
        false,
    ),
    dialect(
        "old message",
        "\"mails publish\" producer",
        "messaging.system=rabbitmq messaging.destination=mails messaging.operation=publish",
        false,
    ),
];

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Dialect> {
    READS.into_iter().chain(WRITES)
}
