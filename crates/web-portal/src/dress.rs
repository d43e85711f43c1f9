//! What every answer of the portal gets: protective headers, and refusals turned into pages.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use crate::{accept, refusal::Refusal, site::Site};

/// No script but our own files, none of which may write HTML; no frame, nothing from elsewhere but pictures that records name.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; \
                      trusted-types 'none'; style-src 'self'; img-src 'self' http: https: data:; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// Headers that are the same on every page.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Renders a refusal that a handler left, then adds the headers.
pub(crate) async fn dress(State(site): State<Site>, request: Request, next: Next) -> Response {
    let wants_html = accept::takes_html(request.headers());
    let mut response = next.run(request).await;
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        response = refusal.render(&site.identity, wants_html);
    }
    add(response.headers_mut());
    response
}

fn add(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
