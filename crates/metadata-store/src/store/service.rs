//! `SERVICE` (SPARQL 1.1 Federated Query): only to endpoints that are named, each answer bounded.

use std::{sync::Arc, time::Duration};

use oxigraph::{
    model::NamedNode,
    sparql::{
        DefaultServiceHandler, QueryEvaluationError, QuerySolution, QuerySolutionIter,
        results::{QueryResultsFormat, QueryResultsParser, ReaderQueryResultsParserOutput},
    },
};
use spargebra::algebra::GraphPattern;

/// Asks an endpoint, by its address, a query that has some time, and gives SPARQL 1.1 Query Results JSON or what went wrong.
pub type AskService = dyn Fn(&str, &str, Duration) -> Result<Vec<u8>, String> + Send + Sync;

/// The most questions one query may ask of others: an endpoint inside a join is asked once for each row.
const MAX_QUESTIONS: usize = 100;

/// The endpoints that `SERVICE` may ask; none by default.
#[derive(Clone, Default)]
pub struct Services {
    endpoints: Vec<String>,
    ask: Option<Arc<AskService>>,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Services").field(&self.endpoints).finish()
    }
}

impl Services {
    /// Endpoints by their addresses, and how they are asked.
    pub fn new(endpoints: Vec<String>, ask: Arc<AskService>) -> Self {
        Self { endpoints, ask: Some(ask) }
    }

    /// The handler of one query.
    pub(super) fn within(self, deadline: Duration) -> Handler {
        Handler { services: self, deadline, asked: std::sync::atomic::AtomicUsize::new(0) }
    }
}

/// Why a service gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("SERVICE <{endpoint}>: {message}")]
pub(super) struct ServiceFailure {
    pub(super) endpoint: String,
    pub(super) message: String,
}

/// What the engine calls for each `SERVICE` of one query.
pub(super) struct Handler {
    services: Services,
    deadline: Duration,
    asked: std::sync::atomic::AtomicUsize,
}

impl DefaultServiceHandler for Handler {
    type Error = QueryEvaluationError;

    fn handle(
        &self,
        service: &NamedNode,
        pattern: &GraphPattern,
        base: Option<&oxiri::Iri<String>>,
    ) -> Result<QuerySolutionIter<'static>, QueryEvaluationError> {
        let failed = |message: String| {
            let endpoint = service.as_str().to_owned();
            QueryEvaluationError::Service(Box::new(ServiceFailure { endpoint, message }))
        };
        let known = self.services.endpoints.iter().any(|endpoint| endpoint == service.as_str());
        let ask = self.services.ask.as_ref().filter(|_| known).ok_or_else(|| {
            failed(format!(
                "only nodes this one follows are asked ({}); ask any other endpoint yourself",
                if self.services.endpoints.is_empty() {
                    "there are none".to_owned()
                } else {
                    self.services.endpoints.join(", ")
                }
            ))
        })?;
        if self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= MAX_QUESTIONS {
            return Err(failed(format!(
                "one query asks others at most {MAX_QUESTIONS} times: narrow what is joined with it"
            )));
        }
        let query = spargebra::Query::Select { dataset: None, pattern: pattern.clone(), base_iri: base.cloned() };
        let json = ask(service.as_str(), &query.to_string(), self.deadline).map_err(failed)?;
        read(json).map_err(|error| failed(format!("its answer cannot be read: {error}")))
    }
}

fn read(json: Vec<u8>) -> Result<QuerySolutionIter<'static>, Box<dyn std::error::Error + Send + Sync>> {
    let parser = QueryResultsParser::from_format(QueryResultsFormat::Json);
    let ReaderQueryResultsParserOutput::Solutions(rows) = parser.for_reader(std::io::Cursor::new(json))? else {
        return Err("it is no table".into());
    };
    let variables: Arc<[_]> = rows.variables().into();
    let rows = rows.collect::<Result<Vec<QuerySolution>, _>>()?;
    Ok(QuerySolutionIter::new(variables, rows.into_iter().map(Ok)))
}
