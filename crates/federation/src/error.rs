use dataset_model::Digest;

/// What a library below reported; boxed, so that no engine type shows.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why something could not be had from a peer, or was not believed.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// No answer, or one that broke off.
    #[error("{url} cannot be reached")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What the system said.
        #[source]
        source: Cause,
    },
    /// No complete answer within the deadline.
    #[error("{url} did not answer in time")]
    Timeout {
        /// What was asked for.
        url: String,
    },
    /// The answer was an HTTP status other than success.
    #[error("{url} answered with status {status}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The HTTP status code.
        status: u16,
    },
    /// The answer leads to another host, or round in circles.
    #[error("{url} leads elsewhere (status {status}), where this node does not follow")]
    LeadsElsewhere {
        /// What was asked for.
        url: String,
        /// The HTTP status code.
        status: u16,
    },
    /// The peer's name leads to an address that only the network this node stands in can reach.
    #[error("{url} leads to an address inside a network; where that is meant, set federation.private_peers")]
    LeadsInside {
        /// What was asked for.
        url: String,
    },
    /// The answer is larger than it may be.
    #[error("{what} has more than {limit} bytes, which is the most this node takes")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// A note is not signed by the key that was pinned, or names another log.
    #[error("the checkpoint is not signed by the pinned key: compare the peer's public key with its operator")]
    BadSignature,
    /// The peer signed a log whose beginning is not what it showed before.
    #[error(
        "the peer shows another history than before: its first {size} entries have changed. The proof is at /federation/v1/forks; \
         nothing is taken until an administrator decides (heliograph peers forgive)"
    )]
    Fork {
        /// How many entries, held and verified before, are no longer the log's beginning.
        size: u64,
    },
    /// The peer signed a shorter log than before.
    #[error("the peer offers a log of {offered} entries, {held} were verified before")]
    RolledBack {
        /// Entries held.
        held: u64,
        /// Entries offered.
        offered: u64,
    },
    /// Fewer witnesses than are required have cosigned the checkpoint.
    #[error(
        "the checkpoint of {size} entries has cosignatures of {found} known nodes, {required} are required here: \
         it is taken when more have cosigned it"
    )]
    NotWitnessed {
        /// The size it tells.
        size: u64,
        /// Valid cosignatures of nodes that are followed here.
        found: usize,
        /// How many are required.
        required: usize,
    },
    /// The peer's hash tiles do not give the root it signed.
    #[error("the peer's hash tiles do not fit the tree of {size} entries that it signed")]
    Inconsistent {
        /// The size of the signed tree.
        size: u64,
    },
    /// An entry is not the one the peer signed, or is no entry.
    #[error("entry {index} of the peer's log is not the one it signed, or no canonical log entry")]
    BadEntry {
        /// The entry's index.
        index: u64,
    },
    /// A crate has other bytes than its digest promises.
    #[error("the peer sent other bytes for crate {digest}")]
    WrongDigest {
        /// The digest asked for.
        digest: Digest,
    },
    /// A list of files, or a file in it, is not what the entry's `content_root` covers.
    #[error("the list of files is not the one that was signed: {what}")]
    WrongFiles {
        /// The version, or the file.
        what: String,
    },
    /// A file has other bytes than its digest promises.
    #[error("{url} gave other bytes than were signed")]
    WrongBytes {
        /// What was asked for.
        url: String,
    },
    /// Of all nodes that may have something, none gave it.
    #[error("{what} could not be had. {why}")]
    NobodyHas {
        /// What was asked for.
        what: String,
        /// What each node did.
        why: String,
    },
    /// A file could not be kept on this machine.
    #[error("cannot write {path}")]
    Disk {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// An answer has not the form it should have.
    #[error("the peer's answer is malformed: {what}")]
    Malformed {
        /// What is wrong with it.
        what: String,
    },
    /// A source led to an address that is not its own.
    #[error("{url} is not at the source's own address: name its origin among those the source may use ('also')")]
    Elsewhere {
        /// Where it led.
        url: String,
    },
    /// A site asks programs not to read an address.
    #[error("the site's robots.txt asks programs not to read {url}")]
    Disallowed {
        /// What was not asked for.
        url: String,
    },
    /// A listing has no end, or one farther off than this node goes.
    #[error("the listing is too long: {what}")]
    Unbounded {
        /// In what it exceeds the limits.
        what: String,
    },
    /// An OAI-PMH provider answered with an error of the protocol.
    #[error("{url} answered with the error {code}: {message}")]
    Oai {
        /// The provider.
        url: String,
        /// The protocol's name for the error.
        code: String,
        /// What the provider says about it.
        message: String,
    },
    /// A key cannot be read.
    #[error("not a key: {what}")]
    BadKey {
        /// What is wrong with it.
        what: String,
    },
    /// The HTTP client could not be set up.
    #[error("the HTTP client cannot be set up")]
    Setup(#[source] Cause),
}

impl FederationError {
    /// Whether the peer itself is wrong: it lied, forked, or breaks the protocol. Otherwise trying again may help.
    pub fn is_peer_fault(&self) -> bool {
        match self {
            Self::TooLarge { .. }
            | Self::BadSignature
            | Self::Fork { .. }
            | Self::RolledBack { .. }
            | Self::Inconsistent { .. }
            | Self::BadEntry { .. }
            | Self::WrongDigest { .. }
            | Self::WrongFiles { .. }
            | Self::WrongBytes { .. }
            | Self::Malformed { .. }
            | Self::Elsewhere { .. }
            | Self::Unbounded { .. } => true,
            Self::Unreachable { .. }
            | Self::NotWitnessed { .. }
            | Self::Timeout { .. }
            | Self::Refused { .. }
            | Self::LeadsElsewhere { .. }
            | Self::LeadsInside { .. }
            | Self::Disallowed { .. }
            | Self::Oai { .. }
            | Self::BadKey { .. }
            | Self::Disk { .. }
            | Self::NobodyHas { .. }
            | Self::Setup(_) => false,
        }
    }

    pub(crate) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into() }
    }

    pub(crate) fn bad_key(what: impl Into<String>) -> Self {
        Self::BadKey { what: what.into() }
    }
}
