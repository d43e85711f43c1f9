//! The protocol against a peer in memory that can misbehave.

mod bulk;
mod client;
mod cosignatures;
mod crates;
mod histories;
mod notes;
mod peer;
mod pull;
mod tampering;
