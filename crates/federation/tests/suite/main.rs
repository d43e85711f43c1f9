//! The protocol against a peer in memory that can misbehave.

mod client;
mod crates;
mod notes;
mod peer;
mod pull;
mod tampering;
