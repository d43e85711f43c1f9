//! The search page: its filters as links, its hits as cards.

pub(crate) mod facets;
pub(crate) mod hits;
pub(crate) mod params;

use askama::Template;
use node::{Hit, SearchAnswer, SearchScope, SourceReport, Suggestion};

use super::{
    chrome::{Chrome, Section},
    dataset::TextLink,
    format,
};
use crate::site::Identity;
use facets::{ActiveFilter, FacetGroup};
use hits::HitCard;
use params::Params;

/// Everything the search page shows.
#[derive(Debug, Template)]
#[template(path = "search.html")]
pub(crate) struct SearchPage {
    pub chrome: Chrome,
    pub text: String,
    pub sorts: Vec<SortChoice>,
    /// What the form has to carry along.
    pub carried: Vec<(String, String)>,
    pub active: Vec<ActiveFilter>,
    /// The same search without filters.
    pub clear: String,
    pub facets: Vec<FacetGroup>,
    pub year_from: String,
    pub year_to: String,
    pub hits: Vec<HitCard>,
    pub total: String,
    /// The same search with, or without, one hit for each study.
    pub switch: TextLink,
    /// The same search of all nodes at once, or of what is held here.
    pub scope: TextLink,
    pub is_live: bool,
    /// Of a live search: who did not answer, and from what it was answered for.
    pub notices: Vec<String>,
    pub none: bool,
    pub sources: Vec<SourceLine>,
    pub unresolved: Vec<String>,
    pub suggestions: Vec<SuggestionLink>,
    /// All that is asked for, for forms that add to it.
    pub kept: Vec<(String, String)>,
    pub first: Option<String>,
    pub next: Option<String>,
    /// The same question, asked of the API.
    pub api: String,
}

/// An order of hits.
#[derive(Debug, Clone)]
pub(crate) struct SortChoice {
    pub value: &'static str,
    pub label: &'static str,
    pub selected: bool,
}

/// Another spelling of the text.
#[derive(Debug, Clone)]
pub(crate) struct SuggestionLink {
    pub text: String,
    pub href: String,
    pub total: String,
}

/// Where part of the answer comes from.
#[derive(Debug, Clone)]
pub(crate) struct SourceLine {
    pub node: String,
    pub status: &'static str,
    pub explanation: String,
    pub total: String,
}

const SORTS: [(&str, &str); 5] = [
    ("relevance", "Relevance"),
    ("newest", "Newest first"),
    ("oldest", "Oldest first"),
    ("largest", "Largest first"),
    ("title", "Title"),
];

impl SearchPage {
    /// Fills the page; `label_of` names a term that was asked for and that no record here carries itself.
    pub(crate) fn new(
        identity: &Identity,
        params: &Params,
        answer: SearchAnswer,
        label_of: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let text = params.first("q").unwrap_or_default().to_owned();
        let title = if text.is_empty() { "Search".to_owned() } else { format!("{text} – Search") };
        let chrome = Chrome { unlisted: !params.is_empty(), ..Chrome::new(identity, Section::Search, &title) };
        let groups = facets::groups(params, &answer.facets);
        let is_live = answer.scope == SearchScope::Live;
        let card = |hit: Hit| {
            let page = answer.unverified.get(&hit.document.key).cloned();
            HitCard::of(hit, &identity.id).told_by_peer(page)
        };
        Self {
            chrome,
            sorts: sorts(params.first("sort")),
            carried: params.except(&["q", "sort", "cursor", "year", "year_from", "year_to"]),
            active: facets::active(params, &answer.facets, label_of),
            clear: params.only(&["q", "sort", "collapse"]).link("/search"),
            year_from: params.first("year_from").or(params.first("year")).unwrap_or_default().to_owned(),
            year_to: params.first("year_to").or(params.first("year")).unwrap_or_default().to_owned(),
            total: total(&answer),
            switch: switch(params, is_live),
            scope: scope(params, is_live),
            is_live,
            notices: answer.sources.iter().filter_map(notice).collect(),
            none: answer.total == 0,
            sources: answer.sources.iter().map(SourceLine::of).collect(),
            unresolved: answer.unresolved,
            suggestions: answer.suggestions.iter().map(|suggestion| SuggestionLink::of(suggestion, params)).collect(),
            kept: params.except(&["cursor"]),
            first: params.first("cursor").map(|_| params.without_all("cursor").link("/search")),
            next: answer.next_cursor.map(|cursor| params.set("cursor", &cursor).link("/search")),
            api: params.set("collapse", if answer.studies.is_some() { "study" } else { "none" }).link("/api/v1/search"),
            hits: answer.hits.into_iter().map(card).collect(),
            facets: groups,
            text,
        }
    }
}

impl SuggestionLink {
    fn of(suggestion: &Suggestion, params: &Params) -> Self {
        Self {
            text: suggestion.text.clone(),
            href: params.set("q", &suggestion.text).link("/search"),
            total: format::number(suggestion.total),
        }
    }
}

/// What was found: studies, where some have several records, and records.
fn total(answer: &SearchAnswer) -> String {
    let records = format::count(answer.total, "dataset", "datasets");
    match answer.studies.filter(|studies| *studies != answer.total) {
        Some(studies) => format!("{} in {records}", format::count(studies, "study", "studies")),
        None => records,
    }
}

fn switch(params: &Params, is_live: bool) -> TextLink {
    if is_live {
        TextLink::new("Every record of every node", None)
    } else if params.first("collapse") == Some("none") {
        TextLink::new("One hit for each study", Some(params.without_all("collapse").link("/search")))
    } else {
        TextLink::new("Show every record", Some(params.set("collapse", "none").link("/search")))
    }
}

fn scope(params: &Params, is_live: bool) -> TextLink {
    let params = params.without_all("cursor");
    if is_live {
        TextLink::new("Search what is held here", Some(params.without_all("scope").link("/search")))
    } else {
        TextLink::new("Ask all nodes now", Some(params.without_all("collapse").set("scope", "live").link("/search")))
    }
}

/// Says plainly that a node did not answer itself.
fn notice(source: &SourceReport) -> Option<String> {
    let why = source.why.as_ref()?;
    Some(match source.checked.filter(|_| source.status == "mirror") {
        Some(checked) => format!("{}: answered from our copy of {} ({why}).", source.node, format::moment(checked)),
        None if source.status == "mirror" => format!("{}: answered from our copy ({why}).", source.node),
        None => format!("{}: no answer ({why}), and nothing of it is held here.", source.node),
    })
}

fn sorts(chosen: Option<&str>) -> Vec<SortChoice> {
    let chosen = chosen.filter(|name| SORTS.iter().any(|(value, _)| value == name)).unwrap_or("relevance");
    SORTS.into_iter().map(|(value, label)| SortChoice { value, label, selected: value == chosen }).collect()
}

impl SourceLine {
    pub(crate) fn of(report: &SourceReport) -> Self {
        let (status, held) = match report.status {
            "live" if report.took_ms.is_some() => ("live", "answered by the node itself"),
            "live" => ("live", "this node's own log"),
            "absent" => ("absent", "not answered, and nothing is held here"),
            _ => ("mirror", "a copy held here, each entry checked against the partner's signed log"),
        };
        Self {
            node: report.node.to_string(),
            status,
            explanation: format!("{held}; as of log entry {}", format::number(report.as_of)),
            total: format::number(report.total),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{hits::tests::hit, *};

    fn page(query: &str, total: u64) -> String {
        let source = |name: &str, status, as_of, why: Option<&str>| SourceReport {
            node: name.parse().unwrap(),
            status,
            as_of,
            total: 7,
            checked: "2026-11-25T10:42:31Z".parse().ok(),
            took_ms: None,
            why: why.map(str::to_owned),
        };
        let answer = SearchAnswer {
            total,
            studies: Some(total - 1),
            hits: vec![hit()],
            facets: facets::tests::facets(),
            next_cursor: Some("r~w~1~europe~a".into()),
            sources: vec![
                source("japan", "mirror", 1252, Some("it did not answer within 2 s")),
                source("mars", "absent", 0, Some("it cannot be reached")),
                source("venus", "mirror", 3, None),
            ],
            unverified: BTreeMap::from([(hit().document.key, "http://j.example/datasets/japan-1".into())]),
            unresolved: vec!["unicorn<br>".into()],
            suggestions: vec![Suggestion { text: "cell".into(), total: 1234 }],
            scope: if query.contains("scope=live") { SearchScope::Live } else { SearchScope::Held },
            ..SearchAnswer::default()
        };
        SearchPage::new(&Identity::example(), &Params::parse(query), answer, |_| None).render().unwrap()
    }

    #[test]
    fn a_search_page_says_what_was_found_where_and_what_was_not_understood() {
        let page = page("q=cells&organism=unicorn&sort=title", 1300);
        assert!(page.contains("1,299 studies in 1,300 datasets"), "{page}");
        assert!(page.contains("collapse=none"), "{page}");
        assert!(page.contains("as of log entry 1,252"));
        assert!(page.contains("Did you mean") && page.contains("q=cell\"") && page.contains("(1,234)"), "{page}");
        assert!(page.contains("unicorn&#60;br&#62;"));
        assert!(page.contains("cursor=r%7Ew%7E1%7Eeurope%7Ea"));
        assert!(page.contains("value=\"title\" selected"));
        assert!(page.contains("<input type=\"hidden\" name=\"organism\" value=\"unicorn\">"));
    }

    #[test]
    fn a_live_search_says_who_answered_and_what_nobody_has_verified() {
        let page = page("q=cells&scope=live&collapse=none&cursor=x", 1300);
        assert!(
            page.contains("japan: answered from our copy of ")
                && page.contains("10:42 UTC (it did not answer within 2 s)."),
            "{page}"
        );
        assert!(page.contains("mars: no answer (it cannot be reached), and nothing of it is held here."), "{page}");
        assert!(!page.contains("venus: "), "{page}");
        assert!(
            page.contains("not verified yet") && page.contains("href=\"http://j.example/datasets/japan-1\""),
            "{page}"
        );
        assert!(page.contains("href=\"/search?q=cells&#38;collapse=none\""), "{page}");
    }

    #[test]
    fn nothing_of_a_record_or_query_becomes_markup() {
        let page = page("q=%3C/script%3E%3Cscript%3Ealert(1)%3C/script%3E%22%20onfocus=x", 1);
        let own = page.matches("<script src=\"/assets/").count();
        assert_eq!((own, page.matches("<script").count()), (1, 1), "{page}");
        assert!(!page.contains("\" onfocus"), "{page}");
    }
}
