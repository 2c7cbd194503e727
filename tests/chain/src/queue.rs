//! A queue: messages as lines of JSON over one connection, in order, which nobody answers.

use std::net::SocketAddr;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::process::Fields;

/// Messages that may wait to be sent.
const WAITING_MAX: usize = 10_000;

/// See `orders` for what it carries.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) order: Fields,
    pub(crate) sender: Fields,
}

impl Message {
    fn line(&self) -> String {
        format!("{}\n", json!({"order": self.order, "sender": self.sender}))
    }

    /// Reads a line.
    pub(crate) fn read(line: &str) -> anyhow::Result<Self> {
        let value: Value = serde_json::from_str(line)?;
        let fields = |name: &str| serde_json::from_value(value[name].clone()).context("a message");
        Ok(Self { order: fields("order")?, sender: fields("sender")? })
    }
}

/// The end that messages go into.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: mpsc::Sender<String>,
}

impl Queue {
    /// Connects to whom messages go; what is sent is on its way once the handle ends, after the
    /// queue is dropped.
    pub(crate) async fn open(
        address: SocketAddr,
    ) -> anyhow::Result<(Self, JoinHandle<anyhow::Result<()>>)> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (waiting, mut lines) = mpsc::channel::<String>(WAITING_MAX);
        let sending = tokio::spawn(async move {
            while let Some(line) = lines.recv().await {
                stream.write_all(line.as_bytes()).await?;
            }
            stream.shutdown().await?;
            Ok(())
        });
        Ok((Self { waiting }, sending))
    }

    /// Does not wait for anything.
    pub(crate) fn send(&self, message: &Message) -> anyhow::Result<()> {
        self.waiting.try_send(message.line()).context("the queue is full")
    }
}
