use std::{collections::HashMap, ops::Range, sync::Mutex, time::Duration};

use anyhow::Context;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use ome_zarr::{FileSource, SourceError};
use reqwest::{
    Method, Response, StatusCode, Url,
    header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE, RETRY_AFTER},
};
use tokio::{runtime::Handle, sync::Semaphore};

/// Requests under way at once.
const MOST_REQUESTS: usize = 16;
/// How often a request is tried.
const TRIES: u32 = 4;
/// The first wait before another try; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// From the request to the last byte of the answer.
const REQUEST_TIME: Duration = Duration::from_secs(120);
const CONNECT_TIME: Duration = Duration::from_secs(15);
/// Metadata files are fetched whole, up to this, in bytes; longer ones are only sized.
const MAX_DOCUMENT_BYTES: u64 = 16 << 20;
/// Servers that ignore ranges send the whole file; more than this is not taken, in bytes.
const MAX_WHOLE_BYTES: u64 = 64 << 20;

/// Files below an address, read over HTTP. They cannot be listed.
pub(super) struct WebSource {
    client: reqwest::Client,
    base: Url,
    runtime: Handle,
    turns: Semaphore,
    /// Metadata files that were sized and will be read next.
    documents: Mutex<HashMap<String, Bytes>>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl WebSource {
    /// A source whose root is an address; what is behind it is not asked yet.
    pub(super) fn open(address: &str, runtime: Handle) -> anyhow::Result<Self> {
        let base = Url::parse(address).with_context(|| format!("{address} is no address"))?;
        anyhow::ensure!(!base.cannot_be_a_base(), "{address} is no address that files can lie below");
        let client = reqwest::Client::builder().connect_timeout(CONNECT_TIME).timeout(REQUEST_TIME).build()?;
        let (turns, documents) = (Semaphore::new(MOST_REQUESTS), Mutex::default());
        Ok(Self { client, base, runtime, turns, documents })
    }

    fn address(&self, path: &str) -> Url {
        let mut address = self.base.clone();
        if let Ok(mut parts) = address.path_segments_mut() {
            parts.pop_if_empty().extend(path.split('/'));
        }
        address
    }

    /// Asks until there is an answer that is not the network's or the server's fault; `None` where there is no such file.
    async fn ask(&self, method: Method, path: &str, range: Option<&Range<u64>>) -> Result<Option<Response>, Failure> {
        let mut wait = FIRST_WAIT;
        for attempt in 1..=TRIES {
            let mut request = self.client.request(method.clone(), self.address(path));
            if let Some(range) = range {
                request = request.header(RANGE, format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
            }
            let answer = request.send().await;
            let may_pass = match &answer {
                Ok(answer) => answer.status().is_server_error() || answer.status() == StatusCode::TOO_MANY_REQUESTS,
                Err(error) => !error.is_builder() && !error.is_redirect(),
            };
            if !may_pass || attempt == TRIES || is_unsupported(&answer) {
                return verdict(answer?);
            }
            tokio::time::sleep(asked_wait(&answer).unwrap_or(wait).min(LONGEST_WAIT)).await;
            wait *= 2;
        }
        Err("no answer".into())
    }

    async fn size_of(&self, path: &str) -> Result<Option<u64>, Failure> {
        let _turn = self.turns.acquire().await?;
        if is_document(path) {
            return self.fetch_document(path).await;
        }
        if let Some(answer) = self.ask(Method::HEAD, path, None).await? {
            if let Some(length) = number(&answer, CONTENT_LENGTH.as_str()).filter(|_| answer.status().is_success()) {
                return Ok(Some(length));
            }
        } else {
            return Ok(None);
        }
        // Some servers do not answer HEAD: the first byte says how many there are.
        let Some(answer) = self.ask(Method::GET, path, Some(&(0..1))).await? else { return Ok(None) };
        let total =
            answer.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()?.rsplit('/').next()?.parse().ok());
        let length = total.or_else(|| number(&answer, CONTENT_LENGTH.as_str()));
        Ok(Some(length.ok_or("the server does not say how long the file is")?))
    }

    /// Fetches a metadata file in one request, and keeps it until it is read.
    async fn fetch_document(&self, path: &str) -> Result<Option<u64>, Failure> {
        let Some(answer) = self.ask(Method::GET, path, None).await? else { return Ok(None) };
        if let Some(length) = number(&answer, CONTENT_LENGTH.as_str()).filter(|length| *length > MAX_DOCUMENT_BYTES) {
            return Ok(Some(length));
        }
        let bytes = body(answer, MAX_DOCUMENT_BYTES).await?;
        let length = bytes.len() as u64;
        if let Ok(mut documents) = self.documents.lock() {
            documents.insert(path.to_owned(), bytes);
        }
        Ok(Some(length))
    }

    async fn bytes_of(&self, path: &str, range: Range<u64>) -> Result<Bytes, Failure> {
        let document = self.documents.lock().ok().and_then(|mut documents| documents.remove(path));
        let (start, end) = (usize::try_from(range.start)?, usize::try_from(range.end)?);
        if let Some(document) = document {
            return document.get(start..end).map(Bytes::copy_from_slice).ok_or_else(|| "the file is shorter".into());
        }
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let _turn = self.turns.acquire().await?;
        let answer = self.ask(Method::GET, path, Some(&range)).await?.ok_or("there is no such file")?;
        let is_part = answer.status() == StatusCode::PARTIAL_CONTENT;
        let length = range.end - range.start;
        let bytes = body(answer, if is_part { length } else { MAX_WHOLE_BYTES.max(length) }).await?;
        let part = if is_part { Some(bytes) } else { bytes.get(start..end).map(Bytes::copy_from_slice) };
        part.filter(|part| part.len() as u64 == length).ok_or_else(|| "the answer is not the part asked for".into())
    }
}

impl FileSource for WebSource {
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError> {
        self.runtime.block_on(self.size_of(path)).map_err(|error| SourceError::new(self.address(path), error))
    }

    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        self.runtime.block_on(self.bytes_of(path, range)).map_err(|error| SourceError::new(self.address(path), error))
    }

    fn list(&self, _folder: &str) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }

    fn can_list(&self) -> bool {
        false
    }
}

fn is_document(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "zarr.json" | ".zarray" | ".zgroup" | ".zattrs")
}

fn is_unsupported(answer: &Result<Response, reqwest::Error>) -> bool {
    answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::NOT_IMPLEMENTED)
}

/// Answers that say there is no such file are no failures. Buckets that may not be listed say 403 for it.
fn verdict(answer: Response) -> Result<Option<Response>, Failure> {
    match answer.status() {
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => Ok(None),
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Ok(Some(answer)),
        status if status.is_success() => Ok(Some(answer)),
        status => Err(format!("the server answered {status}").into()),
    }
}

fn asked_wait(answer: &Result<Response, reqwest::Error>) -> Option<Duration> {
    let seconds = number(answer.as_ref().ok()?, RETRY_AFTER.as_str())?;
    Some(Duration::from_secs(seconds))
}

fn number(answer: &Response, header: &str) -> Option<u64> {
    answer.headers().get(header)?.to_str().ok()?.trim().parse().ok()
}

/// The body, of at most so many bytes.
async fn body(answer: Response, limit: u64) -> Result<Bytes, Failure> {
    let mut bytes = BytesMut::new();
    let mut parts = answer.bytes_stream();
    while let Some(part) = parts.next().await {
        let part = part?;
        if (bytes.len() + part.len()) as u64 > limit {
            return Err(format!("the answer has more than {limit} bytes").into());
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.freeze())
}
