//! The jobs that are not final yet, in memory: who waits, how far they are, and who is to stop.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use dataset_model::{DatasetId, Timestamp};
use ome_zarr::Progress;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{Notify, watch};

use super::job::{Job, JobKind, JobProblem, JobProgress, JobState};

/// Who watches hears of progress this often at most.
const BEAT: Duration = Duration::from_millis(200);

/// A job as those who may see it see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobView {
    /// Its id.
    pub id: String,
    /// What it does.
    pub kind: JobKind,
    /// The deposit it is about.
    pub deposit: DatasetId,
    /// Where it stands.
    pub state: JobState,
    /// How far it is.
    pub progress: JobProgress,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it was first begun.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// What came of it: images made, a validation report, or a receipt.
    pub result: Option<Value>,
    /// Why it failed.
    pub problem: Option<JobProblem>,
}

impl JobView {
    pub(super) fn of(job: &Job, progress: JobProgress) -> Self {
        Self {
            id: job.id.clone(),
            kind: job.kind,
            deposit: job.deposit.clone(),
            state: job.state,
            progress,
            created: job.created,
            started: job.started,
            finished: job.finished,
            result: job.result.clone(),
            problem: job.problem.clone(),
        }
    }
}

/// A job that is not final, as its worker and its watchers share it.
#[derive(Debug)]
pub(crate) struct LiveJob {
    pub(crate) id: String,
    pub(crate) owner: String,
    view: watch::Sender<JobView>,
    claimed: AtomicBool,
    cancelled: AtomicBool,
    interrupted: AtomicBool,
    stop: Notify,
    told: Mutex<Instant>,
}

impl LiveJob {
    fn new(job: &Job) -> Self {
        let (view, _) = watch::channel(JobView::of(job, JobProgress::default()));
        Self {
            id: job.id.clone(),
            owner: job.owner.clone(),
            view,
            claimed: AtomicBool::new(false),
            cancelled: AtomicBool::new(job.cancelling),
            interrupted: AtomicBool::new(false),
            stop: Notify::new(),
            told: Mutex::new(Instant::now()),
        }
    }

    pub(crate) fn view(&self) -> JobView {
        self.view.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<JobView> {
        self.view.subscribe()
    }

    /// Names the next thing that is done, of so many bytes.
    pub(crate) fn begin(&self, what: impl Into<String>, total: u64) {
        let progress = JobProgress { what: what.into(), done: 0, total };
        self.view.send_modify(|view| view.progress = progress);
    }

    /// Whether the work is to end because somebody wants the job to.
    pub(crate) fn was_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Whether the work is to end because the node stops.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Acquire)
    }

    /// Returns when the work is to end, for whichever reason.
    pub(crate) async fn stopped(&self) {
        let told = self.stop.notified();
        tokio::pin!(told);
        // Before the look at the flags, so that a word in between is heard.
        told.as_mut().enable();
        if !self.is_cancelled() {
            told.await;
        }
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.stop.notify_waiters();
    }

    fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Release);
        self.stop.notify_waiters();
    }

    /// Shows the job in its new state.
    fn show(&self, job: &Job) {
        self.view.send_modify(|view| *view = JobView::of(job, std::mem::take(&mut view.progress)));
    }
}

impl Progress for LiveJob {
    fn advance(&self, done: u64, total: u64) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let soon = told.elapsed() < BEAT && done < total;
        if !soon {
            *told = Instant::now();
        }
        drop(told);
        self.view.send_if_modified(|view| {
            // Several threads report, out of order.
            view.progress.done = view.progress.done.max(done);
            view.progress.total = total;
            !soon
        });
    }

    fn is_cancelled(&self) -> bool {
        self.was_cancelled() || self.was_interrupted()
    }
}

/// All jobs that are not final, in the order in which they were asked for.
#[derive(Debug)]
pub(crate) struct Board {
    live: Mutex<BTreeMap<String, Arc<LiveJob>>>,
    /// One change of a job's state at a time.
    changing: Mutex<()>,
    pub(super) wake: Notify,
    closing: watch::Sender<bool>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            live: Mutex::default(),
            changing: Mutex::default(),
            wake: Notify::new(),
            closing: watch::channel(false).0,
        }
    }
}

impl Board {
    fn live(&self) -> MutexGuard<'_, BTreeMap<String, Arc<LiveJob>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps every job in its state while this is held.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<LiveJob>> {
        self.live().get(id).cloned()
    }

    /// The job that has a deposit to itself; there is at most one.
    pub(crate) fn of_deposit(&self, deposit: &DatasetId) -> Option<Arc<LiveJob>> {
        self.live().values().find(|live| live.view.borrow().deposit == *deposit).cloned()
    }

    pub(super) fn count_of(&self, owner: &str) -> usize {
        self.live().values().filter(|live| live.owner == owner).count()
    }

    pub(super) fn add(&self, job: &Job) {
        self.live().insert(job.id.clone(), Arc::new(LiveJob::new(job)));
        self.wake.notify_one();
    }

    /// Shows a job as it is now, and lets go of one that is final.
    pub(super) fn update(&self, job: &Job) {
        let mut live = self.live();
        if let Some(shown) = live.get(&job.id) {
            shown.show(job);
        }
        if job.state.is_final() {
            live.remove(&job.id);
        }
    }

    /// Lets go of a job whose end could not be written down; the next start finds it.
    pub(super) fn drop_unwritten(&self, id: &str) {
        self.live().remove(id);
    }

    /// The one that has waited longest, handed out once.
    pub(super) fn next_queued(&self) -> Option<Arc<LiveJob>> {
        let live = self.live();
        live.values().find(|job| !job.claimed.swap(true, Ordering::AcqRel)).cloned()
    }

    /// Tells all work to end, because the node stops.
    pub(super) fn interrupt_all(&self) {
        self.live().values().for_each(|job| job.interrupt());
    }

    /// Ends every stream of progress, because the server stops.
    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }

    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::job::tests::queued, *};

    #[test]
    fn jobs_get_their_turn_in_the_order_they_were_asked_for_and_once() {
        let board = Board::default();
        for id in ["000002-bb", "000001-aa"] {
            board.add(&Job { id: id.into(), ..queued() });
        }
        let order: Vec<String> = std::iter::from_fn(|| board.next_queued()).map(|live| live.id.clone()).collect();
        assert_eq!(order, ["000001-aa", "000002-bb"]);
    }

    #[test]
    fn a_report_that_comes_late_does_not_turn_the_progress_back() {
        let board = Board::default();
        board.add(&queued());
        let live = board.next_queued().unwrap();
        live.begin("converting", 100);
        live.advance(60, 100);
        live.advance(40, 100);
        assert_eq!(live.view().progress, JobProgress { what: "converting".into(), done: 60, total: 100 });
    }

    #[tokio::test]
    async fn whoever_waits_for_the_end_hears_of_it_before_and_after() {
        let board = Board::default();
        board.add(&queued());
        let live = board.next_queued().unwrap();
        let waiting = tokio::spawn({
            let live = live.clone();
            async move { live.stopped().await }
        });
        tokio::task::yield_now().await;
        live.cancel();
        waiting.await.unwrap();
        live.stopped().await;
    }
}
