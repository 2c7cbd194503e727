//! The commands: what each takes, and what runs it.

mod analyze;
mod demo;
mod export;
mod import;
mod open;
mod serve;
mod sql;
mod verify;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::config::{self, Config};

/// The command line.
pub(crate) fn cli() -> Command {
    Command::new("causeway")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Distributed tracing that tells the truth about order")
        .args(config::arguments())
        .subcommand(Command::new("serve").about("Receive, store, query and show spans (the default)"))
        .subcommand(
            Command::new("sql")
                .about("Run a query")
                .arg(Arg::new("statement").required(true).help("SQL; - reads it from standard input"))
                .arg(server("Address of a running server, such as http://127.0.0.1:8317"))
                .arg(
                    Arg::new("format")
                        .long("format")
                        .default_value("table")
                        .help("table, csv, json, ndjson, parquet or arrow"),
                ),
        )
        .subcommand(
            Command::new("import")
                .about("Read spans from files: OTLP/JSON, OTLP protobuf, Jaeger JSON, Zipkin v2 JSON; .gz and .zst too")
                .arg(Arg::new("files").required(true).num_args(1..).action(ArgAction::Append).value_name("FILE"))
                .arg(server("OTLP/HTTP address of a running server, such as http://127.0.0.1:4318")),
        )
        .subcommand(
            Command::new("export")
                .about("Write spans to a file: OTLP/JSON lines (.jsonl, .jsonl.gz, .jsonl.zst) or .parquet")
                .arg(Arg::new("where").long("where").value_name("CONDITION").help("SQL condition on spans"))
                .arg(Arg::new("output").short('o').long("output").required(true).value_name("FILE").help("File to write; - is standard output")),
        )
        .subcommand(
            Command::new("analyze")
                .about("Look at the traces of the past again for findings, as after a rule changed")
                .arg(
                    Arg::new("since")
                        .long("since")
                        .required(true)
                        .value_name("TIME")
                        .allow_hyphen_values(true)
                        .help("How far back, such as 7d, or a time"),
                )
                .arg(server("Address of a running server, such as http://127.0.0.1:8317")),
        )
        .subcommand(demo::command())
        .subcommand(Command::new("verify").about("Check the data folder of a stopped server"))
}

fn server(help: &'static str) -> Arg {
    Arg::new("server").long("server").value_name("URL").help(help)
}

/// Runs one command to its end.
pub(crate) async fn run(name: &str, arguments: &ArgMatches, config: Config) -> Result<ExitCode> {
    let text = |name: &str| arguments.get_one::<String>(name).cloned();
    match name {
        "sql" => {
            let format = text("format").unwrap_or_default();
            sql::run(&config, &text("statement").unwrap_or_default(), &format, text("server")).await
        }
        "import" => {
            let files = arguments.get_many::<String>("files").into_iter().flatten().cloned();
            import::run(&config, &files.collect::<Vec<_>>(), text("server")).await
        }
        "export" => export::run(&config, text("where"), &text("output").unwrap_or_default()).await,
        "analyze" => {
            analyze::run(&config, &text("since").unwrap_or_default(), text("server")).await
        }
        "demo" => demo::run(&config, arguments).await,
        "verify" => verify::run(&config).await,
        _ => serve::run(config).await,
    }
}
