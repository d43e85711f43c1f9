//! Group commit: writers that wait at the same time share one sync of the disk.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::LedgerError;

/// Which writes were applied, and which of them are durable.
#[derive(Debug, Default)]
pub(crate) struct Durability {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    applied: u64,
    durable: u64,
    syncing: bool,
    failed: bool,
}

/// Proof that a write was applied; it is not durable yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket(u64);

impl Durability {
    /// Runs one write. Only the single writer may call this.
    ///
    /// A write that fails, and one that never returns, stops all later ones.
    pub(crate) fn apply(&self, write: impl FnOnce() -> Result<(), LedgerError>) -> Result<Ticket, LedgerError> {
        if self.state().failed {
            return Err(LedgerError::Stopped);
        }
        let stop = StopUnlessDone { durability: self, done: false };
        write()?;
        stop.done();
        let mut state = self.state();
        state.applied += 1;
        Ok(Ticket(state.applied))
    }

    /// What was applied so far.
    pub(crate) fn latest(&self) -> Ticket {
        Ticket(self.state().applied)
    }

    /// Whether a write or sync has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.state().failed
    }

    /// Runs `sync` although nobody waits for it. When it fails, no more is written.
    pub(crate) fn check(&self, sync: impl FnOnce() -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        if self.has_failed() {
            return Err(LedgerError::Stopped);
        }
        let stop = StopUnlessDone { durability: self, done: false };
        sync()?;
        stop.done();
        Ok(())
    }

    /// Returns when the write of this ticket is durable. One of those who wait calls `sync` for all.
    pub(crate) fn settle(&self, ticket: Ticket, sync: impl Fn() -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        let mut state = self.state();
        while state.durable < ticket.0 {
            if state.failed {
                return Err(LedgerError::Stopped);
            }
            if state.syncing {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let covered = state.applied;
            state.syncing = true;
            drop(state);
            let stop = StopUnlessDone { durability: self, done: false };
            sync()?;
            stop.done();
            state = self.state();
            state.durable = covered;
            state.syncing = false;
            self.changed.notify_all();
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks the ledger as failed when work on the disk ends with an error or a panic.
struct StopUnlessDone<'a> {
    durability: &'a Durability,
    done: bool,
}

impl StopUnlessDone<'_> {
    fn done(mut self) {
        self.done = true;
    }
}

impl Drop for StopUnlessDone<'_> {
    fn drop(&mut self) {
        if !self.done {
            let mut state = self.durability.state();
            state.failed = true;
            state.syncing = false;
            self.durability.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        sync::mpsc,
        thread,
    };

    use super::*;

    #[test]
    fn writers_that_wait_during_a_sync_share_the_next_one() {
        let durability = Durability::default();
        let syncs = AtomicUsize::new(0);
        let (entered, first_sync_runs) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let first = durability.apply(|| Ok(())).unwrap();
        thread::scope(|scope| {
            let (durability, syncs) = (&durability, &syncs);
            scope.spawn(move || {
                let slow = || {
                    syncs.fetch_add(1, Ordering::SeqCst);
                    entered.send(()).unwrap();
                    released.recv().unwrap();
                    Ok(())
                };
                durability.settle(first, slow).unwrap();
            });
            first_sync_runs.recv().unwrap();
            let later: Vec<Ticket> = (0..8).map(|_| durability.apply(|| Ok(())).unwrap()).collect();
            for ticket in later {
                scope.spawn(move || {
                    let quick = || {
                        syncs.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    };
                    durability.settle(ticket, quick).unwrap();
                });
            }
            release.send(()).unwrap();
        });
        assert_eq!(syncs.load(Ordering::SeqCst), 2, "one for the first, one for the eight that came meanwhile");
    }

    #[test]
    fn after_a_failed_sync_nothing_is_acknowledged_or_written() {
        let durability = Durability::default();
        let ticket = durability.apply(|| Ok(())).unwrap();
        let failing = || Err(LedgerError::Write("disk full".into()));
        assert!(matches!(durability.settle(ticket, failing), Err(LedgerError::Write(_))));
        assert!(matches!(durability.settle(ticket, || Ok(())), Err(LedgerError::Stopped)));
        assert!(matches!(durability.apply(|| Ok(())), Err(LedgerError::Stopped)));
    }

    #[test]
    fn a_write_that_panics_stops_the_ledger() {
        let durability = Durability::default();
        let panicked = thread::scope(|scope| {
            let write = || durability.apply(|| panic!("the engine gave up"));
            scope.spawn(write).join().is_err()
        });
        assert!(panicked);
        assert!(matches!(durability.apply(|| Ok(())), Err(LedgerError::Stopped)));
    }
}
