//! What a normalised crate says, in the words of pages and search.

use dataset_model::{Declared, Licence, Summary, Term};
use serde_json::Value;

use super::{
    entity::{Entities, Entity, reference},
    people,
    size::{SizeUnit, size},
    terms,
    text::is_placeholder,
};
use crate::{Ontology, iri};

/// Summarises the dataset; a crate without a title is called by its id.
pub(super) fn of(entities: &Entities, id: &str, ontology: &Ontology) -> Summary {
    let nothing = Entity::default();
    let root = entities.get(id).unwrap_or(&nothing);
    let (organisms, methods) = (organisms(entities, root, ontology), methods(entities, root, ontology));
    Summary {
        iri: id.to_owned(),
        title: root.text("name").unwrap_or_else(|| fallback_title(root, id)),
        description: root.text("description").unwrap_or_default(),
        date_published: root.text("datePublished").filter(|date| super::date::read(date).as_ref() == Some(date)),
        licence: licence(entities, root),
        publisher: people::publisher(entities, root),
        authors: people::authors(entities, root),
        entities: named_entities(entities, root, &organisms),
        about: about(entities, root, ontology, &organisms),
        keywords: unique(root.values("keywords").iter().filter_map(|value| name_of(entities, value))),
        thumbnail: thumbnail(entities, root),
        identifiers: identifiers(entities, root),
        see_also: see_also(entities, root),
        text: texts(entities, &["BioSample", "LabProtocol", "DefinedTerm", "Taxon"], &DESCRIBING),
        related_text: related_texts(entities),
        declared: declared(entities, root),
        conflicts: terms::conflicts(entities, ontology),
        organisms,
        methods,
        incomplete: false,
        findings: Vec::new(),
        repairs: Vec::new(),
    }
}

fn fallback_title(root: &Entity, id: &str) -> String {
    let last = id.trim_end_matches('/').rsplit('/').next().unwrap_or(id);
    root.text("identifier").or_else(|| root.text("alternateName")).unwrap_or_else(|| last.to_owned())
}

/// A value's text, or the name of the entity it refers to.
fn name_of(entities: &Entities, value: &Value) -> Option<String> {
    match reference(value) {
        Some(id) => entities.get(id).and_then(Entity::label),
        None => value.as_str().or_else(|| value.get("@value")?.as_str()).map(str::to_owned),
    }
}

fn unique(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    texts.filter(|text| seen.insert(text.clone())).collect()
}

/// Taxa of the root's `about`, and of the samples there.
fn organisms(entities: &Entities, root: &Entity, ontology: &Ontology) -> Vec<Term> {
    let samples = entities.linked(root, "about").filter(|entity| entity.is("BioSample"));
    let of_samples = samples.flat_map(|sample| sample.references("taxonomicRange"));
    let ids = root.references("about").chain(of_samples).chain(root.references("taxonomicRange"));
    collect(entities, ids, ontology, &|entity, term| {
        entity.is_some_and(|entity| entity.is("Taxon")) || ontology.is_taxon(&term.iri)
    })
}

/// Terms of the root's `measurementMethod`, and of the protocols there.
fn methods(entities: &Entities, root: &Entity, ontology: &Ontology) -> Vec<Term> {
    let keys = ["measurementMethod", "measurementTechnique"];
    let of_root = || keys.iter().flat_map(|key| root.references(key));
    let protocols = of_root().filter_map(|id| entities.get(id)).filter(|entity| entity.is("LabProtocol"));
    let of_protocols = protocols.flat_map(|protocol| keys.iter().flat_map(|key| protocol.references(key)));
    collect(entities, of_root().chain(of_protocols), ontology, &|entity, term| {
        entity.map_or_else(
            || ontology.is_method(&term.iri),
            |entity| entity.is("DefinedTerm") || ontology.is_method(&term.iri),
        )
    })
}

/// Other terms the dataset is about, cell lines of its samples included.
fn about(entities: &Entities, root: &Entity, ontology: &Ontology, organisms: &[Term]) -> Vec<Term> {
    let samples = entities.linked(root, "about").filter(|entity| entity.is("BioSample"));
    let ids = root.references("about").chain(samples.flat_map(|sample| sample.references("hasCellLine")));
    let known = |entity: Option<&Entity>, term: &Term| {
        let is_term = entity.map_or_else(|| ontology.contains(&term.iri), |entity| entity.is("DefinedTerm"));
        let is_local = entity.is_some_and(|entity| entities.is_local(&entity.id));
        is_term && !is_local && !organisms.iter().any(|organism| organism.iri == term.iri)
    };
    collect(entities, ids, ontology, &known)
}

/// What the dataset is about and has a name, but no term: texts, entities that mean something within the crate only, samples.
/// A sample is called by its cell lines where it has any; one that is called as its organism says no more than that.
fn named_entities(entities: &Entities, root: &Entity, organisms: &[Term]) -> Vec<String> {
    let nameless = |value: &Value| {
        let described = reference(value).and_then(|id| entities.get(id));
        let is_term =
            |entity: &Entity| entity.is("Taxon") || (entity.is("DefinedTerm") && !entities.is_local(&entity.id));
        !described.is_some_and(is_term)
    };
    let lines = |value: &Value| {
        let sample = reference(value).and_then(|id| entities.get(id)).filter(|entity| entity.is("BioSample"));
        let lines: Vec<Value> = sample.map(|sample| sample.values("hasCellLine").to_vec()).unwrap_or_default();
        if lines.is_empty() { vec![value.clone()] } else { lines }
    };
    let named = root.values("about").iter().flat_map(lines).filter(nameless);
    let names = named.filter_map(|value| name_of(entities, &value)).map(|name| name.trim().to_owned());
    let says_nothing = |name: &str| {
        let is_organism = organisms.iter().any(|organism| organism.label.eq_ignore_ascii_case(name));
        name.is_empty() || is_organism || is_placeholder(name) || names_nothing(name)
    };
    unique(names.filter(|name| !says_nothing(name)))
}

/// Whether a sample's name only says that it is one, such as "Biosample 2".
fn names_nothing(name: &str) -> bool {
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ').to_lowercase();
    let kinds = ["na", "biosample", "biosamples", "sample", "samples", "specimen", "organism", "cell line sample"];
    kinds.contains(&name.as_str())
}

/// The terms behind ids, once each, in the order written; an obsolete one is followed by that which replaces it.
fn collect<'a>(
    entities: &'a Entities,
    ids: impl Iterator<Item = &'a str>,
    ontology: &Ontology,
    wanted: &dyn Fn(Option<&Entity>, &Term) -> bool,
) -> Vec<Term> {
    let mut seen = std::collections::HashSet::new();
    let mut found = Vec::new();
    for id in ids.filter(|id| seen.insert(*id)) {
        let entity = entities.get(id);
        let term = match entity {
            Some(entity) => terms::term_of(entity, ontology),
            None => terms::bare_term(id, ontology),
        };
        let Some(term) = term.filter(|term| wanted(entity, term)) else { continue };
        let replacement = ontology.replaced_by(&term.iri).filter(|_| ontology.is_deprecated(&term.iri));
        let replacement = replacement.and_then(|iri| terms::bare_term(iri.as_str(), ontology));
        found.push(term);
        found.extend(replacement);
    }
    let mut once = std::collections::HashSet::new();
    found.retain(|term: &Term| once.insert(term.iri.clone()));
    found
}

fn licence(entities: &Entities, root: &Entity) -> Option<Licence> {
    let value = root.values("license").first()?;
    let Some(id) = reference(value) else {
        return value.as_str().map(Licence::read);
    };
    // A licence described in the crate under a local id gives its address as 'url' or 'identifier'.
    let entity = entities.get(id).filter(|_| entities.is_local(id));
    let address = entity.and_then(|entity| {
        let linked = entity.references("url").next().map(str::to_owned);
        linked.or_else(|| entity.text("url")).or_else(|| entity.text("identifier")).or_else(|| entity.text("name"))
    });
    Some(Licence::read(address.as_deref().unwrap_or(id)))
}

fn thumbnail(entities: &Entities, root: &Entity) -> Option<String> {
    let values = ["thumbnailUrl", "thumbnail", "image"].iter().flat_map(|key| root.values(key));
    let mut urls = values.filter_map(|value| match reference(value) {
        Some(id) => entities.get(id).and_then(|entity| entity.text("contentUrl")).or_else(|| Some(id.to_owned())),
        None => value.as_str().map(str::to_owned),
    });
    urls.find(|url| url.starts_with("https://") || url.starts_with("http://"))
}

/// The accession first, then DOIs, those of related articles included, so that a reader of the paper finds the images.
fn identifiers(entities: &Entities, root: &Entity) -> Vec<String> {
    let own = root.values("identifier").iter().filter_map(|value| match reference(value) {
        Some(id) => entities.get(id).and_then(|entity| entity.text("value")).or_else(|| Some(id.to_owned())),
        None => value.as_str().map(str::to_owned).or_else(|| value.as_number().map(ToString::to_string)),
    });
    let own = own.map(|text| iri::doi(&text).unwrap_or(text));
    let articles = ["seeAlso", "citation", "sameAs"].iter().flat_map(|key| root.references(key)).filter_map(iri::doi);
    unique(own.chain(iri::doi(&root.id)).chain(articles))
}

fn see_also(entities: &Entities, root: &Entity) -> Vec<String> {
    let keys = ["seeAlso", "citation", "sameAs", "isBasedOn", "url"];
    let values = keys.iter().flat_map(|key| root.values(key));
    let links = values.filter_map(|value| reference(value).or_else(|| value.as_str()));
    unique(links.filter(|link| link.starts_with("http") && !entities.is_local(link)).map(str::to_owned))
}

/// What things are described by.
const DESCRIBING: [&str; 6] =
    ["name", "description", "scientificName", "vernacularName", "alternateName", "labEquipment"];

/// Texts of entities of some kinds, for full text.
fn texts(entities: &Entities, kinds: &[&str], keys: &[&str]) -> Vec<String> {
    let described = entities.iter().filter(|entity| kinds.iter().any(|kind| entity.is(kind)));
    let values = described.flat_map(|entity| keys.iter().flat_map(|key| entity.values(key)));
    unique(values.filter_map(|value| if reference(value).is_some() { None } else { name_of(entities, value) }))
}

/// What is written of things the dataset is connected with, but is not itself.
fn related_texts(entities: &Entities) -> Vec<String> {
    let articles = texts(entities, &["ScholarlyArticle", "Grant"], &DESCRIBING);
    let cell_lines = texts(entities, &["BioSample"], &["hasCellLine"]);
    unique(articles.into_iter().chain(cell_lines))
}

/// Sizes declared as quantities of bytes or files; the first of each counts.
fn declared(entities: &Entities, root: &Entity) -> Declared {
    let sizes: Vec<(SizeUnit, u64)> = entities.linked(root, "size").filter_map(size).collect();
    let first = |unit| sizes.iter().find(|(of, _)| *of == unit).map(|(_, number)| *number);
    Declared { bytes: first(SizeUnit::Bytes), files: first(SizeUnit::Files) }
}
