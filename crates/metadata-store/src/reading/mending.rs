//! Ids that can only be mended with the whole crate in view.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{
    entity::{Entity, reference},
    journal::Journal,
};

/// Gives publishers a slash at the end, articles named by a bare number their PubMed page, and a root without a name the
/// dataset's page as its name; `folder` is what relative ids were put below. Gives the root's id.
pub(super) fn mend(entities: &mut [Entity], root: &str, (page, folder): (&str, &str), journal: &mut Journal) -> String {
    let mut renames = HashMap::new();
    if root.starts_with("_:") {
        journal.repair("iri.root", root, page);
        renames.insert(root.to_owned(), page.to_owned());
    }
    let publishers =
        entities.iter().filter(|entity| entity.id == root).flat_map(|entity| entity.references("publisher"));
    for publisher in publishers {
        // A dataset that names itself as its publisher keeps its name.
        if publisher != root && lacks_slash(publisher) {
            let to = format!("{publisher}/");
            journal.repair("publisher.slash", publisher, &to);
            renames.insert(publisher.to_owned(), to);
        }
    }
    for article in entities.iter().filter(|entity| entity.is("ScholarlyArticle")) {
        if let Some(number) = bare_number(&article.id, folder) {
            let to = format!("https://pubmed.ncbi.nlm.nih.gov/{number}/");
            journal.repair("article.pubmed-number", number, &to);
            renames.insert(article.id.clone(), to);
        }
    }
    if !renames.is_empty() {
        entities.iter_mut().for_each(|entity| rename(entity, &renames));
    }
    renames.remove(root).unwrap_or_else(|| root.to_owned())
}

/// Publishers are named by their home page; organisation registries have ids of their own form.
fn lacks_slash(iri: &str) -> bool {
    let registries = ["ror.org/", "orcid.org/", "doi.org/", "wikidata.org/", "grid.ac/", "purl.obolibrary.org/"];
    let Some((_, path)) = iri.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https")) else {
        return false;
    };
    let is_file = path.rsplit_once('/').is_some_and(|(_, name)| name.contains('.'));
    !path.ends_with('/')
        && !path.contains(['#', '?'])
        && !is_file
        && !registries.iter().any(|known| path.contains(known))
}

/// The number of an article whose id was nothing but a PubMed number, and so was put below the dataset's page.
fn bare_number<'a>(id: &'a str, folder: &str) -> Option<&'a str> {
    let name = id.strip_prefix(folder)?;
    (!name.is_empty() && name.len() <= 9 && name.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

fn rename(entity: &mut Entity, renames: &HashMap<String, String>) {
    if let Some(to) = renames.get(&entity.id) {
        entity.id.clone_from(to);
    }
    for value in entity.properties.values_mut().flatten() {
        if let Some(to) = reference(value).and_then(|id| renames.get(id)) {
            *value = link(to);
        }
    }
}

fn link(to: &str) -> Value {
    json!({"@id": to})
}
