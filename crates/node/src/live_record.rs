//! What a peer says of a record in a live search, held against the verified copy.

use dataset_model::{Access, DatasetKey, Event};
use federation::live::{LiveHighlight, LiveHit};
use search_index::{Fragment, Highlight, Hit, SearchDocument};

use crate::{Node, NodeError};

/// The most pieces of text, and marks in each, that are taken over.
const MAX_PIECES: usize = 20;

/// A record of a peer's answer, judged.
pub(crate) enum Settled {
    /// The copy has this version: everything shown is the copy's.
    Verified(Box<Hit>),
    /// The copy does not have it yet: as the peer says, with the address of its page there.
    Unverified(Box<Hit>, String),
    /// The peer's own log says that it was withdrawn, or it may not be seen here.
    Withdrawn,
}

/// Judges a record by the verified copy.
pub(crate) fn settle(node: &Node, visible: &[Access], live: LiveHit) -> Result<Settled, NodeError> {
    let key = &DatasetKey { node: live.node.clone(), id: live.id.clone() };
    if let Some(index) = node.ledger.head(&key.node, &key.id)?
        && matches!(node.entry(&key.node, index)?.event, Event::Withdraw(_))
    {
        return Ok(Settled::Withdrawn);
    }
    let copy = node.search.document(key)?.filter(|copy| copy.version == live.version);
    Ok(match copy {
        Some(copy) if !visible.contains(&copy.access) => Settled::Withdrawn,
        Some(copy) => Settled::Verified(Box::new(of_copy(copy, live))),
        None => {
            let url = node.url_of(&key.node).unwrap_or_default();
            Settled::Unverified(Box::new(as_told(live)), format!("{}/datasets/{}", url.trim_end_matches('/'), key.id))
        }
    })
}

/// The copy's record; of the peer's words only why it matched, as far as the copy has these words itself.
fn of_copy(copy: SearchDocument, live: LiveHit) -> Hit {
    let field = |name: &str| match name {
        "title" => copy.title.clone(),
        "description" => copy.description.clone(),
        "keywords" => copy.keywords.join("\n"),
        _ => String::new(),
    };
    let highlights: Vec<_> = live.highlights.into_iter().filter_map(|found| highlight(found, &field)).collect();
    let names = [&copy.organism_names, &copy.method_names, &copy.about_names];
    let is_known = |name: &String| names.iter().any(|known| known.contains(name));
    let matched_via = live.matched_via.into_iter().filter(is_known).collect();
    Hit { document: copy, score: live.score, highlights, matched_via, study: None }
}

fn as_told(live: LiveHit) -> Hit {
    let document = document(&live);
    let field = |name: &str| match name {
        "title" => live.title.clone(),
        "description" => live.description.clone(),
        _ => String::new(),
    };
    let highlights = live.highlights.into_iter().filter_map(|found| highlight(found, &field)).collect();
    Hit { document, score: live.score, highlights, matched_via: live.matched_via, study: None }
}

/// A highlight whose pieces are all in the field they are said to be of.
fn highlight(found: LiveHighlight, field: &impl Fn(&str) -> String) -> Option<Highlight> {
    let text = field(&found.field);
    let few =
        found.fragments.len() <= MAX_PIECES && found.fragments.iter().all(|piece| piece.marks.len() <= MAX_PIECES);
    let fits = found.fragments.iter().all(|piece| text.contains(&piece.text));
    let fragments = found.fragments.into_iter().map(|piece| Fragment { text: piece.text, marks: piece.marks });
    (few && fits && !text.is_empty()).then(|| Highlight { field: found.field, fragments: fragments.collect() })
}

/// The record as the peer tells it, for showing and for its place in the order. It carries no picture, and no address but the one
/// that is made here.
pub(crate) fn document(live: &LiveHit) -> SearchDocument {
    let key = DatasetKey { node: live.node.clone(), id: live.id.clone() };
    SearchDocument {
        version: live.version,
        title: live.title.clone(),
        description: live.description.clone(),
        authors: live.authors.clone(),
        keywords: live.keywords.clone(),
        organisms: live.organisms.clone(),
        methods: live.methods.clone(),
        about: live.entities.clone(),
        publisher: live.publisher.clone(),
        licence: live.license.clone(),
        date: live.date_published.clone(),
        year: live.year,
        access: live.access,
        identifiers: live.identifiers.clone(),
        images: live.images,
        bytes: live.bytes,
        kind: if live.kind == "catalogue" { "catalogue".into() } else { "deposit".into() },
        ..SearchDocument::empty(key)
    }
}
