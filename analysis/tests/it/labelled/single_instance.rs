//! Cases of `single_instance`: operations that depend on one process, and services with several or off the path.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, all};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("single_instance", Level::Window);
    let title = "one instance of price is on the critical path of page";
    for (at, dialect) in all().filter(|dialect| dialect.is_answered).enumerate() {
        let by = ["", " nobody=true @k8s.pod.name=POD", " nobody=true @host.name=POD"][at % 3];
        let page = |web: &str, price: &str| page(dialect, by, web, price);
        let half = [vec![page("1", "1"); 25 + at], vec![page("2", "1"); 25]];
        cases.fires_in(format!("of one of two{by}: {}", dialect.name), &half.concat(), &[title]);
        let aside = vec![format!("web/1 page server 0..90{}", by.replace("POD", "web-1")); 5];
        cases.fires_in(
            format!("on 9 of 10 paths{by}: {}", dialect.name),
            &[half.concat(), aside].concat(),
            &[title],
        );
        let mut other = half.concat();
        other.push(page("1", "2"));
        cases.near_in(format!("a second instance once{by}: {}", dialect.name), &other);
        let apart = vec![format!("web/1 page server 0..90{}", by.replace("POD", "web-1")); 12];
        let nobody = |web: &str| self::page(dialect, " nobody=true", web, "1");
        let (name, texts) = match at % 4 {
            0 => ("49 traces", [vec![page("1", "1"); 25], vec![page("2", "1"); 24]].concat()),
            1 => ("one of everything", vec![page("1", "1"); 60]),
            2 => (
                "on 8 of 10 paths",
                [vec![page("1", "1"); 25], vec![page("2", "1"); 25], apart].concat(),
            ),
            _ => ("no names", [vec![nobody("1"); 25], vec![nobody("2"); 25]].concat()),
        };
        cases.near_in(format!("{name}{by}: {}", dialect.name), &texts);
    }
    cases
}

/// A page of an instance of `web` that waits for an instance of `price`.
fn page(dialect: Dialect, by: &str, web: &str, price: &str) -> String {
    let of = |service: &str, instance: &str| by.replace("POD", &format!("{service}-{instance}"));
    let (web_is, price_is) = (of("web", web), of("price", price));
    format!(
        "web/{web} page server 0..90{web_is}\n {}{web_is}\n  price/{price} p server 15..75{price_is}",
        dialect.same(&format!("web/{web}"), "10..80")
    )
}
