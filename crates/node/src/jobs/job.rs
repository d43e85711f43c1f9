//! What a job is, and the only ways in which its state changes.

use dataset_model::{DatasetId, FilePath, Finding, Timestamp, VersionNumber};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ErrorKind, NodeError};

/// How often a job is begun that the node does not survive.
pub(crate) const MOST_ATTEMPTS: u32 = 3;

/// What a job does to its deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Makes OME-Zarr images of its microscope files.
    Convert,
    /// Checks it.
    Validate,
    /// Publishes it, after converting what is to be converted.
    Publish,
}

impl JobKind {
    /// Its name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Convert => "convert",
            Self::Validate => "validate",
            Self::Publish => "publish",
        }
    }
}

/// Where a job stands. The last three are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// Is being done.
    Running,
    /// Ended well; `result` says what came of it.
    Done,
    /// Ended badly; `problem` says why.
    Failed,
    /// Was taken back.
    Cancelled,
}

impl JobState {
    /// Whether nothing changes any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

/// How far a job is with what it does at the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobProgress {
    /// What is being done, in words.
    pub what: String,
    /// Bytes done of it.
    pub done: u64,
    /// Bytes in all; 0 while nobody knows.
    pub total: u64,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobProblem {
    /// Which of the ways to fail.
    pub kind: ErrorKind,
    /// What is wrong and what to do, in a sentence.
    pub detail: String,
    /// Each broken rule.
    pub findings: Vec<Finding>,
}

/// What to convert, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConversionRequest {
    /// These files or folders; everything convertible when empty.
    pub paths: Vec<FilePath>,
}

/// A job as it is kept in the ledger. Key: its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    pub id: String,
    pub kind: JobKind,
    pub deposit: DatasetId,
    /// The deposit's owner.
    pub owner: String,
    pub request: ConversionRequest,
    pub state: JobState,
    /// How often it was begun.
    pub attempts: u32,
    /// Somebody wants it to end.
    pub cancelling: bool,
    pub created: Timestamp,
    pub started: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    pub result: Option<Value>,
    pub problem: Option<JobProblem>,
    /// The version that came of it; written with the very append that publishes it.
    pub published: Option<(DatasetId, VersionNumber)>,
}

/// What happens to a job.
#[derive(Debug, Clone)]
pub(crate) enum JobEvent {
    /// Its turn has come.
    Start,
    /// Its work ended well.
    Finish(Value),
    /// Its work ended badly.
    Fail(JobProblem),
    /// Somebody wants it to end.
    Cancel,
    /// Its work ended because somebody wanted it to.
    Stopped,
    /// The node stops; the job goes on with the next start.
    Interrupt,
    /// The node was started again and finds what it left.
    Recover,
}

impl Job {
    /// A job that nobody has begun.
    pub(crate) fn queued(
        id: String,
        kind: JobKind,
        deposit: DatasetId,
        owner: String,
        request: ConversionRequest,
    ) -> Self {
        Self {
            id,
            kind,
            deposit,
            owner,
            request,
            state: JobState::Queued,
            attempts: 0,
            cancelling: false,
            created: Timestamp::now(),
            started: None,
            finished: None,
            result: None,
            problem: None,
            published: None,
        }
    }

    /// The job after something happened; nothing when that means nothing in its present state.
    pub(crate) fn after(&self, event: JobEvent, now: Timestamp) -> Option<Self> {
        use JobState as S;
        let mut next = self.clone();
        next.state = match (self.state, event) {
            (S::Queued, JobEvent::Start) => {
                next.attempts += 1;
                next.started = self.started.or(Some(now));
                S::Running
            }
            (S::Running, JobEvent::Finish(result)) => {
                next.result = Some(result);
                S::Done
            }
            (S::Running, JobEvent::Fail(problem)) => {
                next.problem = Some(problem);
                S::Failed
            }
            (S::Queued, JobEvent::Cancel) | (S::Running, JobEvent::Stopped) => S::Cancelled,
            (S::Running, JobEvent::Cancel) => {
                next.cancelling = true;
                S::Running
            }
            // The node was told to stop: that is not the job's fault.
            (S::Running, JobEvent::Interrupt) => {
                next.attempts = self.attempts.saturating_sub(1);
                S::Queued
            }
            (S::Running, JobEvent::Recover) if self.published.is_some() => S::Queued,
            (S::Running, JobEvent::Recover) if self.cancelling => S::Cancelled,
            (S::Running, JobEvent::Recover) if self.attempts >= MOST_ATTEMPTS => {
                next.problem = Some(given_up(self.attempts));
                S::Failed
            }
            (S::Running, JobEvent::Recover) => S::Queued,
            _ => return None,
        };
        if next.state.is_final() {
            next.finished = Some(now);
        }
        Some(next)
    }
}

fn given_up(attempts: u32) -> JobProblem {
    JobProblem {
        kind: ErrorKind::Internal,
        detail: format!(
            "the node ended {attempts} times while it worked on this job; it is not tried again: ask the operator to \
             look into the log before you start it once more"
        ),
        findings: Vec::new(),
    }
}

impl From<&NodeError> for JobProblem {
    fn from(error: &NodeError) -> Self {
        let mut detail = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            detail = format!("{detail}: {error}");
            cause = error.source();
        }
        Self { kind: error.kind(), detail, findings: error.findings().to_vec() }
    }
}

impl From<JobProblem> for NodeError {
    /// The failure of a job as that of the call that waited for it.
    fn from(problem: JobProblem) -> Self {
        let JobProblem { kind, detail, findings } = problem;
        match kind {
            ErrorKind::NotFound => Self::NotFound(detail),
            ErrorKind::Invalid if findings.is_empty() => Self::Invalid(detail),
            ErrorKind::Malformed => Self::Malformed(detail),
            ErrorKind::NotAcceptable => Self::NotAcceptable(detail),
            ErrorKind::Invalid => Self::refused(detail, findings),
            ErrorKind::Unauthenticated => Self::Unauthenticated,
            ErrorKind::Forbidden => Self::Forbidden(detail),
            ErrorKind::Conflict | ErrorKind::Gone => Self::Conflict(detail),
            ErrorKind::TooLarge => Self::TooLarge(detail),
            ErrorKind::TooMany => Self::TooMany(detail),
            ErrorKind::Unavailable => Self::Unavailable(detail),
            ErrorKind::Full => Self::Full(detail),
            ErrorKind::PeerFault | ErrorKind::Internal => Self::Internal(detail),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::{prelude::*, sample::select};
    use serde_json::json;

    use super::*;

    pub(crate) fn queued() -> Job {
        let deposit = "europe-1".parse().unwrap();
        Job::queued("000001-aa".into(), JobKind::Convert, deposit, "ada".into(), ConversionRequest::default())
    }

    fn events() -> impl Strategy<Value = JobEvent> {
        let problem = JobProblem { kind: ErrorKind::Invalid, detail: "bad".into(), findings: Vec::new() };
        select(vec![
            JobEvent::Start,
            JobEvent::Finish(json!({})),
            JobEvent::Fail(problem),
            JobEvent::Cancel,
            JobEvent::Stopped,
            JobEvent::Interrupt,
            JobEvent::Recover,
        ])
    }

    proptest! {
        #[test]
        fn whatever_happens_a_job_ends_and_stays_ended(happened in proptest::collection::vec(events(), 0..40)) {
            let now = Timestamp::now();
            let mut job = queued();
            for event in happened {
                let ended = job.state.is_final();
                if let Some(next) = job.after(event, now) {
                    prop_assert!(!ended, "{:?} became {:?}", job.state, next.state);
                    prop_assert!(next.attempts <= MOST_ATTEMPTS);
                    prop_assert_eq!(next.state.is_final(), next.finished.is_some());
                    job = next;
                }
            }
            // From wherever it is: a node that dies at every attempt does not try for ever.
            for _ in 0..=MOST_ATTEMPTS {
                for event in [JobEvent::Recover, JobEvent::Start] {
                    job = job.after(event, now).unwrap_or(job);
                }
            }
            prop_assert!(job.after(JobEvent::Recover, now).unwrap_or(job).state.is_final());
        }
    }

    #[test]
    fn what_was_asked_to_end_is_not_begun_again_after_a_crash() {
        let now = Timestamp::now();
        let running = queued().after(JobEvent::Start, now).unwrap();
        let asked = running.after(JobEvent::Cancel, now).unwrap();
        assert_eq!(asked.state, JobState::Running);
        assert_eq!(asked.after(JobEvent::Recover, now).unwrap().state, JobState::Cancelled);
    }

    #[test]
    fn a_publication_that_happened_is_told_however_often_the_node_died() {
        let now = Timestamp::now();
        let mut job = queued().after(JobEvent::Start, now).unwrap();
        job.attempts = MOST_ATTEMPTS;
        job.cancelling = true;
        job.published = Some((job.deposit.clone(), VersionNumber::FIRST));
        assert_eq!(job.after(JobEvent::Recover, now).unwrap().state, JobState::Queued);
    }
}
