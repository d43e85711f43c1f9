use std::io::Write;

use oxigraph::{
    io::RdfSerializer,
    model::{Term, Triple, Variable},
    sparql::{QuerySolution, results::QueryResultsSerializer},
};

use super::format::{ResultFormat, with_prefixes};
use crate::MetadataError;

/// The answer to a query, whole.
pub struct QueryAnswer(pub(super) Kind);

pub(super) enum Kind {
    Solutions { variables: Vec<Variable>, rows: Vec<QuerySolution> },
    Boolean(bool),
    Graph(Vec<Triple>),
}

impl std::fmt::Debug for QueryAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Kind::Solutions { rows, .. } => write!(f, "{} solutions", rows.len()),
            Kind::Boolean(answer) => write!(f, "{answer}"),
            Kind::Graph(triples) => write!(f, "{} triples", triples.len()),
        }
    }
}

impl QueryAnswer {
    /// Rows of a SELECT, triples of a CONSTRUCT or DESCRIBE, 1 for an ASK.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kind::Solutions { rows, .. } => rows.len(),
            Kind::Boolean(_) => 1,
            Kind::Graph(triples) => triples.len(),
        }
    }

    /// Whether it has no rows or triples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The answer of an ASK.
    pub fn boolean(&self) -> Option<bool> {
        if let Kind::Boolean(answer) = self.0 { Some(answer) } else { None }
    }

    /// The texts and IRIs in one column of a SELECT, unbound ones left out.
    pub fn column(&self, name: &str) -> Vec<String> {
        let Kind::Solutions { rows, .. } = &self.0 else {
            return Vec::new();
        };
        let value = |row: &QuerySolution| match row.get(name)? {
            Term::NamedNode(node) => Some(node.as_str().to_owned()),
            Term::BlankNode(node) => Some(node.to_string()),
            Term::Literal(text) => Some(text.value().to_owned()),
        };
        rows.iter().filter_map(value).collect()
    }

    /// The formats this kind of answer can be written in, the default first.
    pub fn formats(&self) -> &'static [ResultFormat] {
        if matches!(self.0, Kind::Graph(_)) { &ResultFormat::GRAPHS } else { &ResultFormat::TABLES }
    }

    /// The best of [`Self::formats`] for an `Accept` header; `None` when none is acceptable.
    pub fn negotiate(&self, accept: Option<&str>) -> Option<ResultFormat> {
        ResultFormat::negotiate(accept, self.formats())
    }

    /// Writes the answer.
    ///
    /// # Errors
    /// When the format does not hold this kind of answer, or `out` fails.
    pub fn write(&self, format: ResultFormat, out: &mut dyn Write) -> Result<(), MetadataError> {
        let wrong = MetadataError::Format { format: format.media_type() };
        match &self.0 {
            Kind::Graph(triples) => {
                let rdf = format.rdf().ok_or(wrong)?;
                let mut serializer = with_prefixes(RdfSerializer::from_format(rdf)).for_writer(out);
                for triple in triples {
                    serializer.serialize_triple(triple.as_ref()).map_err(MetadataError::read)?;
                }
                serializer.finish().map_err(MetadataError::read)?;
            }
            Kind::Boolean(answer) => {
                let serializer = QueryResultsSerializer::from_format(format.table().ok_or(wrong)?);
                serializer.serialize_boolean_to_writer(out, *answer).map_err(MetadataError::read)?;
            }
            Kind::Solutions { variables, rows } => {
                let serializer = QueryResultsSerializer::from_format(format.table().ok_or(wrong)?);
                let mut writer =
                    serializer.serialize_solutions_to_writer(out, variables.clone()).map_err(MetadataError::read)?;
                for row in rows {
                    writer.serialize(row).map_err(MetadataError::read)?;
                }
                writer.finish().map_err(MetadataError::read)?;
            }
        }
        Ok(())
    }
}
