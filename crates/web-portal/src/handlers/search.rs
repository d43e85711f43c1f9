use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use node::{Actor, SearchRequest};

use crate::{
    refusal::Refusal,
    site::{Site, html},
    views::search::{SearchPage, params::Params},
};

/// `/search`
pub(crate) async fn show(State(site): State<Site>, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let params = Params::parse(&query.unwrap_or_default());
    let live = params.first("scope") == Some("live");
    let collapse = Some(("collapse", "study")).filter(|_| !live).into_iter();
    let request = SearchRequest::from_pairs(collapse.chain(params.pairs()))?;
    let answer = site.node.search(&Actor::Anonymous, request).await?;
    let label_of = |curie: &str| site.node.term_label(curie);
    html(&SearchPage::new(&site.identity, &params, answer, label_of))
}
