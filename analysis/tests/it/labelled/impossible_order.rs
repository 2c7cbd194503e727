//! Cases of `impossible_order`: effects before their causes by clocks as they are, and what clocks cannot tell.
//!
//! The rule is about wrong clocks, so every case brings its own.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, READS, WRITES};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("impossible_order", Level::Trace).with_clocks();
    let answered: Vec<Dialect> =
        READS.into_iter().chain(WRITES).filter(|of| of.is_answered).collect();
    for (at, dialect) in answered.iter().enumerate() {
        for behind in ["3ms", "90ms", "10s"].into_iter().skip(at % 2) {
            cases.fires(
                format!("{behind} behind: {}", dialect.name),
                &pair(*dialect, &format!("-{behind}"), " hit=1"),
            );
        }
        for off in ["-1ms", "+90ms", "+10s"].into_iter().skip(at % 2) {
            cases.near(format!("{off} off: {}", dialect.name), &pair(*dialect, off, ""));
        }
    }
    shapes(&mut cases);
    cases
}

/// A call whose server starts half a millisecond later and is off.
fn pair(dialect: Dialect, off: &str, mark: &str) -> String {
    format!(
        "%clock ship {off}\nweb page server 0..120.3\n {}\n  ship serve server 1.3005..90{mark}",
        dialect.same("web", "0.8007..100")
    )
}

fn shapes(cases: &mut Labelled) {
    cases.fires("a linked span", "web a - 20.7005..30 #7 caller=1\nship b - 5..9.5 ->7 hit=1");
    cases.fires("the whole second service", "%clock ship -2s\nweb page server 0..99.0005\n web a client 1..40 x2/45 peer.service=ship\n  ship s server 2..39 hit=1".replace("x2/45 ", "").as_str());
    cases.fires("a consumer", "%clock w -1s\nshop send producer 0..5.0007 messaging.system=kafka messaging.destination.name=a\n w take consumer 20..90 hit=1");
    cases.fires("two instances", "%clock b/1 -1s\n%clock b/2 -2s\nweb page server 0..99.0001\n web a client 1..40 peer.service=b\n  b/1 s server 2..39 hit=1\n web c client 41..80 peer.service=b\n  b/2 s server 42..79 hit=2");
    cases.near("one clock", "web page server 20.5..90\n web work internal 5..30");
    cases.near(
        "milliseconds on both sides",
        "%clock ship -2ms\nweb call client 2..100\n ship serve server 2..55",
    );
    cases.near(
        "a parent without times",
        "%clock ship -9s\nweb call client ?..?\n ship serve server 2..55",
    );
    cases.near("a child without times", "web call client 2..100\n ship serve server ?..55");
    cases.near(
        "a child that ends before it starts",
        "%clock ship -9s\nweb call client 2..100\n ship serve server 55..2",
    );
    cases.near(
        "a missing parent",
        "%clock ship -9s\nweb page server 0..100\nship serve server 2..55 ^77",
    );
    cases.near("a link to nothing", "web page server 0..100\n web work internal 5..9 ->77");
    cases.near("an id of two spans", "%clock ship -9s\nweb a client 0..100 #7\nweb b client 0..90 #7\nship serve server 2..55 #9 ^7");
}
