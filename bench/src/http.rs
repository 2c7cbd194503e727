//! The cheapest client that can post OTLP and ask questions: HTTP/1.1 over one kept connection, no TLS.
//!
//! Cheap, because on a small machine it takes its CPU time from the server that it measures.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// No answer is larger: those of an OTLP receiver hold a few dozen bytes, a trace some hundred thousand.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// The media type of encoded OTLP requests.
pub(crate) const PROTOBUF: &str = "application/x-protobuf";
/// A server under back pressure answers 429, so that silence this long is a failure.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Where traces are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    host: String,
    path: String,
}

impl Endpoint {
    /// A base URL as in `OTEL_EXPORTER_OTLP_ENDPOINT`, or the whole URL of the traces.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let rest =
            url.strip_prefix("http://").with_context(|| format!("not an http:// URL: {url}"))?;
        let (host, base) = rest.split_once('/').unwrap_or((rest, ""));
        ensure!(!host.is_empty(), "no host in {url}");
        let host = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        let base = base.trim_end_matches('/');
        let path = match base {
            "" => "/v1/traces".to_owned(),
            _ if base.ends_with("v1/traces") => format!("/{base}"),
            _ => format!("/{base}/v1/traces"),
        };
        Ok(Self { host, path })
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether something listens there.
    pub(crate) fn listens(&self) -> bool {
        TcpStream::connect(&self.host).is_ok()
    }
}

/// What the server said.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
    close: bool,
}

/// A connection that is opened when it is needed and kept as long as the server allows.
#[derive(Debug)]
pub(crate) struct Client<'a> {
    host: &'a str,
    stream: Option<BufReader<TcpStream>>,
}

impl<'a> Client<'a> {
    pub(crate) fn new(host: &'a str) -> Self {
        Self { host, stream: None }
    }

    /// Posts traces to the path of their endpoint.
    pub(crate) fn post_traces(&mut self, endpoint: &Endpoint, body: &[u8]) -> Result<Answer> {
        let head = format!("POST {} HTTP/1.1\r\nContent-Type: {PROTOBUF}\r\n", endpoint.path);
        self.call(&head, body)
    }

    /// Asks for a path, escaped where it must be.
    pub(crate) fn get(&mut self, path: &str, accept: &str) -> Result<Answer> {
        self.call(&format!("GET {path} HTTP/1.1\r\nAccept: {accept}\r\n"), &[])
    }

    /// Posts text, and wants JSON.
    pub(crate) fn post_text(&mut self, path: &str, text: &str) -> Result<Answer> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nContent-Type: text/plain\r\nAccept: application/json\r\n"
        );
        self.call(&head, text.as_bytes())
    }

    /// Sends one request; after an error the next call connects anew.
    fn call(&mut self, head: &str, body: &[u8]) -> Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.host)?,
        };
        let head = format!("{head}Host: {}\r\nContent-Length: {}\r\n\r\n", self.host, body.len());
        let socket = stream.get_mut();
        socket.write_all(head.as_bytes()).context("cannot send")?;
        socket.write_all(body).context("cannot send")?;
        let answer = read_answer(&mut stream)?;
        if !answer.close {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

/// Text as part of a query string.
pub(crate) fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn connect(host: &str) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(host).with_context(|| format!("cannot connect to {host}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(BufReader::new(stream))
}

fn read_answer(stream: &mut impl BufRead) -> Result<Answer> {
    let status_line = read_line(stream)?;
    let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.with_context(|| format!("not an HTTP status: {status_line:?}"))?;
    let mut answer = Answer { status, ..Answer::default() };
    let mut length = 0;
    let mut chunked = false;
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            bail!("not an HTTP header: {line:?}");
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().context("not a length")?,
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => answer.close = value.eq_ignore_ascii_case("close"),
            "retry-after" => answer.retry_after = value.parse().ok().map(Duration::from_secs),
            _ => {}
        }
    }
    answer.body = if chunked { read_chunks(stream)? } else { read_exactly(stream, length)? };
    Ok(answer)
}

fn read_chunks(stream: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(&read_line(stream)?, 16).context("not a chunk's size")?;
        body.extend(read_exactly(stream, size)?);
        read_line(stream)?;
        ensure!(body.len() <= ANSWER_BYTES_MAX, "answer too large");
        if size == 0 {
            return Ok(body);
        }
    }
}

fn read_exactly(stream: &mut impl Read, length: usize) -> Result<Vec<u8>> {
    ensure!(length <= ANSWER_BYTES_MAX, "answer of {length} bytes");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).context("answer cut short")?;
    Ok(body)
}

fn read_line(stream: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    stream.take(8192).read_line(&mut line).context("no answer")?;
    ensure!(line.ends_with('\n'), "connection closed by the server");
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_get_the_path_of_traces() -> Result<()> {
        let check = |url: &str, host: &str, path: &str| -> Result<()> {
            let expected = Endpoint { host: host.to_owned(), path: path.to_owned() };
            assert_eq!(Endpoint::parse(url)?, expected);
            Ok(())
        };
        check("http://127.0.0.1:4318", "127.0.0.1:4318", "/v1/traces")?;
        check("http://tempo/", "tempo:80", "/v1/traces")?;
        check("http://v:10428/insert/opentelemetry", "v:10428", "/insert/opentelemetry/v1/traces")?;
        check("http://v:1/otlp/v1/traces", "v:1", "/otlp/v1/traces")?;
        assert!(Endpoint::parse("https://127.0.0.1").is_err());
        assert!(Endpoint::parse("http:///v1/traces").is_err());
        Ok(())
    }

    #[test]
    fn query_strings_are_escaped() {
        assert_eq!(escaped("app.tenant=a b/ü"), "app.tenant%3Da%20b%2F%C3%BC");
    }

    #[test]
    fn answers_are_read_to_their_end_and_no_further() -> Result<()> {
        let mut stream: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 3\r\n\r\nabc\
            HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n";
        let busy = read_answer(&mut stream)?;
        assert_eq!(busy.status, 429);
        assert_eq!(busy.retry_after, Some(Duration::from_secs(2)));
        assert_eq!((busy.body.as_slice(), busy.close), (b"abc".as_slice(), false));
        let ok = read_answer(&mut stream)?;
        assert_eq!((ok.status, ok.body.as_slice(), ok.close), (200, b"def".as_slice(), true));
        assert!(read_answer(&mut stream).is_err());
        assert!(
            read_answer(&mut b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".as_slice())
                .is_err()
        );
        Ok(())
    }
}
