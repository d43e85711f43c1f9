//! JSON-LD contexts, from the program itself: what a key or a type of a crate means. Nothing is ever fetched.

use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
};

use serde_json::{Map, Value, json};

use crate::iri;

const SCHEMA: &str = "http://schema.org/";
const RO_CRATE: &str = "https://w3id.org/ro/crate/1.2/context";
/// How often a prefix may stand on another before we stop looking.
const MAX_CHAIN: usize = 4;

/// The terms of the GIDE search profile (context 1.0); crates must not give them other meanings.
const GIDE: [(&str, &str); 14] = [
    ("BioSample", "http://schema.org/BioSample"),
    ("LabProtocol", "http://schema.org/LabProtocol"),
    ("Taxon", "http://schema.org/Taxon"),
    ("labEquipment", "http://schema.org/labEquipment"),
    ("vernacularName", "http://rs.tdwg.org/dwc/terms/vernacularName"),
    ("scientificName", "http://rs.tdwg.org/dwc/terms/scientificName"),
    ("measurementMethod", "http://rs.tdwg.org/dwc/iri/measurementMethod"),
    ("hasCellLine", "http://www.bioassayontology.org/bao#BAO_0002004"),
    ("seeAlso", "http://www.w3.org/2000/01/rdf-schema#seeAlso"),
    ("taxonomicRange", "http://schema.org/taxonomicRange"),
    ("dwc", "http://rs.tdwg.org/dwc/terms/"),
    ("dwciri", "http://rs.tdwg.org/dwc/iri/"),
    ("bao", "http://www.bioassayontology.org/bao#"),
    ("obo", iri::OBO),
];

/// Other IRIs that mean a term of the table above.
const SAME: [(&str, &str); 6] = [
    ("http://www.w3.org/1999/02/22-rdf-syntax-ns#seeAlso", "seeAlso"),
    ("http://schema.org/measurementMethod", "measurementMethod"),
    ("http://schema.org/scientificName", "scientificName"),
    ("http://schema.org/vernacularName", "vernacularName"),
    ("http://rs.tdwg.org/dwc/terms/Taxon", "Taxon"),
    ("http://xmlns.com/foaf/0.1/mbox", "email"),
];

/// What the terms of one crate mean.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    definitions: HashMap<String, Definition>,
    vocab: Option<String>,
    is_version_1_1: bool,
    /// Context IRIs that are not among those shipped here.
    pub(crate) unknown: Vec<String>,
    /// Whether the crate named any context at all.
    pub(crate) is_given: bool,
}

#[derive(Debug, Default)]
struct Definition {
    iri: String,
    /// Values are IRIs (`"@type": "@id"`).
    is_link: bool,
    language_map: bool,
}

fn bundled(version_1_1: bool) -> &'static HashMap<String, String> {
    static CONTEXTS: OnceLock<[HashMap<String, String>; 2]> = OnceLock::new();
    let [old, new] = CONTEXTS.get_or_init(|| {
        [include_str!("../contexts/ro-crate-1.1.jsonld"), include_str!("../contexts/ro-crate-1.2.jsonld")].map(terms)
    });
    if version_1_1 { old } else { new }
}

/// The terms of an RO-Crate context, which is a flat map of names to IRIs.
fn terms(text: &str) -> HashMap<String, String> {
    let context: Value = serde_json::from_str(text).unwrap_or_default();
    let terms = context.get("@context").and_then(Value::as_object).cloned().unwrap_or_default();
    terms.into_iter().filter_map(|(term, iri)| Some((term, iri.as_str()?.to_owned()))).collect()
}

fn gide(term: &str) -> Option<&'static str> {
    GIDE.iter().find(|(known, _)| *known == term).map(|(_, iri)| *iri)
}

impl Vocabulary {
    /// Reads a crate's `@context`.
    pub(crate) fn read(context: &Value) -> Self {
        let mut vocabulary = Self::default();
        vocabulary.add(context);
        vocabulary
    }

    fn add(&mut self, context: &Value) {
        match context {
            Value::String(name) => self.add_named(name),
            Value::Array(parts) => parts.iter().for_each(|part| self.add(part)),
            Value::Object(terms) => {
                self.is_given = true;
                terms.iter().for_each(|(term, definition)| self.define(term, definition));
            }
            _ => {}
        }
    }

    fn add_named(&mut self, name: &str) {
        self.is_given = true;
        let plain = name.trim().trim_end_matches('/');
        let plain = plain.strip_prefix("https://").or_else(|| plain.strip_prefix("http://")).unwrap_or(plain);
        match plain {
            "schema.org" | "schema.org/docs/jsonldcontext.jsonld" | "schema.org/docs/jsonldcontext.json" => {
                self.vocab = Some(SCHEMA.to_owned());
            }
            _ if plain.starts_with("w3id.org/ro/crate/1.1") || plain.starts_with("w3id.org/ro/crate/1.0") => {
                self.is_version_1_1 = true;
            }
            _ if plain.starts_with("w3id.org/ro/crate/") => {}
            _ if plain.contains("gide-search") => {}
            _ => self.unknown.push(name.to_owned()),
        }
    }

    fn define(&mut self, term: &str, definition: &Value) {
        let text = |key: &str| definition.get(key).and_then(Value::as_str);
        match (term, definition) {
            ("@vocab", Value::String(iri)) => self.vocab = Some(iri.replace("https://schema.org/", SCHEMA)),
            _ if term.starts_with('@') || term.is_empty() => {}
            (_, Value::String(iri)) => {
                self.definitions.insert(term.to_owned(), Definition { iri: iri.clone(), ..Definition::default() });
            }
            (_, Value::Object(_)) => {
                let definition = Definition {
                    iri: text("@id").unwrap_or(term).to_owned(),
                    is_link: matches!(text("@type"), Some("@id" | "@vocab")),
                    language_map: text("@container") == Some("@language"),
                };
                self.definitions.insert(term.to_owned(), definition);
            }
            _ => {}
        }
    }

    /// The name by which the rest of this crate knows a key or a type, whatever spelling or prefix was used.
    pub(crate) fn short(&self, term: &str) -> String {
        if gide(term).is_some() || term.starts_with('@') {
            return term.to_owned();
        }
        let Some(iri) = self.resolve(term, 0) else {
            return term.to_owned();
        };
        let iri = iri.replacen("https://schema.org/", SCHEMA, 1);
        if let Some((_, short)) =
            SAME.iter().chain(&GIDE.map(|(short, iri)| (iri, short))).find(|(known, _)| *known == iri)
        {
            return (*short).to_owned();
        }
        let local = iri
            .strip_prefix(SCHEMA)
            .or_else(|| iri.strip_prefix("http://purl.org/dc/terms/").filter(|name| *name == "conformsTo"));
        match local {
            Some(local) if bundled(false).get(local).is_some_and(|known| *known == iri) => local.to_owned(),
            _ => term.to_owned(),
        }
    }

    /// Whether the crate gave this key a meaning that [`Self::short`] replaces by another.
    pub(crate) fn is_redefined(&self, term: &str) -> bool {
        match (gide(term), self.definitions.get(term)) {
            (Some(meant), Some(_)) => self.resolve(term, 0).is_some_and(|given| given != meant),
            _ => false,
        }
    }

    /// Whether plain strings under this key are IRIs.
    pub(crate) fn is_link(&self, term: &str) -> bool {
        self.definitions.get(term).is_some_and(|definition| definition.is_link)
    }

    /// Whether the key holds a map of languages.
    pub(crate) fn is_language_map(&self, term: &str) -> bool {
        self.definitions.get(term).is_some_and(|definition| definition.language_map)
    }

    /// The absolute IRI of a key or a type; nothing when no context gives it a meaning.
    pub(crate) fn iri_of(&self, term: &str) -> Option<String> {
        let iri = match gide(term) {
            Some(iri) => iri.to_owned(),
            None => self.resolve(term, 0)?,
        };
        let iri = iri::encode(&iri);
        iri::is_absolute(&iri).then_some(iri)
    }

    /// Expands `prefix:name` where the prefix is known; nothing for anything else.
    pub(crate) fn expand(&self, text: &str) -> Option<String> {
        let (prefix, local) = text.split_once(':').filter(|(_, local)| !local.starts_with("//"))?;
        let start = self.prefix(prefix, 0)?;
        Some(format!("{start}{local}"))
    }

    fn prefix(&self, prefix: &str, depth: usize) -> Option<String> {
        let given = if self.definitions.contains_key(prefix) { self.resolve(prefix, depth + 1) } else { None };
        let iri = given.or_else(|| gide(prefix).map(str::to_owned)).or_else(|| bundled(false).get(prefix).cloned())?;
        iri.ends_with(['/', '#', '_', ':', '?', '=']).then_some(iri)
    }

    fn resolve(&self, term: &str, depth: usize) -> Option<String> {
        if depth > MAX_CHAIN {
            return None;
        }
        if let Some(definition) = self.definitions.get(term).filter(|definition| definition.iri != term) {
            return self.resolve_value(&definition.iri, depth);
        }
        let known = bundled(self.is_version_1_1).get(term).or_else(|| bundled(false).get(term));
        known.cloned().or_else(|| self.resolve_value(term, depth)).or_else(|| {
            let vocab = self.vocab.as_ref().filter(|_| !term.contains(':'))?;
            Some(format!("{vocab}{term}"))
        })
    }

    fn resolve_value(&self, value: &str, depth: usize) -> Option<String> {
        let (prefix, local) = value.split_once(':')?;
        if local.starts_with("//") || prefix == "urn" {
            return Some(value.to_owned());
        }
        self.prefix(prefix, depth + 1).map(|start| format!("{start}{local}"))
    }

    /// The same contexts as RO-Crate 1.2 with all else written out, for terms in use: nothing that is known here has to be
    /// fetched. Terms that nothing gives a meaning to get one below `own`.
    pub(crate) fn written_out(context: &Value, used: &BTreeSet<&str>, own: &str) -> Value {
        let given = match context {
            Value::Array(parts) => parts.as_slice(),
            Value::Null => &[],
            one => std::slice::from_ref(one),
        };
        let vocabulary = Self::read(context);
        let kept = given.iter().filter_map(|part| match part {
            Value::String(name) if vocabulary.unknown.contains(name) => Some(part.clone()),
            Value::String(_) => None,
            _ => Some(part.clone()),
        });
        let mut parts: Vec<Value> = [json!(RO_CRATE)].into_iter().chain(kept).collect();
        let in_place = |term: &str| given.iter().any(|part| part.get(term).is_some());
        let mut added = Map::new();
        for term in used.iter().filter(|term| !term.contains(':') && !term.starts_with('@') && !term.is_empty()) {
            if bundled(false).contains_key(*term) || in_place(term) {
                continue;
            }
            let iri = vocabulary.iri_of(term).unwrap_or_else(|| format!("{own}#{}", iri::encode_all(term)));
            added.insert((*term).to_owned(), json!(iri));
        }
        if !added.is_empty() {
            parts.push(Value::Object(added));
        }
        if parts.len() == 1 { parts.remove(0) } else { Value::Array(parts) }
    }

    /// A context with the meaning of just these terms, and the terms that have none.
    pub(crate) fn compact(&self, used: &BTreeSet<&str>) -> (Value, Vec<String>) {
        let mut context = Map::new();
        let mut undefined = Vec::new();
        for term in used {
            match self.iri_of(term) {
                // What has a colon is written out where it stands.
                Some(iri) if iri == *term || term.contains(':') => {}
                Some(iri) => {
                    context.insert((*term).to_owned(), json!({"@id": iri}));
                }
                None => undefined.push((*term).to_owned()),
            }
        }
        (Value::Object(context), undefined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_key_has_one_short_name() {
        let vocabulary = Vocabulary::read(&json!(["https://w3id.org/ro/crate/1.2/context", {
            "sdo": "https://schema.org/", "dwciri": "http://rs.tdwg.org/dwc/iri/", "also": {"@id": "rdf:seeAlso"}, "seeAlso": {"@id": "rdf:seeAlso"}
        }]));
        for (key, short) in [
            ("name", "name"),
            ("schema:name", "name"),
            ("http://schema.org/name", "name"),
            ("sdo:name", "name"),
            ("dwciri:measurementMethod", "measurementMethod"),
            ("also", "seeAlso"),
            ("seeAlso", "seeAlso"),
            ("@id", "@id"),
            ("conformsTo", "conformsTo"),
            ("unheard", "unheard"),
        ] {
            assert_eq!(vocabulary.short(key), short, "{key}");
        }
        assert!(vocabulary.is_redefined("seeAlso"));
        assert_eq!(vocabulary.iri_of("unheard"), None);
    }

    #[test]
    fn unknown_contexts_are_named_and_never_needed() {
        let vocabulary = Vocabulary::read(&json!(["https://example.org/context.json", "https://schema.org/"]));
        assert_eq!(vocabulary.unknown, ["https://example.org/context.json"]);
        assert_eq!(vocabulary.iri_of("anything").as_deref(), Some("http://schema.org/anything"));
    }

    #[test]
    fn written_out_every_term_in_use_has_a_meaning() {
        let context = json!(["https://w3id.org/ro/crate/1.1/context", "https://schema.org/", "https://e.org/unknown", {"mine": "http://e.org/mine"}]);
        let used = BTreeSet::from(["name", "mine", "scientificName", "@id", "a:b"]);
        assert_eq!(
            Vocabulary::written_out(&context, &used, "http://e.org/d"),
            json!([RO_CRATE, "https://e.org/unknown", {"mine": "http://e.org/mine"}, {"scientificName": "http://rs.tdwg.org/dwc/terms/scientificName"}])
        );
        let written = Vocabulary::written_out(&Value::Null, &BTreeSet::from(["my term"]), "http://e.org/d");
        assert_eq!(written, json!([RO_CRATE, {"my term": "http://e.org/d#my%20term"}]));
        assert_eq!(Vocabulary::written_out(&json!(RO_CRATE), &BTreeSet::from(["name"]), ""), json!(RO_CRATE));
    }

    #[test]
    fn definitions_that_stand_on_each_other_end() {
        let vocabulary = Vocabulary::read(&json!({"a": "b:x/", "b": "a:y/", "c": "c:c", "": "x", "d": null}));
        assert_eq!(vocabulary.iri_of("a"), None);
        assert_eq!(vocabulary.iri_of("c"), None);
        assert_eq!(vocabulary.expand("a:1"), None);
    }
}
