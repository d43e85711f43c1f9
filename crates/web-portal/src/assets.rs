//! Files that ship inside the program, under an address that changes whenever one of them does.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use dataset_model::Digest;
use node::NodeError;

use crate::refusal::Refusal;

const STYLE: &str = include_str!("../assets/style.css");
const ICON: &str = include_str!("../assets/favicon.svg");
const COMPLETION: &str = include_str!("../assets/completion.js");

/// Where the files are: `/assets/<digest of all of them>`.
pub(crate) static BASE: LazyLock<String> = LazyLock::new(|| {
    let digest = Digest::of(format!("{STYLE}\0{ICON}\0{COMPLETION}")).to_string();
    format!("/assets/{}", digest.chars().take(16).collect::<String>())
});

/// Serves one of them. Only the present release is cacheable for ever; a page from an older one still gets its style.
pub(crate) async fn serve(Path((release, file)): Path<(String, String)>) -> Result<Response, Refusal> {
    let (media_type, text) = match file.as_str() {
        "style.css" => ("text/css; charset=utf-8", STYLE),
        "favicon.svg" => ("image/svg+xml", ICON),
        "completion.js" => ("text/javascript; charset=utf-8", COMPLETION),
        _ => return Err(NodeError::NotFound(format!("there is no file '{file}' here")).into()),
    };
    let cache = if BASE.ends_with(&format!("/{release}")) {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=300"
    };
    Ok(([(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, cache)], text).into_response())
}
