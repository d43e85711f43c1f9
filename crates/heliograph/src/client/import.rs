use std::path::Path;

use anyhow::{Context, Result};
use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};
use walkdir::{DirEntry, WalkDir};

use super::{Client, escape};

/// Sends every JSON file in a folder and below as the complete listing of a source; gives the node's report.
pub(crate) async fn import_folder(client: &Client, folder: &Path, name: &str) -> Result<Value> {
    if !folder.is_dir() {
        anyhow::bail!("{} is not a folder", folder.display());
    }
    let root = folder.to_owned();
    let entries = WalkDir::new(folder).follow_links(false).sort_by_file_name().into_iter();
    let lines = entries
        .filter(|entry| entry.as_ref().map_or(true, is_item))
        .map(move |entry| line(entry, &root))
        .chain([Ok(json!({"complete": true}))])
        .map(|line| line.map(|line| Bytes::from(format!("{line}\n"))));
    let body = reqwest::Body::wrap_stream(futures::stream::iter(lines));
    let request = client.request(Method::POST, &format!("/api/v1/sources/{}/import", escape(name)));
    client.send(request.header("content-type", "application/x-ndjson").body(body)).await
}

fn is_item(entry: &DirEntry) -> bool {
    let extension = entry.path().extension().and_then(|extension| extension.to_str());
    entry.file_type().is_file() && matches!(extension, Some("json" | "jsonld"))
}

/// One item of the listing. A folder that cannot be read ends the listing: it would not be complete.
fn line(entry: walkdir::Result<DirEntry>, root: &Path) -> Result<Value, std::io::Error> {
    let entry = entry.map_err(std::io::Error::other)?;
    let path = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_string_lossy().into_owned();
    Ok(match std::fs::read(entry.path()).context("reading").and_then(|bytes| Ok(String::from_utf8(bytes)?)) {
        Ok(text) => json!({"path": path, "crate": text}),
        Err(error) => json!({"path": path, "error": format!("{error:#}")}),
    })
}
