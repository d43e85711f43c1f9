//! SPARQL in processes of their own. The engine holds what a query sorts, groups and joins in memory without asking anybody, and
//! looks seldom whether it should stop; a process can be watched and ended whatever it is doing.
//!
//! A worker opens a snapshot of the store, answers one query after the other, and is replaced once the store has changed, or has
//! merged its files.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use node::{
    QueriedStore, QueryRefusal, QueryRefusalKind, QueryStore, QueryWork, QueryWorkers, ResultFormat, WrittenAnswer,
};
use serde::{Deserialize, Serialize};

/// How often a worker's memory is looked at.
const BEAT: Duration = Duration::from_millis(10);
/// What a worker has beyond the query's time to say that it has run out of it.
const GRACE: Duration = Duration::from_secs(2);
/// How often a snapshot is compared with the files of the store.
const LOOK: Duration = Duration::from_secs(2);
/// Workers that wait for work.
const MAX_IDLE: usize = 4;
/// A worker that waited this long is not asked again: what it has open may be gone from the disk for long.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// A worker that keeps more memory than this after a query is not asked again.
const MAX_KEPT: u64 = 256 << 20;
/// The longest line a worker reads or writes.
const MAX_LINE: u64 = 1 << 20;
/// The largest answer that is taken from a worker.
const MAX_ANSWER: u64 = 1 << 30;

/// What a worker says before the bytes of an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Head {
    Answer { media_type: String, bytes: u64 },
    Refused(QueryRefusal),
}

/// Starts workers for one node, and keeps those that are good for another query.
#[derive(Debug)]
pub(crate) struct Workers {
    program: PathBuf,
    newest: Mutex<Option<Newest>>,
    idle: Mutex<Vec<Worker>>,
}

/// The newest snapshot.
#[derive(Debug)]
struct Newest {
    snapshot: Arc<Snapshot>,
    commits: u64,
    /// How many there were before it.
    number: u64,
    /// When its files were compared with those of the store.
    looked: Instant,
}

/// The store as it was once, in a folder that goes with the last one who reads it.
#[derive(Debug)]
struct Snapshot {
    folder: PathBuf,
}

#[derive(Debug)]
struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    snapshot: Arc<Snapshot>,
    since: Instant,
}

impl Workers {
    /// Workers are this very program. Snapshots that another one left, because it was killed, are deleted.
    ///
    /// # Errors
    /// When it cannot be told where the program is.
    pub(crate) fn of_this_program(store: &dyn QueriedStore) -> Result<Self> {
        discard(&store.snapshots());
        let program = std::env::current_exe().context("finding this program")?;
        Ok(Self { program, newest: Mutex::default(), idle: Mutex::default() })
    }

    /// A worker that has the store open as it is.
    fn take(&self, store: &dyn QueriedStore) -> Result<Worker, QueryRefusal> {
        let snapshot = self.snapshot(store)?;
        let ready = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.retain(|worker| Arc::ptr_eq(&worker.snapshot, &snapshot) && worker.since.elapsed() < MAX_WAIT);
            idle.pop()
        };
        ready.map_or_else(|| self.start(snapshot), Ok)
    }

    /// The store as it is now. Whoever needs the same one meanwhile waits for it.
    fn snapshot(&self, store: &dyn QueriedStore) -> Result<Arc<Snapshot>, QueryRefusal> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        // Before it is made: what is committed meanwhile makes it look older than it is, never newer.
        let commits = store.commits();
        if let Some(newest) = newest.as_mut()
            && newest.commits == commits
            && newest.is_good(store)
        {
            return Ok(newest.snapshot.clone());
        }
        let number = newest.as_ref().map_or(0, |newest| newest.number + 1);
        let folder = store.snapshots().join(number.to_string());
        let failed = |error: std::io::Error| unavailable(format!("no snapshot can be made for the query: {error}"));
        std::fs::create_dir_all(store.snapshots()).map_err(failed)?;
        // What an attempt left that failed.
        discard(&folder);
        store.snapshot(&folder)?;
        let snapshot = Arc::new(Snapshot { folder });
        *newest = Some(Newest { snapshot: snapshot.clone(), commits, number, looked: Instant::now() });
        Ok(snapshot)
    }

    fn start(&self, snapshot: Arc<Snapshot>) -> Result<Worker, QueryRefusal> {
        let failed = |error: std::io::Error| unavailable(format!("no process can be started for the query: {error}"));
        let mut command = Command::new(&self.program);
        command.arg("sparql-worker").arg(&snapshot.folder).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(failed)?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or_else(|| unavailable("the process for the query has no pipes"))?;
        Ok(Worker { child, input, output: BufReader::new(output), snapshot, since: Instant::now() })
    }

    fn keep(&self, mut worker: Worker) {
        worker.since = Instant::now();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE && memory_of(worker.child.id()).is_none_or(|bytes| bytes < MAX_KEPT) {
            idle.push(worker);
        }
    }
}

impl Newest {
    /// Whether it still reads files that the store has too.
    fn is_good(&mut self, store: &dyn QueriedStore) -> bool {
        if self.looked.elapsed() < LOOK {
            return true;
        }
        self.looked = Instant::now();
        !store.has_merged_files_of(&self.snapshot.folder)
    }
}

impl QueryWorkers for Workers {
    fn answer(&self, store: &dyn QueriedStore, work: &QueryWork) -> Result<WrittenAnswer, QueryRefusal> {
        let mut worker = self.take(store)?;
        let answer = worker.answer(work)?;
        self.keep(worker);
        answer
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        discard(&self.folder);
    }
}

/// Frees what a snapshot holds. What cannot be deleted now is when the node starts again.
fn discard(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(folder = %folder.display(), %error, "a snapshot of the RDF store cannot be deleted");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Worker {
    /// Has a query answered, within its time and memory. The outer error means that the worker is of no more use.
    fn answer(&mut self, work: &QueryWork) -> Result<Result<WrittenAnswer, QueryRefusal>, QueryRefusal> {
        let id = self.child.id();
        let until = Instant::now() + Duration::from_secs(work.seconds) + GRACE;
        let most = memory_of(id).unwrap_or(0).saturating_add(work.memory_bytes);
        let (input, output) = (&mut self.input, &mut self.output);
        let ended = std::thread::scope(|scope| {
            let (send, receive) = mpsc::sync_channel(1);
            scope.spawn(move || {
                // Nobody waits any more when it took too much.
                let _ = send.send(converse(input, output, work));
            });
            let ended = loop {
                match receive.recv_timeout(BEAT) {
                    Ok(answer) => break Ok(answer),
                    Err(mpsc::RecvTimeoutError::Disconnected) => break Err(took_too_much(work)),
                    Err(mpsc::RecvTimeoutError::Timeout) if Instant::now() > until => break Err(too_slow(work)),
                    Err(mpsc::RecvTimeoutError::Timeout) if memory_of(id).is_some_and(|now| now > most) => {
                        break Err(took_too_much(work));
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                }
            };
            if ended.is_err() {
                // The pipe ends with the process, and with it the conversation; it fails when the process has ended.
                let _ = self.child.kill();
            }
            ended
        });
        ended?.map_err(|error| match self.child.wait() {
            Ok(status) if status.code().is_some() => {
                let message = format!("the process for the query ended with {status}: {error}");
                QueryRefusal::new(QueryRefusalKind::Internal, message)
            }
            // Ended by a signal, and not by us: the system had no more memory to give.
            _ => took_too_much(work),
        })
    }
}

/// Sends a query and reads what comes back.
fn converse(
    input: &mut ChildStdin,
    output: &mut BufReader<ChildStdout>,
    work: &QueryWork,
) -> std::io::Result<Result<WrittenAnswer, QueryRefusal>> {
    let mut line = serde_json::to_vec(work)?;
    line.push(b'\n');
    input.write_all(&line)?;
    input.flush()?;
    let head = read_line(output)?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
    match serde_json::from_str(&head)? {
        Head::Refused(refusal) => Ok(Err(refusal)),
        Head::Answer { media_type, bytes } => {
            let format = ResultFormat::from_media_type(&media_type).ok_or(std::io::ErrorKind::InvalidData)?;
            let mut answer = Vec::new();
            output.take(bytes.min(MAX_ANSWER)).read_to_end(&mut answer)?;
            if answer.len() as u64 != bytes {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            Ok(Ok(WrittenAnswer { bytes: answer, format }))
        }
    }
}

/// A line without its end; nothing where there is no more.
fn read_line(from: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    from.take(MAX_LINE).read_line(&mut line)?;
    Ok(line.strip_suffix('\n').map(str::to_owned))
}

/// Resident memory of a process in bytes; unknown where the system does not say.
fn memory_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn unavailable(message: impl Into<String>) -> QueryRefusal {
    QueryRefusal::new(QueryRefusalKind::Unavailable, message)
}

fn too_slow(work: &QueryWork) -> QueryRefusal {
    let message = format!("the query took longer than {} s: narrow it, or add a LIMIT", work.seconds);
    QueryRefusal::new(QueryRefusalKind::Refused, message)
}

fn took_too_much(work: &QueryWork) -> QueryRefusal {
    let mebibytes = work.memory_bytes >> 20;
    let message = format!(
        "the query needed more than {mebibytes} MiB of memory: sort, group or join less of it at once (limits.sparql_memory_bytes)"
    );
    QueryRefusal::new(QueryRefusalKind::Refused, message)
}

/// Reads queries from standard input and writes their answers to standard output, until there are no more.
///
/// # Errors
/// When the store cannot be opened or the other side is gone.
pub(crate) fn serve(store: &Path) -> Result<()> {
    let store = QueryStore::open(store)?;
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    while let Some(line) = read_line(&mut input)? {
        let (head, bytes) = match store.answer(&serde_json::from_str(&line)?) {
            Ok(WrittenAnswer { bytes, format }) => {
                (Head::Answer { media_type: format.media_type().to_owned(), bytes: bytes.len() as u64 }, bytes)
            }
            Err(refusal) => (Head::Refused(refusal), Vec::new()),
        };
        serde_json::to_writer(&mut output, &head)?;
        output.write_all(b"\n")?;
        output.write_all(&bytes)?;
        output.flush()?;
    }
    Ok(())
}
