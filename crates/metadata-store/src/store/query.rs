//! SPARQL 1.1 queries, read-only, within limits of time, rows, length and nesting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use oxigraph::{
    model::{NamedNode, NamedOrBlankNode},
    sparql::{CancellationToken, PreparedSparqlQuery, QueryEvaluationError, QueryResults, SparqlEvaluator},
    store::Store,
};

use super::{
    MetadataStore,
    answer::{Kind, QueryAnswer},
    named,
};
use crate::MetadataError;

/// The longest query read, in bytes.
const MAX_QUERY_BYTES: usize = 64 * 1024;
/// The deepest nesting of brackets in a query.
const MAX_NESTING: usize = 128;
/// Stack of the thread that parses and evaluates one query; the engine recurses over the query. Untouched pages cost nothing.
const STACK_BYTES: usize = 256 * 1024 * 1024;
/// Queries that run at once, those included that are out of time and still stopping.
const MAX_RUNNING: usize = 32;

/// What a query may see and use.
#[derive(Debug, Clone)]
pub struct QueryOptions {
    /// What relative IRIs in the query are read against.
    pub base_iri: Option<String>,
    /// `default-graph-uri` of the SPARQL Protocol: graphs that make up the default graph.
    pub default_graphs: Vec<String>,
    /// `named-graph-uri` of the SPARQL Protocol: graphs that `GRAPH` may reach.
    pub named_graphs: Vec<String>,
    /// Time for the whole query.
    pub deadline: Duration,
    /// The most rows or triples in an answer.
    pub max_rows: usize,
    /// Whether the default graph holds all graphs when neither the query nor the options name any.
    pub union_default_graph: bool,
}

impl Default for QueryOptions {
    fn default() -> Self {
        Self {
            base_iri: None,
            default_graphs: Vec::new(),
            named_graphs: Vec::new(),
            deadline: Duration::from_secs(10),
            max_rows: 100_000,
            union_default_graph: true,
        }
    }
}

impl MetadataStore {
    /// Answers a SELECT, ASK, CONSTRUCT or DESCRIBE. Updates and `SERVICE` are refused.
    ///
    /// # Errors
    /// When the query cannot be read, takes longer than its deadline, or has more rows than allowed.
    pub fn query(&self, sparql: &str, options: &QueryOptions) -> Result<QueryAnswer, MetadataError> {
        check_shape(sparql)?;
        if self.running.load(Ordering::Relaxed) >= MAX_RUNNING {
            return Err(refused("too many queries are running; try again in a minute"));
        }
        let token = CancellationToken::new();
        let (send, receive) = mpsc::sync_channel(1);
        let task = Task {
            store: self.store.clone(),
            sparql: sparql.to_owned(),
            options: options.clone(),
            token: token.clone(),
        };
        let running = Running(self.running.clone());
        self.running.fetch_add(1, Ordering::Relaxed);
        let work = move || {
            let _running = running;
            // The asker may be gone by now; there is nobody to tell.
            drop(send.send(task.run()));
        };
        std::thread::Builder::new()
            .name("sparql".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(work)
            .map_err(MetadataError::read)?;
        match receive.recv_timeout(options.deadline) {
            Ok(answer) => answer,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                token.cancel();
                Err(MetadataError::TooSlow { deadline: options.deadline })
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(refused("its evaluation ended unexpectedly")),
        }
    }
}

/// Counts a query until its thread ends.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Task {
    store: Store,
    sparql: String,
    options: QueryOptions,
    token: CancellationToken,
}

impl Task {
    fn run(self) -> Result<QueryAnswer, MetadataError> {
        let mut evaluator = SparqlEvaluator::new().with_cancellation_token(self.token.clone());
        if let Some(base) = &self.options.base_iri {
            evaluator = evaluator.with_base_iri(base).map_err(|_| MetadataError::Iri(base.clone()))?;
        }
        let mut query = evaluator.parse_query(&self.sparql).map_err(|error| refused(&error.to_string()))?;
        self.choose_dataset(&mut query)?;
        let until = Instant::now().checked_add(self.options.deadline);
        let results = query.on_store(&self.store).execute().map_err(|error| self.failed(error))?;
        self.collect(results, until)
    }

    /// SPARQL 1.1 Protocol §2.1.4: graphs named by the protocol replace those named in the query.
    fn choose_dataset(&self, query: &mut PreparedSparqlQuery) -> Result<(), MetadataError> {
        let options = &self.options;
        let names = |names: &[String]| names.iter().map(|name| named(name)).collect::<Result<Vec<NamedNode>, _>>();
        if !options.default_graphs.is_empty() || !options.named_graphs.is_empty() {
            let (default, reachable) = (names(&options.default_graphs)?, names(&options.named_graphs)?);
            query.dataset_mut().set_default_graph(default.into_iter().map(Into::into).collect());
            query.dataset_mut().set_available_named_graphs(reachable.into_iter().map(NamedOrBlankNode::from).collect());
        } else if query.dataset().is_default_dataset() {
            if options.union_default_graph {
                query.dataset_mut().set_default_graph_as_union();
            } else {
                query.dataset_mut().set_default_graph(Vec::new());
            }
        }
        Ok(())
    }

    fn collect(&self, results: QueryResults<'_>, until: Option<Instant>) -> Result<QueryAnswer, MetadataError> {
        Ok(QueryAnswer(match results {
            QueryResults::Boolean(answer) => Kind::Boolean(answer),
            QueryResults::Solutions(rows) => {
                let variables = rows.variables().to_vec();
                Kind::Solutions { variables, rows: self.limited(rows, until)? }
            }
            QueryResults::Graph(triples) => {
                let mut triples = self.limited(triples, until)?;
                let mut seen = std::collections::HashSet::new();
                triples.retain(|triple| seen.insert(triple.clone()));
                Kind::Graph(triples)
            }
        }))
    }

    fn limited<T>(
        &self,
        rows: impl Iterator<Item = Result<T, QueryEvaluationError>>,
        until: Option<Instant>,
    ) -> Result<Vec<T>, MetadataError> {
        let mut kept = Vec::new();
        for row in rows {
            if kept.len() >= self.options.max_rows {
                return Err(MetadataError::TooManyRows { limit: self.options.max_rows });
            }
            if kept.len() % 1024 == 0 && until.is_some_and(|until| Instant::now() > until) {
                return Err(MetadataError::TooSlow { deadline: self.options.deadline });
            }
            kept.push(row.map_err(|error| self.failed(error))?);
        }
        Ok(kept)
    }

    fn failed(&self, error: QueryEvaluationError) -> MetadataError {
        match error {
            QueryEvaluationError::Cancelled => MetadataError::TooSlow { deadline: self.options.deadline },
            QueryEvaluationError::Dataset(source) => MetadataError::Read(source),
            QueryEvaluationError::UnsupportedService(_) | QueryEvaluationError::Service(_) => {
                refused("SERVICE is not available here; ask the other endpoint itself")
            }
            other => refused(&other.to_string()),
        }
    }
}

fn refused(message: &str) -> MetadataError {
    MetadataError::Query { message: message.to_owned() }
}

/// Refuses texts that a recursive parser could not survive.
fn check_shape(sparql: &str) -> Result<(), MetadataError> {
    if sparql.len() > MAX_QUERY_BYTES {
        return Err(refused(&format!("it has more than {MAX_QUERY_BYTES} bytes")));
    }
    let mut depth = 0_usize;
    for byte in sparql.bytes() {
        match byte {
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(refused(&format!("its brackets are nested more than {MAX_NESTING} deep")));
        }
    }
    Ok(())
}
