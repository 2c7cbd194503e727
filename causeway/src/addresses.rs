//! Where a running server listens, as `addresses.json` in its data folder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

const FILE: &str = "addresses.json";

/// The addresses in use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) otlp_grpc: SocketAddr,
    pub(crate) otlp_http: SocketAddr,
    pub(crate) http: SocketAddr,
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

impl Addresses {
    /// Writes the file in one step, so that nobody reads half of it.
    pub(crate) fn write(&self, data_dir: &Path) -> Result<()> {
        let text = json!({
            "otlp_grpc": self.otlp_grpc.to_string(),
            "otlp_http": self.otlp_http.to_string(),
            "http": self.http.to_string(),
        });
        let new = data_dir.join(format!("{FILE}.new"));
        std::fs::write(&new, format!("{text}\n"))
            .and_then(|()| std::fs::rename(&new, path(data_dir)))
            .with_context(|| format!("cannot write {}", path(data_dir).display()))
    }

    /// Forgets the addresses of a server that has stopped.
    pub(crate) fn remove(data_dir: &Path) {
        let _ = std::fs::remove_file(path(data_dir));
    }

    /// The addresses of the server that uses this folder.
    pub(crate) fn read(data_dir: &Path) -> Result<Self> {
        let path = path(data_dir);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let value: serde_json::Value = serde_json::from_str(&text)?;
        let address = |name: &str| -> Result<SocketAddr> {
            let text = value.get(name).and_then(|text| text.as_str());
            Ok(text.with_context(|| format!("{} lacks {name}", path.display()))?.parse()?)
        };
        Ok(Self {
            otlp_grpc: address("otlp_grpc")?,
            otlp_http: address("otlp_http")?,
            http: address("http")?,
        })
    }
}
