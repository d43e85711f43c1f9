use std::{
    collections::HashMap,
    io::{self, Write},
};

use bytes::{Bytes, BytesMut};
use dataset_model::Digest;
use zstd::stream::{raw, write, zio};

use super::WINDOW_LOG;
use crate::{FederationError, Limits, checkpoint::decimal};

/// A header is a digest, a space and a number of at most 20 digits.
const MAX_HEADER_BYTES: usize = 64 + 1 + 20;

/// Reads the answer to a request as it arrives. What it keeps is bounded by the limits, whatever is sent; every crate
/// is compared with its digest.
pub struct Decoder(write::Decoder<'static, Frames>);

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

impl Decoder {
    /// Expects an answer to a request for these digests.
    ///
    /// # Errors
    /// When the decompressor cannot be set up.
    pub fn new(digests: &[Digest], limits: &Limits) -> Result<Self, FederationError> {
        let setup = |error: io::Error| FederationError::Setup(error.into());
        let mut decompressor = raw::Decoder::new().map_err(setup)?;
        decompressor.set_parameter(raw::DParameter::WindowLogMax(WINDOW_LOG)).map_err(setup)?;
        let frames = Frames::new(digests, limits);
        Ok(Self(write::Decoder::with_writer(zio::Writer::new(frames, decompressor))))
    }

    /// Takes the next compressed bytes.
    ///
    /// # Errors
    /// When they are no zstd stream, a frame is malformed or was not asked for, a crate has other bytes than its digest
    /// promises, or a limit is passed. Nothing of the answer is to be used then.
    pub fn push(&mut self, compressed: &[u8]) -> Result<(), FederationError> {
        let outcome = self.0.write_all(compressed).and_then(|()| self.0.flush());
        self.failure(outcome)
    }

    /// All crates, in the order in which they were asked for; nothing for those the server does not have.
    ///
    /// # Errors
    /// When the answer broke off or left a digest out.
    pub fn finish(mut self) -> Result<Vec<(Digest, Option<Bytes>)>, FederationError> {
        let outcome = self.0.flush();
        self.failure(outcome)?;
        self.0.into_inner().finish()
    }

    fn failure(&mut self, outcome: io::Result<()>) -> Result<(), FederationError> {
        match (self.0.get_mut().failure.take(), outcome) {
            (Some(failure), _) => Err(failure),
            (None, Err(error)) => Err(FederationError::malformed(format!("the crates are no zstd stream: {error}"))),
            (None, Ok(())) => Ok(()),
        }
    }
}

/// What is expected next of the decompressed stream.
enum State {
    Header(Vec<u8>),
    Body {
        digest: Digest,
        left: usize,
        bytes: BytesMut,
    },
    /// The newline after a body.
    End,
}

struct Frames {
    /// The digests in the order of the request.
    order: Vec<Digest>,
    /// What came for each digest; the outer option is empty until its frame has come.
    answers: HashMap<Digest, Option<Option<Bytes>>>,
    state: State,
    taken: u64,
    crate_bytes: u64,
    answer_bytes: u64,
    /// The first thing that was wrong; it cannot pass through the decompressor as it is.
    failure: Option<FederationError>,
}

impl Frames {
    fn new(digests: &[Digest], limits: &Limits) -> Self {
        Self {
            order: digests.to_vec(),
            answers: digests.iter().map(|digest| (*digest, None)).collect(),
            state: State::Header(Vec::new()),
            taken: 0,
            crate_bytes: limits.crate_bytes,
            answer_bytes: limits.answer_bytes,
            failure: None,
        }
    }

    fn take(&mut self, mut plain: &[u8]) -> Result<(), FederationError> {
        while let Some(first) = plain.first() {
            match &mut self.state {
                State::Header(header) => {
                    plain = plain.get(1..).unwrap_or_default();
                    if *first == b'\n' {
                        let header = std::mem::take(header);
                        self.state = self.open_frame(&header)?;
                    } else if header.len() < MAX_HEADER_BYTES {
                        header.push(*first);
                    } else {
                        return Err(malformed("a header is too long"));
                    }
                }
                State::Body { digest, left, bytes } => {
                    let (now, later) = plain.split_at(plain.len().min(*left));
                    bytes.extend_from_slice(now);
                    *left -= now.len();
                    plain = later;
                    if *left == 0 {
                        let (digest, bytes) = (*digest, std::mem::take(bytes).freeze());
                        self.close_frame(digest, bytes)?;
                    }
                }
                State::End if *first == b'\n' => {
                    plain = plain.get(1..).unwrap_or_default();
                    self.state = State::Header(Vec::new());
                }
                State::End => return Err(malformed("a crate is longer than its header says")),
            }
        }
        Ok(())
    }

    fn open_frame(&mut self, header: &[u8]) -> Result<State, FederationError> {
        let parts = std::str::from_utf8(header).ok().and_then(|header| header.split_once(' '));
        let (digest, length) = parts.ok_or_else(|| malformed("a header is '<digest> <length>'"))?;
        let digest: Digest = digest.parse().map_err(|_| malformed("a header starts with a digest"))?;
        let answer = self.answers.get_mut(&digest).ok_or_else(|| malformed("a crate was not asked for"))?;
        if answer.is_some() {
            return Err(malformed("a crate came twice"));
        }
        if length == "-" {
            *answer = Some(None);
            return Ok(State::Header(Vec::new()));
        }
        let length = decimal(length).ok_or_else(|| malformed("a header ends in a length or '-'"))?;
        self.admit(&digest, length)?;
        if length == 0 {
            self.close_frame(digest, Bytes::new())?;
            return Ok(State::End);
        }
        let left = usize::try_from(length).map_err(|_| malformed("a length has no end"))?;
        Ok(State::Body { digest, left, bytes: BytesMut::new() })
    }

    fn admit(&mut self, digest: &Digest, length: u64) -> Result<(), FederationError> {
        if length > self.crate_bytes {
            return Err(FederationError::TooLarge { what: format!("crate {digest}"), limit: self.crate_bytes });
        }
        self.taken = self.taken.saturating_add(length);
        if self.taken > self.answer_bytes {
            return Err(FederationError::TooLarge { what: "an answer with crates".into(), limit: self.answer_bytes });
        }
        Ok(())
    }

    fn close_frame(&mut self, digest: Digest, bytes: Bytes) -> Result<(), FederationError> {
        if Digest::of(&bytes) != digest {
            return Err(FederationError::WrongDigest { digest });
        }
        self.answers.insert(digest, Some(Some(bytes)));
        self.state = State::End;
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<(Digest, Option<Bytes>)>, FederationError> {
        if !matches!(&self.state, State::Header(header) if header.is_empty()) {
            return Err(malformed("the crates broke off"));
        }
        let answer = |digest: Digest| match self.answers.get_mut(&digest).and_then(Option::take) {
            Some(bytes) => Ok((digest, bytes)),
            None => Err(malformed("crates were left out")),
        };
        self.order.into_iter().map(answer).collect()
    }
}

impl Write for Frames {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        match self.take(plain) {
            Ok(()) => Ok(plain.len()),
            Err(failure) => {
                self.failure.get_or_insert(failure);
                Err(io::Error::other("refused"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn malformed(what: &str) -> FederationError {
    FederationError::malformed(format!("in the stream of crates, {what}"))
}
