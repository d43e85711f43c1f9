use std::collections::HashMap;

use bytes::Bytes;
use serde_json::Value;
use url::Url;

use super::{
    Found, SourceClient,
    markup::{Piece, pieces},
};
use crate::FederationError;

const RO_CRATE: &str = "w3id.org/ro/crate";
/// Links of one page that are looked at.
const MAX_LINKS: usize = 1000;

/// How a page describes its dataset to programs.
#[derive(Debug)]
pub enum Described {
    /// By a document that it links to (FAIR Signposting), or is itself: JSON-LD, an RO-Crate most likely.
    Document(Bytes),
    /// By JSON-LD within the page; each script is one text.
    Embedded(Vec<String>),
    /// Not at all.
    Nothing,
}

/// A typed link (RFC 8288).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) target: Url,
    rel: String,
    media_type: String,
    profile: String,
    anchor: Option<Url>,
}

impl Link {
    pub(super) fn has_rel(&self, rel: &str) -> bool {
        self.rel.split_ascii_whitespace().any(|own| own.eq_ignore_ascii_case(rel))
    }

    /// How well it describes a page for us; nothing when it does not.
    fn worth(&self) -> Option<u8> {
        let is_json_ld = self.media_type == "application/ld+json" || self.media_type == "application/json";
        match self.has_rel("describedby") {
            true if self.profile.contains(RO_CRATE) => Some(2),
            true if is_json_ld => Some(1),
            _ => None,
        }
    }
}

/// Asks a page how it describes its dataset.
///
/// # Errors
/// When the page, or the document it links to, cannot be had.
pub async fn describe_page(client: &SourceClient, page: &Url) -> Result<Described, FederationError> {
    let limits = client.limits();
    let accept = "text/html, application/xhtml+xml, application/ld+json;q=0.8, */*;q=0.1";
    let found = client.crawl(page, accept, limits.page_bytes).await?;
    if found.media_type.ends_with("json") {
        return Ok(Described::Document(found.body));
    }
    let parts = pieces(&String::from_utf8_lossy(&found.body));
    let mut links = link_headers(&found.links, &found.url);
    links.extend(parts.iter().filter_map(|piece| in_page(piece, &found.url)));
    let mut best = best_of(&links);
    if best.is_none()
        && let Some(set) = links.iter().find(|link| link.has_rel("linkset") && link.media_type.ends_with("json"))
    {
        let set = client.crawl(&set.target, "application/linkset+json", limits.page_bytes).await?;
        best = best_of(&link_set(&set, page));
    }
    if let Some(target) = best {
        let document =
            client.crawl(&target, "application/ld+json, application/json;q=0.9", limits.record_bytes).await?;
        return Ok(Described::Document(document.body));
    }
    let scripts: Vec<String> = parts.into_iter().filter_map(json_ld).collect();
    Ok(if scripts.is_empty() { Described::Nothing } else { Described::Embedded(scripts) })
}

fn best_of(links: &[Link]) -> Option<Url> {
    let ranked = links.iter().filter_map(|link| Some((link.worth()?, &link.target)));
    // The first of the best: `max_by_key` would give the last.
    ranked.rev().max_by_key(|(worth, _)| *worth).map(|(_, target)| target.clone())
}

fn json_ld(piece: Piece) -> Option<String> {
    match piece {
        Piece::Script(kind, text) if kind.starts_with("application/ld+json") => Some(text),
        _ => None,
    }
}

fn in_page(piece: &Piece, page: &Url) -> Option<Link> {
    let Piece::Tag(name, attributes) = piece else { return None };
    if name != "link" {
        return None;
    }
    let get = |key: &str| attributes.get(key).map(String::as_str).unwrap_or_default();
    link(page, get("href"), |key| get(key).to_owned())
}

fn link(page: &Url, target: &str, get: impl Fn(&str) -> String) -> Option<Link> {
    let target = page.join(target.trim()).ok()?;
    let media_type = get("type").split(';').next().unwrap_or_default().trim().to_lowercase();
    let anchor = Some(get("anchor")).filter(|anchor| !anchor.is_empty()).and_then(|anchor| page.join(&anchor).ok());
    Some(Link { target, rel: get("rel"), media_type, profile: get("profile"), anchor })
}

/// The links of `Link` headers (RFC 8288 §3).
pub(super) fn link_headers(headers: &[String], page: &Url) -> Vec<Link> {
    let mut links = Vec::new();
    for header in headers {
        let mut rest = header.as_str();
        while let Some((target, after)) =
            rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')).filter(|_| links.len() < MAX_LINKS)
        {
            let (parameters, after) = parameters(after);
            rest = after;
            let get = |key: &str| parameters.get(key).cloned().unwrap_or_default();
            links.extend(link(page, target, get));
        }
    }
    // A link from elsewhere is about something else.
    links.retain(|link| link.anchor.as_ref().is_none_or(|anchor| anchor == page));
    links
}

/// The parameters behind a link's target, and what follows the comma after them.
fn parameters(text: &str) -> (HashMap<String, String>, &str) {
    let mut found = HashMap::new();
    let mut rest = text.trim_start();
    while let Some(after) = rest.strip_prefix(';') {
        let after = after.trim_start();
        let end = after.find(['=', ';', ',']).unwrap_or(after.len());
        let key = after[..end].trim().to_ascii_lowercase();
        rest = &after[end..];
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            if let Some(inner) = after.strip_prefix('"') {
                (value, rest) = quoted(inner);
            } else {
                let end = after.find([';', ',']).unwrap_or(after.len());
                after[..end].trim().clone_into(&mut value);
                rest = &after[end..];
            }
        }
        found.entry(key).or_insert(value);
        rest = rest.trim_start();
    }
    (found, rest.strip_prefix(',').unwrap_or(rest))
}

fn quoted(text: &str) -> (String, &str) {
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (value, &text[at + 1..]),
            _ => value.push(c),
        }
    }
    (value, "")
}

/// The links of a link set in JSON (RFC 9264 §4.2) that are about a page.
fn link_set(found: &Found, page: &Url) -> Vec<Link> {
    let document: Value = serde_json::from_slice(&found.body).unwrap_or_default();
    let contexts = document["linkset"].as_array().into_iter().flatten();
    let of_page = contexts.filter(|context| {
        let anchor = context["anchor"].as_str().and_then(|anchor| found.url.join(anchor).ok());
        anchor.is_none_or(|anchor| anchor == *page)
    });
    let targets = of_page.flat_map(|context| context["describedby"].as_array().into_iter().flatten());
    let read = |target: &Value| {
        let text = |key: &str| match &target[key] {
            Value::Array(many) => many.first().and_then(Value::as_str).unwrap_or_default().to_owned(),
            one => one.as_str().unwrap_or_default().to_owned(),
        };
        link(&found.url, &text("href"), |key| if key == "rel" { "describedby".to_owned() } else { text(key) })
    };
    targets.take(MAX_LINKS).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page() -> Url {
        Url::parse("https://a.example/datasets/1").unwrap()
    }

    #[test]
    fn the_crate_is_preferred_among_descriptions() {
        let headers = [
            "<https://doi.org/10.1/x>; rel=cite-as, </1.bib>; rel=\"describedby\"; type=\"application/x-bibtex\"".to_owned(),
            "</1.jsonld>; rel=describedby; type=\"application/ld+json\"; title=\"a, \\\"b\\\"; c\", </1.crate>; rel=\"item describedby\" ; profile=\"https://w3id.org/ro/crate/1.2\"".to_owned(),
            "</other>; rel=describedby; type=\"application/ld+json\"; profile=\"https://w3id.org/ro/crate\"; anchor=\"/datasets/2\"".to_owned(),
        ];
        let links = link_headers(&headers, &page());
        assert_eq!(links.len(), 4);
        assert_eq!(best_of(&links).unwrap().path(), "/1.crate");
        assert_eq!(best_of(&links[..3]).unwrap().path(), "/1.jsonld");
        assert_eq!(best_of(&links[..2]), None);
    }

    #[test]
    fn a_link_set_is_read_for_its_page_only() {
        let body = serde_json::json!({"linkset": [
            {"anchor": "/datasets/2", "describedby": [{"href": "/2.json", "type": "application/ld+json"}]},
            {"anchor": "https://a.example/datasets/1", "describedby": [{"href": "/1.json", "type": "application/ld+json"}]}]});
        let found = Found {
            url: page(),
            media_type: String::new(),
            links: Vec::new(),
            stamp: None,
            body: body.to_string().into(),
        };
        assert_eq!(best_of(&link_set(&found, &page())).unwrap().path(), "/1.json");
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_reader(text in "[<>;,=\" a-z\\\\é/]{0,200}") {
            link_headers(&[text], &page());
        }
    }
}
