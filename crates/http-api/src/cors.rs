//! Cross-origin access: viewers on any site may read; tokens travel in a header that a page cannot send unknowingly.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{Any, CorsLayer};

/// What a page may read of an answer.
const EXPOSED: [HeaderName; 8] = [
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::ACCEPT_RANGES,
    header::ETAG,
    header::LINK,
    header::LOCATION,
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("heliograph-bytes"),
];

/// The layer of all routes.
pub(crate) fn layer() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ])
        .allow_headers([
            header::RANGE,
            header::IF_NONE_MATCH,
            header::IF_MATCH,
            header::IF_RANGE,
            header::CONTENT_TYPE,
            header::ACCEPT,
            header::AUTHORIZATION,
            HeaderName::from_static("content-digest"),
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("prefer"),
        ])
        .expose_headers(EXPOSED)
        // The same for every origin.
        .vary([])
        .max_age(std::time::Duration::from_secs(86_400))
}

/// What the layer says of a plain answer, for one that does not pass it.
pub(crate) fn allow(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static(
        "content-length,content-range,accept-ranges,etag,link,location,repr-digest,heliograph-bytes",
    );
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_past_the_layer_exposes_what_the_layer_does() {
        let mut headers = HeaderMap::new();
        allow(&mut headers);
        let names = EXPOSED.map(|name| name.as_str().to_owned());
        assert_eq!(headers[header::ACCESS_CONTROL_EXPOSE_HEADERS], names.join(","));
    }
}
