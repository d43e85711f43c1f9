//! The OpenAPI 3.1 document, made from the handlers.

use std::sync::Arc;

use node::Node;
use utoipa::{
    OpenApi as _,
    openapi::{
        OpenApi,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    data, datasets, deposit_archive, deposit_files, deposits, exports, feed, gide, harvesting, health, jobs, joining,
    log, oai, ontologies, peers, render, scrubbing, search, sources, sparql, terms, tokens, witness,
};

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "Heliograph",
    description = "Deposit, publish, read, search and federate bio-image data. Refusals are problem documents (RFC 9457).",
    license(name = "MIT OR Apache-2.0")
))]
struct Document;

/// Every route with its description.
// tidy: long because it is one list
pub(crate) fn routes() -> OpenApiRouter<Arc<Node>> {
    // tidy: long because it is a list, a line for each route.
    // Bodies are bounded where they are read: a crate by its limit, a file by its own.
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(deposits::create, deposits::list))
        .routes(routes!(deposits::show, deposits::replace, deposits::delete))
        .routes(routes!(deposits::validate))
        .routes(routes!(deposits::publish))
        .routes(routes!(jobs::convert))
        .routes(routes!(jobs::of_deposit))
        .routes(routes!(jobs::show, jobs::cancel))
        .routes(routes!(deposit_files::list))
        .routes(routes!(deposit_files::put, deposit_files::delete))
        .routes(routes!(deposit_archive::put))
        .routes(routes!(deposits::create_version))
        .routes(routes!(datasets::show))
        .routes(routes!(datasets::show_study))
        .routes(routes!(datasets::show_version))
        .routes(routes!(datasets::show_crate))
        .routes(routes!(datasets::show_manifest))
        .routes(routes!(datasets::show_proof))
        .routes(routes!(exports::newest))
        .routes(routes!(exports::version))
        .routes(routes!(datasets::withdraw))
        .routes(routes!(data::read_file))
        .routes(routes!(render::render))
        .routes(routes!(search::search))
        .routes(routes!(search::similar))
        .routes(routes!(terms::terms))
        .routes(routes!(oai::get, oai::post))
        .routes(routes!(feed::root))
        .routes(routes!(feed::group))
        .routes(routes!(feed::page))
        .routes(routes!(gide::search))
        .routes(routes!(gide::study))
        .routes(routes!(gide::entry))
        .routes(routes!(gide::health))
        .routes(routes!(ontologies::list, ontologies::load))
        .routes(routes!(ontologies::replace))
        .routes(routes!(sparql::get, sparql::post))
        .routes(routes!(log::checkpoint))
        .routes(routes!(log::tile))
        .routes(routes!(log::in_bulk))
        .routes(routes!(peers::describe))
        .routes(routes!(peers::crates))
        .routes(routes!(peers::inbox))
        .routes(routes!(harvesting::peers, joining::add))
        .routes(routes!(joining::suggested))
        .routes(routes!(joining::remove, joining::change))
        .routes(routes!(witness::forgive))
        .routes(routes!(witness::add_checkpoint))
        .routes(routes!(witness::checkpoints))
        .routes(routes!(witness::forks))
        .routes(routes!(witness::keys))
        .routes(routes!(peers::mirrored))
        .routes(routes!(harvesting::harvest))
        .routes(routes!(sources::list))
        .routes(routes!(sources::show))
        .routes(routes!(sources::harvest))
        .routes(routes!(sources::import))
        .routes(routes!(tokens::create, tokens::list))
        .routes(routes!(tokens::revoke))
        .routes(routes!(scrubbing::show, scrubbing::run))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
}

/// The document as it is served.
pub fn document() -> OpenApi {
    finish(routes().split_for_parts().1)
}

/// Adds the token scheme, and writes rest-of-path parameters as OpenAPI does.
pub(crate) fn finish(mut document: OpenApi) -> OpenApi {
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().add_security_scheme("token", bearer);
    let paths = std::mem::take(&mut document.paths.paths);
    document.paths.paths = paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    document
}
