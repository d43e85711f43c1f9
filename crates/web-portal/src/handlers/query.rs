use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use node::{Actor, ErrorKind, SparqlRequest};

use crate::{
    refusal::Refusal,
    site::{Site, html},
    views::{query::QueryPage, search::params::Params},
};

/// What a table is made from; graphs have no such form and come as triples.
const TABLE: &str = "application/sparql-results+json, application/n-triples;q=0.1";

/// `/query`: the form; with `query=`, the answer as a table below it.
pub(crate) async fn show(State(site): State<Site>, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let params = Params::parse(&query.unwrap_or_default());
    let Some(query) = params.first("query") else { return html(&QueryPage::new(&site.identity, None)) };
    let page = QueryPage::new(&site.identity, Some(query));
    let request = SparqlRequest { query: query.to_owned(), accept: Some(TABLE.into()), ..SparqlRequest::default() };
    match site.node.sparql(&Actor::Anonymous, request).await {
        Ok((answer, _)) => html(&page.with_answer(&answer)),
        // What is wrong with a query is told beside it, so that it can be put right.
        Err(error) if is_about_the_query(error.kind()) => html(&page.with_problem(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

fn is_about_the_query(kind: ErrorKind) -> bool {
    use ErrorKind as K;
    matches!(kind, K::Malformed | K::Forbidden | K::Invalid | K::NotAcceptable | K::Unavailable)
}
