use std::sync::{Condvar, Mutex, PoisonError};

/// Lets threads that work side by side hand in their results in order.
#[derive(Debug, Default)]
pub(super) struct Turns {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    turn: u64,
    is_over: bool,
}

impl Turns {
    /// Waits until it is this number's turn; false if there will be none.
    pub(super) fn wait_for(&self, number: u64) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.turn != number && !state.is_over {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.is_over
    }

    /// The next number's turn.
    pub(super) fn pass(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).turn += 1;
        self.moved.notify_all();
    }

    /// Nobody's turn any more.
    pub(super) fn end(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
        self.moved.notify_all();
    }
}

/// Ends all turns if its thread does not come to its end: whoever waits must not wait for ever.
pub(super) struct Watch<'a> {
    turns: &'a Turns,
    is_well: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn over(turns: &'a Turns) -> Self {
        Self { turns, is_well: false }
    }

    pub(super) fn all_is_well(mut self) {
        self.is_well = true;
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.is_well {
            self.turns.end();
        }
    }
}
