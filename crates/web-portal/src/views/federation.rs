use std::collections::BTreeMap;

use askama::Template;
use dataset_model::NodeId;
use node::{MirrorState, PeerStatus, SuggestedPeer};

use super::{
    chrome::{Chrome, Section},
    format,
};
use crate::{links, site::Identity};

/// The state of the federation as this node sees it.
#[derive(Debug, Template)]
#[template(path = "federation.html")]
pub(crate) struct FederationPage {
    pub chrome: Chrome,
    pub own: OwnNode,
    pub peers: Vec<PeerCard>,
    pub suggested: Vec<SuggestedPeer>,
    /// What the operator should look at, such as damaged files.
    pub attention: Vec<String>,
}

/// This node.
#[derive(Debug, Clone)]
pub(crate) struct OwnNode {
    pub id: String,
    pub title: String,
    pub country: Option<String>,
    pub url: String,
    pub public_key: String,
    pub fingerprint: String,
    pub log_size: String,
    pub checkpoint: String,
    /// Who has cosigned the checkpoint, and when.
    pub witnesses: Vec<(String, String)>,
    /// What somebody said about the log that should not be.
    pub alarm: Option<String>,
}

/// A partner.
#[derive(Debug, Clone)]
pub(crate) struct PeerCard {
    pub id: String,
    pub url: Option<String>,
    pub address: String,
    pub fingerprint: String,
    pub public_key: String,
    pub held: String,
    pub offered: String,
    pub lag: String,
    /// The largest checkpoint that others have seen, where the partner does not show it here.
    pub seen_elsewhere: Option<String>,
    pub checked: String,
    pub changed: String,
    /// Who else has cosigned its last checkpoint, and when.
    pub witnesses: Vec<(String, String)>,
    /// What it has cosigned of this node's log, and when.
    pub cosigned: Option<(String, String)>,
    pub key_changed: Option<String>,
    pub standing: Standing,
    pub error: Option<String>,
    pub failures: String,
    pub datasets: String,
    /// How copying its bytes stands, where they are copied.
    pub copies: Option<String>,
}

/// How a partner stands, in a word and a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    UpToDate,
    CatchingUp,
    NotSeen,
    Unreachable,
    Dishonest,
    Forked,
}

impl Standing {
    fn of(peer: &PeerStatus) -> Self {
        match (&peer.error, peer.peer_fault) {
            _ if peer.fork.is_some() => Self::Forked,
            (Some(_), true) => Self::Dishonest,
            (Some(_), false) => Self::Unreachable,
            (None, _) if peer.checked.is_none() => Self::NotSeen,
            (None, _) if peer.lag() > 0 => Self::CatchingUp,
            (None, _) => Self::UpToDate,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::UpToDate => "up to date",
            Self::CatchingUp => "catching up",
            Self::NotSeen => "not asked yet",
            Self::Unreachable => "not reached",
            Self::Dishonest => "failed verification",
            Self::Forked => "two histories",
        }
    }

    /// The class in the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::UpToDate => "good",
            Self::CatchingUp | Self::NotSeen => "calm",
            Self::Unreachable => "warn",
            Self::Dishonest | Self::Forked => "bad",
        }
    }

    pub(crate) fn explanation(self) -> &'static str {
        match self {
            Self::UpToDate => "Every entry of its log is held here and verified.",
            Self::CatchingUp => "New entries are on their way.",
            Self::NotSeen => "Its log will be read for the first time in a moment.",
            Self::Unreachable => {
                "The last attempt did not succeed. What is held stays searchable, and it is asked again."
            }
            Self::Forked => {
                "Its key signed two histories that contradict each other; the proof is kept. Nothing more is taken until an administrator decides (heliograph peers forgive); what was verified earlier stays."
            }
            Self::Dishonest => {
                "What it sent does not fit what it signed before. Nothing of it was taken; what was verified earlier stays. A person should look."
            }
        }
    }
}

impl PeerCard {
    pub(crate) fn of(peer: &PeerStatus) -> Self {
        let when = |time: Option<dataset_model::Timestamp>| {
            time.map_or("not since this node started".to_owned(), format::moment)
        };
        Self {
            id: peer.id.to_string(),
            url: links::web(&peer.url),
            address: peer.url.clone(),
            fingerprint: peer.fingerprint.clone(),
            public_key: peer.public_key.clone(),
            held: format::number(peer.held),
            offered: peer.offered.map_or("not known yet".to_owned(), format::number),
            lag: format::count(peer.lag(), "entry", "entries"),
            seen_elsewhere: peer.seen_elsewhere.map(format::number),
            checked: when(peer.checked),
            changed: when(peer.changed),
            witnesses: peer.witnesses.iter().map(|it| (it.id.to_string(), format::moment(it.time))).collect(),
            cosigned: peer
                .cosigned
                .as_ref()
                .map(|it| (format::count(it.size, "entry", "entries"), format::moment(it.time))),
            key_changed: peer.key_changed.as_ref().map(|change| {
                let (time, from) = (format::moment(change.time), &change.from);
                format!("changed {time}, signed by the one before ({from})")
            }),
            standing: Standing::of(peer),
            error: peer.error.clone(),
            failures: format::count(u64::from(peer.failures), "attempt", "attempts"),
            datasets: format!("/search?node={}", links::name(peer.id.as_str())),
            copies: None,
        }
    }
}

impl FederationPage {
    pub(crate) fn new(identity: &Identity, own: OwnNode, peers: &[PeerStatus], suggested: Vec<SuggestedPeer>) -> Self {
        Self {
            chrome: Chrome::new(identity, Section::Federation, "Federation"),
            own,
            peers: peers.iter().map(PeerCard::of).collect(),
            suggested,
            attention: Vec::new(),
        }
    }

    /// With how copying stands, by peer, and what is to be looked at.
    pub(crate) fn with_copies(mut self, states: &BTreeMap<NodeId, MirrorState>, attention: Vec<String>) -> Self {
        let state_of =
            |card: &PeerCard| states.iter().find(|(peer, _)| peer.as_str() == card.id).map(|(_, state)| state);
        for card in &mut self.peers {
            card.copies = state_of(card).map(copies);
        }
        Self { attention, ..self }
    }
}

/// How copying from a peer stands, in a line.
fn copies(state: &MirrorState) -> String {
    let held = format!("{}, {}", format::count(state.versions, "version", "versions"), format::bytes(state.bytes));
    let pending =
        if state.pending > 0 { format!("; {} to come", format::number(state.pending)) } else { String::new() };
    let error = state.error.as_ref().map(|error| format!("; last error: {error}")).unwrap_or_default();
    format!("{held}{pending}{error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> PeerStatus {
        PeerStatus {
            id: "japan".parse().unwrap(),
            url: "https://japan.example.org".into(),
            public_key: "heliograph/japan+0+x".into(),
            fingerprint: "abcd".into(),
            added: false,
            mirror_policy: node::MirrorSetting::default(),
            mirror_bytes_per_second: None,
            witnesses: Vec::new(),
            cosigned: None,
            key_changed: None,
            fork: None,
            held: 1200,
            offered: Some(1252),
            seen_elsewhere: None,
            checked: Some("2026-11-21T10:00:00Z".parse().unwrap()),
            changed: None,
            error: None,
            peer_fault: false,
            failures: 0,
        }
    }

    fn own() -> OwnNode {
        OwnNode {
            id: "europe".into(),
            title: "Europe".into(),
            country: None,
            url: "https://europe.example.org".into(),
            public_key: "key".into(),
            fingerprint: "f00".into(),
            log_size: "7".into(),
            checkpoint: "heliograph/europe\n7\n<root>\n".into(),
            witnesses: vec![("japan".into(), "21 November 2026, 10:00 UTC".into())],
            alarm: None,
        }
    }

    #[test]
    fn a_partner_that_lies_is_told_from_one_that_is_away() {
        let mut peer = peer();
        assert_eq!(Standing::of(&peer), Standing::CatchingUp);
        peer.held = 1252;
        assert_eq!(Standing::of(&peer), Standing::UpToDate);
        peer.error = Some("connection refused".into());
        assert_eq!(Standing::of(&peer), Standing::Unreachable);
        peer.peer_fault = true;
        assert_eq!(Standing::of(&peer), Standing::Dishonest);
        let (found, found_by) = (peer.checked.unwrap(), "what 'brazil' has seen".into());
        peer.fork = Some(node::ForkFound { size: 7, found, found_by });
        assert_eq!(Standing::of(&peer), Standing::Forked);
    }

    #[test]
    fn the_page_shows_lag_and_last_error_in_words() {
        let failed = PeerStatus { error: Some("<timeout>".into()), failures: 3, ..peer() };
        let page = FederationPage::new(&Identity::example(), own(), &[failed], Vec::new()).render().unwrap();
        for text in [
            "1,200",
            "1,252",
            "52 entries",
            "3 attempts",
            "&#60;timeout&#62;",
            "not reached",
            "21 November 2026, 10:00 UTC",
        ] {
            assert!(page.contains(text), "{text} is missing: {page}");
        }
    }

    #[test]
    fn a_node_that_a_partner_named_is_shown_as_hearsay() {
        let named = SuggestedPeer {
            id: "brazil".parse().unwrap(),
            url: "https://brazil.example.org".into(),
            public_key: "heliograph/brazil+0+x".into(),
            fingerprint: "b7a2".into(),
            suggested_by: "japan".parse().unwrap(),
        };
        let page = FederationPage::new(&Identity::example(), own(), &[peer()], vec![named]).render().unwrap();
        for text in ["brazil", "b7a2", "named by japan", "heliograph peers add https://brazil.example.org"] {
            assert!(page.contains(text), "{text} is missing: {page}");
        }
    }

    #[test]
    fn the_page_tells_of_copies_and_of_what_is_damaged() {
        let state = MirrorState {
            policy: "all".into(),
            versions: 3,
            bytes: 1500,
            pending: 2,
            error: Some("the disk is full".into()),
            ..MirrorState::default()
        };
        let states = BTreeMap::from([(peer().id, state)]);
        let page = FederationPage::new(&Identity::example(), own(), &[peer()], Vec::new());
        let page = page.with_copies(&states, vec!["1 stored file(s) are damaged".into()]).render().unwrap();
        for text in ["3 versions", "2 to come", "the disk is full", "1 stored file(s) are damaged"] {
            assert!(page.contains(text), "{text} is missing: {page}");
        }
    }

    #[test]
    fn a_node_alone_says_so() {
        let page = FederationPage::new(&Identity::example(), own(), &[], Vec::new()).render().unwrap();
        assert!(page.contains("follows no other node"), "{page}");
    }
}
