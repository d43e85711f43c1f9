//! The bytes of published versions: `/data/{id}/{version}/{path}`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use dataset_model::{DatasetId, FilePath};
use futures::StreamExt;
use node::{Actor, Node, NodeError, VersionChoice};

use crate::{
    Problem,
    authentication::{Asking, who_asks},
    conditions::{self, Verdict},
    content_digest,
    hot_files::HotFiles,
    media_types,
    ranges::{self, Wanted},
    served::Served,
};

/// Bodies up to this size are read in one go on the thread that answers: the page cache has most chunks.
pub(crate) const ONE_READ: u64 = 1 << 20;

/// Says `copy` where the bytes are another node's; `Link: rel="original"` says where they are there.
const BYTES: HeaderName = HeaderName::from_static("heliograph-bytes");

/// Reads a file of a published version, or of a copy that is held of a peer's.
#[utoipa::path(
    get, path = "/data/{id}/{version}/{*path}", tag = "bytes",
    params(
        ("id" = String, Path, description = "Dataset id"),
        ("version" = String, Path, description = "`v1`, `v2`, … or `latest`"),
        ("path" = String, Path, description = "File path; `…/image.ome.zarr` is the root any Zarr library opens, `…/image.ozx` the image as one file"),
        ("Range" = Option<String>, Header, description = "Single, suffix and multiple byte ranges"),
    ),
    responses(
        (status = 200, description = "The file; `Heliograph-Bytes: copy` where it is a copy of another node's, which `Link: rel=\"original\"` names"), (status = 206, description = "The ranges asked for"),
        (status = 304, description = "Not modified"), (status = 404, description = "No such file; normal for an empty chunk"),
        (status = 410, description = "The dataset was withdrawn"), (status = 416, description = "The file has no such range"),
    )
)]
pub(crate) async fn read_file(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path((id, version, path)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    read(&node, &actor, (&id, &version, &path), &headers).await
}

/// Dataset id, version and path as they stand in an address.
pub(crate) type Address<'a> = (&'a str, &'a str, &'a str);

/// The same without a router; the file is remembered by its whole address. Those with a link of their own are not: they are one
/// an image, and what is remembered shares its headers.
pub(crate) async fn answer_plainly(
    node: &Arc<Node>,
    hot: &HotFiles,
    (whole, address): (&str, Address<'_>),
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let opened = open(node, &who_asks(headers, node)?, address).await?;
    if let (Served::File(file), None, None) = (&opened.served, &opened.collection, opened.served.original()) {
        let mut about = HeaderMap::with_capacity(16);
        describe(&mut about, &opened, &tag(&opened.served))?;
        about.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_types::of(opened.path.name())));
        hot.keep(whole, file, about);
    }
    respond(&opened, headers).await
}

async fn read(node: &Arc<Node>, actor: &Actor, address: Address<'_>, headers: &HeaderMap) -> Result<Response, Problem> {
    respond(&open(node, actor, address).await?, headers).await
}

/// What an address leads to.
struct Opened {
    served: Served,
    path: FilePath,
    /// The page of the dataset, where this file stands for a whole image.
    collection: Option<String>,
}

async fn respond(opened: &Opened, headers: &HeaderMap) -> Result<Response, Problem> {
    let Opened { served: file, path, .. } = opened;
    let etag = tag(file);
    let mut response = match conditions::weigh(headers, &etag) {
        Verdict::NotModified => StatusCode::NOT_MODIFIED.into_response(),
        Verdict::Failed => StatusCode::PRECONDITION_FAILED.into_response(),
        Verdict::Proceed => {
            let range = headers.get(header::RANGE).filter(|_| conditions::range_applies(headers, &etag));
            answer(file, range.and_then(|value| value.to_str().ok()), media_types::of(path.name())).await?
        }
    };
    describe(response.headers_mut(), opened, &etag)?;
    Ok(response)
}

/// A file as it is stored or, where there is none of that name, the image it names as one archive.
async fn open(node: &Arc<Node>, actor: &Actor, (id, version, path): Address<'_>) -> Result<Opened, NodeError> {
    let absent = || NodeError::NotFound("there is no such file".into());
    let id: DatasetId = id.parse().map_err(|_| absent())?;
    let version: VersionChoice = version.parse().map_err(|_| absent())?;
    let path: FilePath = path.parse().map_err(|_| absent())?;
    let served = match node.open_file(actor, &id, version, &path).await {
        Ok(file) => Served::File(file),
        Err(NodeError::NotFound(_)) if path.name().ends_with(".ozx") => {
            Served::Ozx(node.open_ozx(actor, &id, version, &path).await?)
        }
        Err(error) => return Err(error),
    };
    // The page of a copied dataset is at its own node, as the link to the original says.
    let collection = (is_entrance(&path) && served.original().is_none()).then(|| node.config().page(&id));
    Ok(Opened { served, path, collection })
}

/// Whether a file stands for a whole image or dataset, and so says where it belongs (FAIR Signposting). Chunks and arrays do
/// not; an image in a folder without the usual ending is linked by the record's link set only.
fn is_entrance(path: &FilePath) -> bool {
    let folder = path.as_str().rsplit('/').nth(1).unwrap_or_default();
    let of_image = folder.ends_with(".zarr") && matches!(path.name(), "zarr.json" | ".zattrs" | ".zgroup");
    of_image || path.as_str() == "ro-crate-metadata.json"
}

fn tag(file: &Served) -> String {
    format!("\"{}\"", file.tag())
}

/// Headers every answer about a file carries.
fn describe(headers: &mut HeaderMap, opened: &Opened, etag: &str) -> Result<(), Problem> {
    let file = &opened.served;
    let cache = if file.is_immutable() { "public, max-age=31536000, immutable" } else { "public, max-age=60" };
    headers.insert(header::ETAG, value(etag)?);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Some(sha256) = file.sha256() {
        headers.insert("repr-digest", value(&content_digest::field(&sha256))?);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A deposited page or SVG must not act in the portal's name.
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    if let Some(page) = &opened.collection {
        headers.append(header::LINK, value(&format!("<{page}>; rel=\"collection\"; type=\"text/html\""))?);
    }
    if let Some(original) = file.original() {
        headers.insert(BYTES, HeaderValue::from_static("copy"));
        headers.append(header::LINK, value(&format!("<{original}>; rel=\"original\""))?);
    }
    Ok(())
}

async fn answer(blob: &Served, range: Option<&str>, media_type: &'static str) -> Result<Response, Problem> {
    let size = blob.size();
    match ranges::wanted(range, size) {
        Wanted::Whole => Ok(part(StatusCode::OK, blob, 0..size, media_type).await?),
        Wanted::Unsatisfiable => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            response.headers_mut().insert(header::CONTENT_RANGE, value(&format!("bytes */{size}"))?);
            Ok(response)
        }
        Wanted::Parts(parts) => match parts.as_slice() {
            [one] => {
                let mut response = part(StatusCode::PARTIAL_CONTENT, blob, one.clone(), media_type).await?;
                response.headers_mut().insert(header::CONTENT_RANGE, value(&ranges::content_range(one, size))?);
                Ok(response)
            }
            _ => several(blob, &parts, media_type),
        },
    }
}

async fn part(
    status: StatusCode,
    blob: &Served,
    range: std::ops::Range<u64>,
    media_type: &'static str,
) -> Result<Response, Problem> {
    let length = range.end - range.start;
    let inline = if length <= ONE_READ { blob.read_blocking(range.clone()) } else { None };
    let body = match inline {
        Some(bytes) => Body::from(bytes?),
        None => Body::from_stream(blob.read(range)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // All that an answer has, so that the map does not grow step by step.
    headers.reserve(16);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, length.into());
    Ok(response)
}

/// `multipart/byteranges` (RFC 9110 §14.6), streamed part by part.
fn several(blob: &Served, parts: &[std::ops::Range<u64>], media_type: &'static str) -> Result<Response, Problem> {
    let (size, boundary) = (blob.size(), format!("heliograph-{}", blob.tag()));
    let head = |range: &std::ops::Range<u64>| {
        format!(
            "\r\n--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: bytes {}-{}/{size}\r\n\r\n",
            range.start,
            range.end - 1
        )
    };
    let tail = format!("\r\n--{boundary}--\r\n");
    let length: u64 =
        parts.iter().map(|range| head(range).len() as u64 + range.end - range.start).sum::<u64>() + tail.len() as u64;
    let pieces: Vec<_> = parts
        .iter()
        .map(|range| futures::stream::iter([Ok(Bytes::from(head(range)))]).chain(blob.read(range.clone())).boxed())
        .chain([futures::stream::iter([Ok(Bytes::from(tail))]).boxed()])
        .collect();
    let headers = [
        (header::CONTENT_TYPE, value(&format!("multipart/byteranges; boundary={boundary}"))?),
        (header::CONTENT_LENGTH, length.into()),
    ];
    Ok((StatusCode::PARTIAL_CONTENT, headers, Body::from_stream(futures::stream::iter(pieces).flatten()))
        .into_response())
}

fn value(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text).map_err(|error| NodeError::Internal(error.to_string()).into())
}
