//! Jobs across starts: what a crash left is queued again or ended, what ended long ago is forgotten.

use std::{collections::HashSet, path::PathBuf};

use dataset_model::Timestamp;

use crate::{Node, NodeError};

use super::job::{Job, JobEvent};

/// How long the end of a job can be looked up, in seconds: thirty days.
const KEPT: i64 = 30 * 24 * 60 * 60;

impl Node {
    /// Takes up the jobs that an earlier run left, and removes what none of them needs.
    pub(crate) fn recover_jobs(&self) -> Result<(), NodeError> {
        let jobs: Vec<Job> = self.jobs().iter_prefix("").map(|row| Ok(row?.1)).collect::<Result<_, NodeError>>()?;
        let mut kept = HashSet::new();
        for job in jobs.into_iter().filter(|job| !job.state.is_final()) {
            // One that waited is as it was.
            let next = job.after(JobEvent::Recover, Timestamp::now()).unwrap_or_else(|| job.clone());
            if next != job {
                tracing::info!(job = job.id, kind = job.kind.name(), deposit = %job.deposit, state = ?next.state, "taking up a job that was cut off");
                self.ledger.write(vec![self.jobs().put(&job.id, &next)?])?;
            }
            if !next.state.is_final() {
                kept.insert(next.id.clone());
                self.board.add(&next);
            }
        }
        self.remove_work_folders_but(&kept);
        self.prune_jobs()
    }

    /// Forgets jobs that ended long ago.
    pub(crate) fn prune_jobs(&self) -> Result<(), NodeError> {
        let now = Timestamp::now().unix_seconds();
        let mut changes = Vec::new();
        for row in self.jobs().iter_prefix("") {
            let (id, job) = row?;
            if job.finished.is_some_and(|finished| now - finished.unix_seconds() > KEPT) {
                changes.push(self.jobs().remove(&id));
            }
        }
        if changes.is_empty() { Ok(()) } else { Ok(self.ledger.write(changes)?) }
    }

    /// The folder of all jobs' work.
    fn work_folders(&self) -> PathBuf {
        self.config.data_dir.join("jobs")
    }

    /// Where a job may write what it makes on the way.
    pub(crate) fn work_folder(&self, job: &str) -> PathBuf {
        self.work_folders().join(job)
    }

    pub(crate) fn remove_work_folder(&self, job: &str) {
        let folder = self.work_folder(job);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                // The next start tries again.
                tracing::warn!(folder = %folder.display(), %error, "a work folder could not be removed");
            }
            _ => {}
        }
    }

    fn remove_work_folders_but(&self, kept: &HashSet<String>) {
        let names = std::fs::read_dir(self.work_folders()).into_iter().flatten().flatten();
        for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
            if !kept.contains(&name) {
                self.remove_work_folder(&name);
            }
        }
    }
}
