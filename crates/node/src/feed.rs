//! This node's log as an event stream (LDES) in the profile of DCAT-AP feeds: one member an entry, in pages that stay.

use std::ops::Range;

use bytes::Bytes;
use dataset_model::{Digest, Entry, Event};
use metadata_store::{FeedActivity, FeedMember, FeedPage, FeedRelation, FeedTime, ResultFormat};

use crate::{Actor, Node, NodeError, VersionChoice, policy};

/// Entries of the log on one page.
const PAGE: u64 = 100;
/// Pages that one group lists; the first page lists groups.
const GROUP: u64 = 100;
/// Seconds after which followers look again.
const POLLING_SECONDS: u32 = 60;

/// A part of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedPart {
    /// The first page, which lists the groups.
    Root,
    /// A list of pages.
    Group(u64),
    /// A page of members.
    Page(u64),
}

/// A part of the stream, as it is sent.
#[derive(Debug)]
pub struct Feed {
    /// What to send.
    pub bytes: Bytes,
    /// Its SHA-256, which names this state of it.
    pub digest: Digest,
    /// Whether its members and links stay as they are.
    pub is_final: bool,
}

impl Node {
    /// A part of the event stream. What was withdrawn since is told without its content, on old pages too.
    ///
    /// # Errors
    /// When the log has not come that far, or cannot be read.
    pub async fn feed(&self, actor: &Actor, part: FeedPart, format: ResultFormat) -> Result<Feed, NodeError> {
        policy::require_read(actor, dataset_model::Access::Open, beyond)?;
        let size = self.ledger.size(&self.config.id)?;
        let page = self.feed_part(actor, part, size).await?;
        let bytes = Bytes::from(page.write(format).map_err(NodeError::Metadata)?);
        Ok(Feed { digest: Digest::of(&bytes), bytes, is_final: page.is_final })
    }

    async fn feed_part(&self, actor: &Actor, part: FeedPart, size: u64) -> Result<FeedPage, NodeError> {
        let root = format!("{}/ldes", self.config.public_url);
        // How many entries each part that this one lists has, and where the parts stand.
        let (own, listed) = match part {
            FeedPart::Root => (0..size, Some((PAGE * GROUP, "group"))),
            FeedPart::Group(number) => (range(number, PAGE * GROUP, size)?, Some((PAGE, "page"))),
            FeedPart::Page(number) => (range(number, PAGE, size)?, None),
        };
        let (url, full) = match part {
            FeedPart::Root => (root.clone(), u64::MAX),
            FeedPart::Group(number) => (format!("{root}/group/{number}"), PAGE * GROUP),
            FeedPart::Page(number) => (format!("{root}/page/{number}"), PAGE),
        };
        let is_final = own.end - own.start == full;
        let (mut members, mut relations) = (Vec::new(), Vec::new());
        match listed {
            Some((step, kind)) => {
                for start in own.clone().step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
                    relations.push(self.feed_relation(
                        format!("{root}/{kind}/{}", start / step),
                        start..start + step,
                        size,
                    )?);
                }
            }
            None => {
                for index in own {
                    members.push(self.feed_member(actor, index, &url).await?);
                }
            }
        }
        let (title, polling_seconds) = (self.config.title.clone(), POLLING_SECONDS);
        Ok(FeedPage { url, root, title, polling_seconds, is_final, members, relations })
    }

    /// A link to the part that has these entries, as far as there are any yet.
    fn feed_relation(&self, node: String, entries: Range<u64>, size: u64) -> Result<FeedRelation, NodeError> {
        let until = (entries.end <= size).then(|| self.feed_time(entries.end - 1)).transpose()?;
        Ok(FeedRelation { node, from: self.feed_time(entries.start)?, until })
    }

    async fn feed_member(&self, actor: &Actor, index: u64, page: &str) -> Result<FeedMember, NodeError> {
        let entry = self.entry(&self.config.id, index)?;
        let activity = match (&entry.event, entry.previous) {
            (Event::Withdraw(_), _) => FeedActivity::Delete,
            (_, None) => FeedActivity::Create,
            (_, Some(previous)) => {
                // What was withdrawn comes back as something new.
                let before = self.entry(&self.config.id, previous)?;
                if matches!(before.event, Event::Withdraw(_)) { FeedActivity::Create } else { FeedActivity::Update }
            }
        };
        Ok(FeedMember {
            iri: format!("{page}#{index}"),
            activity,
            object: self.config.page(&entry.dataset),
            published: self.feed_time(index)?,
            payload: self.feed_payload(actor, &entry).await?,
        })
    }

    /// When an entry was made, and as the how-manieth of its second. Times in a log do not decrease.
    fn feed_time(&self, index: u64) -> Result<FeedTime, NodeError> {
        let time_of = |index| -> Result<_, NodeError> { Ok(self.entry(&self.config.id, index)?.time) };
        let time = time_of(index)?;
        let (mut before, mut within) = (0, index);
        while before < within {
            let middle = before + (within - before) / 2;
            if time_of(middle)? < time { before = middle + 1 } else { within = middle }
        }
        Ok(FeedTime { time, place: index - within })
    }

    async fn feed_payload(
        &self,
        actor: &Actor,
        entry: &Entry,
    ) -> Result<Option<metadata_store::ExportRecord>, NodeError> {
        // A withdrawal drops the crates: what is not here any more is not told any more.
        if matches!(entry.event, Event::Withdraw(_)) || self.crate_of_entry(entry)?.is_none() {
            return Ok(None);
        }
        let (own, choice) = (&self.config.id, VersionChoice::Number(entry.version));
        match self.record(actor, &entry.dataset, Some(own), choice).await {
            Ok(record) => Ok(Some(record.to_export(self.config.catalogue(), &[]))),
            Err(NodeError::Gone(_) | NodeError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The entries of a part, of those there are.
fn range(number: u64, step: u64, size: u64) -> Result<Range<u64>, NodeError> {
    let start = number.checked_mul(step).filter(|start| *start < size).ok_or_else(beyond)?;
    Ok(start..size.min(start + step))
}

fn beyond() -> NodeError {
    NodeError::NotFound("the stream has nothing there (yet): begin at /ldes".into())
}
