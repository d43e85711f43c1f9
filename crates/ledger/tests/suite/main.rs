//! The ledger through its public face.

mod contents;
mod crash;
mod log;
mod proofs;
mod support;
