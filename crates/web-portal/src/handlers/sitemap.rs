use askama::Template;
use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use node::{Actor, NodeError};

use crate::{
    refusal::Refusal,
    site::Site,
    views::sitemap::{Located, Sitemap, SitemapIndex},
};

/// `/sitemap.xml`: the index. It lists what this node announced; partners have their own.
pub(crate) async fn index(State(site): State<Site>) -> Result<Response, Refusal> {
    let times = site.node.announcement_pages(&Actor::Anonymous)?;
    let at = |number: usize| format!("{}/sitemap/{}.xml", site.identity.url, number + 1);
    let mut maps: Vec<Located> = times
        .iter()
        .enumerate()
        .map(|(number, time)| Located { address: at(number), changed: Some(time.to_string()) })
        .collect();
    if maps.is_empty() {
        maps.push(Located { address: at(0), changed: None });
    }
    xml(&SitemapIndex { maps })
}

/// `/sitemap/{n}.xml`: the datasets whose newest entry stands on one page of the log.
pub(crate) async fn page(State(site): State<Site>, Path(file): Path<String>) -> Result<Response, Refusal> {
    let absent = || NodeError::NotFound(format!("there is no sitemap '{file}'"));
    let number = file.strip_suffix(".xml").and_then(|number| number.parse::<u64>().ok()).filter(|number| *number > 0);
    let number = number.ok_or_else(absent)? - 1;
    let known = site.node.announcement_pages(&Actor::Anonymous)?.len() as u64;
    if number >= known.max(1) {
        return Err(absent().into());
    }
    let announced = site.node.announcements(&Actor::Anonymous, number).await?;
    let mut pages: Vec<Located> = announced
        .into_iter()
        .map(|dataset| Located { address: dataset.page, changed: Some(dataset.time.to_string()) })
        .collect();
    // A sitemap names at least one address (sitemaps.org).
    if pages.is_empty() {
        pages.push(Located { address: format!("{}/", site.identity.url), changed: None });
    }
    xml(&Sitemap { pages })
}

fn xml(page: &impl Template) -> Result<Response, Refusal> {
    let text = page.render().map_err(|error| NodeError::Internal(format!("sitemap: {error}")))?;
    let headers = [(header::CONTENT_TYPE, "application/xml"), (header::CACHE_CONTROL, "public, max-age=3600")];
    Ok((headers, text).into_response())
}

/// `/robots.txt`: everything may be read; answers of searches and queries need not be indexed.
pub(crate) async fn robots(State(site): State<Site>) -> Response {
    let text = format!(
        "User-agent: *\nDisallow: /search?\nDisallow: /query?\nDisallow: /sparql\n\nSitemap: {}/sitemap.xml\n",
        site.identity.url
    );
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
