use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, RawQuery, State},
};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use node::{HarvestChoice, ImportReport, ListingItem, Node, NodeError, SourceName, SourceStatus, SourceSummary};
use serde::Deserialize;
use tokio_util::{
    codec::{FramedRead, LinesCodec},
    io::StreamReader,
};

use crate::{Problem, authentication::Asking};

/// One line of a listing sent to the node.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    /// The listing is complete.
    End {
        #[expect(dead_code, reason = "its presence is the message")]
        complete: bool,
    },
    /// The listing broke off, or may not be whole.
    Stopped { stopped: String },
    /// A crate, as text.
    Crate {
        path: String,
        #[serde(rename = "crate")]
        text: String,
    },
    /// Something the sender could not read.
    Unreadable { path: String, error: String },
}

/// Brings a listing of crates in as catalogue records. Body: one JSON object a line, `{"path", "crate": "<text>"}` or
/// `{"path", "error"}`, and at the end `{"complete": true}`, or `{"stopped": "<why>"}`; without the former nothing is withdrawn.
#[utoipa::path(post, path = "/api/v1/sources/{name}/import", tag = "federation", params(("name" = String, Path, description = "The source's name")),
    request_body(content_type = "application/x-ndjson", content = String),
    responses((status = 200, description = "The report; it adds up"), (status = 422, description = "The listing cannot be read; what came before stays")), security(("token" = ["curate"])))]
pub(crate) async fn import(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(name): Path<String>,
    body: Body,
) -> Result<Json<ImportReport>, Problem> {
    let name: SourceName = name.parse()?;
    // A crate's text grows when it is quoted in JSON; six times is the worst case (\u00xx).
    let longest = usize::try_from(node.config().limits.crate_bytes.saturating_mul(6)).unwrap_or(usize::MAX);
    Ok(Json(node.import(&actor, &name, Box::pin(lines(body, longest))).await?))
}

/// Every source: those this node harvests, and those whose listings were sent to it.
#[utoipa::path(get, path = "/api/v1/sources", tag = "federation", responses((status = 200, description = "How each stands")))]
pub(crate) async fn list(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
) -> Result<Json<Vec<SourceSummary>>, Problem> {
    Ok(Json(node.known_sources(&actor).await?))
}

/// A source and the report of its last harvest or import: what was stored, and why what was not.
#[utoipa::path(get, path = "/api/v1/sources/{name}", tag = "federation", params(("name" = String, Path, description = "The source's name")),
    responses((status = 200, description = "The source, with `report`"), (status = 404, description = "No such source")))]
pub(crate) async fn show(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(name): Path<String>,
) -> Result<Json<SourceStatus>, Problem> {
    Ok(Json(node.known_source(&actor, &name.parse()?).await?))
}

/// Harvests a source of the configuration now. `?full=true` reads the whole listing, `?confirm_shrink=true` lets it withdraw more
/// than half of what is known.
#[utoipa::path(post, path = "/api/v1/sources/{name}/harvest", tag = "federation",
    params(("name" = String, Path, description = "The source's name"), ("full" = Option<bool>, Query, description = "Not only what changed"),
        ("confirm_shrink" = Option<bool>, Query, description = "More than half may be withdrawn")),
    responses((status = 200, description = "The report; `stopped` says why a listing was not read to its end"), (status = 404, description = "No such source in the configuration"), (status = 409, description = "It is being read just now")), security(("token" = ["harvest"])))]
pub(crate) async fn harvest(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<ImportReport>, Problem> {
    let query = query.unwrap_or_default();
    let is_set = |wanted: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .any(|(name, value)| name == wanted && matches!(&*value, "true" | "1" | ""))
    };
    let choice = HarvestChoice { confirm_shrink: is_set("confirm_shrink"), full: is_set("full") };
    Ok(Json(node.harvest_source(&actor, &name.parse()?, choice).await?))
}

fn lines(body: Body, longest: usize) -> impl Stream<Item = Result<ListingItem, NodeError>> + Send {
    let reader = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    FramedRead::new(reader, LinesCodec::new_with_max_length(longest)).map(|line| {
        let line = line.map_err(|error| NodeError::Invalid(format!("the listing broke off: {error}")))?;
        match serde_json::from_str(&line) {
            Ok(Line::End { .. }) => Ok(ListingItem::End),
            Ok(Line::Stopped { stopped }) => Ok(ListingItem::Doubt { why: stopped }),
            Ok(Line::Crate { path, text }) => Ok(ListingItem::Crate { path, bytes: Bytes::from(text), stamp: None }),
            Ok(Line::Unreadable { path, error }) => Ok(ListingItem::Unreadable { path, why: error }),
            Err(error) => Err(NodeError::Invalid(format!("a line of the listing cannot be read: {error}"))),
        }
    })
}
