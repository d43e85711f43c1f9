use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use node::{ErrorKind, NodeError};
use serde_json::json;

/// A refusal as a problem document (RFC 9457): what is wrong, where, and what to do next.
#[derive(Debug)]
pub struct Problem(NodeError);

/// Where the kinds of problem are described.
const TYPES: &str = "https://heliograph.org/problems/";

impl From<NodeError> for Problem {
    fn from(error: NodeError) -> Self {
        Self(error)
    }
}

impl Problem {
    /// A request that cannot be read.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self(NodeError::Invalid(message.into()))
    }
}

/// Status, name, title and next step of each kind of failure: the one place where they become HTTP.
// tidy: long because it is one table
fn described(kind: ErrorKind) -> (StatusCode, &'static str, &'static str, &'static str) {
    use ErrorKind as K;
    match kind {
        K::NotFound => {
            (StatusCode::NOT_FOUND, "not-found", "Not found", "Check the address, or search for the dataset.")
        }
        K::Malformed => (
            StatusCode::BAD_REQUEST,
            "malformed",
            "The request cannot be read",
            "Put right what 'detail' names, then send it again; nothing was changed.",
        ),
        K::NotAcceptable => (
            StatusCode::NOT_ACCEPTABLE,
            "not-acceptable",
            "Not in that format",
            "Ask with an 'Accept' that names one of the formats there are.",
        ),
        K::Invalid => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "The request breaks a rule",
            "Put right what 'detail' and 'findings' name, then send it again; nothing was changed.",
        ),
        K::Unauthenticated => (
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "Not signed in",
            "Send a token that is known and not revoked; the operator makes them with 'heliograph token create'.",
        ),
        K::Forbidden => {
            (StatusCode::FORBIDDEN, "forbidden", "Not allowed", "Ask the operator for a token with the scope named.")
        }
        K::Conflict => (
            StatusCode::CONFLICT,
            "conflict",
            "Not possible in the present state",
            "Read the present state, then decide.",
        ),
        K::Gone => {
            (StatusCode::GONE, "gone", "Withdrawn", "The dataset will not come back; its id is not given again.")
        }
        K::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "Too large",
            "Send less, or ask the operator to raise the limit.",
        ),
        K::TooMany => (
            StatusCode::TOO_MANY_REQUESTS,
            "too-many",
            "Too many requests",
            "Wait a few seconds; nothing is lost by it.",
        ),
        K::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available right now", "Try again in a few seconds.")
        }
        K::Full => (
            StatusCode::INSUFFICIENT_STORAGE,
            "full",
            "The disk of this node is full",
            "Send it again when the operator has made room; what was kept of it is not stored twice.",
        ),
        K::PeerFault => (
            StatusCode::BAD_GATEWAY,
            "peer",
            "A peer node failed",
            "What is held of the peer stays; the next harvest tries again.",
        ),
        K::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The node failed",
            "Try again; if it goes on, tell the operator the time and the address.",
        ),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let error = self.0;
        let (status, name, title, next) = described(error.kind());
        if error.kind() == ErrorKind::Internal {
            tracing::error!(error = &error as &dyn std::error::Error, "a request failed");
        }
        let mut body = json!({
            "type": format!("{TYPES}{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": error.to_string(),
            "next": next,
        });
        if !error.findings().is_empty() {
            body["findings"] = json!(error.findings());
        }
        if let Some(tombstone) = error.tombstone() {
            body["tombstone"] = json!(tombstone);
        }
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
