//! A draft's files in one archive: `/api/v1/deposits/{id}/archive`.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
};
use node::{ArchiveReceipt, ArchiveUpload, Node};

use crate::{Problem, authentication::Asking, content_digest, deposits::dataset_id};

/// Takes an `.ozx`, `.zip`, `.tar` or `.tar.gz` and unpacks it into the draft while it arrives: all of it, or nothing.
#[utoipa::path(put, path = "/api/v1/deposits/{id}/archive", tag = "deposit",
    params(("id" = String, Path, description = "Draft id"),
        ("name" = Option<String>, Query, description = "The archive's file name; an image at its top goes to a folder named after it"),
        ("folder" = Option<String>, Query, description = "The folder of the draft its files go to"),
        ("Content-Digest" = Option<String>, Header, description = "`sha-256=:<base64>:` (RFC 9530) of the archive; another one is refused")),
    request_body(content_type = "application/octet-stream", content = Vec<u8>),
    responses((status = 201, description = "Unpacked and stored"), (status = 409, description = "Something else is being sent to the draft"),
        (status = 413, description = "Larger than the limits; the draft is unchanged"), (status = 422, description = "Refused; `detail` names entry and reason, the draft is unchanged")),
    security(("token" = ["deposit"])))]
pub(crate) async fn put(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ArchiveReceipt>), Problem> {
    let mut upload = ArchiveUpload { sha256: content_digest::promised(&headers)?, ..ArchiveUpload::default() };
    for (key, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*key {
            "name" => upload.name = Some(value.into_owned()),
            "folder" => {
                let folder = value.parse().map_err(|error| Problem::invalid(format!("folder: {error}")))?;
                upload.folder = Some(folder);
            }
            _ => {}
        }
    }
    upload.name = upload.name.or_else(|| file_name(&headers)).filter(|name| !name.is_empty());
    let receipt = node.put_draft_archive(&actor, &dataset_id(&id)?, upload, body.into_data_stream()).await?;
    Ok((StatusCode::CREATED, Json(receipt)))
}

/// The file name a `Content-Disposition` gives (RFC 6266).
fn file_name(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_DISPOSITION)?.to_str().ok()?;
    let name = value.split(';').find_map(|part| part.trim().strip_prefix("filename="))?;
    Some(name.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_says_the_name_of_the_file() {
        for (value, name) in [
            ("attachment; filename=\"cells.ozx\"", Some("cells.ozx")),
            ("attachment; filename=cells.ozx; size=3", Some("cells.ozx")),
            ("inline", None),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_DISPOSITION, value.parse().unwrap())]);
            assert_eq!(file_name(&headers).as_deref(), name, "{value}");
        }
    }
}
