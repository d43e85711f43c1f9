//! Bytes of published versions from any node that has them: resumed, bounded, and checked against their digest.

use std::{
    io::SeekFrom,
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use dataset_model::{DatasetId, Digester, ManifestFile, VersionNumber};
use reqwest::{Response, StatusCode, header};
use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};
use url::Url;

use crate::{FederationError, PeerClient, fetch};

/// The slowest that a file may arrive on the whole, in bytes a second; slower is a way to keep a reader for ever.
const SLOWEST: u64 = 8 * 1024;
/// What is read at once of a file that is on this machine already, in bytes.
const PIECE: usize = 256 * 1024;

/// A file of a published version, wherever it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct FileAddress<'a> {
    /// The dataset.
    pub dataset: &'a DatasetId,
    /// The version.
    pub version: VersionNumber,
    /// Path, size and digest, from a list of files that was checked.
    pub file: &'a ManifestFile,
}

/// Counts bytes as they arrive, and makes them wait where they are more than so many a second.
pub struct Meter {
    bytes_per_second: Option<u64>,
    next: Mutex<Instant>,
    watcher: Box<dyn Fn(u64) + Send + Sync>,
}

impl Meter {
    /// Lets at most so many bytes a second pass, of all that use it together; `watcher` is told of each piece.
    pub fn new(bytes_per_second: Option<u64>, watcher: impl Fn(u64) + Send + Sync + 'static) -> Self {
        let bytes_per_second = bytes_per_second.filter(|limit| *limit > 0);
        Self { bytes_per_second, next: Mutex::new(Instant::now()), watcher: Box::new(watcher) }
    }

    /// Counts bytes, and waits until they may pass.
    pub async fn pass(&self, bytes: u64) {
        (self.watcher)(bytes);
        let Some(limit) = self.bytes_per_second else { return };
        let until = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let takes = Duration::from_secs_f64(bytes as f64 / limit as f64);
            *next = (*next).max(Instant::now()) + takes;
            *next
        };
        tokio::time::sleep_until(until.into()).await;
    }
}

/// A file that is only in part here.
struct Partial {
    file: File,
    digester: Digester,
    have: u64,
}

impl Partial {
    /// Opens what an earlier attempt left, or begins.
    async fn open(path: &Path, size: u64) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).await?;
        let mut partial = Self { file, digester: Digester::default(), have: 0 };
        let mut buffer = vec![0; PIECE];
        loop {
            match partial.file.read(&mut buffer).await? {
                0 => break,
                count => {
                    partial.digester.update(buffer.get(..count).unwrap_or_default());
                    partial.have += count as u64;
                }
            }
            if partial.have > size {
                partial.clear().await?;
                break;
            }
        }
        Ok(partial)
    }

    async fn clear(&mut self) -> std::io::Result<()> {
        self.file.set_len(0).await?;
        self.file.seek(SeekFrom::Start(0)).await?;
        (self.digester, self.have) = (Digester::default(), 0);
        Ok(())
    }

    async fn add(&mut self, piece: &[u8]) -> std::io::Result<()> {
        self.file.write_all(piece).await?;
        self.digester.update(piece);
        self.have += piece.len() as u64;
        Ok(())
    }
}

impl PeerClient {
    /// Downloads a file into `part`, going on where an earlier attempt stopped. On return it holds exactly the bytes that the
    /// digest promises; wrong ones are removed.
    ///
    /// # Errors
    /// [`FederationError::WrongBytes`] when the node gave other bytes, [`FederationError::Refused`] when it has no such
    /// file, [`FederationError::Disk`] when they cannot be kept; or when it cannot be reached or is too slow.
    pub async fn download(&self, address: FileAddress<'_>, part: &Path, meter: &Meter) -> Result<(), FederationError> {
        let disk = |source| FederationError::Disk { path: part.display().to_string(), source };
        let url = self.data_url(&address)?;
        let mut partial = Partial::open(part, address.file.size).await.map_err(disk)?;
        let (mut wait, mut attempt) = (self.limits.back_off, 1);
        loop {
            let before = partial.have;
            let received = if before == address.file.size {
                Ok(())
            } else {
                self.receive(&url, &address, &mut partial, (part, meter)).await
            };
            let complete = match received {
                Ok(()) if partial.digester.clone().finish() == address.file.sha256 => {
                    partial.file.flush().await.map_err(disk)?;
                    return Ok(());
                }
                Ok(()) => true,
                Err(error) if !fetch::may_pass(&error) => return Err(error),
                Err(error) if attempt >= self.limits.attempts && partial.have <= before => return Err(error),
                Err(_) => false,
            };
            if complete {
                partial.clear().await.map_err(disk)?;
                // What was there before may be to blame: the whole is asked for once.
                if before == 0 {
                    return Err(FederationError::WrongBytes { url });
                }
                continue;
            }
            attempt = if partial.have > before { 1 } else { attempt + 1 };
            tokio::time::sleep(wait.mul_f64(rand::random_range(0.5..=1.0))).await;
            wait = wait.saturating_mul(2).min(Duration::from_secs(10));
        }
    }

    /// Reads a file to its end and checks its digest; nothing of it is kept.
    ///
    /// # Errors
    /// As [`download`](Self::download), except for what is about keeping it.
    pub async fn check(&self, address: FileAddress<'_>, meter: &Meter) -> Result<(), FederationError> {
        let url = self.data_url(&address)?;
        let size = address.file.size;
        let longest = Duration::from_secs(size / SLOWEST) + self.limits.answer;
        let response = self.http.get(&url).timeout(longest).send().await;
        let mut response = response.map_err(|error| fetch::failed(&url, error))?;
        if response.status() != StatusCode::OK {
            return Err(FederationError::Refused { url, status: response.status().as_u16() });
        }
        let (mut digester, mut read) = (Digester::default(), 0);
        while let Some(piece) = fetch::next_piece(&mut response, &url).await? {
            read += piece.len() as u64;
            if read > size {
                break;
            }
            digester.update(&piece);
            meter.pass(piece.len() as u64).await;
        }
        let right = read == size && digester.finish() == address.file.sha256;
        if right { Ok(()) } else { Err(FederationError::WrongBytes { url }) }
    }

    /// Takes what is missing of a file.
    async fn receive(
        &self,
        url: &str,
        address: &FileAddress<'_>,
        partial: &mut Partial,
        (part, meter): (&Path, &Meter),
    ) -> Result<(), FederationError> {
        let disk = |source| FederationError::Disk { path: part.display().to_string(), source };
        let (size, tag) = (address.file.size, format!("\"{}\"", address.file.sha256));
        let slowest = Duration::from_secs(size.saturating_sub(partial.have) / SLOWEST) + self.limits.answer;
        let mut request = self.http.get(url).timeout(slowest);
        if partial.have > 0 {
            let range = format!("bytes={}-", partial.have);
            request = request.header(header::RANGE, range).header(header::IF_RANGE, tag);
        }
        let mut response = request.send().await.map_err(|error| fetch::failed(url, error))?;
        match response.status() {
            StatusCode::OK if partial.have > 0 => partial.clear().await.map_err(disk)?,
            StatusCode::OK => {}
            StatusCode::PARTIAL_CONTENT if continues(&response, partial.have) => {}
            StatusCode::PARTIAL_CONTENT => {
                return Err(FederationError::malformed(format!("{url} is another range than was asked for")));
            }
            status => return Err(FederationError::Refused { url: url.to_owned(), status: status.as_u16() }),
        }
        let stalled = || FederationError::Timeout { url: url.to_owned() };
        while partial.have < size {
            let piece = tokio::time::timeout(self.limits.answer, fetch::next_piece(&mut response, url));
            let Some(piece) = piece.await.map_err(|_| stalled())?? else {
                let source = std::io::Error::other("the answer ended early").into();
                return Err(FederationError::Unreachable { url: url.to_owned(), source });
            };
            if piece.len() as u64 > size - partial.have {
                // More than was signed: wrong from its first byte, as far as anybody can tell.
                partial.clear().await.map_err(disk)?;
                return Err(FederationError::WrongBytes { url: url.to_owned() });
            }
            partial.add(&piece).await.map_err(disk)?;
            meter.pass(piece.len() as u64).await;
        }
        Ok(())
    }

    fn data_url(&self, address: &FileAddress<'_>) -> Result<String, FederationError> {
        let bad = || FederationError::malformed(format!("'{}' is no address", self.base));
        let mut url: Url = self.base.parse().map_err(|_| bad())?;
        let names = ["data", address.dataset.as_str(), &address.version.to_string()].map(str::to_owned);
        let path = address.file.path.names().map(str::to_owned);
        url.path_segments_mut().map_err(|()| bad())?.pop_if_empty().extend(names.into_iter().chain(path));
        Ok(url.into())
    }
}

/// Whether an answer goes on where we stopped.
fn continues(response: &Response, have: u64) -> bool {
    let range = response.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {have}-")))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use futures::StreamExt;

    use axum::{
        Router,
        body::{Body, Bytes},
        extract::{Request, State},
        http::Response,
    };
    use dataset_model::Digest;

    use super::*;
    use crate::Limits;

    /// Ten thousand bytes, no two stretches alike.
    fn content() -> Vec<u8> {
        (0..10_000_u32).flat_map(|at| Digest::of(at.to_be_bytes()).as_bytes()[..1].to_vec()).collect()
    }

    /// What the node does with the requests it gets, one after another; the last one again and again.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Act {
        /// Answers as it should.
        Honest,
        /// Breaks off after so many bytes.
        BreakOff(usize),
        /// Answers every range with the whole.
        WholeOnly,
        /// Changes a byte.
        Lie,
        /// Sends more than there is.
        TooMuch,
        /// Has no such file.
        Absent,
    }

    struct Script {
        acts: Vec<Act>,
        asked: AtomicUsize,
        /// First bytes asked for.
        ranges: Mutex<Vec<usize>>,
    }

    async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response<Body> {
        let at = script.asked.fetch_add(1, Ordering::SeqCst);
        let act = *script.acts.get(at).or(script.acts.last()).unwrap();
        let range = request.headers().get("range").and_then(|value| value.to_str().ok()).unwrap_or("bytes=0-");
        let start: usize = range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
        script.ranges.lock().unwrap().push(start);
        let mut body = content();
        let start = if act == Act::WholeOnly { 0 } else { start };
        let status = if start > 0 { 206 } else { 200 };
        match act {
            Act::Lie => body[9_999] ^= 1,
            Act::TooMuch => body.push(0),
            Act::Absent => return Response::builder().status(404).body(Body::empty()).unwrap(),
            _ => {}
        }
        let body = Bytes::from(body).slice(start..);
        let whole = body.len();
        let body = match act {
            Act::BreakOff(length) => {
                let first = Ok::<_, std::io::Error>(body.slice(..length.min(whole)));
                let cut = async {
                    // What was given is sent before the end comes.
                    for _ in 0..100 {
                        tokio::task::yield_now().await;
                    }
                    Err(std::io::Error::other("cut"))
                };
                Body::from_stream(futures::stream::iter([first]).chain(futures::stream::once(cut)))
            }
            _ => Body::from(body),
        };
        Response::builder()
            .status(status)
            .header("content-length", whole)
            .header("content-range", format!("bytes {start}-9999/10000"))
            .body(body)
            .unwrap()
    }

    /// Downloads from a node that acts like this, into a part that holds these bytes; gives how that ended, what is in the
    /// part then, and where each request began.
    async fn download(acts: &[Act], part: &[u8]) -> (Result<(), FederationError>, Vec<u8>, Vec<usize>) {
        let script = Script { acts: acts.to_vec(), asked: AtomicUsize::new(0), ranges: Mutex::default() };
        let script = Arc::new(script);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base: Url = format!("http://{}/base", listener.local_addr().unwrap()).parse().unwrap();
        let app = Router::new().route("/base/data/europe-1/v1/{*path}", axum::routing::get(answer));
        tokio::spawn({
            let app = app.with_state(script.clone());
            async move { axum::serve(listener, app).await }
        });
        let limits = Limits { back_off: Duration::from_millis(1), attempts: 10, ..Limits::default() };
        let client = PeerClient::new(base, limits).unwrap();
        let sha256 = Digest::of(content());
        let file = ManifestFile { path: "a b/ä#?.bin".parse().unwrap(), size: 10_000, sha256 };
        let dataset = "europe-1".parse().unwrap();
        let address = FileAddress { dataset: &dataset, version: VersionNumber::FIRST, file: &file };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part");
        if !part.is_empty() {
            std::fs::write(&path, part).unwrap();
        }
        let outcome = client.download(address, &path, &Meter::new(None, |_| {})).await;
        let ranges = script.ranges.lock().unwrap().clone();
        (outcome, std::fs::read(path).unwrap_or_default(), ranges)
    }

    #[tokio::test]
    async fn a_file_arrives_and_goes_on_where_it_was_cut_off() {
        let (outcome, bytes, ranges) = download(&[Act::Honest], b"").await;
        assert!(outcome.is_ok() && bytes == content() && ranges == [0], "{outcome:?} {ranges:?}");
        let acts = [Act::BreakOff(4_000), Act::BreakOff(100), Act::BreakOff(100), Act::Honest];
        let (outcome, bytes, ranges) = download(&acts, b"").await;
        assert!(outcome.is_ok() && bytes == content(), "{outcome:?}");
        assert!(ranges.is_sorted() && ranges.len() == 4 && ranges[3] >= 4_000, "{ranges:?}");
        let (outcome, bytes, ranges) = download(&[Act::Honest], &content()[..7_000]).await;
        assert!(outcome.is_ok() && bytes == content() && ranges == [7_000], "{outcome:?} {ranges:?}");
        let (outcome, bytes, ranges) = download(&[Act::Honest], &content()).await;
        assert!(outcome.is_ok() && bytes == content() && ranges.is_empty(), "{outcome:?} {ranges:?}");
    }

    #[tokio::test]
    async fn a_node_that_knows_no_ranges_sends_the_whole_again() {
        let (outcome, bytes, ranges) = download(&[Act::WholeOnly], &content()[..7_000]).await;
        assert!(outcome.is_ok() && bytes == content() && ranges == [7_000], "{outcome:?} {ranges:?}");
    }

    #[tokio::test]
    async fn wrong_bytes_are_refused_and_a_wrong_beginning_is_not_blamed_on_the_node() {
        for act in [Act::Lie, Act::TooMuch] {
            let (outcome, bytes, _) = download(&[act], b"").await;
            assert!(matches!(outcome, Err(FederationError::WrongBytes { .. })), "{act:?}: {outcome:?}");
            assert_ne!(bytes, content());
        }
        let (outcome, bytes, ranges) = download(&[Act::Honest], &[7; 5_000]).await;
        assert!(outcome.is_ok() && bytes == content() && ranges == [5_000, 0], "{outcome:?} {ranges:?}");
        let (outcome, bytes, ranges) = download(&[Act::Honest], &vec![7; 20_000]).await;
        assert!(outcome.is_ok() && bytes == content() && ranges == [0], "{outcome:?} {ranges:?}");
    }

    #[tokio::test]
    async fn who_never_gives_anything_is_not_asked_for_ever() {
        let (outcome, _, ranges) = download(&[Act::BreakOff(0)], b"").await;
        assert!(outcome.is_err() && ranges.len() <= 10, "{outcome:?} {ranges:?}");
        let (outcome, _, ranges) = download(&[Act::Absent], b"").await;
        assert!(matches!(outcome, Err(FederationError::Refused { status: 404, .. })) && ranges.len() == 1);
    }

    #[tokio::test]
    async fn a_meter_keeps_its_limit_for_all_that_use_it() {
        let passed = Arc::new(AtomicUsize::new(0));
        let seen = passed.clone();
        let meter = Meter::new(Some(1_000_000), move |bytes| {
            seen.fetch_add(bytes as usize, Ordering::SeqCst);
        });
        let before = Instant::now();
        futures::future::join_all((0..4).map(|_| meter.pass(25_000))).await;
        assert!(before.elapsed() >= Duration::from_millis(100), "a tenth of a second for a tenth of a megabyte");
        assert_eq!(passed.load(Ordering::SeqCst), 100_000);
    }
}
