//! Cases of `version_skew`: versions that behave differently at one time, and versions that do not.

use super::Labelled;
use super::case::Level;

/// Requests to a version: how many, of which so many fail, each of so many milliseconds.
type Served = (usize, usize, i64);

const TITLE: &str = "cart runs 2 beside 1, and they behave differently";

pub(crate) fn cases() -> Labelled {
    let mut cases = Labelled::new("version_skew", Level::Window);
    let fires: [(Served, Served); 11] = [
        ((30, 0, 5), (30, 6, 5)),
        ((40, 0, 5), (30, 5, 5)),
        ((60, 1, 5), (35, 9, 5)),
        ((30, 3, 5), (30, 30, 5)),
        ((90, 0, 5), (31, 7, 5)),
        ((30, 0, 6), (30, 0, 26)),
        ((30, 0, 10), (45, 0, 40)),
        ((50, 0, 100), (30, 0, 400)),
        ((30, 1, 8), (30, 1, 60)),
        ((30, 0, 20), (30, 10, 80)),
        ((33, 0, 1), (33, 0, 9)),
    ];
    let near: [(Served, Served); 11] = [
        ((30, 0, 5), (29, 29, 5)),
        ((29, 0, 5), (60, 30, 5)),
        ((30, 0, 5), (30, 2, 5)),
        ((40, 8, 5), (40, 8, 5)),
        ((30, 0, 2), (30, 0, 6)),
        ((30, 0, 100), (30, 0, 160)),
        ((30, 0, 26), (29, 0, 90)),
        ((100, 5, 5), (30, 2, 5)),
        ((30, 30, 5), (30, 30, 5)),
        ((60, 0, 12), (60, 0, 13)),
        ((30, 3, 5), (40, 4, 5)),
    ];
    for serves in ["server", "consumer"] {
        for (one, two) in fires {
            cases.fires_in(
                format!("{one:?} beside {two:?}, {serves}"),
                &beside(serves, one, two),
                &[TITLE],
            );
        }
        for (one, two) in near {
            cases.near_in(format!("{one:?} beside {two:?}, {serves}"), &beside(serves, one, two));
        }
        let (one, two) = ((40, 0, 5), (40, 20, 5));
        let unsaid: Vec<String> = beside(serves, one, two)
            .iter()
            .map(|text| text.replace("@service.version", "@service.build"))
            .collect();
        cases.near_in(format!("no versions, {serves}"), &unsaid);
        let instances: Vec<String> = beside(serves, one, two)
            .iter()
            .map(|text| text.replace("version=2", "version=1"))
            .collect();
        cases.near_in(format!("one version, {serves}"), &instances);
        let mut after = requests(serves, "1", one, 0, 500);
        after.extend(requests(serves, "2", two, 60_000, 500));
        cases.near_in(format!("one after the other, {serves}"), &after);
    }
    cases
}

/// Requests to both versions over the same minute.
fn beside(serves: &str, one: Served, two: Served) -> Vec<String> {
    let spread = |of: Served| 60_000 / of.0 as i64;
    [requests(serves, "1", one, 0, spread(one)), requests(serves, "2", two, 0, spread(two))]
        .concat()
}

fn requests(
    serves: &str,
    version: &str,
    (count, failed, lasts): Served,
    from: i64,
    every: i64,
) -> Vec<String> {
    let one = |nth: usize| {
        let at = from + nth as i64 * every;
        let status = if nth < failed { "error" } else { "" };
        format!(
            "cart/{version} \"GET /cart\" {serves} {at}..{} {status} @service.version={version}",
            at + lasts
        )
    };
    (0..count).map(one).collect()
}
