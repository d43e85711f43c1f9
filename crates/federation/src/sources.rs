//! Reading sources that are no nodes: web servers that list crates, OAI-PMH providers, sitemaps.
//!
//! A source is only asked at its own origin, and at those its operator named; it cannot lead the reader elsewhere by links
//! or redirects. Every answer has a deadline and a size, every listing a number of items. A reader says whether it came to
//! the listing's end: only then may what is missing in it be taken for gone.

mod index;
mod limits;
mod markup;
mod oai;
mod robots;
mod signposting;
mod sitemap;
mod web;

pub use index::{FoundFile, IndexListing};
pub use limits::SourceLimits;
pub use oai::{OaiHarvest, OaiIdentity, OaiItem, OaiProvider, OaiSelection};
pub use signposting::{Described, describe_page};
pub use sitemap::{SitemapListing, SitemapPage};
pub use web::{Found, SourceClient};
