use std::time::Duration;

/// How long a source is waited for, and how much is taken from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLimits {
    /// The longest a connection may take to stand.
    pub connect: Duration,
    /// The longest an answer may take, from the request to its last byte.
    pub answer: Duration,
    /// How often a request is tried; at least once.
    pub attempts: u32,
    /// The wait before the second attempt; each further wait is twice as long.
    pub back_off: Duration,
    /// The longest wait between two attempts, whatever the source asks for.
    pub longest_wait: Duration,
    /// Bytes of one page of a listing, unpacked.
    pub page_bytes: u64,
    /// Bytes of one record.
    pub record_bytes: u64,
    /// Pages of one listing.
    pub pages: usize,
    /// Items of one listing.
    pub items: usize,
    /// Requests at the same time.
    pub at_once: usize,
}

impl Default for SourceLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            attempts: 4,
            back_off: Duration::from_millis(500),
            longest_wait: Duration::from_secs(120),
            page_bytes: 64 << 20,
            record_bytes: 16 << 20,
            pages: 100_000,
            items: 1_000_000,
            at_once: 4,
        }
    }
}
