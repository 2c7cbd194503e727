//! Processes messages, within the context of their order and with a link to the span that sent them.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;

use crate::process::{Process, extract};
use crate::queue::Message;
use crate::{listen, told_to_end};

/// Takes one queue and processes what comes until it is closed.
pub(crate) async fn serve(process: Arc<Process>) -> anyhow::Result<()> {
    let listener = listen().await?;
    tokio::select! {
        () = told_to_end() => Ok(()),
        queue = listener.accept() => {
            receive(&process, queue?.0).await?;
            told_to_end().await;
            Ok(())
        }
    }
}

async fn receive(process: &Process, queue: TcpStream) -> anyhow::Result<()> {
    let mut lines = BufReader::new(queue).lines();
    while let Some(line) = lines.next_line().await? {
        let message = Message::read(&line)?;
        let sender = extract(&message.sender);
        let cx = process.start("orders process", SpanKind::Consumer, &extract(&message.order));
        cx.span().add_link(sender.span().span_context().clone(), Vec::new());
        tokio::time::sleep(Duration::from_millis(1)).await;
        process.end(&cx, [KeyValue::new("messaging.operation.type", "process")]);
    }
    Ok(())
}
