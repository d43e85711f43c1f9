//! What the black-box tests share: nodes as processes, a client, small images, and waiting with a deadline.
//!
//! **Owns** the outside view: it starts the built binary `heliograph` and speaks HTTP to it, as a researcher, a partner
//! node or an auditor would.
//!
//! **Must not know** how the program is made: of the workspace's crates only `dataset-model`, the vocabulary, is linked.
//!
//! The harness panics with what it saw when something is not as a test needs it, so that a test reads as its steps:
//!
//! ```no_run
//! # async fn example() {
//! use e2e_tests::{Dataset, Node};
//!
//! let node = Node::start("europe").await;
//! let published = node.depositor().deposit(&Dataset::small("Cells in a dish")).await;
//! let record = node.anybody().get(&format!("/api/v1/datasets/{}", published.id)).await.ok();
//! assert_eq!(record["summary"]["title"], "Cells in a dish");
//! node.assert_quiet_log(&[]);
//! # }
//! ```

mod answer;
mod binary;
mod bucket;
mod client;
mod dataset;
mod federation;
mod folders;
mod hostile;
mod liar;
mod node;
mod ocfl;
mod ports;
mod preloaded;
mod privacy;
mod python;
mod raw;
mod setup;
mod shared;
mod small_disk;
mod source_server;
mod store;
mod waiting;

pub use answer::Answer;
pub use binary::{Output, heliograph, run, run_with};
pub use bucket::{BUCKET, Bucket};
pub use client::{COMPLETE, Client, Published, content_digest, escape_path};
pub use dataset::{Dataset, Words};
pub use federation::Federation;
pub use folders::files_below;
pub use hostile::{Hostile, Manner};
pub use liar::{Liar, Lie};
pub use node::Node;
pub use ocfl::check_ocfl;
pub use ports::{free_port, free_ports};
pub use preloaded::{FailingWrites, WrongClock};
pub use privacy::told_by;
pub use python::{npm_clients, python};
pub use raw::raw_request;
pub use setup::{KeyPair, PeerEntry, Setup};
pub use shared::shared_data;
pub use small_disk::SmallDisk;
pub use source_server::{Fault, Page, SourceServer};
pub use store::Store;
pub use waiting::{PATIENCE, eventually};

/// SHA-256 of some bytes, in hexadecimal.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    dataset_model::Digest::of(bytes).to_string()
}
