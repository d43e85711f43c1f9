use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{
    Client, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH, LINK, LOCATION, RETRY_AFTER},
    redirect,
};
use tokio::sync::OnceCell;
use url::{Origin, Url};

use super::{SourceLimits, robots::Robots};
use crate::{
    FederationError,
    fetch::{failed, may_pass},
    resolver::Resolver,
};

const MAX_REDIRECTS: usize = 5;
/// Bytes of a robots.txt that are read (RFC 9309 §2.5).
const ROBOTS_BYTES: u64 = 512 << 10;
/// How this reader is called in robots.txt.
const AGENT: &str = "heliograph";

/// Asks one source, at its own origin and those its operator named. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SourceClient {
    http: Client,
    limits: SourceLimits,
    origins: Vec<Origin>,
    /// What the origins' robots.txt say; not asked for where the source is a service made for programs.
    robots: std::sync::Arc<Vec<(Origin, OnceCell<Robots>)>>,
}

/// An answer of a source.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where it was found, redirects followed.
    pub url: Url,
    /// Its media type, without parameters, in lower case.
    pub media_type: String,
    /// Its `Link` headers.
    pub links: Vec<String>,
    /// What tells this state of it from others: its entity tag.
    pub stamp: Option<String>,
    /// The bytes.
    pub body: Bytes,
}

impl SourceClient {
    /// A client for the source at `home`, which may lead to the origins of `also`. `contact` is the address of the node that
    /// asks; it is told to the source.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(home: &Url, also: &[Url], contact: &str, limits: SourceLimits) -> Result<Self, FederationError> {
        let origins: Vec<Origin> = std::iter::once(home).chain(also).map(Url::origin).collect();
        let allowed = origins.clone();
        let redirects = redirect::Policy::custom(move |attempt| {
            let within = allowed.contains(&attempt.url().origin());
            if within && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
        });
        let http = Client::builder()
            .connect_timeout(limits.connect)
            .timeout(limits.answer)
            .redirect(redirects)
            // Repositories within an institution are sources too: the operator named them.
            .dns_resolver(Resolver::new(true))
            .user_agent(format!("{AGENT}/{} (+{contact})", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| FederationError::Setup(error.into()))?;
        let robots = origins.iter().map(|origin| (origin.clone(), OnceCell::new())).collect();
        Ok(Self { http, limits, origins, robots: std::sync::Arc::new(robots) })
    }

    /// The limits it keeps.
    pub fn limits(&self) -> &SourceLimits {
        &self.limits
    }

    /// Whether an address is of the source.
    pub fn is_within(&self, url: &Url) -> bool {
        self.origins.contains(&url.origin())
    }

    /// Reads an address as a crawler does: if robots.txt lets it.
    ///
    /// # Errors
    /// As [`SourceClient::get`]; when robots.txt forbids it, or cannot be had because the server fails.
    pub async fn crawl(&self, url: &Url, accept: &str, most: u64) -> Result<Found, FederationError> {
        self.check_robots(url).await?;
        self.get(url, accept, most).await
    }

    /// Reads an address if it is another than the one with this stamp; nothing when it is not.
    ///
    /// # Errors
    /// As [`SourceClient::crawl`].
    pub async fn crawl_unless(
        &self,
        url: &Url,
        accept: &str,
        most: u64,
        stamp: Option<&str>,
    ) -> Result<Option<Found>, FederationError> {
        self.check_robots(url).await?;
        self.ask(url, accept, most, stamp).await
    }

    /// Reads an address, again after a while when that may help.
    ///
    /// # Errors
    /// When it is not of the source or leads elsewhere; when there is no complete answer with status 200 in time, or one with
    /// more than `most` bytes.
    pub async fn get(&self, url: &Url, accept: &str, most: u64) -> Result<Found, FederationError> {
        let found = self.ask(url, accept, most, None).await?;
        found.ok_or_else(|| FederationError::Refused { url: url.to_string(), status: 304 })
    }

    async fn ask(
        &self,
        url: &Url,
        accept: &str,
        most: u64,
        stamp: Option<&str>,
    ) -> Result<Option<Found>, FederationError> {
        if !self.is_within(url) {
            return Err(FederationError::Elsewhere { url: url.to_string() });
        }
        let mut wait = self.limits.back_off;
        let mut attempt = 1;
        loop {
            let (failure, asked_wait) = match self.ask_once(url, accept, most, stamp).await {
                Err((failure, wait)) if attempt < self.limits.attempts && may_pass(&failure) => (failure, wait),
                outcome => return outcome.map_err(|(failure, _)| failure),
            };
            tracing::debug!(%url, attempt, %failure, "asking again");
            tokio::time::sleep(asked_wait.unwrap_or(wait).min(self.limits.longest_wait)).await;
            wait = wait.saturating_mul(2);
            attempt += 1;
        }
    }

    /// One request; a failure comes with the wait that the source asks for.
    async fn ask_once(
        &self,
        url: &Url,
        accept: &str,
        most: u64,
        stamp: Option<&str>,
    ) -> Result<Option<Found>, (FederationError, Option<Duration>)> {
        let mut request = self.http.get(url.clone()).header(ACCEPT, accept);
        if let Some(stamp) = stamp.filter(|stamp| is_entity_tag(stamp)) {
            request = request.header(IF_NONE_MATCH, stamp);
        }
        let response = request.send().await.map_err(|error| (failed(url.as_str(), error), None))?;
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED && stamp.is_some() {
            return Ok(None);
        }
        if status.is_redirection() {
            let to = text(response.headers(), &LOCATION).unwrap_or_else(|| "nowhere".to_owned());
            return Err((FederationError::Elsewhere { url: format!("{url}, sent on to {to}") }, None));
        }
        if status != StatusCode::OK {
            let wait = text(response.headers(), &RETRY_AFTER).and_then(|text| text.trim().parse().ok());
            let refused = FederationError::Refused { url: url.to_string(), status: status.as_u16() };
            return Err((refused, wait.map(Duration::from_secs)));
        }
        let headers = response.headers();
        let media_type = text(headers, &CONTENT_TYPE).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_lowercase();
        let links = headers.get_all(LINK).iter().filter_map(|value| Some(value.to_str().ok()?.to_owned())).collect();
        let stamp = text(headers, &ETAG).filter(|tag| is_entity_tag(tag));
        let found = response.url().clone();
        let body = whole(response, url, most).await.map_err(|failure| (failure, None))?;
        Ok(Some(Found { url: found, media_type, links, stamp, body }))
    }

    async fn check_robots(&self, url: &Url) -> Result<(), FederationError> {
        let known = self.robots.iter().find(|(origin, _)| *origin == url.origin());
        let Some((_, cell)) = known else { return Err(FederationError::Elsewhere { url: url.to_string() }) };
        let robots = cell.get_or_try_init(|| self.read_robots(url)).await?;
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        if robots.allows(path) { Ok(()) } else { Err(FederationError::Disallowed { url: url.to_string() }) }
    }

    /// The rules for this reader. No file, no rules; a server that fails may have any (RFC 9309 §2.3.1).
    async fn read_robots(&self, of: &Url) -> Result<Robots, FederationError> {
        let Ok(url) = of.join("/robots.txt") else { return Ok(Robots::default()) };
        match self.get(&url, "text/plain", ROBOTS_BYTES).await {
            Ok(found) => Ok(Robots::read(&String::from_utf8_lossy(&found.body), AGENT)),
            Err(FederationError::Refused { status: 400..=499, .. } | FederationError::Elsewhere { .. }) => {
                Ok(Robots::default())
            }
            Err(failure) => Err(failure),
        }
    }
}

/// The whole body of an answer, if it is not too large.
async fn whole(mut response: Response, url: &Url, most: u64) -> Result<Bytes, FederationError> {
    let too_large = || FederationError::TooLarge { what: url.to_string(), limit: most };
    if response.content_length().is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(piece) = response.chunk().await.map_err(|error| failed(url.as_str(), error))? {
        if body.len() as u64 + piece.len() as u64 > most {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

fn text(headers: &HeaderMap, name: &reqwest::header::HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn is_entity_tag(text: &str) -> bool {
    let text = text.strip_prefix("W/").unwrap_or(text);
    text.len() <= 256 && text.len() >= 2 && text.starts_with('"') && text.ends_with('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entity_tags_are_sent_back() {
        assert!(is_entity_tag("\"a\"") && is_entity_tag("W/\"a\""));
        assert!(!is_entity_tag("a") && !is_entity_tag("\"") && !is_entity_tag("2026-01-01"));
    }
}
