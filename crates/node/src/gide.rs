//! The questions of the field's present search service (`BioImage-Archive/gide-search`), answered from what this node holds.

use std::sync::Arc;

use dataset_model::{DatasetKey, Licence};
use search_index::{FacetSelection, FacetValue, Facets, Hit, MAX_PAGE_SIZE};
use serde_json::Value;

use crate::{Actor, Node, NodeError, SearchRequest, VersionChoice};

/// How far into an answer an offset may reach, as in the service; cursors of the other search have no such end.
const FARTHEST: usize = 10_000;

/// Publishers by the short names and addresses the service has for them, and the names their crates give.
const PUBLISHERS: [(&str, &str, &str); 4] = [
    ("BioImage-Archive", "https://www.ebi.ac.uk/bioimage-archive/", "BioImage Archive"),
    ("SSBD:repository", "https://ssbd.riken.jp/repository/", "SSBD:repository"),
    ("SSBD:database", "https://ssbd.riken.jp/database/", "SSBD:database"),
    ("IDR", "https://idr.openmicroscopy.org/", "Image Data Resource"),
];

/// A question, as the service takes it.
#[derive(Debug, Clone)]
pub struct GideRequest {
    /// What the service calls by the same names.
    pub search: SearchRequest,
    /// Hits to leave out before the first.
    pub offset: usize,
}

/// An answer: hits are whole records, nested as the service nests them.
#[derive(Debug)]
pub struct GideAnswer {
    /// Records that match.
    pub total: u64,
    /// Id, record and relevance of one page of them.
    pub hits: Vec<(String, Value, f32)>,
    /// Counts over all of them.
    pub facets: GideFacets,
}

/// Counts by value, none left out; each with its own filter taken away.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names are those of the service")]
pub struct GideFacets {
    pub publisher: Vec<GideBucket>,
    pub organism: Vec<GideBucket>,
    pub imaging_method: Vec<GideBucket>,
    pub year_published: Vec<GideBucket>,
    pub license: Vec<GideBucket>,
}

/// One value of a facet.
#[derive(Debug, PartialEq, Eq)]
pub struct GideBucket {
    /// What to filter by.
    pub key: String,
    /// Number of records that the filter finds.
    pub count: u64,
    /// What people read, where it is something else.
    pub label: Option<String>,
}

impl GideRequest {
    /// Reads a question from decoded name–value pairs.
    ///
    /// # Errors
    /// When a value cannot be read, or more is asked for than the service gives.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, NodeError> {
        let pairs: Vec<(&str, &str)> = pairs.into_iter().collect();
        // The service's portal counts pages where the service counts hits, and the year after the one that was chosen as
        // the last: addressed with this, it is understood.
        let portal = pairs.contains(&("client", "gide-search-portal"));
        let (mut search, mut offset) = (SearchRequest { size: 20, ..SearchRequest::default() }, 0);
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.trim().is_empty()) {
            set(&mut search, &mut offset, name, value.trim())?;
        }
        if search.size == 0 || search.size > 100 {
            return Err(NodeError::Invalid("'size': use a number from 1 to 100".into()));
        }
        if portal {
            offset *= search.size;
            search.year_to = search.year_from;
        }
        if offset + search.size > FARTHEST {
            return Err(NodeError::Invalid(format!(
                "'offset' and 'size' reach past the first {FARTHEST} hits: narrow the search, or use /api/v1/search and its cursors"
            )));
        }
        Ok(Self { search, offset })
    }
}

fn set(search: &mut SearchRequest, offset: &mut usize, name: &str, value: &str) -> Result<(), NodeError> {
    let number = |text: &str| {
        text.parse::<usize>().map_err(|_| NodeError::Invalid(format!("'{name}={text}': use a number, 0 or more")))
    };
    let year =
        |text: &str| text.parse().map(Some).map_err(|_| NodeError::Invalid(format!("'{name}={text}': use a year")));
    match name {
        // The service's way to ask for all.
        "q" if value == "*" => {}
        "q" => value.clone_into(&mut search.text),
        "publisher" => search.publisher.push(publisher_named(value)),
        "organism" => search.organism.push(spelled(value)),
        "imaging_method" => search.method.push(spelled(value)),
        "license" => search.licence.push(licence_named(value)),
        "year_from" => search.year_from = year(value)?,
        "year_to" => search.year_to = year(value)?,
        "size" => search.size = number(value)?,
        "offset" => *offset = number(value)?,
        "require_thumbnail" => search.has_thumbnail = matches!(value, "true" | "1" | "on" | "yes").then_some(true),
        _ => {}
    }
    Ok(())
}

/// The name crates give a publisher that is known by a short name or an address.
fn publisher_named(value: &str) -> String {
    let slashed = format!("{}/", value.trim_end_matches('/'));
    let known = PUBLISHERS.iter().find(|(short, address, _)| *short == value || *address == slashed);
    known.map_or_else(|| value.to_owned(), |(_, _, name)| (*name).to_owned())
}

/// `FBbi00000246`, `ncbitaxon_09606` and the like as CURIEs; all else as it is.
fn spelled(value: &str) -> String {
    let digits = value.trim_start_matches(|c: char| !c.is_ascii_digit());
    let prefix = value[..value.len() - digits.len()].to_ascii_lowercase();
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match prefix.trim_end_matches(['_', ':']) {
        "fbbi" if plain => format!("FBbi:{digits:0>8}"),
        "ncbi" | "ncbitaxon" if plain => format!("NCBITaxon:{}", digits.trim_start_matches('0')),
        _ => value.to_owned(),
    }
}

/// A licence's SPDX id, or its address, from `CC0`, `CC-BY-4.0`, `CC BY 4.0` or an address.
fn licence_named(value: &str) -> String {
    let id = if value == "CC0" { "CC0-1.0".to_owned() } else { value.replace(' ', "-") };
    let read = Licence::read(if value.starts_with("http") { value } else { &id });
    read.label().to_owned()
}

impl Node {
    /// Searches as the service does.
    ///
    /// # Errors
    /// As [`Node::search`].
    pub async fn gide_search(self: &Arc<Self>, actor: &Actor, request: GideRequest) -> Result<GideAnswer, NodeError> {
        let (mut search, mut skip) = (request.search, request.offset);
        let size = search.size;
        let (mut hits, mut first) = (Vec::with_capacity(size), None);
        // Cursors lead to where an offset points.
        loop {
            search.size = (skip + size - hits.len()).min(MAX_PAGE_SIZE);
            let mut answer = self.search(actor, search.clone()).await?;
            let page = std::mem::take(&mut answer.hits);
            let seen = page.len();
            hits.extend(page.into_iter().skip(skip).take(size - hits.len()));
            skip = skip.saturating_sub(seen);
            search.cursor = answer.next_cursor.take();
            search.facets = FacetSelection::NONE;
            let first = first.get_or_insert(answer);
            if hits.len() == size || search.cursor.is_none() {
                let (total, facets) = (first.total, facets(&first.facets));
                let (node, asking) = (self.clone(), actor.clone());
                let entries = move || hits.iter().filter_map(|hit| node.gide_hit(&asking, hit)).collect();
                let hits = tokio::task::spawn_blocking(entries).await;
                let hits = hits.map_err(|error| NodeError::Internal(format!("reading records: {error}")))?;
                return Ok(GideAnswer { total, hits, facets });
            }
        }
    }

    /// One record as the service nests it, by its IRI, its id here, an identifier such as an accession number, or an accession
    /// number after the name of its source, as in `bia:S-BIAD634`.
    ///
    /// # Errors
    /// When there is none the actor may see.
    pub async fn gide_entry(self: &Arc<Self>, actor: &Actor, id: &str) -> Result<Value, NodeError> {
        let accession = id.split_once(':').map(|(_, rest)| rest).filter(|rest| !rest.starts_with("//"));
        let identifier = std::iter::once(id).chain(accession).map(str::to_owned).collect();
        let facets = FacetSelection::NONE;
        let found =
            self.search(actor, SearchRequest { identifier, size: 1, facets, ..SearchRequest::default() }).await?;
        let entry = found.hits.first().and_then(|hit| self.gide_hit(actor, hit));
        entry.map(|(_, entry, _)| entry).ok_or_else(|| NodeError::NotFound(format!("there is no study '{id}' here")))
    }

    /// A hit with its crate; nothing when it was withdrawn since, or its crate has not arrived.
    fn gide_hit(&self, actor: &Actor, hit: &Hit) -> Option<(String, Value, f32)> {
        let DatasetKey { node, id } = &hit.document.key;
        let bytes = self.crate_bytes(actor, id, Some(node), VersionChoice::Latest).ok()?;
        let entry = metadata_store::gide_entry(&bytes, &self.page_of(&hit.document.key), &self.ontology).ok()?;
        Some((hit.document.iri.clone(), entry, hit.score))
    }
}

fn facets(found: &Facets) -> GideFacets {
    let terms = |values: &[FacetValue]| {
        let mut buckets = Vec::new();
        recorded(values, &mut buckets);
        buckets.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.key.cmp(&other.key)));
        buckets
    };
    let mut years: Vec<GideBucket> = found.year.iter().map(|value| bucket(&value.value, value.count, None)).collect();
    years.sort_by(|one, other| other.key.cmp(&one.key));
    let publisher = |value: &FacetValue| {
        let known = PUBLISHERS.iter().find(|(_, _, name)| *name == value.value);
        known.map_or_else(
            || bucket(&value.value, value.count, None),
            |(short, address, _)| bucket(address, value.count, Some(short)),
        )
    };
    let licence = |value: &FacetValue| {
        let url = Licence::read(&value.value).url;
        let label = value.value.strip_prefix("CC0").map_or_else(|| value.value.replace('-', " "), |_| "CC0".to_owned());
        bucket(&url, value.count, Some(&label))
    };
    GideFacets {
        publisher: found.publisher.iter().map(publisher).collect(),
        organism: terms(&found.organism),
        imaging_method: terms(&found.method),
        year_published: years,
        license: found.licence.iter().map(licence).collect(),
    }
}

/// The terms that records name, out of the tree; a term that stands in several places is taken once.
fn recorded(values: &[FacetValue], buckets: &mut Vec<GideBucket>) {
    for value in values {
        let known = buckets.iter().any(|bucket| bucket.key == value.value);
        if !known && value.recorded.is_some_and(|recorded| recorded > 0) {
            buckets.push(bucket(&value.value, value.count, Some(&value.label)));
        }
        recorded(&value.children, buckets);
    }
}

fn bucket(key: &str, count: u64, label: Option<&str>) -> GideBucket {
    GideBucket { key: key.to_owned(), count, label: label.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> GideRequest {
        GideRequest::from_pairs(pairs.iter().copied()).unwrap()
    }

    #[test]
    fn what_the_service_takes_is_understood() {
        let request = read(&[
            ("q", "*"),
            ("publisher", "IDR"),
            ("publisher", "https://ssbd.riken.jp/database"),
            ("organism", "ncbitaxon_09606"),
            ("imaging_method", "FBBI00000246"),
            ("license", "CC0"),
            ("license", "CC-BY-4.0"),
            ("license", "CC BY NC 4.0"),
            ("license", "https://creativecommons.org/publicdomain/zero/1.0/"),
            ("require_thumbnail", "true"),
            ("offset", "20"),
        ]);
        let search = request.search;
        assert_eq!((search.text.as_str(), search.size, request.offset), ("", 20, 20));
        assert_eq!(search.publisher, ["Image Data Resource", "SSBD:database"]);
        assert_eq!((search.organism, search.method), (vec!["NCBITaxon:9606".into()], vec!["FBbi:00000246".into()]));
        assert_eq!(search.licence, ["CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0", "CC0-1.0"]);
        assert_eq!(search.has_thumbnail, Some(true));
    }

    #[test]
    fn the_portal_counts_pages_and_means_one_year() {
        let asked = [("size", "12"), ("offset", "2"), ("year_from", "2020"), ("year_to", "2021")];
        let plain = read(&asked);
        assert_eq!((plain.offset, plain.search.year_to), (2, Some(2021)));
        let portal = read(&[&[("client", "gide-search-portal")], &asked[..]].concat());
        assert_eq!((portal.offset, portal.search.year_to), (24, Some(2020)));
    }

    #[test]
    fn more_than_the_service_gives_is_refused() {
        for pair in [("size", "0"), ("size", "101"), ("offset", "-1"), ("offset", "9999"), ("year_from", "soon")] {
            assert!(GideRequest::from_pairs([pair]).is_err(), "{pair:?}");
        }
    }
}
