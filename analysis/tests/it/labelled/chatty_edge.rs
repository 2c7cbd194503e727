//! Cases of `chatty_edge`: pairs of services that call too often or from too far, over a window.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, all};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("chatty_edge", Level::Window);
    for (at, dialect) in all().filter(|dialect| dialect.is_answered).enumerate() {
        let (often, traces) = (10 + at, 20 + at % 3);
        let title = format!("web calls cart {often} times in one page");
        cases.fires_in(
            format!("{often} calls: {}", dialect.name),
            &vec![page(dialect, often, "1..9"); traces],
            &[&title],
        );
        let far = "web spends more time on the way to cart than cart works, in page";
        cases.fires_in(
            format!("far: {}", dialect.name),
            &vec![page(dialect, 5, "3..7"); 20 + at],
            &[far],
        );
        let texts = match at % 4 {
            0 => vec![page(dialect, 9, "1..9"); 22],
            1 => vec![page(dialect, 12, "1..9"); 19],
            2 => vec![page(dialect, 5, "3..7"); 19],
            _ => vec![page(dialect, 5, "2..8"); 30],
        };
        cases.near_in(
            format!(
                "{}: {}",
                ["nine calls", "19 traces", "95 calls", "works longer"][at % 4],
                dialect.name
            ),
            &texts,
        );
        let mut seldom = vec![page(dialect, 1, "1..9"); 40];
        seldom.push(page(dialect, 15, "1..9"));
        cases.near_in(format!("often in one of 41: {}", dialect.name), &seldom);
    }
    for dialect in all().filter(|dialect| !dialect.is_answered).take(3) {
        let text = format!("web page server 0..900\n {} x15/20", dialect.call("web", "0..10"));
        cases.near_in(format!("the callee is unknown: {}", dialect.name), &vec![text; 22]);
    }
    cases
}

/// A page that calls `cart` so many times for 10 ms each, of which the callee works some.
fn page(dialect: Dialect, calls: usize, works: &str) -> String {
    format!(
        "web page server 0..900\n {} x{calls}/20\n  cart serve server {works}",
        dialect.call("web", "0..10")
    )
}
