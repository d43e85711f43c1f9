//! Live search: asking other nodes for their own records while somebody waits.
//!
//! Nothing of what a peer says here is verified. It is bounded when it is read ([`LiveAnswer`]), a peer that fails is left alone
//! for a while ([`Circuit`]), and the answers of all become one list that a cursor can continue ([`merge`]).

mod answer;
mod circuit;
mod merge;

pub use answer::{LiveAnswer, LiveFragment, LiveHighlight, LiveHit, LiveQuestion};
pub use circuit::Circuit;
pub use merge::{Merged, merge};
