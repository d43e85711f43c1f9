//! The image engine, from outside: our samples, the official suites, the shared corpus, and hostile input.

mod archives;
mod convert;
mod corpus;
mod hostile;
mod official;
mod samples;
mod support;
