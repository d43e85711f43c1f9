use oxigraph::{
    io::{JsonLdProfileSet, RdfFormat, RdfSerializer},
    sparql::results::QueryResultsFormat,
};

/// A syntax for answers: four for tables and yes or no, four for graphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResultFormat {
    /// SPARQL 1.1 Query Results JSON.
    Json,
    /// SPARQL Query Results XML.
    Xml,
    /// SPARQL 1.1 Query Results CSV.
    Csv,
    /// SPARQL 1.1 Query Results TSV.
    Tsv,
    /// RDF 1.1 Turtle.
    Turtle,
    /// RDF 1.1 N-Triples.
    NTriples,
    /// RDF 1.1 XML.
    RdfXml,
    /// JSON-LD 1.1.
    JsonLd,
    /// RDF 1.1 `TriG`, for several graphs.
    TriG,
}

/// Media types by which formats are asked for, the one they are sent as first.
const MEDIA_TYPES: [(ResultFormat, &[&str]); 9] = [
    (ResultFormat::Json, &["application/sparql-results+json", "application/json", "text/json"]),
    (ResultFormat::Xml, &["application/sparql-results+xml", "application/xml", "text/xml"]),
    (ResultFormat::Csv, &["text/csv"]),
    (ResultFormat::Tsv, &["text/tab-separated-values", "text/tsv"]),
    (ResultFormat::Turtle, &["text/turtle", "application/x-turtle", "application/turtle"]),
    (ResultFormat::NTriples, &["application/n-triples", "text/plain"]),
    (ResultFormat::RdfXml, &["application/rdf+xml", "application/xml", "text/xml"]),
    (ResultFormat::JsonLd, &["application/ld+json", "application/json"]),
    (ResultFormat::TriG, &["application/trig"]),
];

impl ResultFormat {
    /// Formats for tables and yes-or-no answers, the default first.
    pub const TABLES: [Self; 4] = [Self::Json, Self::Xml, Self::Csv, Self::Tsv];
    /// Formats for graphs, the default first.
    pub const GRAPHS: [Self; 4] = [Self::Turtle, Self::NTriples, Self::RdfXml, Self::JsonLd];

    /// Formats for several graphs, the default first.
    pub const DATASETS: [Self; 2] = [Self::TriG, Self::JsonLd];

    /// The media type it is sent as.
    pub fn media_type(self) -> &'static str {
        self.media_types().first().copied().unwrap_or("application/octet-stream")
    }

    /// The format a media type names; parameters are ignored. Where two share one, that for tables is given.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        let name = media_type.split(';').next().unwrap_or_default().trim();
        MEDIA_TYPES
            .iter()
            .find(|(_, names)| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
            .map(|(format, _)| *format)
    }

    /// The best of `offered` for an `Accept` header (RFC 9110 §12.5.1); the first where there is no header.
    pub fn negotiate(accept: Option<&str>, offered: &[Self]) -> Option<Self> {
        let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
            return offered.first().copied();
        };
        let ranked = offered.iter().enumerate().filter_map(|(at, format)| {
            let best =
                accept.split(',').filter_map(|range| format.weight(range)).max_by_key(|(specific, _)| *specific)?;
            (best.1 > 0).then_some((best.1, std::cmp::Reverse(at), *format))
        });
        ranked.max_by_key(|(weight, at, _)| (*weight, *at)).map(|(_, _, format)| format)
    }

    /// How specific a media range is about this format, and its weight in thousandths.
    fn weight(self, range: &str) -> Option<(u8, u16)> {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next()?.to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse::<f32>().ok()).unwrap_or(1.0);
        let specific = match name.strip_suffix("/*") {
            Some("*") => 0,
            Some(kind) => self.media_type().starts_with(&format!("{kind}/")).then_some(1)?,
            None => self.media_types().contains(&name.as_str()).then_some(2)?,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
        let thousandths = (quality.clamp(0.0, 1.0) * 1000.0) as u16;
        Some((specific, thousandths))
    }

    fn media_types(self) -> &'static [&'static str] {
        MEDIA_TYPES.iter().find(|(format, _)| *format == self).map_or(&[], |(_, names)| names)
    }

    pub(super) fn table(self) -> Option<QueryResultsFormat> {
        Some(match self {
            Self::Json => QueryResultsFormat::Json,
            Self::Xml => QueryResultsFormat::Xml,
            Self::Csv => QueryResultsFormat::Csv,
            Self::Tsv => QueryResultsFormat::Tsv,
            _ => return None,
        })
    }

    pub(crate) fn rdf(self) -> Option<RdfFormat> {
        Some(match self {
            Self::Turtle => RdfFormat::Turtle,
            Self::NTriples => RdfFormat::NTriples,
            Self::RdfXml => RdfFormat::RdfXml,
            Self::JsonLd => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
            Self::TriG => RdfFormat::TriG,
            _ => return None,
        })
    }
}

/// Prefixes that make Turtle and RDF/XML readable.
pub(super) fn with_prefixes(serializer: RdfSerializer) -> RdfSerializer {
    let prefixes = [
        ("schema", "http://schema.org/"),
        ("dct", "http://purl.org/dc/terms/"),
        ("dwc", "http://rs.tdwg.org/dwc/terms/"),
        ("dwciri", "http://rs.tdwg.org/dwc/iri/"),
        ("obo", crate::iri::OBO),
        ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
        ("xsd", "http://www.w3.org/2001/XMLSchema#"),
        ("hg", "https://heliograph.org/ns#"),
    ];
    prefixes.iter().fold(serializer, |serializer, (name, iri)| {
        // A constant that were no IRI would only cost its prefix.
        let plain = serializer.clone();
        serializer.with_prefix(*name, *iri).unwrap_or(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_format_for_an_accept_header_is_chosen() {
        let table = |accept| ResultFormat::negotiate(accept, &ResultFormat::TABLES);
        let graph = |accept| ResultFormat::negotiate(accept, &ResultFormat::GRAPHS);
        assert_eq!(table(None), Some(ResultFormat::Json));
        assert_eq!(table(Some("*/*")), Some(ResultFormat::Json));
        assert_eq!(table(Some("text/csv;q=0.5, application/sparql-results+xml")), Some(ResultFormat::Xml));
        assert_eq!(table(Some("application/sparql-results+json;q=0, */*;q=0.1")), Some(ResultFormat::Xml));
        assert_eq!(table(Some("text/*")), Some(ResultFormat::Csv));
        assert_eq!(table(Some("image/png")), None);
        assert_eq!(graph(Some("application/json")), Some(ResultFormat::JsonLd));
        assert_eq!(graph(Some("text/html, */*;q=0.8")), Some(ResultFormat::Turtle));
    }

    #[test]
    fn media_types_go_both_ways() {
        for format in ResultFormat::TABLES.into_iter().chain(ResultFormat::GRAPHS) {
            assert_eq!(ResultFormat::from_media_type(&format!("{}; charset=utf-8", format.media_type())), Some(format));
        }
        assert_eq!(ResultFormat::from_media_type("text/html"), None);
    }
}
