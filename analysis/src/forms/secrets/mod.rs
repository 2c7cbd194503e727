//! Credentials in attribute values: where they stand, never what they are.
//!
//! For the detector `secret_in_span`, beside [forming](super). Finds passwords in URLs and parameters, bearer
//! and basic credentials, cloud and service keys, JSON web tokens and private keys. What is masked, a
//! placeholder, a hash or an id is no secret: better to miss one than to cry wolf over `password = ?`. One
//! pass; every look ahead ends where the next one begins or is bounded.

mod begin;
mod find;
mod judge;
mod searched;

pub use find::{SECRET_BYTES_MAX, SECRETS_PER_VALUE_MAX, SecretKind, SecretSite, find_secrets};
pub(super) use judge::may_be_secret_name;
pub(super) use searched::Searched;

#[cfg(test)]
mod tests;
