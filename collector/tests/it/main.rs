//! The collector from the outside: real sockets, a real store, documented answers.
//!
//! `support` starts a server and speaks raw HTTP/1.1 and HTTP/2; `bad_input` is the table of what
//! senders get wrong, one test per row.

mod bad_input;
mod grpc;
mod http;
mod import;
mod pressure;
mod stamps;
mod support;
mod translate;
