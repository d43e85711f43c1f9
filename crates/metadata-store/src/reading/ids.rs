//! From the `@id`s people write to absolute IRIs.

use std::collections::HashMap;

use dataset_model::Licence;

use super::{journal::Journal, text};
use crate::{CrateError, context::Vocabulary, iri};

/// How the local id of a person begins whose ORCID was none.
pub(super) const NOT_AN_ORCID: &str = "not-an-orcid-";

/// Turns ids into absolute IRIs, always the same way.
pub(super) struct Ids<'a> {
    vocabulary: &'a Vocabulary,
    /// The dataset's page, as given.
    base: String,
    /// The same with a slash at its end, for files below it.
    folder: String,
    seen: HashMap<String, String>,
    /// What each IRI stands for that had to be made valid, so that no two things get the same one.
    made: HashMap<String, String>,
}

impl<'a> Ids<'a> {
    pub(super) fn new(base: &str, vocabulary: &'a Vocabulary) -> Result<Self, CrateError> {
        if !iri::is_absolute(base) || !base.contains("://") {
            return Err(CrateError::Base(base.to_owned()));
        }
        let base = base.split('#').next().unwrap_or(base).to_owned();
        let folder = if base.ends_with('/') { base.clone() } else { format!("{base}/") };
        Ok(Self { vocabulary, base, folder, seen: HashMap::new(), made: HashMap::new() })
    }

    /// What relative ids are put below.
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// The IRI for an id; a spelling that had to be repaired is recorded once.
    pub(super) fn absolute(&mut self, id: &str, journal: &mut Journal) -> String {
        if let Some(known) = self.seen.get(id) {
            return known.clone();
        }
        let absolute = self.read(id, journal);
        self.seen.insert(id.to_owned(), absolute.clone());
        absolute
    }

    /// An IRI in this crate for a thing without one of its own.
    pub(super) fn local(&self, name: &str) -> String {
        format!("{}#{}", self.base, iri::encode_all(name))
    }

    fn read(&mut self, id: &str, journal: &mut Journal) -> String {
        let clean = text::clean(id);
        let clean = clean.as_ref();
        if clean != id {
            journal.repair("text.whitespace", id, clean);
        }
        if matches!(clean, "" | "." | "./") {
            return self.base.clone();
        }
        if let Some(name) = clean.strip_prefix("_:") {
            return format!("_:b{}", blank_label(name));
        }
        if clean.contains("://creativecommons.org/") {
            let licence = Licence::read(clean).url;
            if licence != clean {
                journal.repair("licence.spelling", clean, &licence);
            }
            return iri::encode(&licence);
        }
        if let Some(known) = iri::known(clean) {
            if let Some(rule) = known.rule {
                journal.repair(rule, clean, &known.iri);
            }
            return known.iri;
        }
        let expanded = self.vocabulary.expand(clean);
        self.valid(expanded.as_deref().unwrap_or(clean), journal)
    }

    fn valid(&mut self, id: &str, journal: &mut Journal) -> String {
        if iri::claims_orcid(id) {
            let local = self.local(&format!("{NOT_AN_ORCID}{}", id.rsplit("orcid.org/").next().unwrap_or(id)));
            journal.repair("orcid.not-an-orcid", id, &local);
            return local;
        }
        let absolute = if let Some(fragment) = id.strip_prefix('#') {
            format!("{}#{fragment}", self.base)
        } else if has_scheme(id) {
            id.to_owned()
        } else {
            format!("{}{}", self.folder, id.trim_start_matches("./"))
        };
        let encoded = self.only_for(&absolute, iri::encode(&absolute));
        if encoded != absolute && has_scheme(id) {
            journal.repair("iri.encoded", id, &encoded);
        }
        if iri::is_absolute(&encoded) {
            return encoded;
        }
        let local = self.only_for(id, self.local(id));
        journal.repair("iri.local", id, &local);
        local
    }

    /// The IRI, or one like it when it stands for something else already.
    fn only_for(&mut self, what: &str, iri: String) -> String {
        let mut free = iri.clone();
        let mut number = 1;
        while self.made.get(&free).is_some_and(|other| other != what) {
            number += 1;
            free = format!("{iri}-{number}");
        }
        self.made.insert(free.clone(), what.to_owned());
        free
    }
}

/// A label that any syntax of RDF can hold, another one for each name.
fn blank_label(name: &str) -> String {
    let mut label = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            label.push(character);
        } else {
            label.push_str(&format!("_{:x}_", u32::from(character)));
        }
    }
    label
}

/// Whether the text begins like `scheme:` (RFC 3986 §3.1).
fn has_scheme(id: &str) -> bool {
    id.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(id: &str) -> (String, Vec<String>) {
        let vocabulary = Vocabulary::read(&json!({"ex": "https://example.org/"}));
        let mut journal = Journal::default();
        let iri = Ids::new("https://node.example/datasets/d1", &vocabulary).unwrap().absolute(id, &mut journal);
        (iri, journal.finish().0.into_iter().map(|repair| repair.rule).collect())
    }

    #[test]
    fn ids_become_absolute_within_their_dataset() {
        for (id, absolute) in [
            ("./", "https://node.example/datasets/d1"),
            ("#a b", "https://node.example/datasets/d1#a%20b"),
            ("ro-crate-metadata.json", "https://node.example/datasets/d1/ro-crate-metadata.json"),
            ("./image.ome.zarr/", "https://node.example/datasets/d1/image.ome.zarr/"),
            ("ex:thing", "https://example.org/thing"),
            ("obo:CLO_0003684", "http://purl.obolibrary.org/obo/CLO_0003684"),
            ("_:b0", "_:bb0"),
            ("_:b-0", "_:bb_2d_0"),
            ("/image.ome.zarr/", "https://node.example/datasets/d1//image.ome.zarr/"),
        ] {
            assert_eq!(read(id), (absolute.to_owned(), vec![]), "{id}");
        }
    }

    #[test]
    fn damaged_ids_are_repaired_and_the_entity_stays() {
        for (id, rule) in [
            ("https://orcid.org/NA", "orcid.not-an-orcid"),
            ("https://orcid.org/0000-0002-7054-0059 (Name)", "orcid.not-an-orcid"),
            ("https://example.org/a b", "iri.encoded"),
            ("FBbi:00000246", "term.fbbi-spelling"),
            ("\u{200b}https://example.org/", "text.whitespace"),
        ] {
            let (iri, rules) = read(id);
            assert!(iri::is_absolute(&iri), "{id} → {iri}");
            assert_eq!(rules, [rule], "{id}");
        }
    }

    #[test]
    fn a_base_that_is_no_page_is_refused() {
        let vocabulary = Vocabulary::default();
        for base in ["", "datasets/d1", "not a base", "urn:x"] {
            assert!(Ids::new(base, &vocabulary).is_err(), "{base}");
        }
    }
}
