//! Hints: telling followers that the own log has grown, and being told so. A hint is only a reason to look now; whatever is lost,
//! late, repeated or forged, the next look at the peer's checkpoint makes good.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use federation::FederationError;
use tokio::sync::watch;

use crate::{Node, NodeError, peers::Peer};

/// The most bytes of a hint: a checkpoint, with room for many cosignatures.
pub const MAX_HINT_BYTES: usize = 8 * 1024;

/// The shortest time between two hints to one peer: what happens in between is one hint.
const GAP: Duration = Duration::from_millis(100);
/// The longest time without hints to a peer that did not take the last ones.
const LONGEST_GAP: Duration = Duration::from_secs(300);

impl Node {
    /// Takes a hint: the signed checkpoint of a log that is followed here. If it is longer than what is held, its follower looks
    /// at once. Nothing is written.
    ///
    /// # Errors
    /// When the hint is too large or no checkpoint, no such log is followed, it is not signed by that log's pinned key, or too many
    /// hints come in its name.
    pub fn take_hint(&self, note: &[u8]) -> Result<(), NodeError> {
        if note.len() > MAX_HINT_BYTES {
            return Err(NodeError::TooLarge(format!("a hint has at most {MAX_HINT_BYTES} bytes")));
        }
        let unreadable =
            || NodeError::Malformed("send the signed checkpoint of your log (C2SP tlog-checkpoint)".into());
        let origin = federation::origin_of(note).ok_or_else(unreadable)?;
        let known = self.peers.all().into_iter().map(|peer| (peer.puller(), peer));
        let found = known.into_iter().find(|(puller, _)| puller.origin() == origin);
        let (puller, peer) =
            found.ok_or_else(|| NodeError::NotFound("this node follows no log of that name".into()))?;
        // Before the signature is checked, which is what costs.
        if !peer.hints.lock().unwrap_or_else(PoisonError::into_inner).admit(Instant::now()) {
            return Err(NodeError::TooMany("too many hints come in the name of this log".into()));
        }
        let checkpoint = puller.verify_checkpoint(note).map_err(|error| match error {
            FederationError::BadSignature => {
                NodeError::Forbidden("the hint is not signed by the key that is pinned here for this log".into())
            }
            _ => unreadable(),
        })?;
        if checkpoint.size > self.ledger.size(&peer.config.id)? {
            peer.wake.notify_one();
        }
        Ok(())
    }

    /// Says that more of the own log may be shown than before.
    pub(crate) fn notice_growth(&self) {
        // Nothing is shown yet where witnesses are waited for.
        let Ok(size) = self.shown_checkpoint().map(|shown| shown.tree.size) else { return };
        self.own_size.send_if_modified(|known| {
            let grown = size > *known;
            *known = size.max(*known);
            grown
        });
    }

    async fn hint(&self, peer: &Peer) -> Result<(), NodeError> {
        let note = self.signed(self.shown_checkpoint()?.tree);
        peer.puller().client().hint(&note).await.map_err(|source| peer.fault(source))
    }
}

/// Tells one peer how long the own log is whenever it has grown, and once at the start. Only the newest size is ever told; a peer
/// that does not listen is told less and less often.
pub(crate) async fn tell(node: Arc<Node>, peer: Arc<Peer>, mut stopped: watch::Receiver<bool>) {
    let mut size = node.own_size.subscribe();
    let mut removed = peer.removed.subscribe();
    let (mut told, mut failures) = (0, 0_u32);
    while node.config.hints && !*stopped.borrow() && !*removed.borrow() {
        let newest = *size.borrow_and_update();
        if newest > told {
            told = newest;
            let outcome = tokio::select! {
                outcome = node.hint(&peer) => outcome,
                _ = stopped.changed() => return,
            };
            failures = if outcome.is_ok() { 0 } else { failures + 1 };
            if let Err(error) = outcome {
                tracing::debug!(peer = %peer.config.id, %error, failures, "a hint was not taken; the peer will see by itself");
            }
            tokio::select! {
                () = tokio::time::sleep((GAP * (1 << failures.min(12))).min(LONGEST_GAP)) => {}
                _ = stopped.changed() => return,
                _ = removed.changed() => return,
            }
        }
        tokio::select! {
            changed = size.changed() => if changed.is_err() { return },
            _ = stopped.changed() => return,
            _ = removed.changed() => return,
        }
    }
}

/// How many hints in one log's name are looked at: ten at once, five a second in the long run.
#[derive(Debug)]
pub(crate) struct HintAllowance {
    left: f64,
    at: Instant,
}

const AT_ONCE: f64 = 10.0;
const A_SECOND: f64 = 5.0;

impl HintAllowance {
    pub(crate) fn new(now: Instant) -> Self {
        Self { left: AT_ONCE, at: now }
    }

    fn admit(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + since * A_SECOND).min(AT_ONCE);
        self.at = now;
        let admitted = self.left >= 1.0;
        if admitted {
            self.left -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_hints_is_looked_at_a_few_times_a_second() {
        let start = Instant::now();
        let mut allowance = HintAllowance::new(start);
        let looked_at = |allowance: &mut HintAllowance, now| (0..1000).filter(|_| allowance.admit(now)).count();
        assert_eq!(looked_at(&mut allowance, start), 10);
        assert_eq!(looked_at(&mut allowance, start + Duration::from_secs(1)), 5);
        assert_eq!(looked_at(&mut allowance, start + Duration::from_secs(3600)), 10, "silence saves up no more");
    }
}
