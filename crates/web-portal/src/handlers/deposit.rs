use axum::{extract::State, response::Response};

use crate::{
    refusal::Refusal,
    site::{Site, html},
    views::deposit::DepositPage,
};

/// `/deposit`
pub(crate) async fn show(State(site): State<Site>) -> Result<Response, Refusal> {
    html(&DepositPage::new(&site.identity))
}
