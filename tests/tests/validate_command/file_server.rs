//! A plain file server: no listings, ranges, and, if asked for, a failure now and then and no `HEAD`.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Method, Request, Response, StatusCode, header},
};

/// A server of the files in a folder.
pub(crate) struct FileServer {
    base: String,
}

#[derive(Clone)]
struct Served {
    root: PathBuf,
    flaky: bool,
    asked: Arc<AtomicUsize>,
}

impl FileServer {
    /// Starts a server on a port of its own; where `flaky`, each third answer is a failure, and `HEAD` is not known.
    pub(crate) async fn start(root: &Path, flaky: bool) -> Self {
        let served = Served { root: root.to_owned(), flaky, asked: Arc::default() };
        let app = Router::new().fallback(answer).with_state(served);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base }
    }

    /// The address of a file or folder.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }
}

fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}

async fn answer(State(served): State<Served>, request: Request<Body>) -> Response<Body> {
    let asked = served.asked.fetch_add(1, Ordering::Relaxed);
    if served.flaky && asked % 3 == 2 {
        return status(StatusCode::SERVICE_UNAVAILABLE);
    }
    if served.flaky && request.method() == Method::HEAD {
        return status(StatusCode::METHOD_NOT_ALLOWED);
    }
    let Ok(bytes) = std::fs::read(served.root.join(request.uri().path().trim_start_matches('/'))) else {
        return status(StatusCode::NOT_FOUND);
    };
    let range = request.headers().get(header::RANGE).and_then(|range| {
        let (start, end) = range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
        Some((start.parse::<usize>().ok()?, end.parse::<usize>().ok()?))
    });
    let total = bytes.len();
    match range.filter(|(start, end)| start <= end && *start < total) {
        None => Response::new(Body::from(bytes)),
        Some((start, end)) => {
            let end = end.min(total - 1);
            let mut response = Response::new(Body::from(bytes[start..=end].to_vec()));
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = format!("bytes {start}-{end}/{total}").parse().expect("a header");
            response.headers_mut().insert(header::CONTENT_RANGE, range);
            response
        }
    }
}
