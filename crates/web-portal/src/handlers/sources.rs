use axum::{
    extract::{Path, State},
    response::Response,
};
use node::{Actor, SourceName};

use crate::{
    refusal::Refusal,
    site::{Site, html},
    views::sources::{SourcePage, SourcesPage},
};

/// `/sources`
pub(crate) async fn list(State(site): State<Site>) -> Result<Response, Refusal> {
    let sources = site.node.known_sources(&Actor::Anonymous).await?;
    html(&SourcesPage::new(&site.identity, &sources))
}

/// `/sources/{name}`: what a source can be sent, so that it sees what became of its records.
pub(crate) async fn show(State(site): State<Site>, Path(name): Path<String>) -> Result<Response, Refusal> {
    let name: SourceName = name.parse()?;
    let source = site.node.known_source(&Actor::Anonymous, &name).await?;
    html(&SourcePage::new(&site.identity, &source))
}
