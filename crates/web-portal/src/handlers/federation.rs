use axum::{extract::State, response::Response};
use node::{Actor, NodeError};

use crate::{
    refusal::Refusal,
    site::{Site, html},
    views::{
        federation::{FederationPage, OwnNode},
        format,
    },
};

/// `/federation`
pub(crate) async fn show(State(site): State<Site>) -> Result<Response, Refusal> {
    let own = own(&site)?;
    let peers = site.node.peers(&Actor::Anonymous)?;
    let suggested = site.node.suggested_peers();
    let states = site.node.mirror_states(&Actor::Anonymous)?;
    let page = FederationPage::new(&site.identity, own, &peers, suggested);
    html(&page.with_copies(&states, site.node.needs_attention()))
}

fn own(site: &Site) -> Result<OwnNode, NodeError> {
    let description = site.node.description()?;
    Ok(OwnNode {
        id: description.id.to_string(),
        title: description.title,
        country: description.country,
        url: description.url,
        public_key: description.public_key,
        fingerprint: site.node.public_key().fingerprint(),
        log_size: format::number(description.log_size),
        // With witnesses required, there is none until they have cosigned one.
        checkpoint: site.node.checkpoint().unwrap_or_else(|error| format!("{error}\n")),
        witnesses: description.witnesses.iter().map(|it| (it.id.to_string(), format::moment(it.time))).collect(),
        alarm: site.node.alarm(),
    })
}
