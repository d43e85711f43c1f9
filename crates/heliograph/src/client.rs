//! Talking to a node over its public API.

mod archive;
mod deposit;
mod fetch;
mod import;
mod job;
mod plan;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

pub(crate) use fetch::{FetchPlan, Fetched, fetch};
pub(crate) use import::{WebSource, import, import_folder};
pub(crate) use plan::Plan;

/// A node at an address, with a token.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Client {
    pub(crate) fn new(base: &str, token: Option<&str>) -> Result<Self> {
        let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).no_proxy().build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token: token.map(str::to_owned) })
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The node's address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.request(Method::POST, path);
        let request = if body.is_null() { request } else { request.json(body) };
        self.send(request).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value> {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Sends a request; an answer that is a problem document becomes an error in its words.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Value> {
        let response =
            request.send().await.with_context(|| format!("cannot reach {}: is the node running?", self.base))?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        read_answer(response).await
    }
}

async fn read_answer(response: Response) -> Result<Value> {
    let status = response.status();
    let text = response.text().await.context("the answer broke off")?;
    let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(value);
    }
    if let Some(findings) = value.get("findings") {
        crate::commands::print_findings(findings);
    }
    let detail = value.get("detail").and_then(Value::as_str).unwrap_or(&text);
    let next = value.get("next").and_then(Value::as_str).unwrap_or_default();
    bail!("{} ({status}). {next}", detail.trim_end_matches('.'))
}

/// Percent-encodes text for one place in a URL.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// Percent-encodes each name of a path.
pub(crate) fn escape_path(path: &str) -> String {
    path.split('/').map(escape).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_keep_their_slashes_and_nothing_else() {
        assert_eq!(escape_path("a b/c#1?.zarr"), "a%20b/c%231%3F.zarr");
        assert_eq!(escape("細"), "%E7%B4%B0");
    }
}
