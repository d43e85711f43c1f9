use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    http::header,
    response::{IntoResponse, Response},
};
use node::{Node, NodeError};

use crate::{Problem, authentication::Asking, deposits::dataset_id};

/// A small picture of an image, made from its pyramid: `/render/{id}/{version}/{image}/thumbnail?size=256`.
#[utoipa::path(get, path = "/render/{id}/{version}/{*what}", tag = "bytes",
    params(("id" = String, Path, description = "Dataset id"), ("version" = String, Path, description = "`v1` or `latest`"),
        ("what" = String, Path, description = "`{image path}/thumbnail`"), ("size" = Option<u32>, Query, description = "Longer side in pixels, up to 512")),
    responses((status = 200, description = "PNG", content_type = "image/png"), (status = 404, description = "No such image")))]
pub(crate) async fn render(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path((id, version, what)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let absent = || NodeError::NotFound("ask for …/{image}/thumbnail".into());
    let image = what.strip_suffix("/thumbnail").ok_or_else(absent)?;
    let version = version.parse().map_err(|_| absent())?;
    let query = query.unwrap_or_default();
    let size = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "size");
    let size =
        size.map_or(Ok(256), |(_, text)| text.parse()).map_err(|_| Problem::invalid("size: use a number of pixels"))?;
    let bytes = node.thumbnail(&actor, &dataset_id(&id)?, version, image, size).await?;
    let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "public, max-age=86400")];
    Ok((headers, bytes).into_response())
}
