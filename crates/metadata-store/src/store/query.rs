//! SPARQL 1.1 queries, read-only, within limits of time, rows, bytes, length and nesting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use oxigraph::{
    model::{NamedNode, NamedOrBlankNode, Term, Triple},
    sparql::{
        CancellationToken, PreparedSparqlQuery, QueryEvaluationError, QueryResults, QuerySolution, SparqlEvaluator,
    },
    store::Store,
};
use spargebra::SparqlParser;

use super::{
    MetadataStore,
    answer::{Kind, QueryAnswer},
    named,
    service::{ServiceFailure, Services},
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
    /// The most bytes that the terms of an answer may have together.
    pub max_bytes: usize,
    /// Whom `SERVICE` may ask.
    pub services: Services,
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
            max_bytes: 64 << 20,
            services: Services::default(),
            union_default_graph: true,
        }
    }
}

impl MetadataStore {
    /// Answers a SELECT, ASK, CONSTRUCT or DESCRIBE. Updates are refused, and so is `SERVICE` to anybody not named.
    ///
    /// # Errors
    /// When the query cannot be read, takes longer than its deadline, or has a larger answer than allowed.
    pub fn query(&self, sparql: &str, options: &QueryOptions) -> Result<QueryAnswer, MetadataError> {
        Asked { store: &self.store, running: &self.running }.answer(sparql, options)
    }
}

/// A store that is asked, and the queries it is busy with.
pub(super) struct Asked<'a> {
    pub(super) store: &'a Store,
    pub(super) running: &'a Arc<AtomicUsize>,
}

impl Asked<'_> {
    pub(super) fn answer(&self, sparql: &str, options: &QueryOptions) -> Result<QueryAnswer, MetadataError> {
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
        let services = self.options.services.clone();
        let mut evaluator = SparqlEvaluator::new()
            .with_cancellation_token(self.token.clone())
            .with_default_service_handler(services.within(self.options.deadline));
        if let Some(base) = &self.options.base_iri {
            evaluator = evaluator.with_base_iri(base).map_err(|_| MetadataError::Iri(base.clone()))?;
        }
        let mut query = evaluator.parse_query(&self.sparql).map_err(|error| self.malformed(&error.to_string()))?;
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
                Kind::Solutions { variables, rows: self.limited(rows, until, bytes_of_row)? }
            }
            QueryResults::Graph(triples) => {
                let mut triples = self.limited(triples, until, bytes_of_triple)?;
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
        bytes_of: impl Fn(&T) -> usize,
    ) -> Result<Vec<T>, MetadataError> {
        let (mut kept, mut bytes) = (Vec::new(), 0_usize);
        for row in rows {
            if kept.len() >= self.options.max_rows {
                return Err(MetadataError::TooManyRows { limit: self.options.max_rows });
            }
            if kept.len() % 1024 == 0 && until.is_some_and(|until| Instant::now() > until) {
                return Err(MetadataError::TooSlow { deadline: self.options.deadline });
            }
            let row = row.map_err(|error| self.failed(error))?;
            bytes = bytes.saturating_add(bytes_of(&row));
            if bytes > self.options.max_bytes {
                return Err(MetadataError::TooManyBytes { limit: self.options.max_bytes });
            }
            kept.push(row);
        }
        Ok(kept)
    }

    /// What to say of a text that is no query: an update is one that nobody may make.
    fn malformed(&self, message: &str) -> MetadataError {
        match SparqlParser::new().parse_update(&self.sparql) {
            Ok(update) if !update.operations.is_empty() => MetadataError::Update,
            _ => MetadataError::Malformed { message: message.to_owned() },
        }
    }

    fn failed(&self, error: QueryEvaluationError) -> MetadataError {
        match error {
            QueryEvaluationError::Cancelled => MetadataError::TooSlow { deadline: self.options.deadline },
            QueryEvaluationError::Dataset(source) => MetadataError::Read(source),
            QueryEvaluationError::UnsupportedService(name) => {
                MetadataError::Service { endpoint: name.into_string(), message: "it is not asked from here".to_owned() }
            }
            QueryEvaluationError::Service(source) => match source.downcast::<ServiceFailure>() {
                Ok(failure) => MetadataError::Service { endpoint: failure.endpoint, message: failure.message },
                Err(source) => MetadataError::Read(source),
            },
            other => refused(&other.to_string()),
        }
    }
}

fn bytes_of_row(row: &QuerySolution) -> usize {
    row.iter().map(|(_, term)| bytes_of(term)).sum()
}

fn bytes_of_triple(triple: &Triple) -> usize {
    let subject = match &triple.subject {
        NamedOrBlankNode::NamedNode(node) => node.as_str().len(),
        NamedOrBlankNode::BlankNode(node) => node.as_str().len(),
    };
    subject + triple.predicate.as_str().len() + bytes_of(&triple.object)
}

fn bytes_of(term: &Term) -> usize {
    match term {
        Term::NamedNode(node) => node.as_str().len(),
        Term::BlankNode(node) => node.as_str().len(),
        Term::Literal(text) => text.value().len(),
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
