//! Live search: all peers are asked for their own records while somebody waits. Who does not answer is answered for from the
//! verified copy, every source says which of the two it is, and what only a peer says is marked as not verified.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use dataset_model::{DatasetKey, NodeId};
use federation::{
    FederationError,
    live::{LiveAnswer, LiveHit, LiveQuestion, Merged, merge},
};
use futures::future::join_all;
use search_index::{Cursor, FacetSelection, Hit, SearchError, Sort, SortValue};

use crate::{
    Actor, Node, NodeError, SearchAnswer, SearchRequest, SearchScope, SourceReport,
    live_cursor::LiveCursor,
    live_record::{self, Settled},
    peers::Peer,
    policy,
};

/// Questions to peers that are under way at the same time, whoever asks.
pub(crate) const AT_ONCE: usize = 64;

/// Where a hit stands in the order that all nodes share.
type Place = (SortValue, DatasetKey);

/// A hit before it is known whether it makes it to the page.
enum Offered {
    /// Of the own records, or of a verified copy.
    Held(Box<Hit>),
    /// As a peer gives it.
    Live(Box<LiveHit>),
}

/// What became of a question to a peer.
struct Asked {
    peer: Arc<Peer>,
    outcome: Result<LiveAnswer, String>,
    took: Duration,
}

impl Node {
    pub(crate) async fn search_live(
        self: &Arc<Self>,
        actor: &Actor,
        request: SearchRequest,
    ) -> Result<SearchAnswer, NodeError> {
        if request.collapse {
            return Err(NodeError::Invalid("a live search gives each record: leave out 'collapse'".into()));
        }
        let cursor = request.cursor.as_deref().map(LiveCursor::read).transpose()?;
        let counting = SearchRequest { size: 0, cursor: None, ..request.clone() };
        let wanted = |peer: &&Arc<Peer>| request.node.is_empty() || request.node.contains(&peer.config.id);
        let peers = self.peers.all();
        let questions = peers.iter().filter(wanted).map(|peer| self.ask(peer, &request, cursor.as_ref()));
        // Dropping this future, when the client goes away, ends the requests to the peers.
        let (held, asked) = tokio::join!(self.search_held(actor, counting), join_all(questions));
        let mut answer = held?;
        if cursor.as_ref().is_some_and(|cursor| cursor.place.order() != answer.order) {
            return Err(SearchError::CursorOrder.into());
        }
        let here = self.answered_from_here(&request, &asked, &answer);
        let local = if here.is_empty() {
            SearchAnswer { order: answer.order, ..SearchAnswer::default() }
        } else {
            self.search_here(actor, &request, here, cursor.as_ref()).await?
        };
        let loose = self.loose_nodes(cursor.as_ref(), &local, &asked);
        let more = local.next_cursor.is_some() || asked.iter().any(Asked::has_more);
        self.account(&mut answer, &asked, &request);
        let merged = offers(answer.order, local, asked, cursor.as_ref(), request.size);
        let last = merged.hits.last().filter(|_| more || merged.more);
        let last = last.map(|(place, _)| LiveCursor { place: Cursor::at(answer.order, place.clone()), loose });
        answer.next_cursor = last.map(|cursor| cursor.to_string());
        self.fill(actor, answer, merged).await
    }

    /// Asks a peer, unless it has failed too often or too much is being asked already.
    async fn ask(&self, peer: &Arc<Peer>, request: &SearchRequest, cursor: Option<&LiveCursor>) -> Asked {
        let (started, node) = (Instant::now(), peer.config.id.clone());
        let asked = |outcome| Asked { peer: peer.clone(), outcome, took: started.elapsed() };
        let Ok(_turn) = self.live_questions.try_acquire() else {
            return asked(Err("not asked: too many live searches are under way here".into()));
        };
        let Some(admitted) = Admitted::to(peer) else {
            let circuit = peer.circuit.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let (failures, rest) = (circuit.failures(), circuit.rest(Instant::now()).as_secs() + 1);
            return asked(Err(format!(
                "not asked: it failed {failures} times in a row; it is tried again in {rest} s"
            )));
        };
        let time = Duration::from_secs(self.config.live_seconds);
        let cursor = cursor.map(|cursor| cursor.at(&node).to_string());
        let question = LiveQuestion { node: &node, asked: &request.asked, size: request.size, cursor };
        let outcome = peer.puller().client().search(&question, time).await;
        admitted.tell(outcome.as_ref().err());
        asked(outcome.map_err(|error| why(&error, time)))
    }

    /// The nodes whose matching records are taken from here: all but the peers that answered.
    fn answered_from_here(&self, request: &SearchRequest, asked: &[Asked], held: &SearchAnswer) -> Vec<NodeId> {
        let nodes = held.facets.node.iter().filter_map(|value| value.value.parse::<NodeId>().ok());
        let wanted = |node: &NodeId| request.node.is_empty() || request.node.contains(node);
        let live = |node: &NodeId| asked.iter().any(|asked| asked.outcome.is_ok() && asked.peer.config.id == *node);
        nodes.filter(|node| wanted(node) && !live(node)).collect()
    }

    async fn search_here(
        self: &Arc<Self>,
        actor: &Actor,
        request: &SearchRequest,
        node: Vec<NodeId>,
        cursor: Option<&LiveCursor>,
    ) -> Result<SearchAnswer, NodeError> {
        let cursor = cursor.map(|cursor| cursor.at(&self.config.id).to_string());
        // They are counted with all that is held, whoever answers for it.
        let request = SearchRequest { node, cursor, facets: FacetSelection::NONE, ..request.clone() };
        self.search_held(actor, request).await
    }

    fn loose_nodes(&self, before: Option<&LiveCursor>, local: &SearchAnswer, asked: &[Asked]) -> BTreeSet<NodeId> {
        let mut loose = before.map(|cursor| cursor.loose.clone()).unwrap_or_default();
        loose.extend(Some(self.config.id.clone()).filter(|_| local.loose));
        let live = asked.iter().filter(|asked| asked.outcome.as_ref().is_ok_and(LiveAnswer::is_loose));
        loose.extend(live.map(|asked| asked.peer.config.id.clone()));
        loose
    }

    /// Says of every source what it is, and counts with what the live ones say.
    fn account(&self, answer: &mut SearchAnswer, asked: &[Asked], request: &SearchRequest) {
        let wanted = |source: &SourceReport| request.node.is_empty() || request.node.contains(&source.node);
        answer.sources.retain(wanted);
        let held = answer.total;
        for source in &mut answer.sources {
            let Some(asked) = asked.iter().find(|asked| asked.peer.config.id == source.node) else { continue };
            source.took_ms = Some(u64::try_from(asked.took.as_millis()).unwrap_or(u64::MAX));
            match &asked.outcome {
                Ok(live) => {
                    answer.total = answer.total.saturating_sub(source.total).saturating_add(live.total);
                    (source.status, source.total, source.as_of) = ("live", live.total, live.as_of(&source.node));
                    source.checked = None;
                }
                Err(why) => {
                    source.why = Some(why.clone());
                    source.status = if source.as_of == 0 { "absent" } else { "mirror" };
                }
            }
        }
        if answer.total > held {
            answer.suggestions.clear();
        }
    }

    /// The records of the page: a peer's where the copy does not have them, and where it does, the copy's.
    async fn fill(
        self: &Arc<Self>,
        actor: &Actor,
        mut answer: SearchAnswer,
        merged: Merged<Place, Offered>,
    ) -> Result<SearchAnswer, NodeError> {
        let (node, visible) = (self.clone(), policy::visible(actor));
        let settle = move || {
            let (mut hits, mut unverified) = (Vec::new(), BTreeMap::new());
            for (_, offered) in merged.hits {
                match offered {
                    Offered::Held(hit) => hits.push(*hit),
                    Offered::Live(live) => match live_record::settle(&node, &visible, *live)? {
                        Settled::Verified(hit) => hits.push(*hit),
                        Settled::Unverified(hit, page) => {
                            unverified.insert(hit.document.key.clone(), page);
                            hits.push(*hit);
                        }
                        Settled::Withdrawn => {}
                    },
                }
            }
            Ok::<_, NodeError>((hits, unverified))
        };
        let settled = tokio::task::spawn_blocking(settle).await;
        (answer.hits, answer.unverified) =
            settled.map_err(|error| NodeError::Internal(format!("merging answers: {error}")))??;
        answer.scope = SearchScope::Live;
        Ok(answer)
    }
}

/// One page out of what is held and what the peers answered, in the order that all nodes share.
fn offers(
    order: Sort,
    local: SearchAnswer,
    asked: Vec<Asked>,
    cursor: Option<&LiveCursor>,
    most: usize,
) -> Merged<Place, Offered> {
    let held = |hit: Hit| (Cursor::after(order, hit.score, &hit.document).place(), Offered::Held(Box::new(hit)));
    let live = |hit: LiveHit| {
        let place = Cursor::after(order, hit.score, &live_record::document(&hit)).place();
        (place, Offered::Live(Box::new(hit)))
    };
    let mut sources: Vec<Vec<_>> = vec![local.hits.into_iter().map(held).collect()];
    let answers = asked.into_iter().filter_map(|asked| asked.outcome.ok());
    sources.extend(answers.map(|answer| answer.hits.into_iter().map(live).collect()));
    merge(sources, cursor.map(|cursor| cursor.place.place()).as_ref(), most)
}

impl Asked {
    fn has_more(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|answer| answer.next_cursor.is_some())
    }
}

/// The right to ask a peer; its circuit learns how it went, also when nobody waits for it any more.
struct Admitted<'a>(Option<&'a Peer>);

impl<'a> Admitted<'a> {
    fn to(peer: &'a Peer) -> Option<Self> {
        let mut circuit = peer.circuit.lock().unwrap_or_else(PoisonError::into_inner);
        // Made only when admitted: dropping it takes the lock that is held here.
        circuit.admit(Instant::now()).then(|| Self(Some(peer)))
    }

    fn tell(mut self, failure: Option<&FederationError>) {
        let Some(peer) = self.0.take() else { return };
        let mut circuit = peer.circuit.lock().unwrap_or_else(PoisonError::into_inner);
        match failure {
            // It is there, and does not understand or like the question.
            None | Some(FederationError::Refused { status: 400..500, .. }) => circuit.succeeded(),
            Some(_) => circuit.failed(Instant::now()),
        }
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if let Some(peer) = self.0 {
            peer.circuit.lock().unwrap_or_else(PoisonError::into_inner).gave_up();
        }
    }
}

/// Why a peer was not answered by, without the address, which holds the whole question.
fn why(error: &FederationError, time: Duration) -> String {
    match error {
        FederationError::Timeout { .. } => format!("it did not answer within {} s", time.as_secs()),
        FederationError::Unreachable { .. } => "it cannot be reached".into(),
        FederationError::Refused { status, .. } => format!("it answered with status {status}"),
        FederationError::TooLarge { limit, .. } => format!("its answer has more than {limit} bytes"),
        FederationError::Malformed { .. } => "its answer cannot be used".into(),
        other => other.to_string(),
    }
}
