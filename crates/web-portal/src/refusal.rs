//! The one place where a failure of the node becomes a status and a page.

use axum::{
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use dataset_model::Finding;
use node::{ErrorKind, NodeError};
use serde_json::json;

use crate::{
    site::{Identity, html},
    views::refusal::{RefusalPage, TombstoneView},
};

/// Why there is no page. A handler returns it; [`dress`](crate::dress) renders it, which knows whose site this is.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub status: StatusCode,
    pub heading: &'static str,
    pub detail: String,
    pub next: &'static str,
    pub findings: Vec<Finding>,
    /// Boxed, as results that hold a refusal should stay small.
    pub tombstone: Option<Box<TombstoneView>>,
}

/// Status, heading and next step of each kind of failure.
fn described(kind: ErrorKind) -> (StatusCode, &'static str, &'static str) {
    use ErrorKind as K;
    match kind {
        K::NotFound => (StatusCode::NOT_FOUND, "Not found", "Check the address, or search for what you need."),
        K::Malformed => (StatusCode::BAD_REQUEST, "This cannot be read", "Put right what is named above."),
        K::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "Not in that format", "Ask for one of the formats there are."),
        K::Invalid => {
            (StatusCode::UNPROCESSABLE_ENTITY, "This cannot be read", "Put right what is named above, then try again.")
        }
        K::Unauthenticated => (StatusCode::UNAUTHORIZED, "Not signed in", "This needs a token."),
        K::Forbidden => (StatusCode::FORBIDDEN, "Not allowed", "Ask the operator of this node."),
        K::Conflict => (StatusCode::CONFLICT, "Not possible right now", "Reload the page to see the present state."),
        K::Gone => (
            StatusCode::GONE,
            "This dataset was withdrawn",
            "Its id will not be given again, and its bytes are no longer served.",
        ),
        K::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Too large", "Ask for less."),
        K::TooMany => (StatusCode::TOO_MANY_REQUESTS, "Too many requests", "Try again in a few seconds."),
        K::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Not available right now", "Try again in a few seconds."),
        K::Full => (
            StatusCode::INSUFFICIENT_STORAGE,
            "The disk of this node is full",
            "Try again when its operator has made room.",
        ),
        K::PeerFault => {
            (StatusCode::BAD_GATEWAY, "A partner node failed", "What is held of it stays; it is asked again soon.")
        }
        K::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on our side",
            "Try again; if it goes on, tell the operator the time and the address of this page.",
        ),
    }
}

impl From<NodeError> for Refusal {
    fn from(error: NodeError) -> Self {
        let (status, heading, next) = described(error.kind());
        if error.kind() == ErrorKind::Internal {
            tracing::error!(error = &error as &dyn std::error::Error, "a page failed");
        }
        Self {
            status,
            heading,
            next,
            findings: error.findings().to_vec(),
            tombstone: error.tombstone().map(|tombstone| Box::new(TombstoneView::of(tombstone))),
            detail: error.to_string(),
        }
    }
}

impl Refusal {
    /// The client takes none of the forms there are.
    pub(crate) fn not_acceptable(detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_ACCEPTABLE,
            heading: "Not in that format",
            detail: detail.into(),
            next: "Ask for one of these, or leave out the Accept header.",
            findings: Vec::new(),
            tombstone: None,
        }
    }

    /// The refusal as a page, or as a problem document (RFC 9457) for clients that take no pages.
    pub(crate) fn render(self, identity: &Identity, wants_html: bool) -> Response {
        let status = self.status;
        let page = if wants_html { html(&RefusalPage::new(identity, &self)).ok() } else { None };
        let mut response = page.unwrap_or_else(|| self.problem());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }

    fn problem(&self) -> Response {
        let body = json!({"type": "about:blank", "title": self.heading, "status": self.status.as_u16(), "detail": self.detail, "next": self.next});
        ([(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// For every address that no route knows.
pub(crate) async fn no_such_page(uri: Uri) -> Refusal {
    NodeError::NotFound(format!("there is nothing at {}", uri.path())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_failure_have_their_status() {
        let status = |error: NodeError| Refusal::from(error).status;
        assert_eq!(status(NodeError::NotFound("x".into())), StatusCode::NOT_FOUND);
        assert_eq!(status(NodeError::Invalid("x".into())), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(status(NodeError::Unavailable("x".into())), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(NodeError::Internal("x".into())), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn programs_get_a_problem_document_and_people_a_page() {
        let refusal = || Refusal::from(NodeError::NotFound("nothing <here>".into()));
        let kind = |response: &Response| response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        assert_eq!(kind(&refusal().render(&Identity::example(), false)), "application/problem+json");
        let page = refusal().render(&Identity::example(), true);
        assert!(kind(&page).starts_with("text/html"));
        assert_eq!(page.status(), StatusCode::NOT_FOUND);
    }
}
