//! One study in several records: the line below a hit, and the section on a landing page.

use dataset_model::{DatasetKey, NodeId, StudyKey, StudyKeyKind};
use node::{Study, StudyEvidence, StudyLocation, StudyRecord};

use super::search::hits::title_or;
use crate::links;

/// As much of a shared title is shown, in characters.
const SHOWN_VALUE: usize = 120;

/// A record of the same study, or of a related one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    pub title: String,
    pub href: String,
    /// `SSBD:database, at japan`.
    pub place: String,
    /// Why it is related; empty for the same study.
    pub because: Vec<String>,
}

/// What a landing page says of the study.
#[derive(Debug, Clone, Default)]
pub(crate) struct StudyView {
    pub elsewhere: Vec<Elsewhere>,
    pub evidence: Vec<String>,
    pub related: Vec<Elsewhere>,
}

impl StudyView {
    /// The study of a record, without that record itself; none where there is nothing to say.
    pub(crate) fn of(found: &StudyRecord, own: &DatasetKey, here: &NodeId) -> Option<Self> {
        let related = found.related.iter().map(|related| Elsewhere {
            because: related.because.iter().map(related_because).collect(),
            ..Elsewhere::of(&related.location, here)
        });
        let view = Self { related: related.collect(), ..Self::same(&found.study, own, here) };
        (!view.elsewhere.is_empty() || !view.related.is_empty()).then_some(view)
    }

    /// The other records of a study, and why.
    pub(crate) fn same(study: &Study, own: &DatasetKey, here: &NodeId) -> Self {
        let others = study.locations.iter().filter(|location| location.key != *own);
        Self {
            elsewhere: others.map(|location| Elsewhere::of(location, here)).collect(),
            evidence: study.evidence.iter().map(because).collect(),
            related: Vec::new(),
        }
    }
}

impl Elsewhere {
    fn of(location: &StudyLocation, here: &NodeId) -> Self {
        let from = (location.key.node != *here).then_some(location.key.node.as_str());
        let place = location.publisher.iter().cloned().chain(from.map(|node| format!("at {node}")));
        Self {
            title: title_or(&location.title, location.key.id.as_str()),
            href: links::dataset(location.key.id.as_str(), from),
            place: place.collect::<Vec<_>>().join(", "),
            because: Vec::new(),
        }
    }
}

fn because(evidence: &StudyEvidence) -> String {
    let value = shown(&evidence.value);
    match evidence.kind {
        StudyKeyKind::Identifier | StudyKeyKind::SameAs => format!("the same identifier: {value}"),
        StudyKeyKind::Title => "the same title".to_owned(),
        StudyKeyKind::Article => format!("the same article: {value}"),
        StudyKeyKind::ArticleTitle => format!("the article “{value}”"),
        StudyKeyKind::Description => "the same description".to_owned(),
        StudyKeyKind::Mention => format!("it names {value}"),
    }
}

fn related_because(key: &StudyKey) -> String {
    let value = shown(&key.value);
    match key.kind {
        StudyKeyKind::Mention => format!("{value} is named"),
        StudyKeyKind::Article => format!("both name the article {value}"),
        StudyKeyKind::ArticleTitle => format!("both name the article “{value}”"),
        StudyKeyKind::Title => "the titles are the same".to_owned(),
        StudyKeyKind::Description => "the descriptions are the same".to_owned(),
        StudyKeyKind::Identifier | StudyKeyKind::SameAs => format!("both are called {value}"),
    }
}

fn shown(value: &str) -> String {
    let value = value.strip_prefix("doi:").unwrap_or(value);
    super::format::beginning(value, SHOWN_VALUE)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn study() -> StudyRecord {
        let location = |node: &str, id: &str| {
            json!({"node": node, "id": id, "iri": format!("https://x.org/{id}"),
            "title": format!("<b>{id}"), "publisher": "SSBD:database", "images": 0})
        };
        serde_json::from_value(json!({
            "id": {"node": "japan", "id": "a"},
            "locations": [location("japan", "a"), location("europe", "b")],
            "evidence": [{"kind": "article", "value": "doi:10.1/x", "records": [{"node": "japan", "id": "a"}, {"node": "europe", "id": "b"}]}],
            "related": [{"node": "europe", "id": "c", "iri": "https://x.org/c", "title": "", "publisher": null, "images": 0,
                "because": [{"kind": "mention", "value": "idr0012"}]}],
        }))
        .unwrap()
    }

    #[test]
    fn a_study_lists_its_other_records_with_the_reason() {
        let own = DatasetKey { node: "japan".parse().unwrap(), id: "a".parse().unwrap() };
        let view = StudyView::of(&study(), &own, &"japan".parse().unwrap()).unwrap();
        assert_eq!(view.elsewhere.len(), 1);
        assert_eq!(view.elsewhere[0].href, "/datasets/b?node=europe");
        assert_eq!(view.elsewhere[0].place, "SSBD:database, at europe");
        assert_eq!(view.evidence, ["the same article: 10.1/x"]);
        assert_eq!((view.related[0].title.as_str(), view.related[0].because[0].as_str()), ("c", "idr0012 is named"));
    }
}
