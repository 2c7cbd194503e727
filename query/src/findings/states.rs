//! What people decided about groups of findings, apart from the data: `states.json`, written whenever it changes.
//!
//! A group is open until somebody acknowledges it or calls it resolved. A resolved one has come back once it is found
//! again in a version in which it was not found before, or, where versions are not told, at all.
//!
//! | limit | value | beyond it |
//! |---|---|---|
//! | `STATES_MAX` | 10,000 groups | no further group can be changed |

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use causeway_analysis::detectors::Finding;
use serde::{Deserialize, Serialize};

use crate::durable::replace;
use crate::error::{QueryError, Result};

const STATES: &str = "states.json";
const STATES_MAX: usize = 10_000;
/// Longest note.
const NOTE_BYTES_MAX: usize = 4_096;

/// What somebody decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Open,
    Acknowledged,
    Resolved,
    /// Resolved, and found again.
    Regressed,
}

impl State {
    /// The word for it in answers.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Regressed => "regressed",
        }
    }
}

impl FromStr for State {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self> {
        let all = [Self::Open, Self::Acknowledged, Self::Resolved, Self::Regressed];
        all.into_iter().find(|state| state.label() == text).ok_or_else(|| {
            let words = all.map(Self::label).join(", ");
            QueryError::bad_request(format!("{text:?} is no state of findings: one of {words}"))
        })
    }
}

/// What somebody decided about a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Decision {
    state: State,
    /// The version that resolves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
    changed_unix_nano: i64,
    /// Versions in which it had been found by then.
    #[serde(default)]
    found_in: BTreeSet<String>,
}

/// What somebody wants a group to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    state: State,
    version: Option<String>,
    #[serde(default)]
    note: String,
}

/// Decisions by group.
#[derive(Debug, Default)]
pub(crate) struct States {
    by_group: BTreeMap<String, Decision>,
    dir: Option<PathBuf>,
}

impl States {
    /// Decisions that were written down in `dir`. Blocking.
    pub(crate) fn open(dir: Option<PathBuf>) -> Self {
        let by_group = dir.as_deref().map(read).transpose().unwrap_or_else(|error| {
            tracing::error!(%error, "states of findings cannot be read; all groups are open");
            None
        });
        Self { by_group: by_group.unwrap_or_default(), dir }
    }

    /// Decides about a group that was found in these versions. Durable when it returns. Blocking.
    ///
    /// # Errors
    /// The wish makes no sense, there are too many decisions, or they cannot be written down.
    pub(crate) fn decide(
        &mut self,
        group: &str,
        wish: Wish,
        found_in: BTreeSet<String>,
        now: i64,
    ) -> Result<()> {
        if wish.state == State::Regressed || wish.note.len() > NOTE_BYTES_MAX {
            return Err(QueryError::bad_request(format!(
                "state is open, acknowledged or resolved, a note at most {NOTE_BYTES_MAX} bytes"
            )));
        }
        let is_new = !self.by_group.contains_key(group);
        if is_new && self.by_group.len() >= STATES_MAX {
            let message = format!("decisions about {STATES_MAX} groups; open some again");
            return Err(QueryError::Limit { limit: "finding_states_max", message });
        }
        let mut changed = self.by_group.clone();
        match wish.state {
            State::Open => changed.remove(group),
            state => {
                let decision = Decision {
                    state,
                    version: wish.version,
                    note: wish.note,
                    changed_unix_nano: now,
                    found_in,
                };
                changed.insert(group.to_owned(), decision)
            }
        };
        if let Some(dir) = &self.dir {
            write(dir, &changed).map_err(|error| {
                QueryError::Internal(format!("the decision cannot be written down: {error}"))
            })?;
        }
        self.by_group = changed;
        Ok(())
    }

    /// What was decided about a group, and what it is with these findings.
    pub(crate) fn of(&self, group: &str, findings: &[&Finding]) -> (State, Option<&Decision>) {
        let Some(decision) = self.by_group.get(group) else { return (State::Open, None) };
        let is_back = |finding: &&Finding| {
            let version = &finding.service_version;
            let is_resolved_there = decision.version.as_ref() == Some(version);
            finding.first_seen_unix_nano > decision.changed_unix_nano
                && (is_resolved_there || !decision.found_in.contains(version))
        };
        let state = match decision.state {
            State::Resolved if findings.iter().any(is_back) => State::Regressed,
            state => state,
        };
        (state, Some(decision))
    }
}

fn read(dir: &Path) -> io::Result<BTreeMap<String, Decision>> {
    match std::fs::read(dir.join(STATES)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        read => Ok(serde_json::from_slice(&read?)?),
    }
}

fn write(dir: &Path, decisions: &BTreeMap<String, Decision>) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(decisions)?;
    replace(dir, STATES, |mut file| {
        file.write_all(&text)?;
        Ok(file)
    })
}

#[cfg(test)]
mod tests {
    use super::super::noted;
    use super::*;

    fn found(at: i64, version: &str) -> Finding {
        let service_version = version.to_owned();
        Finding {
            service_version,
            first_seen_unix_nano: at,
            last_seen_unix_nano: at,
            ..noted([1; 16])
        }
    }

    #[test]
    fn what_was_resolved_comes_back_with_another_version() {
        let before = found(10, "1.0");
        let mut states = States::default();
        let wish = || Wish {
            state: State::Resolved,
            version: Some("2.0".to_owned()),
            note: String::new(),
        };
        states.decide("g", wish(), BTreeSet::from(["1.0".to_owned()]), 100).expect("is kept");
        for (later, state) in [
            (found(50, "2.0"), State::Resolved),
            (found(150, "1.0"), State::Resolved),
            (found(150, "2.0"), State::Regressed),
            (found(150, "3.0"), State::Regressed),
            (found(150, ""), State::Regressed),
        ] {
            assert_eq!(states.of("g", &[&before, &later]).0, state, "{later:?}");
        }
        let open = Wish { state: State::Open, version: None, note: String::new() };
        states.decide("g", open, BTreeSet::new(), 200).expect("is kept");
        assert_eq!(states.of("g", &[]).0, State::Open);
        assert!(states.of("g", &[]).1.is_none());
    }
}
