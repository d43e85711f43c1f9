//! A clock that moves when everybody waits, to the moment that the first of them waits for.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::{executor::LocalPool, future::LocalFutureObj, task::LocalSpawn};

#[derive(Default)]
struct Hands {
    /// Milliseconds since the beginning.
    now: u64,
    /// Who waits for which moment, in the order in which they came.
    waiting: BTreeMap<(u64, u64), Waker>,
    came: u64,
}

/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<Mutex<Hands>>);

impl Clock {
    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        self.hands().now
    }

    pub(crate) fn sleep(&self, time: Duration) -> Sleep {
        let mut hands = self.hands();
        hands.came += 1;
        let until = hands.now + u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Sleep { clock: self.clone(), place: (until, hands.came) }
    }

    /// Runs until a future is done.
    pub(crate) fn run<T: 'static>(&self, pool: &mut LocalPool, main: impl Future<Output = T> + 'static) -> T {
        let (sender, mut done) = futures::channel::oneshot::channel();
        let main = async move { drop(sender.send(main.await)) };
        pool.spawner().spawn_local_obj(LocalFutureObj::new(Box::new(main))).expect("the pool is there");
        loop {
            pool.run_until_stalled();
            if let Ok(Some(output)) = done.try_recv() {
                return output;
            }
            let mut hands = self.hands();
            let ((moment, _), waker) = hands.waiting.pop_first().expect("somebody waits for a moment to come");
            hands.now = hands.now.max(moment);
            drop(hands);
            waker.wake();
        }
    }
}

/// Done when its moment has come.
pub(crate) struct Sleep {
    clock: Clock,
    place: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut hands = self.clock.hands();
        if hands.now >= self.place.0 {
            return Poll::Ready(());
        }
        hands.waiting.insert(self.place, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.hands().waiting.remove(&self.place);
    }
}
