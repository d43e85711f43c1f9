//! One file a page: extract, one call on the node, a template.

pub(crate) mod api_docs;
pub(crate) mod dataset;
pub(crate) mod deposit;
pub(crate) mod federation;
pub(crate) mod home;
pub(crate) mod query;
pub(crate) mod search;
pub(crate) mod sitemap;
pub(crate) mod sources;
