use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::{CrateError, iri};

/// Values of one kind that are taken from a record.
const MOST: usize = 2000;

/// What a foreign record says of its dataset.
#[derive(Debug, Default)]
pub(super) struct Description {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) creators: Vec<Creator>,
    /// Name and address.
    pub(super) publisher: Option<(String, Option<String>)>,
    pub(super) date: Option<String>,
    /// An address, or the name.
    pub(super) licence: Option<String>,
    /// Address, or nothing, and name.
    pub(super) subjects: Vec<(Option<String>, String)>,
    /// Addresses, DOIs and accessions.
    pub(super) identifiers: Vec<String>,
    /// Addresses of articles and the like.
    pub(super) related: Vec<String>,
}

/// What a dataset is about.
#[derive(Default)]
struct Subjects {
    keywords: Vec<String>,
    about: Vec<Value>,
    methods: Vec<Value>,
}

/// Somebody who made the dataset.
#[derive(Debug, Default)]
pub(super) struct Creator {
    pub(super) name: String,
    pub(super) orcid: Option<String>,
    pub(super) is_organisation: bool,
    /// Name and ROR.
    pub(super) affiliation: Option<(String, Option<String>)>,
}

impl Description {
    /// The crate. Its root is the record's own address, else its DOI, else `fallback`.
    ///
    /// # Errors
    /// When there is no absolute IRI to call it by.
    pub(super) fn into_crate(self, fallback: &str) -> Result<Vec<u8>, CrateError> {
        let root = self.root(fallback).ok_or_else(|| CrateError::Foreign("it gives its dataset no address".into()))?;
        let mut others: Vec<Value> = Vec::new();
        let mut named: HashSet<String> = HashSet::from([root.clone()]);
        let mut entity = Map::new();
        let mut put = |key: &str, value: Value| {
            let empty = value.is_null() || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                entity.insert(key.to_owned(), value);
            }
        };
        put("@id", json!(root));
        put("@type", json!("Dataset"));
        put("name", json!(self.title));
        put("description", json!(self.description));
        put("datePublished", json!(self.date));
        let licence = self.licence.as_ref();
        put(
            "license",
            licence.map_or(Value::Null, |text| if is_web(text) { json!({"@id": text}) } else { json!(text) }),
        );
        let authors: Vec<Value> = self
            .creators
            .iter()
            .take(MOST)
            .enumerate()
            .map(|(at, creator)| creator.add(at, &mut others, &mut named))
            .collect();
        put("author", Value::Array(authors));
        let publisher = self.publisher.as_ref();
        put(
            "publisher",
            publisher.map_or(Value::Null, |(name, iri)| {
                organisation(name, iri.as_ref(), "#publisher", &mut others, &mut named)
            }),
        );
        put("identifier", json!(self.names()));
        let Subjects { keywords, about, methods } = self.sorted_subjects(&mut others, &mut named);
        put("about", Value::Array(about));
        put("measurementMethod", Value::Array(methods));
        put("keywords", json!(keywords));
        put(
            "seeAlso",
            self.related.iter().filter(|url| is_web(url)).take(MOST).map(|url| json!({"@id": url})).collect(),
        );
        let descriptor = json!({"@id": "ro-crate-metadata.json", "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.2"}, "about": {"@id": root}});
        let graph: Vec<Value> = [descriptor, Value::Object(entity)].into_iter().chain(others).collect();
        let document = json!({"@context": context(), "@graph": graph});
        serde_json::to_vec_pretty(&document).map_err(|error| CrateError::NotJson(Box::new(error)))
    }

    /// The subjects that are terms, which the entities then describe, and those that are words.
    fn sorted_subjects(&self, others: &mut Vec<Value>, named: &mut HashSet<String>) -> Subjects {
        let mut subjects = Subjects::default();
        for (address, label) in self.subjects.iter().take(MOST) {
            let Some((id, kind)) = address.as_deref().and_then(term) else {
                subjects.keywords.extend(Some(label.clone()).filter(|label| !label.is_empty()));
                continue;
            };
            let (list, key) = match kind {
                "Taxon" => (&mut subjects.about, "scientificName"),
                _ => (&mut subjects.methods, "name"),
            };
            list.push(json!({"@id": id}));
            if named.insert(id.clone()) {
                let mut entity = json!({"@id": id, "@type": kind});
                // An address is no name; the ontology has one.
                if !label.is_empty() && !is_web(label) {
                    entity[key] = json!(label);
                }
                others.push(entity);
            }
        }
        subjects
    }

    /// The addresses of a page come first: a DOI may be shared by many versions.
    fn root(&self, fallback: &str) -> Option<String> {
        let page =
            self.identifiers.iter().find(|text| is_web(text) && iri::doi(text).is_none()).map(|url| iri::encode(url));
        let doi = || {
            self.identifiers.iter().find_map(|text| iri::doi(text)).map(|doi| format!("https://doi.org/{}", bare(&doi)))
        };
        page.or_else(doi).or_else(|| Some(iri::encode(fallback))).filter(|root| iri::is_absolute(root))
    }

    /// Accessions first, as they name a record best.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.identifiers.iter().filter(|text| !text.is_empty()).take(MOST).cloned().collect();
        names.sort_by_key(|text| text.contains(['/', ':']));
        let mut known = HashSet::new();
        names.retain(|name| known.insert(name.clone()));
        names
    }
}

impl Creator {
    /// A reference to the creator, whom the entities then describe.
    fn add(&self, at: usize, others: &mut Vec<Value>, named: &mut HashSet<String>) -> Value {
        let id = self.orcid.clone().unwrap_or_else(|| format!("#author-{}", at + 1));
        let reference = json!({"@id": id});
        if !named.insert(id.clone()) {
            return reference;
        }
        let kind = if self.is_organisation { "Organization" } else { "Person" };
        let mut entity = json!({"@id": id, "@type": kind, "name": self.name});
        if let Some((name, ror)) = &self.affiliation {
            entity["affiliation"] =
                organisation(name, ror.as_ref(), &format!("#affiliation-{}", at + 1), others, named);
        }
        others.push(entity);
        reference
    }
}

fn organisation(
    name: &str,
    iri: Option<&String>,
    local: &str,
    others: &mut Vec<Value>,
    named: &mut HashSet<String>,
) -> Value {
    let id = iri.filter(|iri| is_web(iri)).map_or(local, String::as_str);
    if named.insert(id.to_owned()) {
        others.push(json!({"@id": id, "@type": "Organization", "name": name}));
    }
    json!({"@id": id})
}

/// The id and the type of a term of the two ontologies that records are found by.
fn term(address: &str) -> Option<(String, &'static str)> {
    let id = iri::term(address)?.to_string();
    if iri::obo_local(&id, "NCBITaxon").is_some() {
        return Some((id, "Taxon"));
    }
    iri::obo_local(&id, "FBbi").is_some().then_some((id, "DefinedTerm"))
}

pub(super) fn is_web(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(char::is_whitespace)
}

/// A DOI without what says that it is one.
fn bare(doi: &str) -> &str {
    doi.find("10.").map_or(doi, |at| &doi[at..])
}

/// The day, month or year that a date begins with; nothing of what is none.
pub(super) fn date(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = |from: usize, to: usize| {
        text.get(from..to).is_some_and(|part| part.len() == to - from && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let dash = |at: usize| text.as_bytes().get(at) == Some(&b'-');
    let length = match () {
        () if digits(0, 4) && dash(4) && digits(5, 7) && dash(7) && digits(8, 10) => 10,
        () if digits(0, 4) && dash(4) && digits(5, 7) => 7,
        () if digits(0, 4) && (text.len() == 4 || dash(4)) => 4,
        () => return None,
    };
    text.get(..length).map(str::to_owned)
}

fn context() -> Value {
    json!(["https://w3id.org/ro/crate/1.2/context", {
        "dwc": "http://rs.tdwg.org/dwc/terms/",
        "dwciri": "http://rs.tdwg.org/dwc/iri/",
        "scientificName": "dwc:scientificName",
        "measurementMethod": {"@id": "dwciri:measurementMethod"},
        "seeAlso": {"@id": "http://www.w3.org/2000/01/rdf-schema#seeAlso"},
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_begin_with_a_year() {
        for (text, read) in [
            ("2026-01-02T03:04:05Z", Some("2026-01-02")),
            ("2026-01", Some("2026-01")),
            ("2026", Some("2026")),
            ("2026-01-02/2026-02-03", Some("2026-01-02")),
            ("20260102", None),
            ("info:eu-repo/date/2026", None),
            ("é026", None),
        ] {
            assert_eq!(date(text).as_deref(), read, "{text}");
        }
    }

    #[test]
    fn a_record_without_any_address_is_called_by_its_identifier() {
        let root = |identifiers: &[&str], fallback: &str| {
            Description {
                identifiers: identifiers.iter().map(|text| (*text).to_owned()).collect(),
                ..Description::default()
            }
            .root(fallback)
        };
        assert_eq!(
            root(&["S1", "doi:10.1234/x", "https://a.example/S1"], "oai:a:1").as_deref(),
            Some("https://a.example/S1")
        );
        assert_eq!(root(&["S1", "https://doi.org/10.1234/x"], "oai:a:1").as_deref(), Some("https://doi.org/10.1234/x"));
        assert_eq!(root(&["S1"], "oai:a:1").as_deref(), Some("oai:a:1"));
        assert_eq!(root(&[], "no name"), None);
    }
}
