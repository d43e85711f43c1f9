use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{Answer, Dataset};

/// The last line of a listing that holds all a source has.
pub const COMPLETE: &str = "{\"complete\": true}\n";

/// Somebody who speaks to a node, with a token or without.
#[derive(Debug, Clone)]
pub struct Client {
    /// The node's address.
    pub base: String,
    /// The bearer token, where one is sent.
    pub token: Option<String>,
    http: reqwest::Client,
}

/// What a publication was answered with.
#[derive(Debug, Clone)]
pub struct Published {
    /// Dataset id.
    pub id: String,
    /// Dataset IRI.
    pub iri: String,
    /// Index of the entry in the node's log.
    pub index: u64,
    /// The whole receipt.
    pub receipt: Value,
}

impl Published {
    /// Reads a receipt.
    ///
    /// # Panics
    /// When it lacks an id, an IRI or an index.
    pub fn from_receipt(receipt: Value) -> Self {
        let text = |key: &str| receipt[key].as_str().unwrap_or_else(|| panic!("no '{key}': {receipt}")).to_owned();
        let index = receipt["index"].as_u64().unwrap_or_else(|| panic!("no 'index': {receipt}"));
        Self { id: text("id"), iri: text("iri"), index, receipt }
    }
}

impl Client {
    /// Speaks to the node at an address.
    ///
    /// # Panics
    /// When no HTTP client can be made.
    pub fn new(base: &str, token: Option<&str>) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(120))
            .redirect(reqwest::redirect::Policy::none());
        Self { base: base.to_owned(), token: token.map(str::to_owned), http: http.build().expect("an HTTP client") }
    }

    /// A request with the token; `path` starts with a slash.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request; an error means that no answer came.
    ///
    /// # Errors
    /// In words, when the node cannot be reached or breaks off.
    pub async fn try_send(&self, request: RequestBuilder) -> Result<Answer, String> {
        let request = request.build().map_err(|error| format!("{error:?}"))?;
        let asked = format!("{} {}", request.method(), request.url());
        let response = self.http.execute(request).await.map_err(|error| format!("{asked}: {error:?}"))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.map_err(|error| format!("{asked}: {error:?}"))?;
        Ok(Answer { asked, status, headers, body })
    }

    /// Sends a request.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// GET with headers.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = headers
            .iter()
            .fold(self.request(Method::GET, path), |request, (name, value)| request.header(*name, *value));
        self.send(request).await
    }

    /// GET with a query string made of these pairs.
    pub async fn get_with_query(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let pairs = pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
        self.get(&format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))).await
    }

    /// POST of JSON; of nothing at all for null.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path);
        self.send(if body.is_null() { request } else { request.json(body) }).await
    }

    /// Sends a listing to a source: lines as [`Words::listed`](crate::Words::listed) gives them, and [`COMPLETE`] at the end of a whole one.
    pub async fn import(&self, source: &str, listing: String) -> Answer {
        let request = self.request(Method::POST, &format!("/api/v1/sources/{source}/import"));
        self.send(request.header("content-type", "application/x-ndjson").body(listing)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// PUT of one file of a draft, with its digest.
    pub async fn put_file(&self, draft: &str, path: &str, bytes: &[u8]) -> Answer {
        self.send(self.put_file_request(draft, path, bytes)).await
    }

    /// The request for [`Client::put_file`].
    pub fn put_file_request(&self, draft: &str, path: &str, bytes: &[u8]) -> RequestBuilder {
        let request = self.request(Method::PUT, &format!("/api/v1/deposits/{draft}/files/{}", escape_path(path)));
        request.header("content-digest", content_digest(bytes)).body(Bytes::copy_from_slice(bytes))
    }

    /// Makes a draft with this crate and sends the files; gives the draft's id.
    ///
    /// # Panics
    /// When the node refuses any of it.
    pub async fn draft(&self, dataset: &Dataset) -> String {
        let draft = self.post("/api/v1/deposits", &dataset.crate_json).await.expect(201).json();
        let id = draft["id"].as_str().unwrap_or_else(|| panic!("no id: {draft}")).to_owned();
        for (path, bytes) in &dataset.files {
            self.put_file(&id, path, bytes).await.expect(201);
        }
        id
    }

    /// Publishes a draft.
    ///
    /// # Panics
    /// When the node refuses.
    pub async fn publish(&self, draft: &str) -> Published {
        let receipt = self.post(&format!("/api/v1/deposits/{draft}/publish"), &Value::Null).await.expect(201).json();
        Published::from_receipt(receipt)
    }

    /// Deposits and publishes.
    ///
    /// # Panics
    /// When the node refuses any of it.
    pub async fn deposit(&self, dataset: &Dataset) -> Published {
        let draft = self.draft(dataset).await;
        self.publish(&draft).await
    }

    /// Publishes a new version of a dataset: a crate, and the files that are new or other.
    ///
    /// # Panics
    /// When the node refuses any of it.
    pub async fn new_version(&self, id: &str, crate_json: &Value, files: &[(&str, &[u8])]) -> Published {
        let draft = self.post(&format!("/api/v1/datasets/{id}/versions"), crate_json).await.expect(201).json();
        let draft = draft["id"].as_str().unwrap_or_else(|| panic!("no id: {draft}")).to_owned();
        for (path, bytes) in files {
            self.put_file(&draft, path, bytes).await.expect(201);
        }
        self.publish(&draft).await
    }

    /// Withdraws a dataset; gives the tombstone.
    ///
    /// # Panics
    /// When the node refuses.
    pub async fn withdraw(&self, id: &str, reason: &str) -> Value {
        self.post(&format!("/api/v1/datasets/{id}/withdraw"), &json!({"reason": reason})).await.expect(200).json()
    }

    /// A search; `query` is the query string.
    ///
    /// # Panics
    /// When the node refuses it.
    pub async fn search(&self, query: &str) -> Value {
        self.get(&format!("/api/v1/search?{query}")).await.expect(200).json()
    }

    /// The ids a search finds, in its order.
    ///
    /// # Panics
    /// When the node refuses it.
    pub async fn found(&self, query: &str) -> Vec<String> {
        let answer = self.search(query).await;
        let hits = answer["hits"].as_array().unwrap_or_else(|| panic!("no hits: {answer}"));
        hits.iter().map(|hit| hit["id"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// The field value of `Content-Digest` (RFC 9530).
pub fn content_digest(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(dataset_model::Digest::of(bytes).as_bytes()))
}

/// Percent-encodes each name of a path.
pub fn escape_path(path: &str) -> String {
    path.split('/').map(escape).collect::<Vec<_>>().join("/")
}

fn escape(text: &str) -> String {
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
