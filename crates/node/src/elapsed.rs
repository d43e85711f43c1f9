use dataset_model::Timestamp;

/// The seconds that have passed since a moment that was written down; nothing when it is in the future. Then a clock was wrong,
/// and nobody knows how long ago it was.
pub(crate) fn seconds_since(then: Timestamp, now: Timestamp) -> Option<u64> {
    u64::try_from(now.unix_seconds().saturating_sub(then.unix_seconds())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_in_the_future_was_nobody_knows_how_long_ago() {
        let [early, late] = ["2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"].map(|text| text.parse().unwrap());
        assert_eq!((seconds_since(early, late), seconds_since(early, early)), (Some(3600), Some(0)));
        assert_eq!(seconds_since(late, early), None);
    }
}
