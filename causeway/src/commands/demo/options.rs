//! What `causeway demo` can be told.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use causeway_testkit::shop::{Fault, Faults, ShopSettings};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::addresses::Addresses;
use crate::config::Config;

/// More traces a second than one process makes in time.
const RATE_MAX: f64 = 1_000.0;
/// A longer past than anybody looks at takes long to send.
const HISTORY_MAX: Duration = Duration::from_secs(24 * 3600);

/// Checked options.
#[derive(Debug)]
pub(super) struct Options {
    /// Where OTLP/HTTP is received, without path.
    pub(super) server: String,
    pub(super) seed: u64,
    pub(super) traces_per_ks: u64,
    /// How long to send after the past; `None` until somebody stops it.
    pub(super) duration: Option<Duration>,
    pub(super) history: Duration,
    pub(super) compresses: bool,
    pub(super) truth: Option<PathBuf>,
    pub(super) faults: Faults,
}

/// The command and its arguments.
pub(crate) fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("demo")
        .about("Send the traces of a simulated shop, with known faults and wrong clocks, to a running server")
        .arg(option("server", "URL", "OTLP/HTTP address of the server [default: the one that uses the data folder, or --otlp-http-addr]"))
        .arg(option("seed", "NUMBER", "Decides everything that is drawn, ids of traces too [default: another one each time]"))
        .arg(option("rate", "TRACES", "Traces a second").default_value("5"))
        .arg(option("duration", "TIME", "How long to go on after the past was sent, such as 10m [default: until Ctrl-C]"))
        .arg(option("history", "TIME", "How much of the past to send at once, so that there is something to see; 0s for none").default_value("15m"))
        .arg(option("truth", "FILE", "Write what was built in, with example traces, as JSON; renewed every few seconds"))
        .arg(option("without", "FAULT", "Leave a fault out, by its name in the list; may be repeated").action(ArgAction::Append))
        .arg(Arg::new("gzip").long("gzip").action(ArgAction::SetTrue).help("Compress requests"))
}

impl Options {
    /// Reads the arguments; `now_ns` gives a seed where none is named.
    pub(super) fn read(arguments: &ArgMatches, config: &Config, now_ns: i64) -> Result<Self> {
        let text = |name: &str| arguments.get_one::<String>(name).map(String::as_str);
        let seed = match text("seed") {
            Some(seed) => seed.parse().with_context(|| format!("--seed {seed} is no number"))?,
            None => now_ns.unsigned_abs() / 1_000,
        };
        let history = duration("history", text("history").unwrap_or("0s"))?;
        if history > HISTORY_MAX {
            bail!("--history can be 24h at most");
        }
        let names = arguments.get_many::<String>("without").into_iter().flatten();
        Ok(Self {
            server: server(text("server"), config),
            seed,
            traces_per_ks: traces_per_ks(text("rate").unwrap_or("5"))?,
            duration: text("duration").map(|text| duration("duration", text)).transpose()?,
            history,
            compresses: arguments.get_flag("gzip"),
            truth: text("truth").map(PathBuf::from),
            faults: names.map(String::as_str).try_fold(Faults::all(), without)?,
        })
    }

    /// The shop, opening as long ago as the past is to last.
    pub(super) fn shop(&self, now_ns: i64) -> ShopSettings {
        let history_ns = i64::try_from(self.history.as_nanos()).unwrap_or(i64::MAX);
        ShopSettings {
            traces_per_ks: self.traces_per_ks,
            faults: self.faults,
            ..ShopSettings::new(self.seed, now_ns.saturating_sub(history_ns))
        }
    }
}

/// The server that was named, else the one that uses the data folder, else the address in the settings.
fn server(named: Option<&str>, config: &Config) -> String {
    if let Some(url) = named {
        return url.trim_end_matches('/').to_owned();
    }
    let running = Addresses::read(&config.data_dir).map(|addresses| addresses.otlp_http);
    format!("http://{}", running.unwrap_or(config.otlp_http_addr))
}

fn duration(name: &str, text: &str) -> Result<Duration> {
    humantime::parse_duration(text)
        .with_context(|| format!("--{name} {text:?} is no duration such as 30s or 15m"))
}

fn traces_per_ks(text: &str) -> Result<u64> {
    let rate: f64 = text.parse().with_context(|| format!("--rate {text} is no number"))?;
    if !(0.001..=RATE_MAX).contains(&rate) {
        bail!("--rate must be between 0.001 and {RATE_MAX}");
    }
    Ok((rate * 1_000.0) as u64)
}

fn without(faults: Faults, name: &str) -> Result<Faults> {
    let Some(fault) = Fault::named(name) else {
        let known: Vec<&str> = Fault::all().map(|fault| fault.line().name).collect();
        bail!("--without {name}: no such fault; there are {}", known.join(", "));
    };
    Ok(faults.without(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options> {
        let command = command().args(crate::config::arguments());
        let matches = command.try_get_matches_from(std::iter::once(&"demo").chain(arguments))?;
        let config = Config::read(&matches, std::iter::empty())?;
        Options::read(&matches, &config, 1_780_000_000_000_000_000)
    }

    #[test]
    fn defaults_fill_the_past_and_go_on() -> Result<()> {
        let options = read(&["--data-dir", "/nowhere"])?;
        assert_eq!(options.server, "http://127.0.0.1:4318");
        assert_eq!((options.traces_per_ks, options.duration), (5_000, None));
        let settings = options.shop(1_780_000_900_000_000_000);
        assert_eq!(settings.start_unix_ns, 1_780_000_000_000_000_000);
        assert_eq!(settings.faults, Faults::all());
        Ok(())
    }

    #[test]
    fn faults_can_be_left_out_by_name() -> Result<()> {
        let options = read(&["--without", "fan_out", "--without", "clock_step", "--seed", "7"])?;
        assert_eq!(options.seed, 7);
        assert_eq!(options.faults, Faults::all().without(Fault::FanOut).without(Fault::ClockStep));
        Ok(())
    }

    #[test]
    fn bad_values_name_their_option() {
        for [option, value] in [
            ["--rate", "0"],
            ["--rate", "many"],
            ["--history", "25h"],
            ["--duration", "soon"],
            ["--seed", "x"],
            ["--without", "n_plus"],
        ] {
            let error = read(&[option, value]).expect_err(option);
            assert!(format!("{error:#}").contains(option), "{error:#}");
        }
    }
}
