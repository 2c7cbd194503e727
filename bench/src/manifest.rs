//! What a filled folder holds, in a file beside it, so that later benchmarks know what to expect.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::replay::{AttributeSample, TraceSample};

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) seed: u64,
    pub(crate) spans: usize,
    pub(crate) traces: usize,
    pub(crate) start_unix_nano: u64,
    pub(crate) end_unix_nano: u64,
    pub(crate) rare: AttributeSample,
    pub(crate) unique: AttributeSample,
    pub(crate) samples: Vec<TraceSample>,
}

impl Manifest {
    /// Writes it beside a data folder.
    pub(crate) fn write(&self, data_dir: &Path) -> Result<()> {
        let path = path(data_dir)?;
        let text = serde_json::to_string(&self.to_json())?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads what stands beside a data folder.
    pub(crate) fn read(data_dir: &Path) -> Result<Self> {
        let path = path(data_dir)?;
        let text = fs::read_to_string(&path)
            .with_context(|| format!("no {}; make the data with `fill`", path.display()))?;
        let json = serde_json::from_str(&text)?;
        Self::from_json(&json).with_context(|| format!("{} is incomplete", path.display()))
    }

    fn to_json(&self) -> Value {
        let attribute = |it: &AttributeSample| json!([it.attribute, it.traces]);
        let samples: Vec<Value> = self.samples.iter().map(|it| json!([it.id, it.spans])).collect();
        json!({
            "seed": self.seed,
            "spans": self.spans,
            "traces": self.traces,
            "start_unix_nano": self.start_unix_nano,
            "end_unix_nano": self.end_unix_nano,
            "rare": attribute(&self.rare),
            "unique": attribute(&self.unique),
            "samples": samples,
        })
    }

    fn from_json(json: &Value) -> Option<Self> {
        let number = |name: &str| json.get(name)?.as_u64();
        let pair =
            |value: &Value| Some((value.get(0)?.as_str()?.to_owned(), value.get(1)?.as_u64()?));
        let attribute = |name: &str| {
            let (attribute, traces) = pair(json.get(name)?)?;
            Some(AttributeSample { attribute, traces })
        };
        let sample = |value| {
            let (id, spans) = pair(value)?;
            Some(TraceSample { id, spans })
        };
        Some(Self {
            seed: number("seed")?,
            spans: usize::try_from(number("spans")?).ok()?,
            traces: usize::try_from(number("traces")?).ok()?,
            start_unix_nano: number("start_unix_nano")?,
            end_unix_nano: number("end_unix_nano")?,
            rare: attribute("rare")?,
            unique: attribute("unique")?,
            samples: json.get("samples")?.as_array()?.iter().map(sample).collect::<Option<_>>()?,
        })
    }
}

/// Beside the folder, not in it: the server owns what is in there.
fn path(data_dir: &Path) -> Result<PathBuf> {
    let name = data_dir.file_name().context("the data folder has no name")?;
    Ok(data_dir.with_file_name(format!("{}.manifest.json", name.to_string_lossy())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let data_dir = dir.path().join("day");
        let attribute = |traces| AttributeSample { attribute: "k=ü=v".to_owned(), traces };
        let manifest = Manifest {
            seed: u64::MAX,
            spans: 1,
            traces: 2,
            start_unix_nano: 1_800_000_000_000_000_001,
            end_unix_nano: 1_800_000_000_000_000_002,
            rare: attribute(3),
            unique: attribute(1),
            samples: vec![TraceSample { id: "0f".repeat(16), spans: 4 }],
        };
        assert!(Manifest::read(&data_dir).is_err());
        manifest.write(&data_dir)?;
        assert_eq!(Manifest::read(&data_dir)?, manifest);
        assert!(dir.path().join("day.manifest.json").is_file());
        Ok(())
    }
}
