use axum::{extract::State, response::Response};
use node::{Actor, SearchRequest, Sort};

use crate::{
    refusal::Refusal,
    site::{Site, html},
    views::home::HomePage,
};

/// As many of the newest datasets are shown.
const NEWEST: usize = 8;

/// `/`
pub(crate) async fn show(State(site): State<Site>) -> Result<Response, Refusal> {
    let newest = SearchRequest { size: NEWEST, sort: Sort::Newest, ..SearchRequest::default() };
    let answer = site.node.search(&Actor::Anonymous, newest).await?;
    html(&HomePage::new(&site.identity, answer))
}
