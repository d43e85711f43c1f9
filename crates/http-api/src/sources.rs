use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use node::{ImportReport, ListingItem, Node, NodeError, SourceName};
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
/// `{"path", "error"}`, and `{"complete": true}` at the end; without that last line nothing is withdrawn.
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

fn lines(body: Body, longest: usize) -> impl Stream<Item = Result<ListingItem, NodeError>> + Send {
    let reader = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    FramedRead::new(reader, LinesCodec::new_with_max_length(longest)).map(|line| {
        let line = line.map_err(|error| NodeError::Invalid(format!("the listing broke off: {error}")))?;
        match serde_json::from_str(&line) {
            Ok(Line::End { .. }) => Ok(ListingItem::End),
            Ok(Line::Crate { path, text }) => Ok(ListingItem::Crate { path, bytes: Bytes::from(text) }),
            Ok(Line::Unreadable { path, error }) => Ok(ListingItem::Unreadable { path, why: error }),
            Err(error) => Err(NodeError::Invalid(format!("a line of the listing cannot be read: {error}"))),
        }
    })
}
