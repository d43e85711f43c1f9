//! The pages people meet: server-rendered HTML that works without any script. The one there is offers terms as people type.
//!
//! **Owns** HTML, its style sheet and everything said in it: pages, citations, schema.org JSON-LD, FAIR Signposting,
//! content negotiation of dataset pages, sitemap, and the headers that keep a page from doing harm.
//!
//! **Must not know** how anything is found or stored: a handler extracts, makes one call on [`node::Node`], and fills a
//! template. It knows no engine and not the JSON API either, except for the OpenAPI document it is handed to print.
//!
//! The way of a page: `handlers` (HTTP in) → [`node::Node`] → `views` (plain text and links, ready to show) →
//! `templates/*.html` (escapes everything) → `dress` (headers, refusals as pages).
//!
//! ```no_run
//! # async fn run(node: std::sync::Arc<node::Node>, openapi: serde_json::Value) -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8101").await?;
//! axum::serve(listener, web_portal::router(node, openapi)).await
//! # }
//! ```

mod accept;
mod assets;
mod dress;
mod handlers;
mod links;
mod refusal;
mod site;
mod views;

use std::sync::Arc;

use axum::{Router, middleware, routing::get};
use node::Node;
use serde_json::Value;
use tower_http::compression::CompressionLayer;

use crate::{handlers as page, site::Site};

/// All pages of a node. `openapi` is the document that `/api/docs` shows; merged with the API's own router, this one also
/// answers for every address that nothing else knows.
pub fn router(node: Arc<Node>, openapi: Value) -> Router {
    let site = Site::new(node, &openapi);
    Router::new()
        .route("/", get(page::home::show))
        .route("/search", get(page::search::show))
        .route("/datasets/{id}", get(page::dataset::latest))
        .route("/datasets/{id}/versions/{version}", get(page::dataset::version))
        .route("/federation", get(page::federation::show))
        .route("/sources", get(page::sources::list))
        .route("/sources/{name}", get(page::sources::show))
        .route("/deposit", get(page::deposit::show))
        .route("/query", get(page::query::show))
        .route("/api/docs", get(page::api_docs::show))
        .route("/assets/{release}/{file}", get(assets::serve))
        .route("/robots.txt", get(page::sitemap::robots))
        .route("/sitemap.xml", get(page::sitemap::index))
        .route("/sitemap/{file}", get(page::sitemap::page))
        .fallback(refusal::no_such_page)
        .layer(middleware::from_fn_with_state(site.clone(), dress::dress))
        .layer(CompressionLayer::new())
        .with_state(site)
}
