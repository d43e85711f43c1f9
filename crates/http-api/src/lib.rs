//! The JSON API, the bytes, SPARQL, and the routes of logs and peers, as one axum [`Router`].
//!
//! **Owns** HTTP: status codes, headers, ranges, media types, problem documents (RFC 9457) and the OpenAPI document.
//!
//! **Must not know** how anything is done: a handler extracts, makes one call on [`node::Node`], and responds.
//!
//! ```no_run
//! # async fn run(node: std::sync::Arc<node::Node>) -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8101").await?;
//! axum::serve(listener, http_api::router(node)).await
//! # }
//! ```

mod authentication;
mod bytes_first;
mod conditions;
mod content_digest;
mod cors;
mod data;
mod datasets;
mod deposit_archive;
mod deposit_files;
mod deposits;
mod exports;
mod feed;
mod gide;
mod harvesting;
mod health;
mod hot_files;
mod jobs;
mod joining;
mod log;
mod media_types;
mod oai;
mod ontologies;
mod openapi;
mod peers;
mod problem;
mod ranges;
mod rejections;
mod render;
mod request_body;
mod scrubbing;
mod search;
mod served;
mod sources;
mod sparql;
mod terms;
mod tokens;
mod witness;

use std::sync::Arc;

use axum::Router;
use node::Node;

pub use bytes_first::BytesFirst;
pub use openapi::document;
pub use problem::Problem;

/// All routes that speak to programs.
pub fn router(node: Arc<Node>) -> Router {
    let (router, document) = openapi::routes().split_for_parts();
    let document = Arc::new(openapi::finish(document));
    let serve_document = move || {
        let document = document.clone();
        async move { axum::Json(document.as_ref().clone()) }
    };
    router
        .route("/api/openapi.json", axum::routing::get(serve_document))
        .layer(axum::middleware::map_response(rejections::as_problem))
        .layer(cors::layer())
        .with_state(node)
}
