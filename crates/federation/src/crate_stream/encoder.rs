use std::io::{self, Write};

use bytes::Bytes;
use dataset_model::Digest;
use zstd::stream::write::Encoder;

const LEVEL: i32 = 3;
/// Compressed bytes are handed on in pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;

/// Writes crates as they come, and yields the compressed stream piece by piece. It holds one crate at a time.
///
/// After an error nothing more comes, so that a reader sees a stream that broke off and not one that looks complete.
pub fn encode<E: From<io::Error>>(
    crates: impl Iterator<Item = Result<(Digest, Option<Bytes>), E>>,
) -> impl Iterator<Item = Result<Bytes, E>> {
    Pieces { crates, encoder: None, done: false }
}

struct Pieces<I> {
    crates: I,
    encoder: Option<Encoder<'static, Vec<u8>>>,
    done: bool,
}

impl<E: From<io::Error>, I: Iterator<Item = Result<(Digest, Option<Bytes>), E>>> Iterator for Pieces<I> {
    type Item = Result<Bytes, E>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let piece = self.piece();
        self.done |= piece.is_err();
        Some(piece)
    }
}

impl<E: From<io::Error>, I: Iterator<Item = Result<(Digest, Option<Bytes>), E>>> Pieces<I> {
    fn piece(&mut self) -> Result<Bytes, E> {
        let mut encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => Encoder::new(Vec::new(), LEVEL)?,
        };
        while encoder.get_ref().len() < PIECE_BYTES {
            match self.crates.next() {
                Some(item) => {
                    let (digest, bytes) = item?;
                    write_frame(&mut encoder, &digest, bytes.as_deref())?;
                }
                None => {
                    self.done = true;
                    return Ok(encoder.finish()?.into());
                }
            }
        }
        let piece = std::mem::take(encoder.get_mut());
        self.encoder = Some(encoder);
        Ok(piece.into())
    }
}

fn write_frame(out: &mut impl Write, digest: &Digest, bytes: Option<&[u8]>) -> io::Result<()> {
    match bytes {
        None => writeln!(out, "{digest} -"),
        Some(bytes) => {
            writeln!(out, "{digest} {}", bytes.len())?;
            out.write_all(bytes)?;
            out.write_all(b"\n")
        }
    }
}
