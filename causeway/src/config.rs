//! Settings: one list of them, read from flags, environment and file into one checked `Config`.
//!
//! Later wins: default, file, environment (`CAUSEWAY_...`), flag. An unknown name is an error that
//! names the nearest known one. Everything is parsed before a port is bound.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use causeway_collector::{CollectorSettings, OriginPattern};
use causeway_query::QuerySettings;
use causeway_store::{Clock, StoreSettings, VACUUM_RETENTION_MAX};
use clap::{Arg, ArgMatches};

/// One setting: its name as a flag, its default as text, and what it means.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) default: &'static str,
    pub(crate) help: &'static str,
}

const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, default, help }
}

/// Every setting there is.
pub(crate) const SETTINGS: &[Setting] = &[
    setting("data-dir", "./causeway-data", "Folder that holds the log and the table"),
    setting(
        "otlp-grpc-addr",
        "127.0.0.1:4317",
        "Where OTLP/gRPC is received; port 0 picks a free one",
    ),
    setting("otlp-http-addr", "127.0.0.1:4318", "Where OTLP/HTTP is received"),
    setting(
        "http-addr",
        "127.0.0.1:8317",
        "Where the web UI, the API, health and metrics are served",
    ),
    setting("request-bytes-max", "64MiB", "Most bytes of one request after decompression"),
    setting("inflight-bytes-max", "256MiB", "Most bytes of all unfinished requests together"),
    setting("body-timeout", "30s", "Longest time a request may take to arrive"),
    setting(
        "cors-origins",
        "",
        "Web pages that may send spans, separated by commas; empty: pages of this machine",
    ),
    setting("connections-max", "10000", "Most open connections; further ones wait"),
    setting(
        "recent-bytes-max",
        "192MiB",
        "Most bytes of spans in memory; beyond it senders are told to retry",
    ),
    setting(
        "flush-bytes",
        "64MiB",
        "Spans are written to the table when they take this many bytes",
    ),
    setting("flush-interval", "30s", "... or when the oldest is this old"),
    setting("request-dedup-window", "1h", "How long a resent request is recognised"),
    setting("request-dedup-max", "2000000", "Most requests remembered for that"),
    setting(
        "span-dedup-max",
        "1800000",
        "Most spans remembered to recognise copies in other requests",
    ),
    setting(
        "file-index-bytes-max",
        "64MiB",
        "Most bytes of bloom filters on trace ids kept in memory",
    ),
    setting(
        "compaction-cpu-share",
        "0.5",
        "Share of one core that merging small files may take; 0 turns merging off",
    ),
    setting("compaction-files", "32", "So many small files of a day are merged into one"),
    setting("retention-age", "", "Spans that started longer ago are dropped; empty: kept for ever"),
    setting(
        "retention-bytes",
        "",
        "The oldest files are dropped while the table takes more bytes; empty: no limit",
    ),
    setting(
        "vacuum-retention",
        "10m",
        "How long replaced files stay on disk for other programs that read them; at most 1d",
    ),
    setting("query-memory-bytes-max", "256MiB", "Most bytes all running queries may use together"),
    setting("query-time-max", "30s", "Longest time of a query"),
    setting("queries-running-max", "16", "Most queries at once"),
    setting("json-rows-max", "100000", "Most rows of a JSON answer"),
    setting("metadata-cache-bytes-max", "64MiB", "Most bytes of cached file metadata"),
    setting(
        "shutdown-timeout",
        "8s",
        "Longest time the last flush may take; what is left stays in the log",
    ),
    setting("log-format", "text", "Log lines as text or json"),
    setting("log-level", "info", "Log filter, such as info or causeway_store=debug"),
];

const ENVIRONMENT_PREFIX: &str = "CAUSEWAY_";

/// The name of the flag that names a settings file.
const CONFIG_FILE: &str = "config";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Checked settings, ready to use.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) data_dir: PathBuf,
    pub(crate) otlp_grpc_addr: SocketAddr,
    pub(crate) otlp_http_addr: SocketAddr,
    pub(crate) http_addr: SocketAddr,
    pub(crate) connections_max: usize,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) log_format: LogFormat,
    pub(crate) log_level: String,
    pub(crate) collector: CollectorSettings,
    pub(crate) query: QuerySettings,
    recent_bytes_max: u64,
    flush_bytes: u64,
    flush_interval: Duration,
    request_dedup_window: Duration,
    request_dedup_max: usize,
    span_dedup_max: usize,
    file_index_bytes_max: usize,
    compaction_cpu_share: f64,
    compaction_files: usize,
    retention_age: Option<Duration>,
    retention_bytes: Option<u64>,
    vacuum_retention: Duration,
}

/// The flags of all settings, for commands that use them.
pub(crate) fn arguments() -> impl Iterator<Item = Arg> {
    let file = Arg::new(CONFIG_FILE)
        .long(CONFIG_FILE)
        .value_name("FILE")
        .global(true)
        .help("TOML file with settings, named as the flags are");
    let settings = SETTINGS.iter().map(|setting| {
        let default = match setting.default {
            "" => String::new(),
            default => format!(" [default: {default}]"),
        };
        Arg::new(setting.name)
            .long(setting.name)
            .value_name("VALUE")
            .global(true)
            .help_heading("Settings")
            .help(format!("{}{default}", setting.help))
    });
    std::iter::once(file).chain(settings)
}

impl Config {
    /// Reads all sources.
    ///
    /// # Errors
    /// A setting is unknown or its value cannot be used; the message names it.
    pub(crate) fn read(
        flags: &ArgMatches,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self> {
        let mut values = Values::default();
        let environment: Vec<_> = environment_settings(environment)?;
        let flag = |name: &str| flags.try_get_one::<String>(name).ok().flatten().cloned();
        let file = flag(CONFIG_FILE).or_else(|| {
            environment.iter().find(|(name, _)| name == CONFIG_FILE).map(|(_, file)| file.clone())
        });
        if let Some(file) = file {
            values.add_file(&file)?;
        }
        values.0.extend(environment);
        for setting in SETTINGS {
            if let Some(value) = flag(setting.name) {
                values.0.insert(setting.name.to_owned(), value);
            }
        }
        values.check()
    }

    /// The store's part.
    pub(crate) fn store(&self, clock: Clock) -> StoreSettings {
        StoreSettings {
            recent_bytes_max: self.recent_bytes_max,
            flush_bytes: self.flush_bytes,
            flush_interval: self.flush_interval,
            request_dedup_window: self.request_dedup_window,
            request_dedup_max: self.request_dedup_max,
            span_dedup_max: self.span_dedup_max,
            file_index_bytes_max: self.file_index_bytes_max,
            compaction_cpu_share: self.compaction_cpu_share,
            compaction_files: self.compaction_files,
            retention_age: self.retention_age,
            retention_bytes: self.retention_bytes,
            vacuum_retention: self.vacuum_retention,
            ..StoreSettings::new(self.data_dir.clone(), clock)
        }
    }
}

/// Settings from variables that begin with the prefix.
fn environment_settings(
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Vec<(String, String)>> {
    environment
        .filter_map(|(name, value)| {
            let name = name.strip_prefix(ENVIRONMENT_PREFIX)?.to_lowercase().replace('_', "-");
            Some((name, value))
        })
        .map(|(name, value)| {
            known(&name).context("in the environment")?;
            Ok((name, value))
        })
        .collect()
}

/// Refuses a name that is no setting, and proposes the nearest.
fn known(name: &str) -> Result<()> {
    if name == CONFIG_FILE || SETTINGS.iter().any(|setting| setting.name == name) {
        return Ok(());
    }
    let nearest = SETTINGS
        .iter()
        .map(|setting| setting.name)
        .min_by_key(|known| strsim::damerau_levenshtein(known, name))
        .unwrap_or_default();
    bail!("unknown setting {name:?}; did you mean {nearest:?}?")
}

/// Setting names with their texts, before they are checked.
#[derive(Debug, Default)]
struct Values(BTreeMap<String, String>);

impl Values {
    fn add_file(&mut self, path: &str) -> Result<()> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
        let table: toml::Table =
            text.parse().with_context(|| format!("{path} is not a TOML file"))?;
        for (name, value) in table {
            let name = name.replace('_', "-");
            known(&name).with_context(|| format!("in {path}"))?;
            let value = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Array(items) => {
                    let texts: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
                    texts.with_context(|| format!("{path}: {name} must list texts"))?.join(",")
                }
                other => bail!("{path}: {name} cannot be a {}", other.type_str()),
            };
            self.0.insert(name, value);
        }
        Ok(())
    }

    fn text(&self, name: &str) -> String {
        let default = || SETTINGS.iter().find(|s| s.name == name).map_or("", |s| s.default);
        self.0.get(name).map_or_else(|| default().to_owned(), Clone::clone)
    }

    fn parse<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<T> {
        let text = self.text(name);
        text.parse().map_err(|error| anyhow!("setting {name}: {text:?} cannot be used: {error}"))
    }

    fn bytes(&self, name: &str) -> Result<u64> {
        Ok(self.parse::<bytesize::ByteSize>(name)?.as_u64())
    }

    fn size(&self, name: &str) -> Result<usize> {
        usize::try_from(self.bytes(name)?).with_context(|| format!("setting {name} is too large"))
    }

    fn duration(&self, name: &str) -> Result<Duration> {
        let text = self.text(name);
        humantime::parse_duration(&text)
            .with_context(|| format!("setting {name}: {text:?} is no duration such as 30s or 5m"))
    }

    fn positive(&self, name: &str) -> Result<usize> {
        match self.parse(name)? {
            0 => bail!("setting {name} must be at least 1"),
            number => Ok(number),
        }
    }

    /// `None` for an empty text.
    fn optional<T>(&self, name: &str, read: fn(&Self, &str) -> Result<T>) -> Result<Option<T>> {
        if self.text(name).is_empty() { Ok(None) } else { read(self, name).map(Some) }
    }

    fn share(&self, name: &str) -> Result<f64> {
        let share: f64 = self.parse(name)?;
        if !(0.0..=1.0).contains(&share) {
            bail!("setting {name} must be between 0 and 1");
        }
        Ok(share)
    }

    fn compaction_files(&self) -> Result<usize> {
        match self.positive("compaction-files")? {
            1 => bail!("setting compaction-files must be at least 2"),
            files => Ok(files),
        }
    }

    fn vacuum_retention(&self) -> Result<Duration> {
        let retention = self.duration("vacuum-retention")?;
        if retention > VACUUM_RETENTION_MAX {
            bail!("setting vacuum-retention must be at most 1d");
        }
        Ok(retention)
    }

    fn check(&self) -> Result<Config> {
        let collector = self.collector()?;
        Ok(Config {
            data_dir: PathBuf::from(self.text("data-dir")),
            otlp_grpc_addr: self.parse("otlp-grpc-addr")?,
            otlp_http_addr: self.parse("otlp-http-addr")?,
            http_addr: self.parse("http-addr")?,
            connections_max: self.positive("connections-max")?,
            shutdown_timeout: self.duration("shutdown-timeout")?,
            log_format: match self.text("log-format").as_str() {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                other => bail!("setting log-format: {other:?} is neither text nor json"),
            },
            log_level: self.text("log-level"),
            collector,
            query: self.query()?,
            recent_bytes_max: self.bytes("recent-bytes-max")?,
            flush_bytes: self.bytes("flush-bytes")?,
            flush_interval: self.duration("flush-interval")?,
            request_dedup_window: self.duration("request-dedup-window")?,
            request_dedup_max: self.positive("request-dedup-max")?,
            span_dedup_max: self.positive("span-dedup-max")?,
            file_index_bytes_max: self.size("file-index-bytes-max")?,
            compaction_cpu_share: self.share("compaction-cpu-share")?,
            compaction_files: self.compaction_files()?,
            retention_age: self.optional("retention-age", Self::duration)?,
            retention_bytes: self.optional("retention-bytes", Self::bytes)?,
            vacuum_retention: self.vacuum_retention()?,
        })
    }

    fn collector(&self) -> Result<CollectorSettings> {
        let mut settings = CollectorSettings {
            request_bytes_max: self.bytes("request-bytes-max")?,
            inflight_bytes_max: self.bytes("inflight-bytes-max")?,
            body_timeout: self.duration("body-timeout")?,
            ..CollectorSettings::default()
        };
        if settings.request_bytes_max > causeway_store::log::RECORD_PAYLOAD_BYTES_MAX as u64 {
            bail!("setting request-bytes-max: the log takes requests of at most 64 MiB");
        }
        if settings.inflight_bytes_max < 2 * settings.request_bytes_max {
            bail!("setting inflight-bytes-max must be at least twice request-bytes-max");
        }
        let origins = self.text("cors-origins");
        if !origins.is_empty() {
            let patterns = origins.split(',').map(|origin| origin.trim().parse::<OriginPattern>());
            settings.cors_origins =
                patterns.collect::<Result<_, _>>().context("setting cors-origins")?;
        }
        Ok(settings)
    }

    fn query(&self) -> Result<QuerySettings> {
        Ok(QuerySettings {
            query_memory_bytes_max: self.size("query-memory-bytes-max")?,
            query_time_max: self.duration("query-time-max")?,
            queries_running_max: self.positive("queries-running-max")?,
            json_rows_max: self.positive("json-rows-max")?,
            metadata_cache_bytes_max: self.size("metadata-cache-bytes-max")?,
            learnt_dir: Some(PathBuf::from(self.text("data-dir"))),
            ..QuerySettings::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: &[&str], environment: &[(&str, &str)]) -> Result<Config> {
        let command = clap::Command::new("causeway").args(arguments());
        let matches = command.try_get_matches_from(std::iter::once(&"causeway").chain(flags))?;
        let pairs = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::read(&matches, pairs)
    }

    #[test]
    fn defaults_can_be_used() -> Result<()> {
        let config = read(&[], &[])?;
        assert_eq!(config.http_addr.port(), 8317);
        assert_eq!(config.recent_bytes_max, 192 << 20);
        assert_eq!((config.retention_age, config.retention_bytes), (None, None));
        Ok(())
    }

    #[test]
    fn flag_beats_environment_beats_file() -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(
            &file,
            "flush-interval = \"1s\"\nbody_timeout = \"1s\"\nlog-level = \"warn\"\n",
        )?;
        let path = file.path().display().to_string();
        let environment =
            [("CAUSEWAY_FLUSH_INTERVAL", "2s"), ("CAUSEWAY_BODY_TIMEOUT", "2s"), ("HOME", "/")];
        let config = read(&["--config", &path, "--flush-interval", "3s"], &environment)?;
        assert_eq!(config.flush_interval, Duration::from_secs(3));
        assert_eq!(config.collector.body_timeout, Duration::from_secs(2));
        assert_eq!(config.log_level, "warn");
        Ok(())
    }

    #[test]
    fn retention_is_read_when_it_is_set() -> Result<()> {
        let config = read(&["--retention-age", "30d", "--retention-bytes", "10GiB"], &[])?;
        let days = Duration::from_secs(30 * 24 * 3600);
        assert_eq!((config.retention_age, config.retention_bytes), (Some(days), Some(10 << 30)));
        Ok(())
    }

    #[test]
    fn unknown_names_propose_the_nearest() {
        let error = read(&[], &[("CAUSEWAY_FLUSH_INTERVALL", "1s")]).expect_err("unknown");
        assert!(format!("{error:#}").contains("did you mean \"flush-interval\""), "{error:#}");
    }

    #[test]
    fn bad_values_name_their_setting() {
        for (flag, value) in [
            ("--flush-interval", "soon"),
            ("--recent-bytes-max", "many"),
            ("--http-addr", "localhost"),
            ("--inflight-bytes-max", "1MiB"),
            ("--connections-max", "0"),
            ("--compaction-cpu-share", "1.1"),
            ("--compaction-files", "1"),
            ("--retention-age", "long"),
            ("--vacuum-retention", "25h"),
        ] {
            let error = read(&[flag, value], &[]).expect_err(flag);
            assert!(format!("{error:#}").contains(flag.trim_start_matches('-')), "{error:#}");
        }
    }
}
