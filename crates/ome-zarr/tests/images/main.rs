//! The image engine, from outside: our samples, the official suites, the shared corpus, and hostile input.

mod archives;
mod convert;
mod corpus;
mod documented;
mod hostile;
mod mutations;
mod official;
mod render;
mod repairs;
mod samples;
mod support;
mod unlisted;
