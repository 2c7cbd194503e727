//! Reading on, for a moment, what a refused request still sends.
//!
//! Closing a connection with unread data resets it, and the reset may overtake the answer: the
//! sender would see a broken pipe where we said why. So the answer leaves at once while the rest of
//! the body is thrown away beside it, up to a limit.

use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, header};

use super::body::next_piece;

const LINGER_TIME: Duration = Duration::from_secs(5);
const LINGER_BYTES_MAX: usize = 128 << 20;

/// Throws the rest of `body` away in the background.
pub(crate) fn linger(mut body: Body, headers: &HeaderMap) {
    // A sender that waits for "100 Continue" sends nothing when it gets an answer instead, and
    // reading would ask it to.
    if http_body::Body::is_end_stream(&body) || headers.contains_key(header::EXPECT) {
        return;
    }
    tokio::spawn(tokio::time::timeout(LINGER_TIME, async move {
        let mut bytes = 0;
        while let Ok(Some(piece)) = next_piece(&mut body).await {
            bytes += piece.len();
            if bytes > LINGER_BYTES_MAX {
                return;
            }
        }
    }));
}
