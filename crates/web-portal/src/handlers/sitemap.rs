use askama::Template;
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use dataset_model::Access;
use node::{Actor, NodeError, SearchRequest};

use crate::{
    refusal::Refusal,
    site::Site,
    views::sitemap::{MOST, Sitemap},
};

/// Records asked for at a time.
const PAGE: usize = 200;

/// `/sitemap.xml`: the datasets this node announced; partners have their own.
pub(crate) async fn sitemap(State(site): State<Site>) -> Result<Response, Refusal> {
    let mut addresses = vec![format!("{}/", site.identity.url)];
    let mut request = SearchRequest {
        node: vec![site.identity.id.clone()],
        access: vec![Access::Open],
        size: PAGE,
        sort: node::Sort::Title,
        ..SearchRequest::default()
    };
    loop {
        let answer = site.node.search(&Actor::Anonymous, request.clone()).await?;
        addresses.extend(answer.hits.iter().map(|hit| site.node.config().page(&hit.document.key.id)));
        request.cursor = answer.next_cursor;
        if request.cursor.is_none() || addresses.len() >= MOST {
            break;
        }
    }
    addresses.truncate(MOST);
    let text = Sitemap { addresses }.render().map_err(|error| NodeError::Internal(format!("sitemap: {error}")))?;
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
