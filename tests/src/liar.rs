use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::Response,
};

use crate::Client;

/// What the man in the middle does to answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Changes a byte of an entry.
    Entries,
    /// Changes a byte of a hash tile.
    Tiles,
    /// Changes a byte of the checkpoint.
    Checkpoint,
    /// Changes a byte of the stream of crates.
    Crates,
    /// Changes a byte of a file.
    Files,
    /// Changes a byte of a list of files.
    Manifests,
    /// Leaves out the end of entries and crates.
    CutShort,
    /// Gives the first checkpoint again that was asked for while it lied.
    Replay,
    /// Answers everything with 500.
    ServerError,
}

impl Lie {
    fn concerns(self, path: &str) -> bool {
        match self {
            Self::Entries => path.starts_with("/log/tile/entries/"),
            Self::Tiles => path.starts_with("/log/tile/") && !path.starts_with("/log/tile/entries/"),
            Self::Checkpoint | Self::Replay => path == "/log/checkpoint",
            Self::Crates => path == "/federation/v1/crates",
            Self::Files => path.starts_with("/data/"),
            Self::Manifests => path.ends_with("/manifest"),
            Self::CutShort => path.starts_with("/log/tile/entries/") || path == "/federation/v1/crates",
            Self::ServerError => true,
        }
    }
}

/// A proxy before a node that lies in one way.
#[derive(Debug)]
pub struct Liar {
    origin: Client,
    lie: Lie,
    /// Whether it lies now.
    pub lying: AtomicBool,
    /// Whether it ever did.
    pub lied: AtomicBool,
    /// What it gives again.
    kept: OnceLock<Bytes>,
}

impl Liar {
    /// A proxy before a node, on a port of its own; gives its address.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn before(origin: &str, lie: Lie) -> (Arc<Self>, String) {
        let liar = Self {
            origin: Client::new(origin, None),
            lie,
            lying: true.into(),
            lied: false.into(),
            kept: OnceLock::new(),
        };
        let liar = Arc::new(liar);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let app = Router::new().fallback(pass_on).with_state(liar.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (liar, url)
    }
}

async fn pass_on(State(liar): State<Arc<Liar>>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let whole = request.uri().path_and_query().map_or(path.clone(), ToString::to_string);
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let upstream = liar.origin.request(parts.method, &whole).body(body).header("content-type", "application/json");
    let answer = liar.origin.send(upstream).await;
    let lies = liar.lying.load(Ordering::SeqCst)
        && liar.lie.concerns(&path)
        && answer.status == 200
        && !answer.body.is_empty();
    let mut status = answer.status;
    let mut body = answer.body.clone();
    if lies {
        liar.lied.store(true, Ordering::SeqCst);
        (status, body) = match liar.lie {
            Lie::Replay => (status, liar.kept.get_or_init(|| body).clone()),
            lie => falsify(lie, status, &body),
        };
    }
    let media_type = answer.header("content-type").to_owned();
    Response::builder().status(status).header("content-type", media_type).body(Body::from(body)).unwrap_or_default()
}

fn falsify(lie: Lie, status: u16, body: &Bytes) -> (u16, Bytes) {
    match lie {
        Lie::ServerError => (500, Bytes::from_static(b"broken")),
        Lie::CutShort => (status, body.slice(..body.len() - 3)),
        _ => {
            let mut bytes = body.to_vec();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            (status, bytes.into())
        }
    }
}
