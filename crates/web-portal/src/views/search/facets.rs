use dataset_model::{Licence, TermIri};
use node::{FacetValue, Facets};

use super::params::Params;
use crate::views::{dataset::TextLink, format};

/// Names the facet that all values are asked of.
const ALL: &str = "facet";
/// As many values of a facet are shown at once; the rest is one click away.
const SHOWN: usize = 12;
/// So many more are in the page without being asked for.
const MORE: usize = 200;
/// Trees of so few roots show what is below them at once.
const OPEN_ROOTS: usize = 3;

/// One facet with its values.
#[derive(Debug, Clone)]
pub(crate) struct FacetGroup {
    pub name: &'static str,
    pub title: &'static str,
    pub shown: Vec<FacetRow>,
    pub more: Vec<FacetRow>,
    /// `48 more`.
    pub more_label: String,
    /// Whether a chosen value is among the rest, or all were asked for.
    pub more_open: bool,
    /// The page with all values, where this one has not.
    pub all: Option<TextLink>,
}

/// One value of a facet, in the order in which a tree is read from the top.
#[derive(Debug, Clone)]
pub(crate) struct FacetRow {
    pub link: FacetLink,
    /// `12 narrower`, where values below this one follow.
    pub narrower: Option<String>,
    /// Whether they are shown at once.
    pub open: bool,
    /// How many lists end behind this value.
    pub ends: usize,
}

/// One value: a link that adds it to the search, or takes it away.
#[derive(Debug, Clone)]
pub(crate) struct FacetLink {
    pub label: String,
    pub count: String,
    pub href: String,
    pub active: bool,
}

/// A filter in force, with the search that goes without it.
#[derive(Debug, Clone)]
pub(crate) struct ActiveFilter {
    pub title: &'static str,
    pub label: String,
    pub remove: String,
}

/// How a facet is named in addresses and on pages, and whether several values can be chosen.
struct Kind {
    name: &'static str,
    title: &'static str,
    several: bool,
}

const fn kind(name: &'static str, title: &'static str, several: bool) -> Kind {
    Kind { name, title, several }
}

const KINDS: [Kind; 17] = [
    kind("organism", "Organism", true),
    kind("method", "Imaging method", true),
    kind("entity", "Tissue, cell, biological entity", true),
    kind("publisher", "Publisher", true),
    kind("node", "Node", true),
    kind("license", "Licence", true),
    kind("year", "Year", false),
    kind("has_images", "Images", false),
    kind("dimensions", "Dimensions", true),
    kind("channels", "Channels", true),
    kind("has_labels", "Labels", false),
    kind("is_plate", "Plates", false),
    kind("data_type", "Pixel type", true),
    kind("version", "Format", true),
    kind("sharded", "Shards", false),
    kind("image_count", "Number of images", true),
    kind("access", "Access", true),
];

fn values<'a>(name: &str, facets: &'a Facets) -> &'a [FacetValue] {
    match name {
        "organism" => &facets.organism,
        "method" => &facets.method,
        "entity" => &facets.entity,
        "publisher" => &facets.publisher,
        "node" => &facets.node,
        "license" => &facets.licence,
        "year" => &facets.year,
        "has_images" => &facets.has_images,
        "dimensions" => &facets.dimensions,
        "channels" => &facets.channels,
        "has_labels" => &facets.has_labels,
        "is_plate" => &facets.is_plate,
        "data_type" => &facets.data_type,
        "version" => &facets.version,
        "sharded" => &facets.sharded,
        "image_count" => &facets.image_count,
        "access" => &facets.access,
        _ => &[],
    }
}

/// Facets with something to choose.
pub(crate) fn groups(params: &Params, facets: &Facets) -> Vec<FacetGroup> {
    let groups = KINDS.iter().map(|kind| group(kind, params, values(kind.name, facets)));
    // One access level for all is nothing to choose from.
    groups.filter(|group| group.shown.len() > usize::from(group.name == "access")).collect()
}

fn group(kind: &Kind, params: &Params, values: &[FacetValue]) -> FacetGroup {
    let (first, rest) = values.split_at(SHOWN.min(values.len()));
    let all_asked = params.first(ALL) == Some(kind.name);
    let (next, last) = rest.split_at(if all_asked { rest.len() } else { MORE.min(rest.len()) });
    let chosen = |value: &FacetValue| params.values(kind.name).any(|asked| means(kind.name, asked, value));
    // What is chosen can be taken away again, wherever it stands.
    let last = last.iter().filter(|value| find(std::slice::from_ref(*value), &chosen).is_some());
    let listed: Vec<FacetValue> = next.iter().chain(last).cloned().collect();
    let few = values.len() <= OPEN_ROOTS;
    let most = values.iter().map(|value| value.count).max().unwrap_or(0);
    let more = rows(kind, params, &listed, &|_| false);
    let all = (listed.len() < rest.len()).then(|| {
        let address = format!("{}#facet-{}", params.set(ALL, kind.name).link("/search"), kind.name);
        TextLink::new(&format!("All {}", format::number(values.len() as u64)), Some(address))
    });
    FacetGroup {
        name: kind.name,
        title: kind.title,
        more_label: format!("{} more", format::number(rest.len() as u64)),
        more_open: all_asked || more.iter().any(|row| row.link.active),
        all,
        shown: rows(kind, params, first, &|value| few || value.count == most),
        more,
    }
}

/// Values and all below them as rows; `open` says which of those at the top show what is below. A value that stands for most
/// of one that is open is open too, so that nobody clicks through what leads nowhere else.
fn rows(kind: &Kind, params: &Params, values: &[FacetValue], open: &dyn Fn(&FacetValue) -> bool) -> Vec<FacetRow> {
    let mut all = Vec::new();
    for value in values {
        let open = open(value);
        let most = |child: &FacetValue| open && child.count.saturating_mul(5) >= value.count.saturating_mul(4);
        let mut below = rows(kind, params, &value.children, &most);
        let chosen = below.iter().any(|row| row.link.active);
        let narrower = (!value.children.is_empty()).then(|| format!("{} narrower", value.children.len()));
        if let Some(last) = below.last_mut() {
            last.ends += 1;
        }
        let open = narrower.is_some() && (open || chosen);
        all.push(FacetRow { link: link(kind, params, value), narrower, open, ends: 0 });
        all.append(&mut below);
    }
    all
}

/// The first of the values, or of those below them, that is meant.
fn find<'a>(values: &'a [FacetValue], meant: &dyn Fn(&FacetValue) -> bool) -> Option<&'a FacetValue> {
    values.iter().find_map(|value| if meant(value) { Some(value) } else { find(&value.children, meant) })
}

fn link(kind: &Kind, params: &Params, value: &FacetValue) -> FacetLink {
    let chosen = params.values(kind.name).find(|asked| means(kind.name, asked, value));
    let changed = match chosen {
        Some(asked) => params.without(kind.name, asked),
        None if kind.several => params.with(kind.name, &value.value),
        None if kind.name == "year" => params.without_all("year_from").without_all("year_to").set("year", &value.value),
        None => params.set(kind.name, &value.value),
    };
    FacetLink {
        label: shown_label(value),
        count: format::number(value.count),
        href: changed.link("/search"),
        active: chosen.is_some(),
    }
}

/// The label; in quotes where it is a name without a term.
fn shown_label(value: &FacetValue) -> String {
    if value.value.starts_with('"') { format!("“{}”", value.label) } else { value.label.clone() }
}

/// Whether what was asked for is this value: terms go by IRI, CURIE or label, licences by any spelling.
fn means(name: &str, asked: &str, value: &FacetValue) -> bool {
    let same = asked == value.value || asked.eq_ignore_ascii_case(&value.label);
    match name {
        "organism" | "method" | "entity" => {
            same || value.value.parse::<TermIri>().is_ok_and(|iri| iri.curie() == asked)
        }
        "license" => same || Licence::read(asked).label() == value.value,
        _ => same,
    }
}

/// The filters in force, in the order of the address.
pub(crate) fn active(params: &Params, facets: &Facets, label_of: impl Fn(&str) -> Option<String>) -> Vec<ActiveFilter> {
    let filter = |(name, asked): (&str, &str)| {
        let remove = params.without(name, asked).link("/search");
        let (title, label) = match name {
            "year_from" => ("From", asked.to_owned()),
            "year_to" => ("Until", asked.to_owned()),
            "size_min" | "size_max" => (other_title(name)?, asked.parse().map_or(asked.to_owned(), format::bytes)),
            _ if other_title(name).is_some() => (other_title(name)?, asked.to_owned()),
            _ => {
                let kind = KINDS.iter().find(|kind| kind.name == name)?;
                let held = find(values(name, facets), &|value| means(name, asked, value));
                let label = held.map(shown_label).or_else(|| term_label(name, asked, &label_of));
                (kind.title, label.unwrap_or_else(|| asked.to_owned()))
            }
        };
        Some(ActiveFilter { title, label, remove })
    };
    params.pairs().filter_map(filter).collect()
}

/// How a filter that is no facet is called.
fn other_title(name: &str) -> Option<&'static str> {
    let titles = [
        ("in", "Words in"),
        ("author", "Author"),
        ("affiliation", "Affiliation"),
        ("identifier", "Identifier"),
        ("size_min", "At least"),
        ("size_max", "At most"),
        ("has_thumbnail", "With a picture"),
    ];
    titles.into_iter().find(|(of, _)| *of == name).map(|(_, title)| title)
}

/// The name of a term no record here carries itself, such as a whole kingdom.
fn term_label(name: &str, asked: &str, label_of: impl Fn(&str) -> Option<String>) -> Option<String> {
    if !matches!(name, "organism" | "method" | "entity") {
        return None;
    }
    let curie = asked.parse::<TermIri>().map_or_else(|_| asked.to_owned(), |iri| iri.curie());
    label_of(&curie).or(Some(curie))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn value(value: &str, label: &str, count: u64) -> FacetValue {
        FacetValue::new(value, label, count)
    }

    pub(crate) fn facets() -> Facets {
        Facets {
            organism: vec![
                value("http://purl.obolibrary.org/obo/NCBITaxon_10090", "Mus musculus", 12),
                value("http://purl.obolibrary.org/obo/NCBITaxon_9606", "Homo <b>sapiens", 3),
            ],
            licence: vec![value("CC-BY-4.0", "CC-BY-4.0", 8)],
            year: (1990..2010).map(|year| value(&year.to_string(), &year.to_string(), 1)).collect(),
            access: vec![value("open", "open", 20)],
            ..Facets::default()
        }
    }

    fn found(query: &str, group: &str, label: &str) -> FacetLink {
        let groups = groups(&Params::parse(query), &facets());
        let group = groups.iter().find(|found| found.name == group).unwrap();
        let mut rows = group.shown.iter().chain(&group.more);
        rows.find(|row| row.link.label == label).unwrap().link.clone()
    }

    #[test]
    fn a_facet_link_toggles_its_value_and_keeps_the_other_filters() {
        let link = found("q=x&license=CC-BY-4.0", "organism", "Mus musculus");
        assert!(!link.active);
        assert_eq!(
            link.href,
            "/search?q=x&license=CC-BY-4.0&organism=http%3A%2F%2Fpurl.obolibrary.org%2Fobo%2FNCBITaxon_10090"
        );
        let chosen = found(link.href.split_once('?').unwrap().1, "organism", "Mus musculus");
        assert!(chosen.active);
        assert_eq!(chosen.href, "/search?q=x&license=CC-BY-4.0");
    }

    #[test]
    fn terms_and_licences_are_recognised_however_they_were_asked_for() {
        for asked in ["mus%20musculus", "NCBITaxon:10090", "http://purl.obolibrary.org/obo/NCBITaxon_10090"] {
            assert!(found(&format!("organism={asked}"), "organism", "Mus musculus").active, "{asked}");
        }
        assert!(found("licence=https://creativecommons.org/licenses/by/4.0/", "license", "CC-BY-4.0").active);
    }

    #[test]
    fn a_year_replaces_the_year_chosen_before() {
        assert_eq!(found("year=1991&year_from=1980", "year", "1992").href, "/search?year=1992");
        assert_eq!(found("year=1991", "year", "1991").href, "/search");
    }

    #[test]
    fn long_facets_hide_nothing_for_good() {
        let groups = groups(&Params::parse("year=2009"), &facets());
        let years = groups.iter().find(|group| group.name == "year").unwrap();
        assert_eq!((years.shown.len(), years.more.len(), years.more_open), (12, 8, true));
        assert_eq!(years.more_label, "8 more");
        assert!(groups.iter().all(|group| group.name != "access"), "one level is no choice");
    }

    #[test]
    fn a_very_long_facet_is_cut_in_the_page_and_whole_where_it_is_asked_for() {
        let names = (0..1000).map(|number| value(&format!("\"n{number}\""), &format!("N{number}"), 1));
        let facets = Facets { entity: names.collect(), ..Facets::default() };
        let group = |query: &str| groups(&Params::parse(query), &facets).remove(0);
        let cut = group("q=x&entity=%22n999%22");
        assert_eq!((cut.shown.len(), cut.more.len(), cut.more_open), (12, 201, true));
        assert_eq!(cut.shown[0].link.label, "“N0”", "a name without a term");
        assert!(cut.more[200].link.active);
        let link = cut.all.unwrap();
        assert_eq!((link.text.as_str(), cut.more_label.as_str()), ("All 1,000", "988 more"));
        let address = link.href.unwrap();
        assert!(address.ends_with("&facet=entity#facet-entity"), "{address}");
        let whole = group("facet=entity");
        assert_eq!((whole.more.len(), whole.more_open, whole.all.is_none()), (988, true, true));
    }

    #[test]
    fn a_tree_reads_from_the_top_and_opens_where_something_is_chosen() {
        let mut mammals = value("http://purl.obolibrary.org/obo/NCBITaxon_40674", "Mammalia", 14);
        mammals.children = vec![
            value("http://purl.obolibrary.org/obo/NCBITaxon_10090", "Mus musculus", 12),
            value("http://purl.obolibrary.org/obo/NCBITaxon_9606", "Homo sapiens", 3),
        ];
        let mut animals = value("http://purl.obolibrary.org/obo/NCBITaxon_33208", "Metazoa", 15);
        animals.children = vec![mammals];
        let plants = ["a", "b", "c"].map(|name| value(name, name, 1));
        let facets = Facets { organism: [vec![animals], plants.to_vec()].concat(), ..Facets::default() };
        let params = Params::parse("organism=NCBITaxon:9606");
        let groups = groups(&params, &facets);
        let shape: Vec<_> = groups[0]
            .shown
            .iter()
            .map(|row| (row.link.label.as_str(), row.narrower.is_some(), row.open, row.ends))
            .collect();
        assert_eq!(
            shape,
            [
                ("Metazoa", true, true, 0),
                ("Mammalia", true, true, 0),
                ("Mus musculus", false, false, 0),
                ("Homo sapiens", false, false, 2),
                ("a", false, false, 0),
                ("b", false, false, 0),
                ("c", false, false, 0),
            ]
        );
        assert_eq!(active(&params, &facets, |_| None)[0].label, "Homo sapiens");
    }

    #[test]
    fn filters_in_force_are_named_and_removable_even_without_any_record() {
        let label = |curie: &str| (curie == "NCBITaxon:2").then(|| "Bacteria".to_owned());
        let params = Params::parse("q=x&organism=http://purl.obolibrary.org/obo/NCBITaxon_2&year_from=2000&node=japan");
        let active = active(&params, &Facets::default(), label);
        let labels: Vec<_> = active.iter().map(|filter| (filter.title, filter.label.as_str())).collect();
        assert_eq!(labels, [("Organism", "Bacteria"), ("From", "2000"), ("Node", "japan")]);
        assert!(!active[1].remove.contains("year_from"));
    }
}
