//! What templates are filled with: plain text, ready links, formatted numbers. Nothing here is HTML except the templates.

pub(crate) mod api_docs;
pub(crate) mod chrome;
pub(crate) mod dataset;
pub(crate) mod deposit;
pub(crate) mod federation;
pub(crate) mod format;
pub(crate) mod home;
pub(crate) mod query;
pub(crate) mod refusal;
pub(crate) mod search;
pub(crate) mod sitemap;
pub(crate) mod sources;
pub(crate) mod study;
