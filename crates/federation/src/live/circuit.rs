use std::time::{Duration, Instant};

/// Failures in a row after which a peer is left alone.
const OPEN_AFTER: u32 = 3;
/// How long it is left alone at first; twice as long after each further failure.
const FIRST_REST: Duration = Duration::from_secs(15);
const LONGEST_REST: Duration = Duration::from_secs(300);

/// Whether a peer is asked at all: after three failures in a row it is left alone for a while, then one question tries it.
///
/// ```
/// use std::time::{Duration, Instant};
/// use federation::live::Circuit;
///
/// let (mut circuit, now) = (Circuit::default(), Instant::now());
/// for _ in 0..3 {
///     assert!(circuit.admit(now));
///     circuit.failed(now);
/// }
/// assert!(!circuit.admit(now));
/// let later = now + Duration::from_secs(15);
/// assert!(circuit.admit(later), "one question tries it");
/// assert!(!circuit.admit(later), "and only one");
/// circuit.succeeded();
/// assert!(circuit.admit(later));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Circuit {
    failures: u32,
    rests_until: Option<Instant>,
    trying: bool,
}

impl Circuit {
    /// Whether to ask now. Whoever is admitted says how it went: [`succeeded`](Self::succeeded), [`failed`](Self::failed) or
    /// [`gave_up`](Self::gave_up).
    pub fn admit(&mut self, now: Instant) -> bool {
        match self.rests_until {
            None => true,
            Some(until) if now >= until && !self.trying => {
                self.trying = true;
                true
            }
            Some(_) => false,
        }
    }

    /// The peer answered.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The peer did not answer, or answered what cannot be used.
    pub fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.trying = false;
        if let Some(beyond) = self.failures.checked_sub(OPEN_AFTER) {
            self.rests_until = now.checked_add((FIRST_REST * (1 << beyond.min(5))).min(LONGEST_REST));
        }
    }

    /// Nobody waits for the answer any more; it counts for nothing.
    pub fn gave_up(&mut self) {
        self.trying = false;
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// How long the peer is still left alone.
    pub fn rest(&self, now: Instant) -> Duration {
        self.rests_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_peer_that_never_answers_is_asked_ever_more_seldom(failures in 3..60_u32) {
            let mut now = Instant::now();
            let mut circuit = Circuit::default();
            let mut last = Duration::ZERO;
            for _ in 0..failures {
                prop_assert!(circuit.admit(now));
                circuit.failed(now);
                let rest = circuit.rest(now);
                prop_assert!(rest >= last && rest <= LONGEST_REST);
                prop_assert!(rest.is_zero() || !circuit.admit(now));
                (last, now) = (rest, now + rest);
            }
        }
    }

    #[test]
    fn a_question_nobody_waits_for_leaves_room_for_the_next() {
        let mut circuit = Circuit::default();
        let now = Instant::now();
        (0..3).for_each(|_| circuit.failed(now));
        let later = now + FIRST_REST;
        assert!(circuit.admit(later));
        circuit.gave_up();
        assert!(circuit.admit(later));
    }
}
