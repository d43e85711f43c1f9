use axum::body::{Body, to_bytes};
use node::{Node, NodeError};
use serde_json::Value;

use crate::Problem;

/// What a client sends to make or change a draft: an RO-Crate as it is, or an object with `crate` and more.
#[derive(Debug, Default)]
pub(crate) struct DraftBody {
    pub crate_json: Option<String>,
    pub new_version_of: Option<String>,
    /// Whether microscope files become images.
    pub convert: Option<bool>,
}

/// Reads a body of at most the size a crate may have.
pub(crate) async fn read_text(node: &Node, body: Body) -> Result<String, Problem> {
    let limit = node.config().limits.crate_bytes;
    let limit_on_this_machine = usize::try_from(limit).unwrap_or(usize::MAX);
    let too_large = |_| NodeError::TooLarge(format!("the body was cut off, or has more than {limit} bytes"));
    let bytes = to_bytes(body, limit_on_this_machine).await.map_err(too_large)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| Problem::invalid("the body is not UTF-8 text"))
}

/// Reads the body of a request about a draft; an empty one is fine.
pub(crate) async fn read_draft(node: &Node, body: Body) -> Result<DraftBody, Problem> {
    let text = read_text(node, body).await?;
    if text.trim().is_empty() {
        return Ok(DraftBody::default());
    }
    let value: Value =
        serde_json::from_str(&text).map_err(|error| Problem::invalid(format!("the body is not JSON: {error}")))?;
    let Value::Object(object) = value else {
        return Err(Problem::invalid("the body must be a JSON object: an RO-Crate, or {\"crate\": …}"));
    };
    if object.contains_key("@graph") || object.contains_key("@context") {
        return Ok(DraftBody { crate_json: Some(text), ..DraftBody::default() });
    }
    let new_version_of = object.get("new_version_of").and_then(Value::as_str).map(str::to_owned);
    let convert = match object.get("convert") {
        None => None,
        Some(Value::Bool(convert)) => Some(*convert),
        Some(_) => return Err(Problem::invalid("'convert' must be true or false")),
    };
    let says_something = new_version_of.is_some() || convert.is_some() || object.is_empty();
    match object.get("crate").map(ToString::to_string) {
        crate_json if crate_json.is_some() || says_something => Ok(DraftBody { crate_json, new_version_of, convert }),
        _ => Err(Problem::invalid(
            "the body holds neither an RO-Crate ('@graph') nor 'crate': send ro-crate-metadata.json as it is",
        )),
    }
}
