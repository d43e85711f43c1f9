//! Files that were answered lately, so that a viewer's next chunks cost little more than reading them.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use node::{Actor, Blob, Node, OpenFile, Reading, WeakBlob};

use crate::{
    authentication::who_asks,
    content_digest,
    data::ONE_READ,
    ranges::{self, Wanted},
};

/// Files remembered at most; when there are more, all are opened again.
const MOST: usize = 16 * 1024;

/// Headers that need more thought than a remembered file can give.
const CONDITIONS: [HeaderName; 3] = [header::IF_NONE_MATCH, header::IF_MATCH, header::IF_RANGE];

const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// Files by the path of their address. What answers have in common is kept once: thousands of files that are read in turn do
/// not stay in the processor's caches, so the less of each is touched the better.
#[derive(Default)]
pub(crate) struct HotFiles(RwLock<Known>);

#[derive(Default)]
struct Known {
    files: HashMap<Box<str>, HotFile>,
    /// A handful: one for each media type.
    common: Vec<Arc<HeaderMap>>,
}

struct HotFile {
    /// Closed when the archive closes it.
    blob: WeakBlob,
    reading: Reading,
    common: Arc<HeaderMap>,
}

impl HotFiles {
    /// Remembers a file by the path of its address, with the headers of its answers.
    pub(crate) fn keep(&self, address: &str, file: &OpenFile, mut headers: HeaderMap) {
        let Some(blob) = file.blob.downgrade() else { return };
        crate::cors::allow(&mut headers);
        // Places for what differs.
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        headers.insert(header::ETAG, HeaderValue::from_static("\"\""));
        headers.insert(REPR_DIGEST, HeaderValue::from_static("::"));
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.files.len() >= MOST {
            *known = Known::default();
        }
        let alike = known.common.iter().find(|common| ***common == headers).cloned();
        let common = alike.unwrap_or_else(|| {
            let common = Arc::new(headers);
            known.common.push(common.clone());
            common
        });
        known.files.insert(address.into(), HotFile { blob, reading: file.reading, common });
    }

    /// The answer to a plain request for a remembered file, whole or one range of it; nothing where there is any doubt.
    pub(crate) fn answer(&self, node: &Node, address: &str, asked: &HeaderMap) -> Option<Response> {
        if CONDITIONS.iter().any(|name| asked.contains_key(name)) {
            return None;
        }
        let actor = who_asks(asked, node).ok()?;
        let (blob, common) = self.find(node, &actor, address)?;
        let (size, range) = (blob.size(), asked.get(header::RANGE));
        let part = range.map_or(Some(0..size), |range| one_part(range, size))?;
        let length = part.end - part.start;
        if length > ONE_READ {
            return None;
        }
        let mut response = Response::new(Body::from(blob.bytes_blocking(part.clone())?.ok()?));
        let headers = response.headers_mut();
        common.as_ref().clone_into(headers);
        headers.insert(header::CONTENT_LENGTH, length.into());
        headers.insert(header::ETAG, value(format!("\"{}\"", blob.sha256()))?);
        headers.insert(REPR_DIGEST, value(content_digest::field(&blob.sha256()))?);
        if range.is_some() {
            headers.insert(header::CONTENT_RANGE, value(ranges::content_range(&part, size))?);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        Some(response)
    }

    fn find(&self, node: &Node, actor: &Actor, address: &str) -> Option<(Blob, Arc<HeaderMap>)> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let file = known.files.get(address).filter(|file| node.still_reads(actor, file.reading))?;
        Some((file.blob.upgrade()?, file.common.clone()))
    }
}

fn value(text: String) -> Option<HeaderValue> {
    HeaderValue::try_from(text).ok()
}

fn one_part(range: &HeaderValue, size: u64) -> Option<Range<u64>> {
    match ranges::wanted(Some(range.to_str().ok()?), size) {
        Wanted::Parts(parts) if parts.len() == 1 => parts.into_iter().next(),
        _ => None,
    }
}
