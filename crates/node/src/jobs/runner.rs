//! Doing the jobs: so many at once, each to its end.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet};

use crate::{Actor, Node, NodeError, publication::Publishing};

use super::{
    JobKind, JobProblem,
    board::LiveJob,
    job::{Job, JobEvent},
};

impl Node {
    /// Starts the runner.
    pub(crate) fn start_jobs(self: &Arc<Self>, stopped: &watch::Receiver<bool>) -> tokio::task::JoinHandle<()> {
        tokio::spawn(self.clone().run_jobs(stopped.clone()))
    }

    async fn run_jobs(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut running = JoinSet::new();
        loop {
            while running.len() < self.config.jobs.running.max(1)
                && let Some(live) = self.board.next_queued()
            {
                running.spawn(self.clone().run_job(live));
            }
            tokio::select! {
                // An error means that nobody is left who could tell us to stop: stop as well.
                _ = stopped.wait_for(|stop| *stop) => break,
                () = self.board.wake.notified() => {}
                Some(ended) = running.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a job ended badly");
                    }
                }
            }
        }
        self.board.interrupt_all();
        while running.join_next().await.is_some() {}
    }

    /// Does one job and writes down how it ended.
    async fn run_job(self: Arc<Self>, live: Arc<LiveJob>) {
        if let Err(error) = self.try_job(&live).await {
            // The next start finds it as it was left.
            tracing::error!(
                job = live.id,
                error = &error as &dyn std::error::Error,
                "the state of a job could not be kept"
            );
        }
    }

    async fn try_job(self: &Arc<Self>, live: &Arc<LiveJob>) -> Result<(), NodeError> {
        // It may have been cancelled while it waited.
        let Some(job) = self.change_job(&live.id, JobEvent::Start, true)? else { return Ok(()) };
        tracing::info!(job = job.id, kind = job.kind.name(), deposit = %job.deposit, attempt = job.attempts, "job begins");
        // In a task of its own, so that a panic is a failure of the job alone.
        let work = tokio::spawn(self.clone().work(job.clone(), live.clone()));
        let outcome =
            work.await.unwrap_or_else(|error| Err(NodeError::Internal(format!("the work ended early: {error}"))));
        let event = match outcome {
            Ok(result) => JobEvent::Finish(result),
            Err(_) if live.was_cancelled() => JobEvent::Stopped,
            Err(_) if live.was_interrupted() => JobEvent::Interrupt,
            Err(error) => {
                tracing::info!(job = job.id, error = &error as &dyn std::error::Error, "job failed");
                JobEvent::Fail(JobProblem::from(&error))
            }
        };
        if !matches!(event, JobEvent::Interrupt) {
            self.remove_work_folder(&job.id);
        }
        let ended = self.change_job(&job.id, event, true)?;
        if let Some(ended) = ended {
            tracing::info!(job = job.id, state = ?ended.state, "job ends");
        }
        self.prune_jobs()
    }

    async fn work(self: Arc<Self>, job: Job, live: Arc<LiveJob>) -> Result<Value, NodeError> {
        // Whether the owner may was decided when the job was asked for.
        let (actor, deposit) = (Actor::Operator, &job.deposit);
        match job.kind {
            JobKind::Validate => {
                live.begin("validating", 0);
                Ok(json!(self.validate_draft(&actor, deposit).await?))
            }
            JobKind::Convert => Ok(json!({"images": self.convert_draft(&job, &live).await?})),
            JobKind::Publish => {
                if let Some((dataset, version)) = &job.published {
                    return Ok(json!(self.receipt_of(dataset, *version)?));
                }
                match self.publish_to_the_end(&actor, deposit, Some((&job, &live))).await? {
                    Publishing::Published(receipt) => {
                        self.wait_until_applied(receipt.index).await;
                        Ok(json!(receipt))
                    }
                    Publishing::MustConvert => Err(NodeError::Internal("nothing converted the deposit".into())),
                }
            }
        }
    }
}
