use std::time::Duration;

/// How long a peer is waited for, and how much is taken from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest a connection may take to stand.
    pub connect: Duration,
    /// The longest a small answer may take, from the request to its last byte.
    pub answer: Duration,
    /// The longest an answer with crates may take.
    pub bulk: Duration,
    /// The longest a hint may take; it is small, and nothing depends on it.
    pub hint: Duration,
    /// Whether names of peers may lead to addresses of private networks. Those of the machine itself and link-local ones are
    /// never asked by name, but for `localhost`.
    pub private_addresses: bool,
    /// How often a reading request is tried; at least once.
    pub attempts: u32,
    /// The wait before the second attempt; each further wait is twice as long, and shortened by up to half at random.
    pub back_off: Duration,
    /// The largest node description, in bytes.
    pub description_bytes: u64,
    /// The largest crate, in bytes.
    pub crate_bytes: u64,
    /// The most that the crates of one answer may have together, in bytes. A larger answer is asked for in two halves.
    pub answer_bytes: u64,
    /// The most that the entries of one batch should have together, in bytes; a batch has at least one bundle.
    pub batch_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            bulk: Duration::from_secs(300),
            hint: Duration::from_secs(5),
            private_addresses: false,
            attempts: 4,
            back_off: Duration::from_millis(250),
            description_bytes: 256 * 1024,
            crate_bytes: 64 * 1024 * 1024,
            answer_bytes: 256 * 1024 * 1024,
            batch_bytes: 16 * 1024 * 1024,
        }
    }
}
