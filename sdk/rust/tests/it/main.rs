//! Tagging through the real SDK: spans as they reach an exporter, over real connections.

mod grpc;
mod http;
mod levels;
mod pipeline;
mod process;
