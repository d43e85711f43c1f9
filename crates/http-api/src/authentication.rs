use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use node::{Actor, Node, NodeError};

use crate::Problem;

/// Who asks: the holder of a bearer token (RFC 6750 §2.1), or nobody in particular.
pub(crate) struct Asking(pub Actor);

impl FromRequestParts<Arc<Node>> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Problem> {
        who_asks(&parts.headers, node).map(Self)
    }
}

/// Who asks, by the headers of a request.
pub(crate) fn who_asks(headers: &HeaderMap, node: &Node) -> Result<Actor, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(Actor::Anonymous) };
    let token = value.to_str().ok().and_then(|text| text.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(node.authenticate(token.trim())?),
        _ => Err(NodeError::Unauthenticated.into()),
    }
}

/// A header's text, where the client sent it.
pub(crate) struct IdempotencyKey(pub String);

impl<S: Send + Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(None) };
        let text = value.to_str().unwrap_or_default().trim_matches('"');
        let valid = !text.is_empty() && text.len() <= 200 && !text.contains('/');
        if valid {
            return Ok(Some(Self(text.to_owned())));
        }
        Err(Problem::invalid("Idempotency-Key: use 1 to 200 printable characters without '/'"))
    }
}
