//! Forms of messaging: what is done with which destination.
//!
//! A [family](super). Operations have one word each, whatever conventions call them: `send`, `receive`,
//! `process`, `settle`. Destinations lose what belongs to one occasion: temporary and reply queues, ids, the
//! number of a partition.

use super::call::{Draft, Effect, Kind, System};
use super::conventions::{Field, Fields, bits};
use super::path::push_name;
use super::rpc;

/// Whether attributes speak of messaging.
pub(super) fn is_messaging(fields: &Fields<'_>) -> bool {
    use Field::*;
    fields.has_any(
        const {
            bits(&[
                MessagingSystem,
                MessagingDestination,
                MessagingOperationType,
                MessagingOperation,
            ])
        },
    )
}

/// Forms the call of a messaging span.
pub(super) fn draft(kind: Kind, name: &str, fields: &Fields<'_>, draft: &mut Draft) {
    draft.system = System::Messaging;
    let sent = [Field::MessagingOperationType, Field::MessagingOperation];
    let word = sent.into_iter().find_map(|field| fields.text(field).and_then(operation_of));
    let operation = word.or_else(|| name.split(' ').find_map(operation_of)).unwrap_or(match kind {
        Kind::Producer | Kind::Client => "send",
        Kind::Consumer => "process",
        _ => "message",
    });
    draft.operation.push_str(operation);
    draft.target_known = push_destination(fields, &mut draft.target);
    draft.template_from_parts();
    draft.effect = if operation == "send" { Effect::Write } else { Effect::Unknown };
    draft.is_housekeeping = operation == "settle";
    rpc::push_callee(fields, &mut draft.callee);
    if draft.callee.is_empty() {
        draft.callee.push_str(fields.text(Field::MessagingSystem).unwrap_or_default());
    }
    draft.is_exit |= kind == Kind::Internal && operation != "process";
    draft.is_exit |= kind == Kind::Unspecified && operation != "process";
}

/// The one word for an operation.
fn operation_of(word: &str) -> Option<&'static str> {
    let known = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(word));
    if known(&["send", "publish", "create", "produce", "enqueue", "schedule"]) {
        Some("send")
    } else if known(&["receive", "poll", "consume", "dequeue", "fetch", "peek"]) {
        Some("receive")
    } else if known(&["process", "deliver", "handle"]) {
        Some("process")
    } else if known(&["settle", "ack", "nack", "commit", "complete", "abandon", "reject"]) {
        Some("settle")
    } else {
        None
    }
}

/// Appends where messages go, and says whether that is known.
fn push_destination(fields: &Fields<'_>, out: &mut String) -> bool {
    if let Some(template) = fields.text(Field::MessagingDestinationTemplate) {
        push_name(template, out);
        return true;
    }
    let destination = fields
        .text(Field::MessagingDestination)
        .or_else(|| fields.text(Field::MessagingRoutingKey));
    let is_reply = destination.is_some_and(is_reply_queue);
    if is_reply || fields.flag(Field::MessagingDestinationTemporary) {
        out.push_str("(temporary)");
    } else if fields.flag(Field::MessagingDestinationAnonymous) {
        out.push_str("(anonymous)");
    } else if let Some(destination) = destination {
        push_name(without_partition(queue_of_url(destination), fields), out);
    }
    destination.is_some()
}

/// Queues that brokers name for one client.
fn is_reply_queue(name: &str) -> bool {
    [
        "amq.gen-",
        "amq.rabbitmq.reply-to",
        "_INBOX.",
        "spring.gen-",
        "ID:",
        "tmp_queue",
        "temp-queue://",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// The queue at the end of a URL such as SQS's.
fn queue_of_url(destination: &str) -> &str {
    if destination.starts_with("https://") || destination.starts_with("http://") {
        destination.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    } else {
        destination
    }
}

/// A destination without the number of its partition: `orders-partition-3` always, `orders-3` where an
/// attribute says that 3 is the partition.
fn without_partition<'a>(name: &'a str, fields: &Fields<'_>) -> &'a str {
    let Some((topic, number)) = name.rsplit_once('-') else { return name };
    if topic.is_empty() || number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return name;
    }
    match topic.strip_suffix("-partition") {
        Some(topic) if !topic.is_empty() => topic,
        _ if fields.int(Field::MessagingPartition) == number.parse().ok() => topic,
        _ => name,
    }
}
