use axum::{extract::State, response::Response};

use crate::{
    refusal::Refusal,
    site::{Site, html},
    views::api_docs::ApiPage,
};

/// `/api/docs`
pub(crate) async fn show(State(site): State<Site>) -> Result<Response, Refusal> {
    html(&ApiPage::new(&site.identity, &site.api))
}
