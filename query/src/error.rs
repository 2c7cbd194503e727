//! Why a query has no answer, sorted by what the caller can do about it.
//!
//! DataFusion's errors are sorted by their variant, never by their text. What DataFusion blames on
//! the statement is a bad request; what it cannot explain is internal and is logged by whoever
//! answers.

use causeway_store::StoreError;
use datafusion::error::DataFusionError;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The request is wrong and stays wrong.
    #[error("{0}")]
    BadRequest(String),
    /// What was asked for does not exist.
    #[error("{0}")]
    NotFound(String),
    /// A limit that belongs to this request: ask for less, or raise the setting.
    #[error("{limit} is reached: {message}")]
    Limit {
        /// Name of the setting.
        limit: &'static str,
        /// What went over it.
        message: String,
    },
    /// A limit that other requests share: the same request may succeed later.
    #[error("{limit} is reached; retry later")]
    Busy {
        /// Name of the setting.
        limit: &'static str,
    },
    /// The store could not say what is visible.
    #[error("the store is not available: {0}")]
    Store(#[from] StoreError),
    /// Damaged data, a failing disk, or a bug.
    #[error("internal error: {0}")]
    Internal(String),
}

/// Result of a query.
pub type Result<T> = std::result::Result<T, QueryError>;

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Change the request.
    BadRequest,
    /// Ask for something else.
    NotFound,
    /// Ask for less.
    Limit,
    /// Ask again later.
    Busy,
    /// Report it.
    Internal,
}

impl ErrorClass {
    /// A short stable name, for metrics and error bodies.
    pub fn label(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::NotFound => "not_found",
            Self::Limit => "limit",
            Self::Busy => "busy",
            Self::Internal => "internal",
        }
    }
}

impl QueryError {
    /// A request that says something impossible.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }

    /// What the caller can do about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::BadRequest(_) => ErrorClass::BadRequest,
            Self::NotFound(_) => ErrorClass::NotFound,
            Self::Limit { .. } => ErrorClass::Limit,
            Self::Busy { .. } | Self::Store(_) => ErrorClass::Busy,
            Self::Internal(_) => ErrorClass::Internal,
        }
    }

    /// The time limit.
    pub(crate) fn time(limit: std::time::Duration) -> Self {
        let message = format!("the query took more than {} s", limit.as_secs_f64());
        Self::Limit { limit: "query_time_max", message }
    }
}

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
                Self::from(*inner)
            }
            DataFusionError::Collection(errors) => match errors.into_iter().next() {
                Some(first) => Self::from(first),
                None => Self::Internal("an empty list of errors".to_owned()),
            },
            DataFusionError::External(inner) => match inner.downcast::<Self>() {
                Ok(own) => *own,
                Err(foreign) => Self::Internal(foreign.to_string()),
            },
            DataFusionError::ArrowError(error, _) => from_arrow(*error),
            DataFusionError::ParquetError(error) => from_parquet(*error),
            DataFusionError::Shared(shared) => from_shared(&shared),
            other => from_shared(&other),
        }
    }
}

/// On its way through DataFusion's traits; it comes out as it went in.
impl From<QueryError> for DataFusionError {
    fn from(error: QueryError) -> Self {
        Self::External(Box::new(error))
    }
}

/// Sorts the variants that hold only text, and errors that several readers share.
fn from_shared(error: &DataFusionError) -> QueryError {
    use DataFusionError as E;
    match error {
        E::ResourcesExhausted(message) => QueryError::Limit {
            limit: "query_memory_bytes_max",
            // The text names the operators; only its first line is of use to the caller.
            message: message.lines().next().unwrap_or_default().to_owned(),
        },
        E::SQL(..)
        | E::Plan(_)
        | E::SchemaError(..)
        | E::NotImplemented(_)
        | E::Execution(_)
        | E::Configuration(_) => QueryError::BadRequest(error.strip_backtrace()),
        E::Context(_, inner) | E::Diagnostic(_, inner) => from_shared(inner),
        E::Shared(inner) => from_shared(inner),
        E::ArrowError(inner, _) if !is_arrow_fault(inner) => {
            QueryError::BadRequest(inner.to_string())
        }
        other => QueryError::Internal(other.strip_backtrace()),
    }
}

fn from_arrow(error: arrow::error::ArrowError) -> QueryError {
    match error {
        arrow::error::ArrowError::ExternalError(inner) => from_foreign(inner),
        fault if is_arrow_fault(&fault) => QueryError::Internal(fault.to_string()),
        request => QueryError::BadRequest(request.to_string()),
    }
}

/// A condition that is evaluated while a file is read fails inside the reader.
fn from_parquet(error: parquet::errors::ParquetError) -> QueryError {
    match error {
        parquet::errors::ParquetError::External(inner) => from_foreign(inner),
        other => QueryError::Internal(other.to_string()),
    }
}

/// An error that others carried as one of their own.
fn from_foreign(error: Box<dyn std::error::Error + Send + Sync>) -> QueryError {
    let error = match error.downcast::<DataFusionError>() {
        Ok(inner) => return QueryError::from(*inner),
        Err(error) => error,
    };
    let error = match error.downcast::<parquet::errors::ParquetError>() {
        Ok(inner) => return from_parquet(*inner),
        Err(error) => error,
    };
    match error.downcast::<arrow::error::ArrowError>() {
        Ok(inner) => from_arrow(*inner),
        Err(error) => QueryError::Internal(error.to_string()),
    }
}

/// Whether an Arrow error is ours; casts, divisions and overflows are the statement's.
fn is_arrow_fault(error: &arrow::error::ArrowError) -> bool {
    use arrow::error::ArrowError as E;
    !matches!(
        error,
        E::CastError(_)
            | E::ParseError(_)
            | E::DivideByZero
            | E::ArithmeticOverflow(_)
            | E::ComputeError(_)
            | E::InvalidArgumentError(_)
            | E::NotYetImplemented(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_variant() {
        let class = |error: DataFusionError| QueryError::from(error).class();
        assert_eq!(class(DataFusionError::Plan("x".into())), ErrorClass::BadRequest);
        assert_eq!(class(DataFusionError::Internal("x".into())), ErrorClass::Internal);
        let exhausted = DataFusionError::ResourcesExhausted("x".into()).context("while sorting");
        assert_eq!(class(exhausted), ErrorClass::Limit);
        let own = QueryError::time(std::time::Duration::from_secs(1));
        assert_eq!(class(DataFusionError::External(Box::new(own))), ErrorClass::Limit);
        let divide = arrow::error::ArrowError::DivideByZero;
        assert_eq!(class(DataFusionError::from(divide)), ErrorClass::BadRequest);
    }
}
