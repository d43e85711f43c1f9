use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What a hostile server does with one request.
#[derive(Debug, Clone)]
pub enum Manner {
    /// What the node behind it does.
    Honest,
    /// Writes these bytes, whatever they are, and hangs up.
    Raw(Vec<u8>),
    /// Writes these bytes, then a piece again and again, until the other side hangs up.
    Endless {
        /// The beginning, head included.
        head: Vec<u8>,
        /// What comes again and again.
        piece: Vec<u8>,
        /// How long it waits before each.
        pause: Duration,
    },
    /// Says nothing, and keeps the connection until the other side hangs up.
    Silent,
}

impl Manner {
    /// A whole answer of this type.
    pub fn answer(media_type: &str, body: &[u8]) -> Self {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        Self::Raw([head.as_bytes(), body].concat())
    }

    /// An answer of this type that never ends.
    pub fn endless(media_type: &str, piece: &[u8], pause: Duration) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ntransfer-encoding: chunked\r\n\r\n");
        let piece = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        Self::Endless { head: head.into_bytes(), piece, pause }
    }
}

type Manners = Box<dyn Fn(&str) -> Manner + Send + Sync>;

/// A TCP server before a node that answers as a test wants, byte by byte.
pub struct Hostile {
    origin: String,
    manners: Mutex<Manners>,
    asked: Mutex<Vec<String>>,
    open: AtomicUsize,
}

impl std::fmt::Debug for Hostile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hostile").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Hostile {
    /// A server before the node at `origin`, on a port of its own; gives its address. `manners` decides by the request's target.
    ///
    /// # Panics
    /// When no port can be had.
    pub async fn before(origin: &str, manners: impl Fn(&str) -> Manner + Send + Sync + 'static) -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let origin = origin.trim_start_matches("http://").to_owned();
        let manners: Mutex<Manners> = Mutex::new(Box::new(manners));
        let hostile = Arc::new(Self { origin, manners, asked: Mutex::default(), open: AtomicUsize::new(0) });
        let server = hostile.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move {
                    server.open.fetch_add(1, Ordering::SeqCst);
                    // The other side may hang up at any time.
                    let _ = server.serve(stream).await;
                    server.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        (hostile, url)
    }

    /// Other manners from now on.
    pub fn behave(&self, manners: impl Fn(&str) -> Manner + Send + Sync + 'static) {
        *self.manners.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Box::new(manners);
    }

    /// The targets asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let (head, body) = read_request(&mut stream).await?;
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let manner = (self.manners.lock().unwrap_or_else(std::sync::PoisonError::into_inner))(&target);
        self.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(target);
        match manner {
            Manner::Honest => {
                let mut origin = TcpStream::connect(&self.origin).await?;
                let head = head.replacen("\r\n", "\r\nconnection: close\r\n", 1);
                origin.write_all(&[head.as_bytes(), &body].concat()).await?;
                tokio::io::copy(&mut origin, &mut stream).await?;
            }
            Manner::Raw(bytes) => stream.write_all(&bytes).await?,
            Manner::Endless { head, piece, pause } => {
                stream.write_all(&head).await?;
                loop {
                    if !pause.is_zero() {
                        tokio::time::sleep(pause).await;
                    }
                    stream.write_all(&piece).await?;
                }
            }
            Manner::Silent => while stream.read(&mut [0; 1024]).await? > 0 {},
        }
        stream.shutdown().await
    }
}

/// The head of a request, empty line included, and its body.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.to_lowercase().split("content-length: ").nth(1).map_or(0, |rest| {
        rest.split("\r\n").next().and_then(|length| length.parse::<usize>().ok()).unwrap_or_default()
    });
    let mut body = bytes.split_off(end);
    while body.len() < length && stream.read_buf(&mut body).await? > 0 {}
    Ok((head, body))
}
