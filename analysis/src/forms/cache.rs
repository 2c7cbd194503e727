//! Forms of cache commands: Redis, Valkey, Memcached and their like.
//!
//! A [family](super): the command and the shape of its first key, `HGET user:{id}`. Values and further keys say
//! nothing. Caches are clusters, so an address tells callees apart only if it is a name.

use super::call::{Draft, Effect, System};
use super::conventions::{Field, Fields};
use super::path::push_name;
use super::sql::cut_at;

/// Commands that only read.
const READS: &[&str] = &[
    "BITCOUNT",
    "EXISTS",
    "GET",
    "GETRANGE",
    "GETS",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HSCAN",
    "HVALS",
    "KEYS",
    "LINDEX",
    "LLEN",
    "LRANGE",
    "MGET",
    "PTTL",
    "SCAN",
    "SCARD",
    "SISMEMBER",
    "SMEMBERS",
    "SSCAN",
    "STRLEN",
    "TTL",
    "TYPE",
    "XLEN",
    "XRANGE",
    "XREAD",
    "ZCARD",
    "ZCOUNT",
    "ZRANGE",
    "ZRANGEBYSCORE",
    "ZRANK",
    "ZREVRANGE",
    "ZSCORE",
];

/// Commands that write.
const WRITES: &[&str] = &[
    "ADD", "APPEND", "CAS", "DECR", "DECRBY", "DEL", "DELETE", "EXPIRE", "FLUSHALL", "FLUSHDB",
    "GETDEL", "GETSET", "HDEL", "HINCRBY", "HMSET", "HSET", "HSETNX", "INCR", "INCRBY", "LPOP",
    "LPUSH", "LREM", "LTRIM", "MSET", "PERSIST", "PEXPIRE", "PSETEX", "PUBLISH", "REPLACE", "RPOP",
    "RPUSH", "SADD", "SET", "SETEX", "SETNX", "SPOP", "SREM", "TOUCH", "UNLINK", "XACK", "XADD",
    "ZADD", "ZINCRBY", "ZREM",
];

/// Commands about the connection or a transaction.
const HOUSEKEEPING: &[&str] = &[
    "AUTH",
    "CLIENT",
    "CLUSTER",
    "COMMAND",
    "CONFIG",
    "DISCARD",
    "ECHO",
    "EXEC",
    "HELLO",
    "INFO",
    "MULTI",
    "PING",
    "QUIT",
    "READONLY",
    "READWRITE",
    "RESET",
    "ROLE",
    "SELECT",
    "UNWATCH",
    "VERSION",
    "WATCH",
];

/// Commands whose second word is part of the command, not a key.
const CONTAINERS: &[&str] = &[
    "CLIENT", "CLUSTER", "CONFIG", "FUNCTION", "LATENCY", "MEMORY", "OBJECT", "SCRIPT", "XGROUP",
    "XINFO",
];

/// More of a command than this is values.
const COMMAND_BYTES_MAX: usize = 512;

/// Whether a `db.system` is a cache.
pub(super) fn is_cache(system: &str) -> bool {
    ["redis", "valkey", "memcached", "keydb", "dragonfly", "hazelcast", "ehcache", "infinispan"]
        .contains(&system)
}

/// The command a word is, in capitals, if it can be no SQL verb or HTTP method.
pub(super) fn command_of_name(name: &str) -> Option<&'static str> {
    let is_own = |command: &&&str| {
        ![
            "GET", "SET", "DELETE", "ADD", "REPLACE", "TYPE", "SCAN", "KEYS", "APPEND", "TOUCH",
            "EXISTS", "PUBLISH", "CAS",
        ]
        .contains(*command)
    };
    if !name.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    READS.iter().chain(WRITES).filter(is_own).find(|command| **command == name).copied()
}

/// Forms the call of a cache span.
pub(super) fn draft(name: &str, fields: &Fields<'_>, draft: &mut Draft) {
    draft.system = System::Cache;
    let statement = fields.text(Field::DbStatement).map(|text| cut_at(text, COMMAND_BYTES_MAX).0);
    let operation = fields.text(Field::DbOperation);
    let first_line = statement.and_then(|text| text.lines().find(|line| !line.trim().is_empty()));
    let mut words = first_line.unwrap_or_default().split_whitespace();
    let mut word = words.next();
    match (operation, word) {
        (Some(operation), first) => {
            // Some senders write the command into the statement as well, some only its arguments.
            push_command(operation, draft);
            if first.is_some_and(|first| {
                operation.split(' ').any(|part| part.eq_ignore_ascii_case(first))
            }) {
                word = words.next();
            }
        }
        (None, Some(command)) => {
            push_command(command, draft);
            word = words.next();
        }
        (None, None) => push_command(name, draft),
    }
    if let Some(part) = word
        && CONTAINERS.contains(&draft.operation.as_str())
    {
        draft.operation.push(' ');
        push_command(part, draft);
        word = None;
    }
    let is_shown =
        |key: &&str| !is_placeholder(key) && !matches!(draft.operation.as_str(), "EVAL" | "AUTH");
    if let Some(key) = word.filter(is_shown) {
        push_name(key.trim_matches(['"', '\'']), &mut draft.target);
    }
    draft.template_from_parts();
    let command = draft.operation.split(' ').next().unwrap_or_default();
    let is_in = |sorted: &[&str]| sorted.binary_search(&command).is_ok();
    draft.is_housekeeping = is_in(HOUSEKEEPING);
    draft.effect = if is_in(READS) {
        Effect::Read
    } else if is_in(WRITES) {
        Effect::Write
    } else {
        Effect::Unknown
    };
}

fn push_command(word: &str, draft: &mut Draft) {
    let word = cut_at(word, 64).0;
    draft.operation.extend(word.chars().map(|ch| ch.to_ascii_uppercase()));
}

/// Arguments that the sender has masked.
fn is_placeholder(word: &str) -> bool {
    word.bytes().all(|byte| matches!(byte, b'?' | b'*')) || word == "<redacted>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_sorted() {
        for commands in [READS, WRITES, HOUSEKEEPING] {
            assert!(commands.is_sorted(), "{commands:?}");
        }
    }
}
