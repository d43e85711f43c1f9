//! Sources that are no nodes: what they are, how each kind is read, and when. However a source is read, what was found goes
//! the one way of [`Node::import`](crate::Node::import), and ends in the same report.

mod config;
mod harvesting;
mod items;
mod local;
mod oai;
mod state;
mod web;

pub use config::{SourceConfig, SourceKind, SourceName};
pub use harvesting::HarvestChoice;
pub use items::{Listing, ListingItem};
pub use local::{FolderChoice, listing_of_folder, listing_of_zip};
pub use state::{SourceStatus, SourceSummary};
pub use web::listing_of_web;
