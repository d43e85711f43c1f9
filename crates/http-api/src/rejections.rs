//! What the router refuses by itself, in the form of all other refusals: a path that is no UTF-8, a body that is not the
//! JSON asked for, a method that an address does not know.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::json;

/// The longest sentence of the router that is passed on.
const LONGEST: usize = 4096;

/// Makes a problem document (RFC 9457) of a refusal in plain text; leaves everything else alone.
pub(crate) async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let plain =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/plain"));
    if !(status.is_client_error() && plain || status == StatusCode::METHOD_NOT_ALLOWED) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let said = to_bytes(body, LONGEST).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let detail = if said.trim().is_empty() { "this address does not know that method" } else { said.trim() };
    let problem = json!({
        "type": "https://heliograph.org/problems/unreadable",
        "title": "The request cannot be read",
        "status": status.as_u16(),
        "detail": detail,
        "next": "See /api/docs for what this address takes; nothing was changed.",
    });
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(problem.to_string()))
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    fn answered(status: u16, media_type: &str, body: &'static str) -> (u16, String, String) {
        let response =
            Response::builder().status(status).header("content-type", media_type).header("content-length", body.len());
        let response = block_on(as_problem(response.body(Body::from(body)).unwrap()));
        let status = response.status().as_u16();
        let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        let bytes = block_on(to_bytes(response.into_body(), LONGEST)).unwrap();
        (status, media_type, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn plain_refusals_become_problems_and_keep_their_words() {
        let (status, media_type, body) = answered(400, "text/plain; charset=utf-8", "Invalid \"URL\"");
        assert_eq!((status, media_type.as_str()), (400, "application/problem+json"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&body).unwrap()["detail"], "Invalid \"URL\"");
        assert!(answered(405, "text/plain", "").2.contains("method"));
    }

    #[test]
    fn everything_else_stays() {
        assert_eq!(answered(200, "text/plain", "alive").2, "alive");
        assert_eq!(answered(404, "application/problem+json", "{}").2, "{}");
        assert_eq!(answered(503, "text/plain", "later").2, "later");
    }
}
