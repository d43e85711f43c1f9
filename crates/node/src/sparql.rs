use std::{sync::Arc, time::Duration};

use metadata_store::{MetadataError, QueryOptions, ResultFormat};

use crate::{Actor, Node, NodeError, policy};

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

impl Node {
    /// Answers a read-only query; gives the bytes and their media type.
    ///
    /// # Errors
    /// When the query cannot be read, takes too long, gives too many rows, or too many others are running.
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
        let node = self.clone();
        tokio::task::spawn_blocking(move || node.sparql_now(&request))
            .await
            .map_err(|error| NodeError::Internal(format!("SPARQL: {error}")))?
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

    fn sparql_now(&self, request: &SparqlRequest) -> Result<(Vec<u8>, &'static str), NodeError> {
        let limits = &self.config.limits;
        let options = QueryOptions {
            default_graphs: request.default_graphs.clone(),
            named_graphs: request.named_graphs.clone(),
            deadline: Duration::from_secs(limits.sparql_seconds),
            max_rows: limits.sparql_rows,
            ..QueryOptions::default()
        };
        let answer = self.metadata.query(&request.query, &options).map_err(refused)?;
        let format = answer.negotiate(request.accept.as_deref()).ok_or_else(|| {
            NodeError::Invalid(format!(
                "none of the formats asked for can hold this answer: {}",
                request.accept.as_deref().unwrap_or_default()
            ))
        })?;
        let mut bytes = Vec::new();
        answer.write(format, &mut bytes).map_err(refused)?;
        Ok((bytes, format.media_type()))
    }
}

fn refused(error: MetadataError) -> NodeError {
    match error {
        MetadataError::Query { .. } | MetadataError::TooManyRows { .. } | MetadataError::TooSlow { .. } => {
            NodeError::Invalid(error.to_string())
        }
        other => NodeError::Metadata(other),
    }
}
