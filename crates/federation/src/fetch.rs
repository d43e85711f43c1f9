//! HTTP as the client uses it: deadlines, size limits while streaming, back-off.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
    redirect,
};
use url::Url;

use crate::{
    FederationError, Limits,
    resolver::{Resolver, leads_inside},
};

const MAX_REDIRECTS: usize = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What kind of answer is expected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// Its media type.
    pub(crate) media_type: &'static str,
    /// Its largest size in bytes.
    pub(crate) bytes: u64,
}

/// A client that follows redirects only to the origin it asked.
pub(crate) fn client(limits: &Limits) -> Result<Client, FederationError> {
    let same_origin = redirect::Policy::custom(|attempt| {
        let asked = attempt.previous().first().map(Url::origin);
        if attempt.previous().len() <= MAX_REDIRECTS && asked == Some(attempt.url().origin()) {
            attempt.follow()
        } else {
            attempt.stop()
        }
    });
    Client::builder()
        .connect_timeout(limits.connect)
        .redirect(same_origin)
        .dns_resolver(Resolver::new(limits.private_addresses))
        .user_agent(concat!("heliograph/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| FederationError::Setup(error.into()))
}

/// Reads a URL, again after a while when that may help.
pub(crate) async fn get(
    client: &Client,
    limits: &Limits,
    url: &str,
    expected: Expected,
) -> Result<Bytes, FederationError> {
    let mut wait = limits.back_off;
    let mut attempt = 1;
    loop {
        let failure = match get_once(client, limits, url, expected).await {
            Err(failure) if attempt < limits.attempts && may_pass(&failure) => failure,
            outcome => return outcome,
        };
        tracing::debug!(url, attempt, %failure, "asking again");
        tokio::time::sleep(wait.min(LONGEST_WAIT).mul_f64(rand::random_range(0.5..=1.0))).await;
        wait = wait.saturating_mul(2);
        attempt += 1;
    }
}

async fn get_once(client: &Client, limits: &Limits, url: &str, expected: Expected) -> Result<Bytes, FederationError> {
    let response = send(client.get(url).timeout(limits.answer), url, expected).await?;
    body(response, url, expected).await
}

/// The whole body of an answer, if it is not too large.
pub(crate) async fn body(mut response: Response, url: &str, expected: Expected) -> Result<Bytes, FederationError> {
    let too_large = || FederationError::TooLarge { what: url.to_owned(), limit: expected.bytes };
    if response.content_length().is_some_and(|length| length > expected.bytes) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(piece) = next_piece(&mut response, url).await? {
        if body.len() as u64 + piece.len() as u64 > expected.bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// Sends a request once, and looks at the head of the answer.
pub(crate) async fn send(request: RequestBuilder, url: &str, expected: Expected) -> Result<Response, FederationError> {
    let response = request.send().await.map_err(|error| failed(url, error))?;
    let status = response.status();
    if status.is_redirection() {
        return Err(FederationError::LeadsElsewhere { url: url.to_owned(), status: status.as_u16() });
    }
    if status != StatusCode::OK {
        return Err(FederationError::Refused { url: url.to_owned(), status: status.as_u16() });
    }
    // Nothing was said to be accepted; what is compressed all the same could unpack to anything.
    if response.headers().contains_key(CONTENT_ENCODING) {
        return Err(FederationError::malformed(format!("{url} is encoded in a way that was not asked for")));
    }
    let media_type = response.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    match media_type.map(essence).filter(|found| *found != essence(expected.media_type)) {
        Some(found) => {
            let what = format!("{url} is '{found}' instead of '{}'", essence(expected.media_type));
            Err(FederationError::malformed(what))
        }
        None => Ok(response),
    }
}

/// The next bytes of an answer's body; nothing at its end.
pub(crate) async fn next_piece(response: &mut Response, url: &str) -> Result<Option<Bytes>, FederationError> {
    response.chunk().await.map_err(|error| failed(url, error))
}

/// A media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// Why a request failed.
pub(crate) fn failed(url: &str, error: reqwest::Error) -> FederationError {
    let url = url.to_owned();
    if leads_inside(&error) {
        FederationError::LeadsInside { url }
    } else if error.is_timeout() {
        FederationError::Timeout { url }
    } else {
        FederationError::Unreachable { url, source: error.without_url().into() }
    }
}

/// Whether the same request may have another outcome in a moment.
pub(crate) fn may_pass(failure: &FederationError) -> bool {
    match failure {
        FederationError::Unreachable { .. } | FederationError::Timeout { .. } => true,
        FederationError::Refused { status, .. } => *status >= 500 || *status == 429 || *status == 408,
        _ => false,
    }
}
