//! The two protocols of OTLP, on top of one way to read a body.
//!
//! `inflate` decompresses, `body` reads within limits, `frame` and `grpc` speak gRPC, `http` speaks
//! OTLP/HTTP, `status` is the one table of answers, `linger` says goodbye to bodies nobody reads.

mod body;
mod frame;
pub(crate) mod grpc;
pub(crate) mod http;
mod inflate;
mod linger;
mod status;
