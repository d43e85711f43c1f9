use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::Stream;
use tokio::sync::mpsc;

use crate::NodeError;

/// Items that wait for the import.
const WAITING: usize = 16;

/// One item of a listing.
#[derive(Debug)]
pub enum ListingItem {
    /// A crate, or what should be one.
    Crate {
        /// Where it stands in the listing.
        path: String,
        /// Its bytes.
        bytes: Bytes,
        /// What tells this state of it from others, where the source says so.
        stamp: Option<String>,
    },
    /// Something the reader of the listing could not read.
    Unreadable {
        /// Where it stands in the listing.
        path: String,
        /// Why.
        why: String,
    },
    /// What was found there before is there still, unchanged; it was not fetched.
    Unchanged {
        /// Where it stands in the listing.
        path: String,
    },
    /// The source says that this is gone.
    Withdrawn {
        /// Where it stood in the listing.
        path: String,
    },
    /// From now on, the source can be asked for what changes.
    Progress {
        /// From which moment on, as the source writes it.
        from: String,
        /// Whether this listing was of changes only.
        changes_only: bool,
    },
    /// The listing was read to its end, and may not be whole.
    Doubt {
        /// Why.
        why: String,
    },
    /// The listing was read to its end: what it did not hold is gone from the source.
    End,
}

/// A listing as it is read. An error means that it broke off.
#[derive(Debug)]
pub struct Listing(mpsc::Receiver<Result<ListingItem, NodeError>>);

/// The reader's end of a listing.
#[derive(Debug, Clone)]
pub(super) struct Out(mpsc::Sender<Result<ListingItem, NodeError>>);

/// Nobody takes the listing any more.
pub(super) struct Hung;

impl Listing {
    pub(super) fn new() -> (Out, Self) {
        let (to, from) = mpsc::channel(WAITING);
        (Out(to), Self(from))
    }
}

impl Stream for Listing {
    type Item = Result<ListingItem, NodeError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

impl Out {
    pub(super) async fn item(&self, item: ListingItem) -> Result<(), Hung> {
        self.0.send(Ok(item)).await.map_err(|_| Hung)
    }

    pub(super) fn blocking_item(&self, item: ListingItem) -> Result<(), Hung> {
        self.0.blocking_send(Ok(item)).map_err(|_| Hung)
    }

    /// The listing breaks off.
    pub(super) async fn broken(&self, error: NodeError) {
        // Where nobody listens, nobody needs to know.
        let _ = self.0.send(Err(error)).await;
    }

    pub(super) fn blocking_broken(&self, error: NodeError) {
        let _ = self.0.blocking_send(Err(error));
    }
}
