//! Work on a deposit that takes longer than a request should: conversions, validations, publications.
//!
//! A job is a document in the ledger, written when its state changes. At most one job at a time is about a deposit; those
//! that wait get their turn in order. A node that dies leaves a `running` job, which the next start queues again.

mod board;
mod job;
mod runner;
mod upkeep;

use std::time::SystemTime;

use dataset_model::{DatasetId, Timestamp};
use futures::{Stream, StreamExt};
use ledger::Collection;

use crate::{Actor, Node, NodeError, policy};

pub use board::JobView;
pub use job::{ConversionRequest, JobKind, JobProblem, JobProgress, JobState};

pub(crate) use board::{Board, LiveJob};
pub(crate) use job::Job;
pub(crate) use job::JobEvent;

/// How jobs are run.
#[derive(Debug, Clone)]
pub struct JobLimits {
    /// Jobs done at the same time.
    pub running: usize,
    /// Jobs that one owner may have waiting or running.
    pub of_one_owner: usize,
}

impl Default for JobLimits {
    fn default() -> Self {
        Self { running: 2, of_one_owner: 100 }
    }
}

impl Node {
    pub(crate) fn jobs(&self) -> Collection<Job> {
        self.ledger.collection("jobs")
    }

    /// Asks for work on a deposit. When the same work is under way already, this is that job.
    ///
    /// # Errors
    /// When there is no such deposit, other work on it is under way, or its owner has too many jobs.
    pub fn start_job(
        &self,
        actor: &Actor,
        deposit: &DatasetId,
        kind: JobKind,
        request: ConversionRequest,
    ) -> Result<JobView, NodeError> {
        let draft = self.own_draft(actor, deposit)?;
        let _one = self.board.hold();
        if let Some(live) = self.board.of_deposit(deposit) {
            let view = live.view();
            return if view.kind == kind { Ok(view) } else { Err(occupied(&view)) };
        }
        let most = self.config.jobs.of_one_owner;
        if self.board.count_of(&draft.owner) >= most {
            return Err(NodeError::Unavailable(format!(
                "you have {most} jobs waiting or running, and that is the most: wait until one of them has ended"
            )));
        }
        let job = Job::queued(new_id(), kind, deposit.clone(), draft.owner, request);
        self.ledger.write(vec![self.jobs().put(&job.id, &job)?])?;
        self.board.add(&job);
        Ok(JobView::of(&job, JobProgress::default()))
    }

    /// A job as it is now.
    ///
    /// # Errors
    /// When there is none, or it is about somebody else's deposit.
    pub fn job(&self, actor: &Actor, id: &str) -> Result<JobView, NodeError> {
        let absent =
            || NodeError::NotFound(format!("there is no job '{id}'; jobs are forgotten some weeks after their end"));
        if let Some(live) = self.board.get(id) {
            policy::require_owner(actor, &live.owner).map_err(|error| hidden(error, absent))?;
            return Ok(live.view());
        }
        policy::require(actor, crate::Scope::Deposit)?;
        let job = self.jobs().get(id)?.ok_or_else(absent)?;
        policy::require_owner(actor, &job.owner).map_err(|error| hidden(error, absent))?;
        Ok(JobView::of(&job, JobProgress::default()))
    }

    /// The jobs about a deposit, oldest first; they outlive the deposit's publication.
    ///
    /// # Errors
    /// When the actor may not deposit.
    pub fn jobs_of(&self, actor: &Actor, deposit: &DatasetId) -> Result<Vec<JobView>, NodeError> {
        policy::require(actor, crate::Scope::Deposit)?;
        let mut views = Vec::new();
        for row in self.jobs().iter_prefix("") {
            let (id, job) = row?;
            if job.deposit == *deposit && policy::require_owner(actor, &job.owner).is_ok() {
                let live = self.board.get(&id);
                views.push(live.map_or_else(|| JobView::of(&job, JobProgress::default()), |live| live.view()));
            }
        }
        Ok(views)
    }

    /// A job from now to its end: what it is at once, then every change. The last item is final unless the node stops.
    ///
    /// # Errors
    /// As [`Node::job`].
    pub fn watch_job(&self, actor: &Actor, id: &str) -> Result<impl Stream<Item = JobView> + Send + use<>, NodeError> {
        let view = self.job(actor, id)?;
        let mut closing = self.board.closing();
        let changes = match self.board.get(id) {
            Some(live) => changes(live.watch()).left_stream(),
            // It ended between the two looks, or long ago.
            None => {
                futures::stream::iter([if view.state.is_final() { view } else { self.job(actor, id)? }]).right_stream()
            }
        };
        // An error means that the node is gone.
        Ok(changes.take_until(async move { drop(closing.wait_for(|closing| *closing).await) }))
    }

    /// Ends a job: one that waits at once, one that runs as soon as its work lets go. A publication that has reached its
    /// commit is not stopped any more.
    ///
    /// # Errors
    /// As [`Node::job`]; when it has ended already.
    pub fn cancel_job(&self, actor: &Actor, id: &str) -> Result<JobView, NodeError> {
        let view = self.job(actor, id)?;
        let live = self.board.get(id);
        if self.change_job(id, JobEvent::Cancel, false)?.is_none() {
            let state = format!("{:?}", view.state).to_lowercase();
            return Err(NodeError::Conflict(format!("job '{id}' has ended already: it is {state}")));
        }
        if let Some(live) = live {
            live.cancel();
        }
        self.job(actor, id)
    }

    /// Ends every stream of [`Node::watch_job`], so that a server can stop without cutting answers off.
    pub fn close_streams(&self) {
        self.board.close();
    }

    /// Why a deposit takes no changes at the moment.
    pub(crate) fn busy(&self, id: &DatasetId) -> NodeError {
        match self.board.of_deposit(id) {
            Some(live) => occupied(&live.view()),
            None => NodeError::Conflict(format!(
                "deposit '{id}' is being published or changed: wait until that has ended, then try again"
            )),
        }
    }

    /// Changes a job's state, durably; nothing when the event means nothing in the state it is in.
    fn change_job(&self, id: &str, event: JobEvent, claimed: bool) -> Result<Option<Job>, NodeError> {
        let _one = self.board.hold();
        let Some(job) = self.jobs().get(id)? else { return Ok(None) };
        let Some(next) = job.after(event, Timestamp::now()) else { return Ok(None) };
        let written = self.ledger.write(vec![self.jobs().put(id, &next)?]);
        if written.is_err() && claimed {
            self.board.drop_unwritten(id);
        }
        written?;
        self.board.update(&next);
        Ok(Some(next))
    }
}

/// The job now and after every change, up to the final state.
fn changes(receiver: tokio::sync::watch::Receiver<JobView>) -> impl Stream<Item = JobView> + Send {
    futures::stream::unfold((receiver, true), |(mut receiver, first)| async move {
        if !first {
            if receiver.borrow().state.is_final() {
                return None;
            }
            // An error means that the last word was said already.
            receiver.changed().await.ok()?;
        }
        let view = receiver.borrow_and_update().clone();
        Some((view, (receiver, false)))
    })
}

/// Somebody else's job looks like none; who did not sign in is told so.
fn hidden(error: NodeError, absent: impl FnOnce() -> NodeError) -> NodeError {
    if matches!(error, NodeError::Unauthenticated) { error } else { absent() }
}

fn occupied(view: &JobView) -> NodeError {
    NodeError::Conflict(format!(
        "job '{}' ({}) is at work on deposit '{}', which takes no changes meanwhile: wait for its end, see \
         /api/v1/jobs/{}, or end it with DELETE",
        view.id,
        view.kind.name(),
        view.deposit,
        view.id
    ))
}

/// Sorts by time, so that the queue has the order in which jobs were asked for.
fn new_id() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{:012x}-{:08x}", since.as_millis(), rand::random::<u32>())
}
