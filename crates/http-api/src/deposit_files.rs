//! The files of a draft: `/api/v1/deposits/{id}/files`.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode},
};
use dataset_model::{FilePath, ManifestFile};
use node::{FileListing, Node};

use crate::{Problem, authentication::Asking, content_digest, deposits::dataset_id};

fn file_path(text: &str) -> Result<FilePath, Problem> {
    text.parse().map_err(|error| Problem::invalid(format!("{error}")))
}

/// What has arrived, in order of path; `next` is there when one answer does not hold all.
#[utoipa::path(get, path = "/api/v1/deposits/{id}/files", tag = "deposit",
    params(("id" = String, Path, description = "Draft id"), ("after" = Option<String>, Query, description = "Only paths after this one")),
    responses((status = 200, description = "Files with sizes and digests")), security(("token" = ["deposit"])))]
pub(crate) async fn list(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<FileListing>, Problem> {
    let query = query.unwrap_or_default();
    let after = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "after");
    let after = after.map(|(_, path)| file_path(&path)).transpose()?;
    Ok(Json(node.list_draft_files(&actor, &dataset_id(&id)?, after.as_ref())?))
}

/// Takes one file; on the answer it is on disk. Sending it again is fine.
#[utoipa::path(put, path = "/api/v1/deposits/{id}/files/{*path}", tag = "deposit",
    params(("id" = String, Path, description = "Draft id"), ("path" = String, Path, description = "Path in the dataset"),
        ("Content-Digest" = Option<String>, Header, description = "`sha-256=:<base64>:` (RFC 9530); a body with another digest is refused")),
    request_body(content_type = "application/octet-stream", content = Vec<u8>),
    responses((status = 201, description = "Stored"), (status = 422, description = "Digest or path refused; the draft is unchanged")), security(("token" = ["deposit"])))]
pub(crate) async fn put(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path((id, path)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ManifestFile>), Problem> {
    let (id, path) = (dataset_id(&id)?, file_path(&path)?);
    let expected = content_digest::promised(&headers)?;
    let file = node.put_draft_file(&actor, &id, path, expected, body.into_data_stream()).await?;
    Ok((StatusCode::CREATED, Json(file)))
}

/// Takes a file out of the draft.
#[utoipa::path(delete, path = "/api/v1/deposits/{id}/files/{*path}", tag = "deposit",
    params(("id" = String, Path, description = "Draft id"), ("path" = String, Path, description = "Path in the dataset")),
    responses((status = 204, description = "Gone")), security(("token" = ["deposit"])))]
pub(crate) async fn delete(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path((id, path)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    node.delete_draft_file(&actor, &dataset_id(&id)?, &file_path(&path)?)?;
    Ok(StatusCode::NO_CONTENT)
}
