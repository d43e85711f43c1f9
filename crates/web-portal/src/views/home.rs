use askama::Template;
use node::SearchAnswer;

use super::{
    chrome::{Chrome, Section},
    format,
    search::{SourceLine, hits::HitCard, params::Params},
};
use crate::site::Identity;

/// As many organisms and methods are offered to browse by.
const BROWSE: usize = 8;

/// The front page.
#[derive(Debug, Template)]
#[template(path = "home.html")]
pub(crate) struct HomePage {
    pub chrome: Chrome,
    pub about: String,
    pub datasets: String,
    pub nodes: String,
    pub with_images: String,
    pub organisms: Vec<Browse>,
    pub methods: Vec<Browse>,
    pub newest: Vec<HitCard>,
    pub sources: Vec<SourceLine>,
}

/// A way into the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct Browse {
    pub label: String,
    pub count: String,
    pub href: String,
}

impl HomePage {
    /// `newest` is a search for everything, newest first.
    pub(crate) fn new(identity: &Identity, newest: SearchAnswer) -> Self {
        let facets = &newest.facets;
        let browse = |name: &str, values: &[node::FacetValue]| {
            let link = |value: &node::FacetValue| Browse {
                label: value.label.clone(),
                count: format::number(value.count),
                href: Params::default().with(name, &value.value).link("/search"),
            };
            most_recorded(values).into_iter().map(link).collect()
        };
        let with_images = facets.has_images.iter().find(|value| value.value == "true").map_or(0, |value| value.count);
        Self {
            chrome: Chrome::new(identity, Section::Home, ""),
            about: identity.about.clone(),
            datasets: format::number(newest.total),
            nodes: format::number(newest.sources.len() as u64),
            with_images: format::number(with_images),
            organisms: browse("organism", &facets.organism),
            methods: browse("method", &facets.method),
            sources: newest.sources.iter().map(SourceLine::of).collect(),
            newest: newest.hits.into_iter().map(|hit| HitCard::of(hit, &identity.id)).collect(),
        }
    }
}

/// The terms most datasets name themselves, wherever they stand in the tree.
fn most_recorded(values: &[node::FacetValue]) -> Vec<&node::FacetValue> {
    fn all<'a>(values: &'a [node::FacetValue], into: &mut Vec<&'a node::FacetValue>) {
        for value in values {
            into.push(value);
            all(&value.children, into);
        }
    }
    let mut found = Vec::new();
    all(values, &mut found);
    found.retain(|value| value.recorded != Some(0));
    found.sort_by_key(|value| (std::cmp::Reverse(value.recorded.unwrap_or(value.count)), &value.value));
    found.dedup_by_key(|value| &value.value);
    found.truncate(BROWSE);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::search::{facets, hits};

    #[test]
    fn the_front_page_counts_offers_and_shows() {
        let source = |name: &str| node::SourceReport {
            node: name.parse().unwrap(),
            status: "live",
            as_of: 1,
            total: 2,
            checked: None,
            took_ms: None,
            why: None,
        };
        let answer = SearchAnswer {
            total: 1252,
            hits: vec![hits::tests::hit()],
            facets: facets::tests::facets(),
            sources: vec![source("europe"), source("japan")],
            ..SearchAnswer::default()
        };
        let page = HomePage::new(&Identity::example(), answer).render().unwrap();
        for text in [
            "1,252",
            "Bio-image data from European laboratories.",
            "Mus musculus",
            "japan",
            "/datasets/japan-1?node=japan",
        ] {
            assert!(page.contains(text), "{text} is missing: {page}");
        }
        let own = page.matches("<script src=\"/assets/").count();
        assert_eq!((own, page.matches("<script").count()), (1, 1), "{page}");
    }
}
