use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::Response,
};

/// What a fake source answers an address with.
#[derive(Debug, Clone)]
pub struct Page {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    fault: Option<Fault>,
}

/// What goes wrong while an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends after half of the body.
    CutOff,
    /// Nothing comes, ever.
    Silence,
    /// The body has no end.
    Endless,
}

type Answer = Arc<dyn Fn(&HashMap<String, String>) -> Page + Send + Sync>;

/// A web server that is no node: whatever a test puts there.
#[derive(Clone)]
pub struct SourceServer {
    /// Its address, without trailing slash.
    pub url: String,
    pages: Arc<Mutex<BTreeMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Page {
    /// An answer with status 200.
    pub fn new(media_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), media_type.to_owned())];
        Self { status: 200, headers, body: body.into(), fault: None }
    }

    /// A page of HTML.
    pub fn html(body: impl Into<Bytes>) -> Self {
        Self::new("text/html; charset=utf-8", body)
    }

    /// A document of JSON.
    pub fn json(value: &serde_json::Value) -> Self {
        Self::new("application/json", value.to_string())
    }

    /// A document of XML.
    pub fn xml(body: impl Into<Bytes>) -> Self {
        Self::new("text/xml", body)
    }

    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::new("text/plain", "") }
    }

    /// A redirect.
    pub fn redirect(to: &str) -> Self {
        Self::status(302).header("location", to)
    }

    /// With this header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Going wrong like this.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }
}

impl SourceServer {
    /// A server without any page, on a port of its own.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let server = Self { url, pages: Arc::default(), asked: Arc::default() };
        let app = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        server
    }

    /// Answers an address, such as `/crates/1.json`, with a page.
    pub fn put(&self, path: &str, page: Page) {
        self.serve(path, move |_| page.clone());
    }

    /// Answers an address by what its query says.
    pub fn serve(&self, path: &str, answer: impl Fn(&HashMap<String, String>) -> Page + Send + Sync + 'static) {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), Arc::new(answer));
    }

    /// Answers an address with 404 from now on.
    pub fn remove(&self, path: &str) {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    /// Removes every page whose address begins so.
    pub fn remove_all(&self, start: &str) {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).retain(|path, _| !path.starts_with(start));
    }

    /// What was asked since the last time this was called: path and query.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves the JSON files of a folder as an index of the kind that nginx makes, at `/crates/`.
    ///
    /// # Panics
    /// When the folder cannot be read.
    pub fn put_folder(&self, folder: &std::path::Path) {
        self.remove_all("/crates/");
        let mut links = String::new();
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).expect("a file");
            let etag = format!("\"{}\"", crate::sha256(&bytes));
            let escaped = crate::escape_path(&name);
            links.push_str(&format!("<a href=\"{escaped}\">{name}</a>\n"));
            self.serve(&format!("/crates/{escaped}"), move |query| {
                let known = query.get("if-none-match").is_some_and(|known| *known == etag);
                let page = if known { Page::status(304) } else { Page::new("application/json", bytes.clone()) };
                page.header("etag", &etag)
            });
        }
        self.put("/crates/", Page::html(format!("<html><head><title>Index of /crates/</title></head><body><h1>Index of /crates/</h1><hr><pre><a href=\"../\">../</a>\n{links}</pre><hr></body></html>")));
    }
}

async fn answer(State(server): State<SourceServer>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default();
    let asked = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
    server.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    let mut parameters: HashMap<String, String> = reqwest::Url::parse(&format!("http://source/?{query}"))
        .map(|url| url.query_pairs().into_owned().collect())
        .unwrap_or_default();
    for (name, value) in request.headers() {
        parameters.entry(name.to_string()).or_insert_with(|| value.to_str().unwrap_or_default().to_owned());
    }
    let page = server.pages.lock().unwrap_or_else(PoisonError::into_inner).get(&path).cloned();
    let page = page.map_or_else(|| Page::status(404), |answer| answer(&parameters));
    let response = page
        .headers
        .iter()
        .fold(Response::builder().status(page.status), |response, (name, value)| response.header(name, value));
    let body = match page.fault {
        None => Body::from(page.body),
        Some(Fault::CutOff) => {
            let half = page.body.slice(..page.body.len() / 2);
            Body::from_stream(futures::stream::iter([Ok(half), Err(std::io::Error::other("cut off"))]))
        }
        Some(Fault::Silence) => std::future::pending().await,
        Some(Fault::Endless) => {
            let piece = if page.body.is_empty() { Bytes::from(vec![b' '; 1 << 16]) } else { page.body };
            Body::from_stream(futures::stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone())))
        }
    };
    response.body(body).unwrap_or_default()
}
