//! Destinations of messages.

use super::{check, form};
use crate::forms::{Kind, System};

#[test]
fn destinations_lose_what_is_of_one_occasion() {
    let to = |destination| {
        [
            ("messaging.system", "kafka"),
            ("messaging.operation", "publish"),
            ("messaging.destination.name", destination),
        ]
    };
    check("x", &to("orders"), (System::Messaging, "kafka", "send orders"));
    check("x", &to("iot-events360"), (System::Messaging, "kafka", "send iot-events360"));
    check(
        "x",
        &to("persistent://t/ns/orders-partition-3"),
        (System::Messaging, "kafka", "send persistent://t/ns/orders"),
    );
    check(
        "x",
        &to("amq.gen-JzTY20BRgKO-HjmUJj0wLg"),
        (System::Messaging, "kafka", "send (temporary)"),
    );
    check(
        "x",
        &to("replies.550e8400-e29b-41d4-a716-446655440000"),
        (System::Messaging, "kafka", "send replies.{id}"),
    );
    check(
        "x",
        &to("https://sqs.eu.amazonaws.com/123456789012/jobs"),
        (System::Messaging, "kafka", "send jobs"),
    );
    check(
        "x",
        &[
            ("messaging.system", "kafka"),
            ("messaging.destination.name", "orders-7"),
            ("messaging.destination.partition.id", "7"),
        ],
        (System::Messaging, "kafka", "send orders"),
    );
    check(
        "x",
        &[
            ("messaging.system", "jms"),
            ("messaging.destination.name", "q"),
            ("messaging.destination.temporary", "true"),
        ],
        (System::Messaging, "jms", "send (temporary)"),
    );
    check(
        "x",
        &[
            ("messaging.system", "x"),
            ("messaging.destination.template", "/c/{customer}"),
            ("messaging.destination.name", "/c/17"),
        ],
        (System::Messaging, "x", "send /c/{customer}"),
    );
    let poll =
        form(Kind::Consumer, "poll", &[("kafka.topic", "messages"), ("peer.service", "kafka")])
            .expect("a call");
    assert_eq!((poll.template.as_str(), poll.is_exit), ("receive messages", false));
    let ack = form(
        Kind::Client,
        "ack",
        &[
            ("messaging.system", "x"),
            ("messaging.operation.name", "ack"),
            ("messaging.destination.name", "q"),
        ],
    );
    assert!(ack.is_some_and(|call| call.is_housekeeping && call.template == "settle q"));
}
