//! `POST /sql`: a statement in, rows out in the format that `Accept` names.
//!
//! The answer is streamed. An error before the first rows is an error answer; one after them cannot
//! change the status any more and breaks the connection off, so that no client takes a part for the
//! whole.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use axum::body::Body;
use axum::extract::{Query as UrlQuery, State};
use axum::response::Response;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http::{HeaderMap, header};
use serde::Deserialize;

use super::error::ApiResult;
use super::order::Asked;
use crate::error::{QueryError, Result};
use crate::format::{Encoder, Format, Options};
use crate::params::Params;
use crate::query::{Batches, Query};

/// Choices in the address.
#[derive(Debug, Deserialize)]
pub(super) struct SqlQuery {
    /// `string` quotes 64-bit integers in JSON.
    bigint: Option<String>,
    /// Most rows of the answer.
    limit: Option<usize>,
}

/// A statement with values for its placeholders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    sql: String,
    params: Option<serde_json::Value>,
}

pub(super) async fn run(
    State(query): State<Query>,
    choices: Asked<SqlQuery>,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Response> {
    let started = Instant::now();
    let UrlQuery(choices) = choices?;
    let format = wanted_format(&headers)?;
    let Statement { sql, params } = read_statement(&headers, &body)?;
    let options = Options {
        bigint_text: match choices.bigint.as_deref() {
            None | Some("number") => false,
            Some("string") => true,
            Some(other) => {
                let message = format!("bigint is number or string, not {other:?}");
                return Err(QueryError::BadRequest(message).into());
            }
        },
        rows_max: match format {
            Format::Json => Some(choices.limit.unwrap_or(query.settings().json_rows_max)),
            _ => choices.limit,
        },
    };
    let params = params.map(|params| Params::from_json(&params)).transpose()?;
    let mut batches = query.sql_with(&sql, params).await?;
    let first = batches.next().await.transpose()?;
    let (encoder, head) = Encoder::start(format, Arc::clone(batches.schema()), options, started)?;
    let answer = Answer { encoder, batches, head, first };
    let response = Response::builder()
        .header(header::CONTENT_TYPE, format.content_type())
        .body(Body::from_stream(answer.into_stream()));
    Ok(response.map_err(|error| QueryError::Internal(error.to_string()))?)
}

/// What is left to send: the first batch was read ahead to find errors early.
struct Answer {
    encoder: Encoder,
    batches: Batches,
    head: Vec<u8>,
    first: Option<RecordBatch>,
}

impl Answer {
    /// The next bytes, and what is left after them.
    async fn next(mut self: Box<Self>) -> Result<(Bytes, Option<Box<Self>>)> {
        let mut bytes = std::mem::take(&mut self.head);
        let next = match self.first.take() {
            Some(first) => Some(first),
            None if self.encoder.is_full() => None,
            None => self.batches.next().await.transpose()?,
        };
        match next {
            Some(batch) => {
                bytes.extend(self.encoder.write(&batch)?);
                Ok((bytes.into(), Some(self)))
            }
            None => {
                bytes.extend(self.encoder.finish()?);
                Ok((bytes.into(), None))
            }
        }
    }

    fn into_stream(self) -> impl Stream<Item = Result<Bytes>> {
        stream::try_unfold(Some(Box::new(self)), |answer| async move {
            match answer {
                Some(answer) => answer.next().await.map(Some),
                None => Ok(None),
            }
        })
    }
}

/// The first known media type of `Accept`; JSON when anything will do.
fn wanted_format(headers: &HeaderMap) -> Result<Format> {
    let Some(accept) = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()) else {
        return Ok(Format::Json);
    };
    for range in accept.split(',') {
        match range.split(';').next().unwrap_or_default().trim() {
            "application/json" | "*/*" | "application/*" | "" => return Ok(Format::Json),
            "text/csv" => return Ok(Format::Csv),
            "application/x-ndjson" => return Ok(Format::Ndjson),
            "application/vnd.apache.arrow.stream" => return Ok(Format::Arrow),
            "application/vnd.apache.parquet" => return Ok(Format::Parquet),
            "text/plain" => return Ok(Format::Table),
            _ => {}
        }
    }
    Err(QueryError::bad_request(format!(
        "no format for Accept: {accept}; known are application/json, text/csv, \
         application/x-ndjson, application/vnd.apache.arrow.stream, \
         application/vnd.apache.parquet, text/plain"
    )))
}

fn read_statement(headers: &HeaderMap, body: &[u8]) -> Result<Statement> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.is_some_and(|value| value.starts_with("application/json")) {
        return serde_json::from_slice(body).map_err(|error| {
            QueryError::bad_request(format!("the body is not a statement: {error}"))
        });
    }
    let sql = std::str::from_utf8(body)
        .map_err(|_| QueryError::bad_request("the statement is not UTF-8"))?;
    Ok(Statement { sql: sql.to_owned(), params: None })
}
