use std::{collections::HashSet, ops::Range};

use dataset_model::{Access, DatasetId, NodeId, Term, VersionNumber};
use serde::Deserialize;
use url::form_urlencoded;

use crate::{FederationError, paths};

/// The longest question that is passed on, in bytes of its address.
const MAX_QUESTION_BYTES: usize = 8 * 1024;
/// No node has more records; a larger total is nonsense.
const MAX_TOTAL: u64 = 1 << 40;
/// The most values of one list of a record that are kept, and the longest text of each, in characters.
const MAX_VALUES: usize = 50;
const MAX_VALUE: usize = 300;
const MAX_TITLE: usize = 1_000;
const MAX_DESCRIPTION: usize = 4_000;

/// What a peer is asked: for its own records, and never to ask others in turn.
#[derive(Debug, Clone)]
pub struct LiveQuestion<'a> {
    /// The peer's name; it answers for itself only.
    pub node: &'a NodeId,
    /// What was asked here, as decoded name–value pairs.
    pub asked: &'a [(String, String)],
    /// Hits wanted.
    pub size: usize,
    /// After which place.
    pub cursor: Option<String>,
}

/// What a peer answered: its own records, none of it verified, all of it bounded.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LiveAnswer {
    /// How many of its records match, as it says.
    pub total: u64,
    /// One page of them, in its order.
    pub hits: Vec<LiveHit>,
    /// Where its next page starts; absent on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
    /// How it matched the words: `words`, or `beginnings` where nothing has the words as they are.
    #[serde(default)]
    pub matching: String,
    #[serde(default)]
    sources: Vec<LiveSource>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct LiveSource {
    node: String,
    #[serde(default)]
    as_of: u64,
}

/// A record as a peer gives it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the search API, described there")]
pub struct LiveHit {
    pub id: DatasetId,
    pub node: NodeId,
    #[serde(default)]
    pub kind: String,
    pub version: VersionNumber,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub authors: Vec<String>,
    #[serde(default)]
    pub date_published: Option<String>,
    #[serde(default)]
    pub year: Option<u16>,
    #[serde(default)]
    pub license: Option<String>,
    #[serde(default)]
    pub publisher: Option<String>,
    pub access: Access,
    #[serde(default)]
    pub organisms: Vec<Term>,
    #[serde(default)]
    pub methods: Vec<Term>,
    #[serde(default)]
    pub entities: Vec<Term>,
    #[serde(default)]
    pub keywords: Vec<String>,
    #[serde(default)]
    pub identifiers: Vec<String>,
    #[serde(default)]
    pub images: u32,
    #[serde(default)]
    pub bytes: Option<u64>,
    #[serde(default)]
    pub score: f32,
    #[serde(default)]
    pub highlights: Vec<LiveHighlight>,
    #[serde(default)]
    pub matched_via: Vec<String>,
}

/// Where words were found in a field.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the search API, described there")]
pub struct LiveHighlight {
    pub field: String,
    pub fragments: Vec<LiveFragment>,
}

/// A piece of a field with marks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the search API, described there")]
pub struct LiveFragment {
    pub text: String,
    pub marks: Vec<Range<usize>>,
}

impl LiveQuestion<'_> {
    /// The path and query to get.
    pub(crate) fn path(&self) -> Result<String, FederationError> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.asked);
        query.append_pair("scope", "held").append_pair("node", self.node.as_str());
        // They are counted over the copy, and would be most of the answer.
        query.append_pair("facets", "none");
        query.append_pair("size", &self.size.to_string());
        query.extend_pairs(self.cursor.iter().map(|cursor| ("cursor", cursor)));
        let path = format!("{}?{}", paths::SEARCH, query.finish());
        if path.len() > MAX_QUESTION_BYTES {
            return Err(FederationError::TooLarge { what: "the question".into(), limit: MAX_QUESTION_BYTES as u64 });
        }
        Ok(path)
    }

    /// The most an answer may have: room for long descriptions and lists, whose end is cut off when it is read.
    pub(crate) fn answer_bytes(&self) -> u64 {
        (1024 * 1024) + 16 * 1024 * self.size as u64
    }

    /// Reads an answer to it.
    ///
    /// # Errors
    /// When it is no answer to a search, has more hits than asked for, a record twice, another node's record, one that not
    /// everybody may read, or a total that no node has.
    pub fn read(&self, bytes: &[u8]) -> Result<LiveAnswer, FederationError> {
        let wrong = |what: &str| FederationError::malformed(format!("in an answer to a search, {what}"));
        let mut answer: LiveAnswer =
            serde_json::from_slice(bytes).map_err(|error| wrong(&format!("this cannot be read: {error}")))?;
        if answer.hits.len() > self.size {
            return Err(wrong("there are more hits than were asked for"));
        }
        if answer.total > MAX_TOTAL {
            return Err(wrong("the total is nonsense"));
        }
        if answer.hits.iter().any(|hit| hit.node != *self.node) {
            return Err(wrong("a record is another node's"));
        }
        if answer.hits.iter().any(|hit| hit.access == Access::Restricted) {
            return Err(wrong("a record is not open"));
        }
        let mut ids = HashSet::new();
        if !answer.hits.iter().all(|hit| ids.insert(&hit.id)) {
            return Err(wrong("a record comes twice"));
        }
        answer.hits.iter_mut().for_each(LiveHit::bound);
        Ok(answer)
    }
}

impl LiveAnswer {
    /// How many entries of its log the peer says its answer covers.
    pub fn as_of(&self, node: &NodeId) -> u64 {
        let own = self.sources.iter().find(|source| source.node == node.as_str());
        own.map_or(0, |source| source.as_of.min(MAX_TOTAL))
    }

    /// Whether nothing had the words as they are, so that beginnings of words matched.
    pub fn is_loose(&self) -> bool {
        self.matching == "beginnings"
    }
}

impl LiveHit {
    /// Cuts off what is longer than anything we show.
    fn bound(&mut self) {
        cut(&mut self.title, MAX_TITLE);
        cut(&mut self.description, MAX_DESCRIPTION);
        cut(&mut self.kind, MAX_VALUE);
        let options = [&mut self.date_published, &mut self.license, &mut self.publisher];
        options.into_iter().flatten().for_each(|text| cut(text, MAX_VALUE));
        for list in [&mut self.authors, &mut self.keywords, &mut self.identifiers, &mut self.matched_via] {
            list.truncate(MAX_VALUES);
            list.iter_mut().for_each(|text| cut(text, MAX_VALUE));
        }
        for terms in [&mut self.organisms, &mut self.methods, &mut self.entities] {
            terms.truncate(MAX_VALUES);
            terms.retain(|term| term.iri.as_str().len() <= MAX_VALUE);
            terms.iter_mut().for_each(|term| cut(&mut term.label, MAX_VALUE));
        }
        if !self.score.is_finite() || self.score < 0.0 {
            self.score = 0.0;
        }
    }
}

fn cut(text: &mut String, most: usize) {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(answer: &Value) -> Result<LiveAnswer, FederationError> {
        let node = "japan".parse().unwrap();
        LiveQuestion { node: &node, asked: &[], size: 2, cursor: None }.read(answer.to_string().as_bytes())
    }

    fn hit(id: &str) -> Value {
        json!({"id": id, "node": "japan", "version": 1, "access": "open", "title": "Cells"})
    }

    #[test]
    fn an_answer_is_read() {
        let answer = json!({
            "total": 7, "hits": [hit("japan-1"), hit("japan-2")], "matching": "beginnings", "future": [[]],
            "sources": [{"node": "europe", "as_of": 3}, {"node": "japan", "as_of": 12}],
        });
        let answer = read(&answer).unwrap();
        assert_eq!((answer.total, answer.hits.len(), answer.is_loose()), (7, 2, true));
        assert_eq!(answer.as_of(&"japan".parse().unwrap()), 12);
    }

    #[test]
    fn an_answer_that_breaks_a_rule_is_refused_as_a_whole() {
        let with = |name: &str, value: Value| {
            let mut altered = hit("japan-2");
            altered[name] = value;
            json!({"total": 2, "hits": [hit("japan-1"), altered]})
        };
        for wrong in [
            json!([]),
            json!({"hits": []}),
            json!({"total": -1, "hits": []}),
            json!({"total": u64::MAX, "hits": []}),
            json!({"total": 3, "hits": [hit("a"), hit("b"), hit("c")]}),
            with("node", json!("europe")),
            with("access", json!("restricted")),
            with("id", json!("japan-1")),
            with("id", json!("../../etc")),
            with("version", json!(0)),
            with("title", json!({"$gt": ""})),
        ] {
            assert!(read(&wrong).is_err_and(|error| error.is_peer_fault()), "{wrong}");
        }
    }

    #[test]
    fn what_is_long_is_cut() {
        let mut long = hit("japan-1");
        long["title"] = json!("細".repeat(50_000));
        long["authors"] = json!(vec!["A".repeat(5000); 500]);
        let answer = read(&json!({"total": 1, "hits": [long]})).unwrap();
        assert_eq!(answer.hits[0].title.chars().count(), MAX_TITLE);
        assert_eq!((answer.hits[0].authors.len(), answer.hits[0].authors[0].len()), (MAX_VALUES, MAX_VALUE));
    }

    #[test]
    fn a_question_asks_for_the_peers_own_records_alone() {
        let node = "japan".parse().unwrap();
        let asked = [("q".to_owned(), "cells & more".to_owned())];
        let question = LiveQuestion { node: &node, asked: &asked, size: 5, cursor: Some("r~w~1~japan~a".into()) };
        assert_eq!(
            question.path().unwrap(),
            "/api/v1/search?q=cells+%26+more&scope=held&node=japan&facets=none&size=5&cursor=r%7Ew%7E1%7Ejapan%7Ea"
        );
        let asked = [("q".to_owned(), "x".repeat(10_000))];
        assert!(LiveQuestion { asked: &asked, ..question }.path().is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let node = "japan".parse().unwrap();
            let _ = LiveQuestion { node: &node, asked: &[], size: 2, cursor: None }.read(&bytes);
        }
    }
}
