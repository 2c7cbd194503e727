//! Cases of `sequential_calls`: independent calls in turn, and calls that may depend on each other or save little.

use super::Labelled;
use super::case::Level;
use super::dialects::{Dialect, READS, WRITES};

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("sequential_calls", Level::Trace);
    for at in 0..READS.len() {
        independent(&mut cases, at);
    }
    shapes(&mut cases);
    dependent(&mut cases);
    little(&mut cases);
    cases
}

/// Different calls, the nth from here on.
fn different(at: usize, nth: usize) -> Dialect {
    READS[(at + nth * 4) % READS.len()]
}

/// Calls of so many milliseconds each, one after another, below a page that ends 10 ms later.
fn in_turn(at: usize, count: usize, lasts: usize, mark: &str) -> String {
    let end = count * lasts + 10;
    let mut text = format!("web page server 0..{end} caller=1");
    for nth in 0..count {
        let times = format!("{}..{}", nth * lasts, (nth + 1) * lasts);
        text += &format!("\n {} {mark}", different(at, nth).call("web", &times));
    }
    if mark.is_empty() { text.replace(" caller=1", "") } else { text }
}

fn independent(cases: &mut Labelled, at: usize) {
    let count = 3 + at % 3;
    let name = format!("{count} calls from {} on", READS[at].name);
    cases.fires(name, &in_turn(at, count, 30 + at, "hit=1"));
}

fn shapes(cases: &mut Labelled) {
    let three = in_turn(0, 3, 40, "hit=1");
    cases.fires("with pauses", &three.replace("40..80", "45..75").replace("0..130", "0..140"));
    cases.fires(
        "pings between",
        &format!("{three}\n web ping client 40..40.1 db.system=mysql db.statement=\"SELECT 1\""),
    );
    cases.fires("a write after", &format!("{three}\n {}", WRITES[0].call("web", "121..125")));
    cases.fires(
        "a write before",
        &format!("{}\n {}", three.replace(" 0..40", " 5..40"), WRITES[4].call("web", "0..4")),
    );
    let steps = in_turn(0, 3, 40, "hit=1").replace("\n web", "\n web step internal TIMES\n  web");
    let times = ["0..40", "40..80", "80..120"];
    let steps = times.iter().fold(steps, |text, times| text.replacen("TIMES", times, 1));
    cases.fires("each below an internal span", &steps);
    let task =
        three.replace("\n web", "\n  web").replacen('\n', "\n web task internal 0..125\n", 1);
    cases.fires("all below an internal span", &task);
    cases.fires(
        "of a consumer",
        &three.replace("web page server", "w take consumer").replace("\n web", "\n w"),
    );
    let second = format!(
        "web page server 0..150\n web c client 1..149 http.request.method=POST url.full=https://shop/x\n{}",
        three
            .replace("web page server 0..130", "  shop x server 2..147")
            .replace("\n web", "\n   shop")
            .replace(" 0..40", " 2..40")
    );
    cases.fires("in the second service", &second);
    cases.fires(
        "with servers below",
        &three.replacen("hit=1", "hit=1\n  users serve server 1..39", 1),
    );
}

/// What one call does may change what the next one sees.
fn dependent(cases: &mut Labelled) {
    for (at, write) in WRITES.iter().enumerate() {
        let text = in_turn(at, 3, 40, "")
            .lines()
            .enumerate()
            .map(|(line, text)| match line {
                2 => format!(" {}", write.call("web", "40..80")),
                _ => text.to_owned(),
            })
            .collect::<Vec<_>>()
            .join("\n");
        cases.near(format!("{} between", write.name), &text);
    }
    for (at, dialect) in READS.iter().enumerate().take(5) {
        let text = in_turn(at, 3, 40, "");
        let lines: Vec<&str> = text.lines().collect();
        let [page, a, b, c] = lines[..] else { continue };
        let name = dialect.name;
        cases.near(
            format!("the second fails: {name}"),
            &[page, a, &format!("{b} error"), c].join("\n"),
        );
        cases.near(
            format!("the third links to the first: {name}"),
            &[page, &format!("{a} #7"), b, &format!("{c} ->7")].join("\n"),
        );
        cases.near(
            format!("what is below the third links to the second: {name}"),
            &[page, a, &format!("{b} #7"), c, "  web read internal 90..95 ->7"].join("\n"),
        );
        cases.near(
            format!("the second overlaps the first: {name}"),
            &[page, a, &b.replace("40..80", "39..80"), c].join("\n"),
        );
        cases.near(
            format!("two and one without an end: {name}"),
            &[page, a, b, &c.replace("80..120", "80..?")].join("\n"),
        );
    }
}

fn little(cases: &mut Labelled) {
    for (at, dialect) in READS.iter().enumerate().take(4) {
        let name = dialect.name;
        cases.near(format!("48 ms: {name}"), &in_turn(at, 3, 24, ""));
        cases.near(
            format!("9 % of a long page: {name}"),
            &in_turn(at, 3, 45, "").replace("0..145", "0..1000"),
        );
        cases.near(format!("two: {name}"), &in_turn(at, 2, 90, ""));
        let same = format!("web page server 0..130\n {} x3/40", dialect.call("web", "0..40"));
        cases.near(format!("thrice the same: {name}"), &same);
        let many = format!(
            "web page server 0..400\n {} x6/40\n {}",
            dialect.call("web", "0..40"),
            different(at, 1).call("web", "300..340")
        );
        cases.near(format!("one for each item: {name}"), &many);
    }
    let aside = in_turn(0, 3, 40, "")
        .replace("web page server 0..130", "web page server 0..130\n web work internal 0..130");
    cases.near("beside work that lasts as long", &aside);
    cases.near("work inside the process", "web page server 0..130\n web a internal 0..40\n web b internal 40..80\n web c internal 80..120");
}
