//! Cases of `distributed_monolith`: services that are one program, and services that can be apart.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, all};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("distributed_monolith", Level::Window);
    for (at, dialect) in all().filter(|dialect| dialect.is_answered).enumerate() {
        let both = |status: &str| both(dialect, status, status);
        let title = "a, b are one program in 2 services";
        let (sound, failed) = (both(""), both("error"));
        cases.fires_in(
            format!("fail together: {}", dialect.name),
            &mix(&[(&sound, 45 + at), (&failed, 5 + at)]),
            &[title],
        );
        let alone = self::both(dialect, "error", "");
        cases.fires_in(
            format!("mostly fail together: {}", dialect.name),
            &mix(&[(&sound, 44), (&failed, 3 + at), (&alone, 3)]),
            &[title],
        );
        let (name, texts) = match at % 5 {
            0 => ("four failures", mix(&[(&sound, 46), (&failed, 4)])),
            1 => ("49 traces", mix(&[(&sound, 44), (&failed, 5)])),
            2 => (
                "one is used alone as well",
                mix(&[(&sound, 45), (&failed, 5), ("a x server 0..9", 6)]),
            ),
            3 => ("one way", mix(&[(&one_way(&sound), 60), (&one_way(&failed), 5)])),
            _ => ("nobody fails", mix(&[(&sound, 60)])),
        };
        cases.near_in(format!("{name}: {}", dialect.name), &texts);
        let apart = self::both(dialect, "", "error");
        cases.near_in(
            format!("fail apart: {}", dialect.name),
            &mix(&[(&sound, 45), (&alone, 9), (&apart, 9), (&failed, 5)]),
        );
    }
    cases
}

fn mix(traces: &[(&str, usize)]) -> Vec<String> {
    traces.iter().flat_map(|(text, times)| vec![(*text).to_owned(); *times]).collect()
}

/// `a` asks `b`, which asks `a` for it.
fn both(dialect: Dialect, a: &str, b: &str) -> String {
    format!(
        "a x server 0..99 {a}\n {}\n  b y server 2..80 {b}\n   {}\n    a z server 4..60",
        dialect.same("a", "1..90"),
        dialect.same("b", "3..70")
    )
}

fn one_way(text: &str) -> String {
    text.replace("    a z server", "    c z server")
}
