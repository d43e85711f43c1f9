//! Pictures of images and plates: `/render/{id}/{version}/{image}/thumbnail`, `…/tile` and `…/info`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use node::{Actor, Node, NodeError, PictureFormat, PictureRequest, VersionChoice};

use crate::{
    Problem,
    authentication::Asking,
    conditions::{self, Verdict},
    deposits::dataset_id,
};

/// What is drawn: the dataset's part of the address, and what of it.
struct Wanted<'a> {
    id: dataset_model::DatasetId,
    version: VersionChoice,
    image: &'a str,
}

/// A picture of an image or plate, made from its pyramid, or what a viewer needs to know to ask for tiles.
#[utoipa::path(get, path = "/render/{id}/{version}/{*what}", tag = "bytes",
    params(
        ("id" = String, Path, description = "Dataset id"),
        ("version" = String, Path, description = "`v1` or `latest`"),
        ("what" = String, Path, description = "`{image path}/thumbnail`, `{image path}/tile` or `{image path}/info`"),
        ("size" = Option<u32>, Query, description = "Thumbnail: longer side, up to 1024, rounded up to 64, 128, 256, 512 or 1024; 256 when not given. Tile: side, 256 or 512"),
        ("level" = Option<u32>, Query, description = "Tile: resolution level, 0 for the largest"),
        ("x" = Option<u64>, Query, description = "Tile: column, from 0"),
        ("y" = Option<u64>, Query, description = "Tile: row, from 0"),
        ("z" = Option<u64>, Query, description = "Tile: plane along the depth of this level; the middle when not given"),
        ("t" = Option<u64>, Query, description = "Tile: time point; the first when not given"),
        ("c" = Option<String>, Query, description = "Channels: `0,2`, or with window and colour `0:100-2000:FF00FF`"),
        ("labels" = Option<String>, Query, description = "Name of a label image to lay over it"),
        ("format" = Option<String>, Query, description = "`png` or `webp`; by `Accept` when not given"),
    ),
    responses(
        (status = 200, description = "PNG or WebP; JSON for `info`", content_type = "image/png"),
        (status = 304, description = "Not modified"), (status = 404, description = "No such image"),
        (status = 410, description = "The dataset was withdrawn"),
        (status = 422, description = "The image has no such level, tile, plane, channel or labels, or needs too much work"),
        (status = 503, description = "Too many pictures are being drawn"),
    ))]
pub(crate) async fn render(
    State(node): State<Arc<Node>>,
    Asking(actor): Asking,
    Path((id, version, what)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let absent = || NodeError::NotFound("ask for …/{image}/thumbnail, …/{image}/tile or …/{image}/info".into());
    let (image, name) = what.rsplit_once('/').unwrap_or(("", &what));
    let version = version.parse().map_err(|_| absent())?;
    let wanted = Wanted { id: dataset_id(&id)?, version, image };
    let query = query.unwrap_or_default();
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let pairs = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    match name {
        "thumbnail" => picture(&node, &actor, wanted, PictureRequest::thumbnail(pairs)?, &headers).await,
        "tile" => picture(&node, &actor, wanted, PictureRequest::tile(pairs)?, &headers).await,
        "info" => {
            if let Some((name, _)) = pairs.into_iter().next() {
                return Err(Problem::invalid(format!("'{}': this address takes no parameters", name.escape_debug())));
            }
            let info = node.render_info(&actor, &wanted.id, wanted.version, wanted.image).await?;
            let mut response = Json(info).into_response();
            response.headers_mut().insert(header::CACHE_CONTROL, caching(wanted.version != VersionChoice::Latest));
            Ok(response)
        }
        _ => Err(absent().into()),
    }
}

async fn picture(
    node: &Arc<Node>,
    actor: &Actor,
    wanted: Wanted<'_>,
    request: PictureRequest,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let format = request.format.unwrap_or_else(|| accepted(headers));
    let found = node.find_picture(actor, &wanted.id, wanted.version, wanted.image, (request.view, format)).await?;
    let etag = format!("\"{}\"", found.key());
    let immutable = found.immutable;
    let mut response = match conditions::weigh(headers, &etag) {
        Verdict::NotModified => StatusCode::NOT_MODIFIED.into_response(),
        Verdict::Failed => StatusCode::PRECONDITION_FAILED.into_response(),
        Verdict::Proceed => ([(header::CONTENT_TYPE, format.media_type())], node.draw(found).await?).into_response(),
    };
    let etag = HeaderValue::from_str(&etag).map_err(|error| NodeError::Internal(error.to_string()))?;
    response.headers_mut().extend::<[(HeaderName, HeaderValue); 3]>([
        (header::ETAG, etag),
        (header::CACHE_CONTROL, caching(immutable)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ]);
    if request.format.is_none() {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    }
    Ok(response)
}

fn caching(immutable: bool) -> HeaderValue {
    HeaderValue::from_static(if immutable { "public, max-age=31536000, immutable" } else { "public, max-age=60" })
}

/// WebP where the client names it, for it is smaller; PNG for everyone else.
fn accepted(headers: &HeaderMap) -> PictureFormat {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges = values.flat_map(|value| value.split(','));
    let is_webp = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("image/webp"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f32>().ok());
        named && weight.is_none_or(|weight| weight > 0.0)
    };
    if ranges.any(is_webp) { PictureFormat::WebP } else { PictureFormat::Png }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webp_goes_to_those_who_name_it() {
        let format =
            |value: &'static str| accepted(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))]));
        assert_eq!(format("image/avif,image/webp,image/*;q=0.8"), PictureFormat::WebP);
        assert_eq!(format("image/png, IMAGE/WEBP ; q=0.5"), PictureFormat::WebP);
        assert_eq!(format("image/webp;q=0, */*"), PictureFormat::Png);
        assert_eq!(format("*/*"), PictureFormat::Png);
        assert_eq!(accepted(&HeaderMap::new()), PictureFormat::Png);
    }
}
