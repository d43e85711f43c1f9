//! [OAI-PMH 2.0](https://www.openarchives.org/OAI/openarchivesprotocol.html), the provider's side: what a harvester may ask,
//! how an answer is written, and resumption tokens that hold everything needed to go on. No record is known here.

mod answer;
mod error;
mod request;
mod token;

pub use answer::{Identity, OaiAnswer, OaiFormat, OaiHeader, OaiRecord, OaiSet, write};
pub use error::{OaiCode, OaiError};
pub use request::{OaiRequest, Selection};
pub use token::Position;
