use dataset_model::{NodeId, Term};
use node::{Highlight, Hit};

use super::params::Params;
use crate::{
    links,
    views::{format, study::StudyView},
};

/// How much of a description is shown where no words were found in it, in characters.
const SNIPPET: usize = 260;
/// As many authors are named; the rest is counted.
const AUTHORS: usize = 4;
/// As many organisms or methods are shown as chips; the rest is counted.
const CHIPS: usize = 4;

/// One record found.
#[derive(Debug, Clone)]
pub(crate) struct HitCard {
    pub href: String,
    pub title: Vec<Piece>,
    pub plain_title: String,
    pub snippet: Vec<Piece>,
    pub thumbnail: Option<String>,
    pub authors: String,
    pub organisms: Vec<Chip>,
    pub methods: Vec<Chip>,
    pub publisher: Option<String>,
    pub licence: Option<String>,
    pub date: Option<String>,
    /// The node it came from, or nothing when it is ours.
    pub from: Option<String>,
    pub catalogue: bool,
    pub images: String,
    pub has_images: bool,
    pub size: Option<String>,
    pub matched_via: Vec<String>,
    /// The other records of its study.
    pub study: Option<StudyView>,
    /// Whether it is only as a peer says; its link leads there then.
    pub unverified: bool,
}

/// A run of text, marked where a word was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub text: String,
    pub marked: bool,
}

/// A term that leads to everything like it.
#[derive(Debug, Clone)]
pub(crate) struct Chip {
    pub label: String,
    pub curie: String,
    pub href: String,
}

impl HitCard {
    pub(crate) fn of(hit: Hit, here: &NodeId) -> Self {
        let document = hit.document;
        let from = (document.key.node != *here).then(|| document.key.node.to_string());
        let plain_title = title_or(&document.title, document.key.id.as_str());
        Self {
            href: links::dataset(document.key.id.as_str(), from.as_deref()),
            title: marked(&hit.highlights, "title").unwrap_or_else(|| vec![Piece::plain(&plain_title)]),
            snippet: marked(&hit.highlights, "description")
                .unwrap_or_else(|| vec![Piece::plain(&format::beginning(&document.description, SNIPPET))]),
            thumbnail: document.thumbnail.as_deref().and_then(links::picture),
            authors: names(&document.authors),
            organisms: chips("organism", &document.organisms),
            methods: chips("method", &document.methods),
            publisher: document.publisher,
            licence: document.licence,
            date: document.date.as_deref().map(format::day),
            catalogue: document.kind == "catalogue",
            has_images: document.images > 0,
            images: format::count(u64::from(document.images), "image", "images"),
            size: document.bytes.map(format::bytes),
            matched_via: hit.matched_via,
            study: hit.study.map(|study| StudyView::same(&study, &document.key, here)),
            unverified: false,
            from,
            plain_title,
        }
    }
}

impl HitCard {
    /// The card of a record that only a peer vouches for: it leads to its page there, and shows no picture.
    pub(crate) fn told_by_peer(self, page: Option<String>) -> Self {
        match page.as_deref().map(links::web) {
            Some(page) => Self { href: page.unwrap_or_default(), thumbnail: None, unverified: true, ..self },
            None => self,
        }
    }
}

impl Piece {
    fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), marked: false }
    }
}

/// A title, or something to click on where there is none.
pub(crate) fn title_or(title: &str, id: &str) -> String {
    if title.trim().is_empty() { id.to_owned() } else { title.to_owned() }
}

/// A field's fragments, cut where marks begin and end; separate fragments stand apart.
fn marked(highlights: &[Highlight], field: &str) -> Option<Vec<Piece>> {
    let highlight = highlights.iter().find(|highlight| highlight.field == field)?;
    let mut pieces = Vec::new();
    for (number, fragment) in highlight.fragments.iter().enumerate() {
        if number > 0 {
            pieces.push(Piece::plain(" … "));
        }
        let mut done = 0;
        for mark in &fragment.marks {
            let (before, found) = (fragment.text.get(done..mark.start), fragment.text.get(mark.clone()));
            pieces.extend(before.filter(|text| !text.is_empty()).map(Piece::plain));
            pieces.extend(found.map(|text| Piece { text: text.to_owned(), marked: true }));
            done = mark.end;
        }
        pieces.extend(fragment.text.get(done..).filter(|text| !text.is_empty()).map(Piece::plain));
    }
    Some(pieces)
}

fn names(authors: &[String]) -> String {
    let shown = authors.iter().take(AUTHORS).map(String::as_str).collect::<Vec<_>>().join(", ");
    match authors.len().saturating_sub(AUTHORS) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Terms as links to the search for them.
pub(crate) fn chips(filter: &str, terms: &[Term]) -> Vec<Chip> {
    terms.iter().take(CHIPS).map(|term| chip(filter, term)).collect()
}

/// One term as a link to the search for it.
pub(crate) fn chip(filter: &str, term: &Term) -> Chip {
    Chip {
        label: if term.label.is_empty() { term.iri.curie() } else { term.label.clone() },
        curie: term.iri.curie(),
        href: Params::default().with(filter, term.iri.as_str()).link("/search"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn hit() -> Hit {
        serde_json::from_value(json!({
            "document": {
                "key": {"node": "japan", "id": "japan-1"}, "iri": "https://j.org/1", "version": 1,
                "title": "</script><script>alert(1)</script>", "description": "Long ago. ".repeat(60),
                "authors": ["A", "B", "C", "D", "E"], "orcids": [], "keywords": [], "text": [],
                "organisms": [{"iri": "http://purl.obolibrary.org/obo/NCBITaxon_9606", "label": "Homo sapiens"}],
                "organism_closure": [], "organism_names": [], "methods": [], "method_closure": [], "method_names": [],
                "about": [], "publisher": "P", "licence": "CC-BY-4.0", "date": "2024-05-01", "year": 2024,
                "access": "open", "identifiers": [], "images": 2, "bytes": 1500, "thumbnail": "javascript:alert(1)",
                "kind": "catalogue",
            },
            "score": 1.0,
            "highlights": [{"field": "description", "fragments": [
                {"text": "Röntgen <i> rays", "marks": [{"start": 0, "end": 8}]},
                {"text": "more rays", "marks": [{"start": 5, "end": 9}]},
            ]}],
            "matched_via": ["human"],
        }))
        .unwrap()
    }

    #[test]
    fn marks_cut_a_text_without_losing_a_letter() {
        let card = HitCard::of(hit(), &"europe".parse().unwrap());
        let text: String = card.snippet.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(text, "Röntgen <i> rays … more rays");
        let marked: Vec<_> =
            card.snippet.iter().filter(|piece| piece.marked).map(|piece| piece.text.as_str()).collect();
        assert_eq!(marked, ["Röntgen", "rays"]);
    }

    #[test]
    fn marks_that_do_not_fit_their_text_are_left_out() {
        let highlight = serde_json::from_value(
            json!({"field": "title", "fragments": [{"text": "ü", "marks": [{"start": 1, "end": 9}]}]}),
        )
        .unwrap();
        assert!(marked(&[highlight], "title").unwrap().iter().all(|piece| !piece.marked));
    }

    #[test]
    fn a_record_of_another_node_says_so_and_its_link_names_the_node() {
        let card = HitCard::of(hit(), &"europe".parse().unwrap());
        assert_eq!((card.href.as_str(), card.from.as_deref()), ("/datasets/japan-1?node=japan", Some("japan")));
        let at_home = HitCard::of(hit(), &"japan".parse().unwrap());
        assert_eq!((at_home.href.as_str(), at_home.from), ("/datasets/japan-1", None));
    }

    #[test]
    fn many_authors_are_counted_and_bad_pictures_left_out() {
        let card = HitCard::of(hit(), &"europe".parse().unwrap());
        assert_eq!(card.authors, "A, B, C, D and 1 more");
        assert_eq!(card.thumbnail, None);
        assert_eq!(card.organisms[0].href, "/search?organism=http%3A%2F%2Fpurl.obolibrary.org%2Fobo%2FNCBITaxon_9606");
    }
}
