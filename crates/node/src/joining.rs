//! Adding nodes to those that are followed, and taking them out again, while the node runs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dataset_model::{Digest, NodeId, Timestamp};
use federation::{NodeDescription, PeerDescription, PublicKey, Puller, Reach};
use futures::{StreamExt, stream};
use ledger::{Collection, Ledger};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    Actor, MirrorPolicy, MirrorSetting, Node, NodeConfig, NodeError, PeerConfig, Scope, key_rotation,
    peers::{Peer, Peers},
    policy,
};

/// Nodes of one peer's neighbourhood that are looked at.
const MOST_NEIGHBOURS: usize = 100;
/// Passes over a peer's log between two looks at its description.
const POLLS_BETWEEN_LOOKS: u64 = 20;
/// Names looked up at the same time, and the longest one may take.
const LOOKS_AT_ONCE: usize = 8;
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// A peer that was added at run time. Key: its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AddedPeer {
    url: String,
    public_key: String,
    added: Timestamp,
    /// When it was taken out again. What is held of it stays, and its records need its address.
    removed: Option<Timestamp>,
    #[serde(flatten)]
    copies: PeerCopies,
}

/// What is copied of a peer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PeerCopies {
    /// Which of its datasets.
    #[serde(default)]
    pub mirror: MirrorSetting,
    /// The most that is copied in a second, in bytes.
    pub mirror_bytes_per_second: Option<u64>,
}

impl PeerCopies {
    fn policy(&self) -> Result<MirrorPolicy, NodeError> {
        self.mirror.policy(self.mirror_bytes_per_second)
    }
}

/// What to add.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPeer {
    /// Its address.
    pub url: String,
    /// The key to pin; without it the answer only says what would be pinned.
    pub public_key: Option<String>,
    /// Which of its datasets are copied; none when not given.
    #[serde(default)]
    pub mirror: Option<MirrorSetting>,
    /// The most that is copied in a second, in bytes.
    #[serde(default)]
    pub mirror_bytes_per_second: Option<u64>,
}

/// A node that could be followed, as it describes itself.
#[derive(Debug, Clone, Serialize)]
pub struct PeerOffer {
    /// Its name.
    pub id: NodeId,
    /// Its title for people.
    pub title: String,
    /// Where it is.
    pub country: Option<String>,
    /// The address it was found at, which is the one that will be asked.
    pub url: String,
    /// The address it gives itself; another one than `url` is worth a question to its operator.
    pub public_url: String,
    /// The key it presents.
    pub public_key: String,
    /// Short form of the key, for reading aloud.
    pub fingerprint: String,
    /// How many entries its log has.
    pub log_size: u64,
    /// Whether it is followed now.
    pub following: bool,
    /// Nodes that it follows and this node does not.
    pub suggestions: Vec<SuggestedPeer>,
}

/// A node that another one follows. All of this is hearsay: compare the key with the node's operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuggestedPeer {
    /// Its name.
    pub id: NodeId,
    /// Its address.
    pub url: String,
    /// The key the other node pinned.
    pub public_key: String,
    /// Short form of the key, for reading aloud.
    pub fingerprint: String,
    /// Who named it.
    pub suggested_by: NodeId,
}

/// The peers of the configuration and those added at run time; a configured one counts where both have one name.
pub(crate) fn open_peers(config: &NodeConfig, ledger: &Ledger) -> Result<Peers, NodeError> {
    let peers = Peers::default();
    for configured in &config.peers {
        peers.add(open_peer(ledger, configured.clone(), false, config.peer_limits())?);
    }
    for row in added_peers(ledger).iter_prefix("") {
        let (id, added) = row?;
        let id: NodeId = id.parse().map_err(|error| NodeError::Internal(format!("an added peer: {error}")))?;
        match peers.get(&id) {
            Some(configured) if added.removed.is_none() => {
                let differs = configured.config.url != added.url || configured.config.public_key != added.public_key;
                if differs {
                    tracing::warn!(
                        peer = %id, added = added.url, configured = configured.config.url,
                        "this peer was added at run time with another address or key: the configuration counts"
                    );
                }
            }
            Some(_) => {}
            None if added.removed.is_some() => peers.remember(&id, &added.url),
            None => {
                let mirror = added.copies.policy()?;
                let added = PeerConfig { mirror, ..PeerConfig::new(id, added.url, added.public_key) };
                peers.add(open_peer(ledger, added, true, config.peer_limits())?);
            }
        }
    }
    Ok(peers)
}

fn open_peer(
    ledger: &Ledger,
    config: PeerConfig,
    added: bool,
    limits: federation::Limits,
) -> Result<Arc<Peer>, NodeError> {
    let peer = Peer::open(config, added, limits)?;
    key_rotation::take_up_keys(ledger, &peer)?;
    Ok(Arc::new(peer))
}

fn added_peers(ledger: &Ledger) -> Collection<AddedPeer> {
    ledger.collection("added_peers")
}

impl Node {
    /// Looks at a node that could be followed and, where its key is given, follows it from now on.
    ///
    /// # Errors
    /// Unless the actor is an administrator; when the address is none to be asked, the node cannot be reached, presents or
    /// signs with another key than the one given, or its name is taken.
    pub async fn add_peer(self: &Arc<Self>, actor: &Actor, wanted: &NewPeer) -> Result<PeerOffer, NodeError> {
        policy::require(actor, Scope::Admin)?;
        let url = peer_url(&wanted.url)?;
        let copies = wanted
            .mirror
            .clone()
            .map(|mirror| PeerCopies { mirror, mirror_bytes_per_second: wanted.mirror_bytes_per_second });
        copies.as_ref().map(PeerCopies::policy).transpose()?;
        let _alone = self.peers.changing.lock().await;
        let at = address(&url);
        let named = |source| NodeError::Peer { peer: at.clone(), source };
        let client = federation::PeerClient::new(url.clone(), self.config.peer_limits()).map_err(named)?;
        let description = client.description().await.map_err(named)?;
        let key: PublicKey = description.public_key.parse().map_err(named)?;
        let followed = self.check_new(&description, &url, &key)?;
        let mut offer = self.offer(description, &url, &key).await;
        let Some(pinned) = &wanted.public_key else { return Ok(offer) };
        if *pinned != offer.public_key {
            return Err(NodeError::Conflict(format!(
                "{} presents the key {}, not the one given: nothing was pinned. Ask its operator which one is right",
                offer.url, offer.public_key
            )));
        }
        if !followed {
            let puller = Puller::new(url.clone(), key, self.config.peer_limits()).map_err(named)?;
            // A description is not signed: whoever has the key signs with it.
            puller.checkpoint(0, Digest::of([])).await.map_err(named)?;
            self.follow_from_now_on(&offer, copies.unwrap_or_default())?;
        } else if let Some(copies) = copies {
            self.change_copies(&offer.id, copies)?;
        }
        offer.following = true;
        Ok(offer)
    }

    /// Changes what is copied of a peer that was added at run time. Copies that are held stay.
    ///
    /// # Errors
    /// Unless the actor is an administrator; when there is no such peer, it is in the configuration, or that is no policy.
    pub async fn set_peer_copies(&self, actor: &Actor, id: &NodeId, copies: PeerCopies) -> Result<(), NodeError> {
        policy::require(actor, Scope::Admin)?;
        let _alone = self.peers.changing.lock().await;
        self.change_copies(id, copies)
    }

    /// The caller holds `peers.changing`.
    fn change_copies(&self, id: &NodeId, copies: PeerCopies) -> Result<(), NodeError> {
        let (peer, mut document) = self.added_peer(id)?;
        let policy = copies.policy()?;
        document.copies = copies;
        self.ledger.write(vec![added_peers(&self.ledger).put(id.as_str(), &document)?])?;
        peer.set_mirror(policy.clone());
        self.mirrors.wanted_anew(id, &policy);
        Ok(())
    }

    /// A peer that was added at run time, with its document.
    fn added_peer(&self, id: &NodeId) -> Result<(Arc<Peer>, AddedPeer), NodeError> {
        let unknown = || NodeError::NotFound(format!("there is no peer '{id}'"));
        let peer = self.peers.get(id).ok_or_else(unknown)?;
        if !peer.status().added {
            let what = format!("'{id}' is in this node's configuration: change it there, and start the node again");
            return Err(NodeError::Conflict(what));
        }
        let document = added_peers(&self.ledger).get(id.as_str())?.ok_or_else(unknown)?;
        Ok((peer, document))
    }

    /// Stops following a peer that was added at run time. The entries held of it stay, and are shown.
    ///
    /// # Errors
    /// Unless the actor is an administrator; when there is no such peer, or it is in the configuration.
    pub async fn remove_peer(&self, actor: &Actor, id: &NodeId) -> Result<(), NodeError> {
        policy::require(actor, Scope::Admin)?;
        let _alone = self.peers.changing.lock().await;
        let (_, mut document) = self.added_peer(id)?;
        document.removed = Some(Timestamp::now());
        self.ledger.write(vec![added_peers(&self.ledger).put(id.as_str(), &document)?])?;
        self.peers.remove(id);
        Ok(())
    }

    /// Nodes that peers follow and this node does not.
    pub fn suggested_peers(&self) -> Vec<SuggestedPeer> {
        let mut suggested: Vec<SuggestedPeer> = Vec::new();
        for peer in self.peers.all() {
            let neighbours = peer.neighbours().1.clone();
            let new = |other: &SuggestedPeer| !suggested.iter().any(|known| known.public_key == other.public_key);
            let more: Vec<SuggestedPeer> = self.not_followed(neighbours).into_iter().filter(new).collect();
            suggested.extend(more);
        }
        suggested
    }

    fn follow_from_now_on(&self, offer: &PeerOffer, copies: PeerCopies) -> Result<(), NodeError> {
        let config = PeerConfig::new(offer.id.clone(), offer.url.clone(), offer.public_key.clone());
        let config = PeerConfig { mirror: copies.policy()?, ..config };
        let (url, public_key) = (config.url.clone(), config.public_key.clone());
        let document = AddedPeer { url, public_key, added: Timestamp::now(), removed: None, copies };
        let peer = open_peer(&self.ledger, config, true, self.config.peer_limits())?;
        self.ledger.write(vec![added_peers(&self.ledger).put(offer.id.as_str(), &document)?])?;
        self.peers.add(peer);
        self.announcing.wake.notify_one();
        Ok(())
    }

    /// Whether the node is followed already, at this address by this key; an error when its name or key is taken.
    fn check_new(&self, found: &NodeDescription, url: &Url, key: &PublicKey) -> Result<bool, NodeError> {
        if found.id == self.config.id || *key == self.public_key() {
            return Err(NodeError::Conflict(format!("{} is this node itself, or says so", address(url))));
        }
        if found.protocol != federation::PROTOCOL {
            let what =
                format!("{} speaks protocol {}, this node {}", address(url), found.protocol, federation::PROTOCOL);
            return Err(NodeError::Invalid(what));
        }
        for peer in self.peers.all() {
            let (same_name, same_key) = (peer.config.id == found.id, *peer.puller().key() == *key);
            if same_name && same_key && peer.config.url == address(url) {
                return Ok(true);
            }
            if same_name || same_key {
                let (id, at) = (&peer.config.id, &peer.config.url);
                let what = format!("'{id}' at {at} is followed already, with the same name or key: take it out first");
                return Err(NodeError::Conflict(what));
            }
        }
        Ok(false)
    }

    async fn offer(&self, found: NodeDescription, url: &Url, key: &PublicKey) -> PeerOffer {
        let suggestions = sift(found.peers, &found.id, url).await;
        PeerOffer {
            suggestions: self.not_followed(suggestions),
            following: self.peers.get(&found.id).is_some(),
            id: found.id,
            title: found.title,
            country: found.country,
            url: address(url),
            public_url: found.url,
            public_key: key.to_string(),
            fingerprint: key.fingerprint(),
            log_size: found.log_size,
        }
    }

    /// Asks a peer once in a while which nodes it follows. That it does not answer is no news: the next pass will tell.
    pub(crate) async fn look_around(&self, peer: &Peer) {
        let pause = Duration::from_secs(self.config.poll_seconds.saturating_mul(POLLS_BETWEEN_LOOKS));
        let asked = peer.neighbours().0;
        if asked.is_some_and(|asked| asked.elapsed() < pause) {
            return;
        }
        let (Ok(description), Ok(at)) = (peer.puller().client().description().await, Url::parse(&peer.config.url))
        else {
            return;
        };
        let suggested = sift(description.peers, &peer.config.id, &at).await;
        *peer.neighbours() = (Some(Instant::now()), suggested);
    }

    /// Those of some nodes that are not followed from here.
    fn not_followed(&self, mut others: Vec<SuggestedPeer>) -> Vec<SuggestedPeer> {
        let own = self.public_key().to_string();
        let followed = self.peers.all();
        others.retain(|other| {
            let same =
                |peer: &Arc<Peer>| peer.config.id == other.id || peer.puller().key().to_string() == other.public_key;
            other.id != self.config.id && other.public_key != own && !followed.iter().any(same)
        });
        others
    }
}

/// Of the nodes that another one names, those that could be followed. An address inside a network is left out unless the
/// other node is in that network itself.
async fn sift(named: Vec<PeerDescription>, by: &NodeId, at: &Url) -> Vec<SuggestedPeer> {
    let reach = reach_of(at).await;
    let looks = named.into_iter().take(MOST_NEIGHBOURS).map(|other| async move {
        let (key, url) = (other.public_key.parse::<PublicKey>().ok()?, peer_url(&other.url).ok()?);
        let plain = is_plain(&other.url) && is_plain(&other.public_key);
        let reachable = plain && matches!((reach, reach_of(&url).await), (Some(by), Some(its)) if its <= by);
        reachable.then(|| SuggestedPeer {
            id: other.id,
            url: address(&url),
            fingerprint: key.fingerprint(),
            public_key: key.to_string(),
            suggested_by: by.clone(),
        })
    });
    stream::iter(looks).buffered(LOOKS_AT_ONCE).filter_map(std::future::ready).collect().await
}

/// From where an address can be reached; nothing for one that is not found in time.
async fn reach_of(url: &Url) -> Option<Reach> {
    tokio::time::timeout(LONGEST_LOOK, Reach::of(url)).await.ok()?
}

/// Reads the address of a node.
fn peer_url(text: &str) -> Result<Url, NodeError> {
    let wrong = |what: &str| NodeError::Invalid(format!("'{text}' is no address of a node: {what}"));
    let url = Url::parse(text.trim_end_matches('/')).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it starts with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user's name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has neither '?' nor '#'"));
    }
    Ok(url)
}

/// Whether a text can be put into a command line without quotes. People copy commands from pages.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/.-_~[]%+=".contains(&byte))
}

/// An address as it is written down, without a slash at its end.
fn address(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}
