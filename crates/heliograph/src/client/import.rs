//! Sends what a source holds as its complete listing. The source is read from here, with the rights of whoever runs the
//! command: a node reads by itself only what its configuration names.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures::StreamExt;
use node::{
    FolderChoice, Listing, ListingItem, NodeError, SourceConfig, SourceKind, listing_of_folder, listing_of_web,
    listing_of_zip,
};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::{Client, escape};

/// Bytes of one record that are sent; the node has its own limit.
const MOST: u64 = 64 << 20;

/// How a source on the web is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct WebSource {
    /// What is there, where the address does not tell.
    pub kind: Option<String>,
    pub format: Option<String>,
    pub set: Option<String>,
    pub also: Vec<String>,
}

/// Sends what is at a path or an address; gives the node's report.
pub(crate) async fn import(client: &Client, source: &str, name: &str, web: &WebSource) -> Result<Value> {
    if is_git_address(source) {
        let clone = tempfile::tempdir().context("making a folder for the clone")?;
        git(&["clone", "--quiet", "--depth", "1", "--", source, &clone.path().to_string_lossy()])?;
        return import_folder(client, clone.path(), name).await;
    }
    if source.starts_with("https://") || source.starts_with("http://") {
        let config = web_source(source, name, web)?;
        return send(client, listing_of_web(&config, client.base(), MOST)?, name).await;
    }
    let path = Path::new(source);
    if path.is_dir() {
        return import_folder(client, path, name).await;
    }
    if path.is_file() {
        return send(client, listing_of_zip(path, MOST), name).await;
    }
    bail!("{source} is neither a folder, nor a file, nor an address that begins with https://")
}

/// Sends every JSON file in a folder and below; of a git checkout, those that it tracks.
pub(crate) async fn import_folder(client: &Client, folder: &Path, name: &str) -> Result<Value> {
    if !folder.is_dir() {
        bail!("{} is not a folder", folder.display());
    }
    let choice = if folder.join(".git").exists() { FolderChoice::Only(tracked(folder)?) } else { FolderChoice::All };
    send(client, listing_of_folder(folder, choice, MOST), name).await
}

async fn send(client: &Client, listing: Listing, name: &str) -> Result<Value> {
    let lines = listing.filter_map(|item| async move { line(item).transpose() });
    let lines = lines.map(|line| line.map(|line| Bytes::from(format!("{line}\n"))));
    let body = reqwest::Body::wrap_stream(lines);
    let request = client.request(Method::POST, &format!("/api/v1/sources/{}/import", escape(name)));
    client.send(request.header("content-type", "application/x-ndjson").body(body)).await
}

/// An item as a line of what the node takes. A listing that breaks off is sent as far as it goes, without its end, and with
/// the reason: the node withdraws nothing then.
fn line(item: Result<ListingItem, NodeError>) -> Result<Option<Value>, std::io::Error> {
    Ok(match item {
        Ok(ListingItem::Crate { path, bytes, .. }) => match std::str::from_utf8(&bytes) {
            Ok(text) => Some(json!({"path": path, "crate": text})),
            Err(error) => Some(json!({"path": path, "error": format!("it is no UTF-8 text: {error}")})),
        },
        Ok(ListingItem::Unreadable { path, why }) => Some(json!({"path": path, "error": why})),
        Ok(ListingItem::End) => Some(json!({"complete": true})),
        Ok(ListingItem::Doubt { why }) => Some(json!({"stopped": why})),
        // Of a source that is read for the first time, nothing is known that could be unchanged or withdrawn.
        Ok(ListingItem::Unchanged { .. } | ListingItem::Withdrawn { .. } | ListingItem::Progress { .. }) => None,
        Err(error) => Some(json!({"stopped": format!("{:#}", anyhow::Error::from(error))})),
    })
}

fn web_source(source: &str, name: &str, web: &WebSource) -> Result<SourceConfig> {
    let url = Url::parse(source).with_context(|| format!("'{source}' is no address"))?;
    let kind = match &web.kind {
        Some(kind) => kind.parse()?,
        None => kind_of(&url),
    };
    let also = web.also.iter().map(|url| Url::parse(url).with_context(|| format!("'{url}' is no address")));
    let mut config = SourceConfig::new(name.parse()?, kind, url);
    config.also = also.collect::<Result<_>>()?;
    (config.format, config.set) = (web.format.clone(), web.set.clone());
    Ok(config)
}

/// What is probably at an address.
fn kind_of(url: &Url) -> SourceKind {
    let path = url.path().trim_end_matches('/').to_lowercase();
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.starts_with("oai") || url.query().is_some_and(|query| query.contains("verb=")) {
        SourceKind::Oai
    } else if last.ends_with(".xml") || last.ends_with(".xml.gz") {
        SourceKind::Sitemap
    } else {
        SourceKind::Index
    }
}

fn is_git_address(source: &str) -> bool {
    let is_remote =
        ["https://", "http://", "ssh://", "git://", "file://", "git@"].iter().any(|start| source.starts_with(start));
    is_remote && source.trim_end_matches('/').ends_with(".git")
}

/// The files that a checkout tracks.
fn tracked(folder: &Path) -> Result<HashSet<PathBuf>> {
    let listed = git(&["-C", &folder.to_string_lossy(), "ls-files", "-z", "--cached"])?;
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from).collect())
}

fn git(arguments: &[&str]) -> Result<String> {
    let output = Command::new("git").args(arguments).env("GIT_TERMINAL_PROMPT", "0").output();
    let output =
        output.context("a git checkout is read with the program 'git': install it, or import a copy without .git")?;
    if !output.status.success() {
        bail!("git failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_source_is_told_from_its_address() {
        for (address, kind) in [
            ("https://a.example/oai", SourceKind::Oai),
            ("https://a.example/oai2d?verb=Identify", SourceKind::Oai),
            ("https://a.example/sitemap.xml", SourceKind::Sitemap),
            ("https://a.example/sitemap.xml.gz", SourceKind::Sitemap),
            ("https://a.example/crates/", SourceKind::Index),
            ("https://a.example/list.json", SourceKind::Index),
        ] {
            assert_eq!(kind_of(&Url::parse(address).unwrap()), kind, "{address}");
        }
        assert!(is_git_address("https://a.example/x.git") && is_git_address("git@a.example:x/y.git"));
        assert!(!is_git_address("https://a.example/x") && !is_git_address("crates.git"));
    }
}
