//! Sends the past as fast as the server takes it, then the present as it comes, until the time is up or somebody stops it.

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use causeway_testkit::shop::Shop;
use clap::ArgMatches;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::options::Options;
use super::senders::{Counts, Senders};
use super::truth::{Paper, listed};
use crate::commands::open::system_clock;
use crate::config::Config;
use crate::output;

/// How often the file of truth is renewed.
const TRUTH_EVERY: Duration = Duration::from_secs(10);

pub(crate) async fn run(config: &Config, arguments: &ArgMatches) -> Result<ExitCode> {
    let clock = system_clock();
    let options = Options::read(arguments, config, clock())?;
    let settings = options.shop(clock());
    let mut shop = Shop::new(settings);
    let mut services: Vec<&'static str> =
        shop.instances().iter().map(|instance| instance.service.name()).collect();
    services.dedup();
    let senders = Senders::start(&options, &services).await?;
    let paper = Paper::new(&options, settings);
    output::line(&listed(&shop.truth(), &options));
    paper.write(&shop.truth())?;

    let live_ns = settings.start_unix_ns.saturating_add(nanoseconds(options.history));
    let mut sending = Sending {
        end_ns: options.duration.map(|duration| live_ns.saturating_add(nanoseconds(duration))),
        live_ns,
        is_live: options.history.is_zero(),
        began: Instant::now(),
        written: Instant::now(),
        stops: stops()?,
    };
    let is_whole = sending.send_all(&mut shop, &senders, &paper, &*clock).await?;
    if is_whole {
        tell(&shop, &*senders.finish().await?);
    }
    paper.write(&shop.truth())?;
    Ok(ExitCode::SUCCESS)
}

/// How far the sending is.
struct Sending {
    /// From when on the past is over.
    live_ns: i64,
    /// From when on no more customers come.
    end_ns: Option<i64>,
    /// Whether the end of the past was told.
    is_live: bool,
    began: Instant,
    /// When the file of truth was written last.
    written: Instant,
    /// How often somebody asked to stop.
    stops: watch::Receiver<u32>,
}

impl Sending {
    /// Gives false if it was cut off.
    async fn send_all(
        &mut self,
        shop: &mut Shop,
        senders: &Senders,
        paper: &Paper,
        clock: &(dyn Fn() -> i64 + Send + Sync),
    ) -> Result<bool> {
        let mut is_closed = false;
        while let Some(export) = shop.next() {
            // An export is not due before its time; the past is always due.
            loop {
                let stops = *self.stops.borrow_and_update();
                if stops > 1 {
                    return Ok(false);
                }
                if !is_closed && (stops == 1 || self.end_ns.is_some_and(|end| export.at_ns >= end))
                {
                    is_closed = true;
                    shop.close();
                    output::line("closing: what is under way is sent to its end, in up to 15 s");
                }
                let early_ns = export.at_ns.saturating_sub(clock());
                let Ok(early_ns @ 1..) = u64::try_from(early_ns) else { break };
                self.tell_of_the_past(shop, senders, export.at_ns);
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_nanos(early_ns)) => break,
                    _ = self.stops.changed() => {}
                }
            }
            let service = shop.instances().get(export.instance).map(|of| of.service.name());
            senders.send(service.context("an export of nobody")?, export).await?;
            if self.written.elapsed() >= TRUTH_EVERY {
                paper.write(&shop.truth())?;
                self.written = Instant::now();
            }
        }
        Ok(true)
    }

    /// Says once that the past was sent.
    fn tell_of_the_past(&mut self, shop: &Shop, senders: &Senders, at_ns: i64) {
        if self.is_live || at_ns < self.live_ns {
            return;
        }
        self.is_live = true;
        let spans = senders.counts.spans.load(Ordering::Relaxed);
        output::line(&format!(
            "the past is sent: {} traces, {spans} spans in {:.1} s; now as it happens, Ctrl-C ends it",
            shop.truth().journeys,
            self.began.elapsed().as_secs_f64(),
        ));
    }
}

/// Counts the signals that ask to stop: the first closes the shop, the second cuts it off.
fn stops() -> Result<watch::Receiver<u32>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (count, stops) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            count.send_modify(|count| *count += 1);
        }
    });
    Ok(stops)
}

fn tell(shop: &Shop, counts: &Counts) {
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    output::line(&format!(
        "sent {} traces, {} spans in {} requests; {} refused, {} given up",
        shop.truth().journeys,
        read(&counts.spans),
        read(&counts.requests),
        read(&counts.refused),
        read(&counts.lost),
    ));
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
