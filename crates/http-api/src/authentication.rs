use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{header, request::Parts},
};
use node::{Actor, Node, NodeError};

use crate::Problem;

/// Who asks: the holder of a bearer token (RFC 6750 §2.1), or nobody in particular.
pub(crate) struct Asking(pub Actor);

impl FromRequestParts<Arc<Node>> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::AUTHORIZATION) else { return Ok(Self(Actor::Anonymous)) };
        let token = value.to_str().ok().and_then(|text| text.split_once(' '));
        match token {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Ok(Self(node.authenticate(token.trim())?))
            }
            _ => Err(NodeError::Unauthenticated.into()),
        }
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
