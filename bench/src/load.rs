//! The load: requests made before the clock starts, and the threads that send them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceResponse;
use causeway_testkit::traffic::{Traffic, encode, span_count};
use prost::Message;

use crate::http::{Answer, Client, Endpoint};

/// Attempts at one request before the run is given up.
const ATTEMPTS_MAX: usize = 60;
/// The wait before another attempt if the server names none.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_millis(100);

/// Encoded requests, each sent once: a server may recognise a repeated one.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) bodies: Vec<Vec<u8>>,
    pub(crate) spans: usize,
    pub(crate) bytes: usize,
}

impl Load {
    /// At least `spans` spans.
    pub(crate) fn of(traffic: Traffic, spans: usize) -> Self {
        let mut load = Self { bodies: Vec::new(), spans: 0, bytes: 0 };
        for request in traffic {
            if load.spans >= spans {
                break;
            }
            let body = encode(&request);
            load.spans += span_count(&request);
            load.bytes += body.len();
            load.bodies.push(body);
        }
        load
    }

    pub(crate) fn bytes_per_span(&self) -> f64 {
        self.bytes as f64 / self.spans as f64
    }
}

/// What sending a load was like.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// From the first byte sent to the last acknowledgement.
    pub(crate) wall: Duration,
    /// From the moment a request was due to its acknowledgement, with all attempts in between.
    pub(crate) acknowledged_after: Vec<Duration>,
    /// Answers that asked to try again.
    pub(crate) retries: usize,
    pub(crate) spans_refused: i64,
}

/// Sends all requests over some connections, as fast as they are answered or at a steady pace.
pub(crate) fn send(
    endpoint: &Endpoint,
    load: &Load,
    connections: usize,
    pace: Option<Duration>,
) -> Result<Sent> {
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let parts = thread::scope(|scope| {
        let senders: Vec<_> = (0..connections.max(1))
            .map(|_| scope.spawn(|| send_some(endpoint, load, &next, start, pace)))
            .collect();
        let join = |sender: thread::ScopedJoinHandle<'_, Result<Sent>>| match sender.join() {
            Ok(sent) => sent,
            Err(_) => bail!("a sender panicked"),
        };
        senders.into_iter().map(join).collect::<Result<Vec<Sent>>>()
    })?;
    let mut all = Sent { wall: start.elapsed(), ..Sent::default() };
    for part in parts {
        all.acknowledged_after.extend(part.acknowledged_after);
        all.retries += part.retries;
        all.spans_refused += part.spans_refused;
    }
    ensure!(all.acknowledged_after.len() == load.bodies.len(), "not all requests were sent");
    Ok(all)
}

fn send_some(
    endpoint: &Endpoint,
    load: &Load,
    next: &AtomicUsize,
    start: Instant,
    pace: Option<Duration>,
) -> Result<Sent> {
    let mut client = Client::new(endpoint.host());
    let mut sent = Sent::default();
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(body) = load.bodies.get(at) else {
            return Ok(sent);
        };
        // At a steady pace the clock runs from when a request was due: a slow answer delays those
        // behind it, and that delay is part of what their sender sees.
        let due = match pace {
            Some(gap) => start + gap * u32::try_from(at).context("too many requests")?,
            None => Instant::now(),
        };
        thread::sleep(due.saturating_duration_since(Instant::now()));
        send_one(&mut client, endpoint, body, &mut sent)?;
        sent.acknowledged_after.push(due.elapsed());
    }
}

/// Sends one request until it is acknowledged.
pub(crate) fn send_one(
    client: &mut Client<'_>,
    endpoint: &Endpoint,
    body: &[u8],
    sent: &mut Sent,
) -> Result<()> {
    for _ in 0..ATTEMPTS_MAX {
        let answer = client.post_traces(endpoint, body)?;
        match answer.status {
            200 => {
                sent.spans_refused += refused(&answer);
                return Ok(());
            }
            429 | 502 | 503 | 504 => {
                sent.retries += 1;
                thread::sleep(answer.retry_after.unwrap_or(RETRY_AFTER_DEFAULT));
            }
            status => bail!("answer {status}: {}", String::from_utf8_lossy(&answer.body)),
        }
    }
    bail!("no acknowledgement in {ATTEMPTS_MAX} attempts")
}

/// Refused spans; other servers may answer with a body that is no protobuf, which counts as none.
fn refused(answer: &Answer) -> i64 {
    let decoded = ExportTraceServiceResponse::decode(answer.body.as_slice());
    decoded.ok().and_then(|it| it.partial_success).map_or(0, |partial| partial.rejected_spans)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Answers each request with 503 once and then with 200.
    fn serve(stream: TcpStream) -> Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut writer = stream;
        let mut busy = true;
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                if let Some(value) = line.strip_prefix("Content-Length: ") {
                    length = value.trim().parse()?;
                }
                if line == "\r\n" {
                    break;
                }
            }
            reader.read_exact(&mut vec![0; length])?;
            let answer = match busy {
                true => "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
                false => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\x0a\x02\x08\x03",
            };
            writer.write_all(answer.as_bytes())?;
            busy = !busy;
        }
    }

    #[test]
    fn every_request_is_acknowledged_once_and_retried_when_asked() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let endpoint = Endpoint::parse(&format!("http://{}", listener.local_addr()?))?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || serve(stream));
            }
        });
        let traffic = Traffic::new(1, 1_790_000_000_000_000_000).spans_per_request(20);
        let load = Load::of(traffic, 200);
        assert_eq!((load.spans, load.bodies.len()), (200, 10));
        let sent = send(&endpoint, &load, 3, None)?;
        assert_eq!((sent.acknowledged_after.len(), sent.retries, sent.spans_refused), (10, 10, 30));
        let paced = send(&endpoint, &load, 2, Some(Duration::from_millis(5)))?;
        assert!(paced.wall >= Duration::from_millis(45));
        Ok(())
    }
}
