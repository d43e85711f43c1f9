use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use metadata_store::{MetadataError, QueryAnswer, QueryOptions, ReadOnlyStore, ResultFormat, Services};
use serde::{Deserialize, Serialize};

use crate::{Actor, Node, NodeError, policy};

/// The most bytes the terms of an answer may have together; it is kept in memory until it is sent.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// The most bytes an answer of another node to a `SERVICE` may have.
const MAX_SERVICE_BYTES: u64 = 16 << 20;
/// The most bytes a query and the names of its graphs may have.
const MAX_REQUEST_BYTES: usize = 128 * 1024;
/// The folder of the RDF store in a node's data.
pub(crate) const STORE: &str = "rdf";
/// Beside it, what queries read: of no use once the node has ended.
const SNAPSHOTS: &str = "rdf-snapshots";

/// A query as the SPARQL 1.1 Protocol carries it (§2.1).
#[derive(Debug, Clone, Default)]
pub struct SparqlRequest {
    /// The query text.
    pub query: String,
    /// `default-graph-uri`.
    pub default_graphs: Vec<String>,
    /// `named-graph-uri`.
    pub named_graphs: Vec<String>,
    /// Media types the client takes, best first.
    pub accept: Option<String>,
}

/// A query with everything that is needed to answer it elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueryWork {
    /// The query text.
    pub query: String,
    /// Graphs that make up the default graph.
    pub default_graphs: Vec<String>,
    /// Graphs that `GRAPH` may reach.
    pub named_graphs: Vec<String>,
    /// Media types the client takes.
    pub accept: Option<String>,
    /// Time for the whole query, in seconds.
    pub seconds: u64,
    /// Memory the query may take beyond what the process had before, in bytes.
    pub memory_bytes: u64,
    /// Rows an answer may have.
    pub rows: usize,
    /// Endpoints that `SERVICE` may ask.
    pub services: Vec<String>,
}

/// An answer, written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenAnswer {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they are.
    pub format: ResultFormat,
}

/// Why a query has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryRefusal {
    /// Whose fault it is.
    pub kind: QueryRefusalKind,
    /// What to tell who asked.
    pub message: String,
}

/// The ways in which a query has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueryRefusalKind {
    /// It is no SPARQL query.
    Malformed,
    /// It is an update.
    Update,
    /// No format asked for can hold its answer.
    NotAcceptable,
    /// It may not be answered, or takes more than it may.
    Refused,
    /// The node cannot do it now.
    Unavailable,
    /// The node failed.
    Internal,
}

/// Answers queries in processes of their own, which can be ended whatever they are doing.
pub trait QueryWorkers: Send + Sync {
    /// Answers a query on a store as it is now, or later.
    ///
    /// # Errors
    /// When the query is refused, was ended because it took too much, or no process can be started.
    fn answer(&self, store: &dyn QueriedStore, work: &QueryWork) -> Result<WrittenAnswer, QueryRefusal>;
}

/// A store that other processes read while its owner writes.
pub trait QueriedStore {
    /// Where snapshots of it are made. Nobody else writes there.
    fn snapshots(&self) -> PathBuf;

    /// A number that changes with every commit.
    fn commits(&self) -> u64;

    /// Whether the store has merged files that a snapshot of it still reads, so that a new one is faster.
    fn has_merged_files_of(&self, snapshot: &Path) -> bool;

    /// Makes a folder that holds the store as it is now.
    ///
    /// # Errors
    /// When it is there already, or cannot be written.
    fn snapshot(&self, into: &Path) -> Result<(), QueryRefusal>;
}

impl QueriedStore for Node {
    fn snapshots(&self) -> PathBuf {
        self.config.data_dir.join(SNAPSHOTS)
    }

    fn commits(&self) -> u64 {
        self.metadata.commits()
    }

    fn has_merged_files_of(&self, snapshot: &Path) -> bool {
        metadata_store::has_merged_files_of(&self.config.data_dir.join(STORE), snapshot)
    }

    fn snapshot(&self, into: &Path) -> Result<(), QueryRefusal> {
        self.metadata.snapshot(into).map_err(QueryRefusal::of)
    }
}

/// A snapshot of a node's RDF store, as a worker reads it.
#[derive(Debug)]
pub struct QueryStore(ReadOnlyStore);

impl QueryStore {
    /// Opens the snapshot in a folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(folder: &Path) -> Result<Self, NodeError> {
        ReadOnlyStore::open(folder).map(Self).map_err(NodeError::Metadata)
    }

    /// Answers a query. To be called where a tokio runtime is at hand, and where it may wait.
    ///
    /// # Errors
    /// When the query is refused.
    pub fn answer(&self, work: &QueryWork) -> Result<WrittenAnswer, QueryRefusal> {
        write(self.0.query(&work.query, &work.options()), work.accept.as_deref())
    }
}

impl QueryWork {
    fn options(&self) -> QueryOptions {
        QueryOptions {
            default_graphs: self.default_graphs.clone(),
            named_graphs: self.named_graphs.clone(),
            deadline: Duration::from_secs(self.seconds),
            max_rows: self.rows,
            max_bytes: MAX_ANSWER_BYTES,
            services: services(&self.services),
            ..QueryOptions::default()
        }
    }
}

/// What is longer is refused before it is copied to anybody.
fn check_size(request: &SparqlRequest) -> Result<(), NodeError> {
    let graphs = request.default_graphs.iter().chain(&request.named_graphs);
    let bytes: usize = graphs.map(String::len).sum::<usize>() + request.query.len();
    if bytes > MAX_REQUEST_BYTES {
        return Err(NodeError::TooLarge(format!("a query may have {MAX_REQUEST_BYTES} bytes at most")));
    }
    Ok(())
}

/// `SERVICE` asks the nodes that are followed, and nobody else.
fn services(endpoints: &[String]) -> Services {
    let Some(runtime) = tokio::runtime::Handle::try_current().ok().filter(|_| !endpoints.is_empty()) else {
        return Services::default();
    };
    let ask = move |endpoint: &str, query: &str, time: Duration| {
        let answer = runtime.block_on(federation::ask_sparql(endpoint, query, time, MAX_SERVICE_BYTES));
        answer.map(Into::into).map_err(|error| error.to_string())
    };
    Services::new(endpoints.to_vec(), Arc::new(ask))
}

fn write(answer: Result<QueryAnswer, MetadataError>, accept: Option<&str>) -> Result<WrittenAnswer, QueryRefusal> {
    let answer = answer.map_err(QueryRefusal::of)?;
    let format = answer.negotiate(accept).ok_or_else(|| {
        let offered: Vec<&str> = answer.formats().iter().map(|format| format.media_type()).collect();
        QueryRefusal::new(
            QueryRefusalKind::NotAcceptable,
            format!(
                "'{}' names no format for this answer; there are {}",
                accept.unwrap_or_default(),
                offered.join(", ")
            ),
        )
    })?;
    let mut bytes = Vec::new();
    answer.write(format, &mut bytes).map_err(QueryRefusal::of)?;
    Ok(WrittenAnswer { bytes, format })
}

impl QueryRefusal {
    /// A refusal of some kind.
    pub fn new(kind: QueryRefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    fn of(error: MetadataError) -> Self {
        let kind = match &error {
            MetadataError::Malformed { .. } | MetadataError::Iri(_) => QueryRefusalKind::Malformed,
            MetadataError::Update => QueryRefusalKind::Update,
            MetadataError::Query { .. }
            | MetadataError::TooManyRows { .. }
            | MetadataError::TooManyBytes { .. }
            | MetadataError::TooSlow { .. }
            | MetadataError::Service { .. } => QueryRefusalKind::Refused,
            _ => QueryRefusalKind::Internal,
        };
        let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
        let internal = if kind == QueryRefusalKind::Internal { source } else { String::new() };
        Self::new(kind, format!("{error}{internal}"))
    }
}

impl From<QueryRefusal> for NodeError {
    fn from(refusal: QueryRefusal) -> Self {
        let message = refusal.message;
        match refusal.kind {
            QueryRefusalKind::Malformed => Self::Malformed(message),
            QueryRefusalKind::Update => Self::Forbidden(message),
            QueryRefusalKind::NotAcceptable => Self::NotAcceptable(message),
            QueryRefusalKind::Refused => Self::Invalid(message),
            QueryRefusalKind::Unavailable => Self::Unavailable(message),
            QueryRefusalKind::Internal => Self::Internal(format!("SPARQL: {message}")),
        }
    }
}

impl Node {
    /// Has queries answered in processes of their own from now on. The first who is named stays.
    pub fn use_query_workers(&self, workers: Arc<dyn QueryWorkers>) {
        // The second of two is dropped; there is one binary that names one.
        let _ = self.query_workers.set(workers);
    }

    /// Answers a read-only query; gives the bytes and their media type.
    ///
    /// # Errors
    /// When the query cannot be read, takes too much time or memory, has too large an answer, or too many others are running.
    pub async fn sparql(
        self: &Arc<Self>,
        actor: &Actor,
        request: SparqlRequest,
    ) -> Result<(Vec<u8>, &'static str), NodeError> {
        // Only open datasets are in the store today; the policy is asked all the same.
        policy::require_read(actor, dataset_model::Access::Open, || NodeError::NotFound("nothing to query".into()))?;
        let _turn = self
            .querying
            .try_acquire()
            .map_err(|_| NodeError::Unavailable("too many queries are running: try again in a few seconds".into()))?;
        check_size(&request)?;
        let node = self.clone();
        let answer = tokio::task::spawn_blocking(move || node.sparql_now(request))
            .await
            .map_err(|error| NodeError::Internal(format!("SPARQL: {error}")))??;
        Ok((answer.bytes, answer.format.media_type()))
    }

    /// The description of the endpoint, in an RDF syntax (SPARQL 1.1 Service Description).
    ///
    /// # Errors
    /// When no syntax asked for is one of ours.
    pub fn sparql_description(&self, accept: Option<&str>) -> Result<(Vec<u8>, &'static str), NodeError> {
        let endpoint = format!("{}/sparql", self.config.public_url);
        let none = || {
            let offered: Vec<&str> = ResultFormat::GRAPHS.iter().map(|format| format.media_type()).collect();
            NodeError::NotAcceptable(format!("the endpoint's description comes as {}", offered.join(", ")))
        };
        let format = ResultFormat::negotiate(accept, &ResultFormat::GRAPHS).ok_or_else(none)?;
        let bytes = metadata_store::describe_service(&endpoint, format).map_err(NodeError::Metadata)?;
        Ok((bytes, format.media_type()))
    }

    /// One dataset's graph in an RDF syntax.
    ///
    /// # Errors
    /// When there is no such dataset.
    pub fn triples(
        &self,
        actor: &Actor,
        id: &dataset_model::DatasetId,
        format: ResultFormat,
    ) -> Result<Vec<u8>, NodeError> {
        let found = self.find(actor, id, None)?;
        self.metadata.triples(&self.page_of(&found.key), format).map_err(NodeError::Metadata)
    }

    fn sparql_now(&self, request: SparqlRequest) -> Result<WrittenAnswer, NodeError> {
        let limits = &self.config.limits;
        let work = QueryWork {
            query: request.query,
            default_graphs: request.default_graphs,
            named_graphs: request.named_graphs,
            accept: request.accept,
            seconds: limits.sparql_seconds,
            memory_bytes: limits.sparql_memory_bytes,
            rows: limits.sparql_rows,
            services: self.peers.all().iter().map(|peer| format!("{}/sparql", peer.config.url)).collect(),
        };
        let Some(workers) = self.query_workers.get() else {
            return Ok(write(self.metadata.query(&work.query, &work.options()), work.accept.as_deref())?);
        };
        Ok(workers.answer(self, &work)?)
    }
}
