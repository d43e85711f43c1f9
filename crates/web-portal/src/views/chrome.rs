use crate::{assets, site::Identity};

/// A part of the site, as the navigation names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Home,
    Search,
    Federation,
    Query,
    Deposit,
    Api,
    /// A page the navigation does not name.
    Other,
}

/// One entry of the navigation.
#[derive(Debug, Clone)]
pub(crate) struct NavItem {
    pub href: &'static str,
    pub label: &'static str,
    pub current: bool,
}

const NAVIGATION: [(Section, &str, &str); 5] = [
    (Section::Search, "/search", "Search"),
    (Section::Deposit, "/deposit", "Deposit"),
    (Section::Federation, "/federation", "Federation"),
    (Section::Query, "/query", "SPARQL"),
    (Section::Api, "/api/docs", "API"),
];

/// What surrounds every page.
#[derive(Debug, Clone)]
pub(crate) struct Chrome {
    /// The title of the window.
    pub title: String,
    pub site: String,
    pub node: String,
    pub country: Option<String>,
    /// Where style and icon are.
    pub assets: &'static str,
    pub navigation: Vec<NavItem>,
    /// The page's one true address.
    pub canonical: Option<String>,
    /// A sentence for search engines.
    pub description: String,
    /// Whether search engines should leave the page out.
    pub unlisted: bool,
}

impl Chrome {
    pub(crate) fn new(identity: &Identity, section: Section, title: &str) -> Self {
        let window = if title.is_empty() { identity.title.clone() } else { format!("{title} · {}", identity.title) };
        let item = |(of, href, label)| NavItem { href, label, current: of == section };
        Self {
            title: window,
            site: identity.title.clone(),
            node: identity.id.to_string(),
            country: identity.country.clone(),
            assets: assets::BASE.as_str(),
            navigation: NAVIGATION.into_iter().map(item).collect(),
            canonical: None,
            description: identity.about.clone(),
            unlisted: false,
        }
    }
}
