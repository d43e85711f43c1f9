//! A compressed stream, piece by piece, made of items as they come.

use std::io;

use bytes::Bytes;
use zstd::stream::write::Encoder;

const LEVEL: i32 = 3;
/// Compressed bytes are handed on in pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;

/// Writes items as they come, and yields the zstd stream piece by piece; after an error nothing more comes.
pub(crate) fn pieces<T, E: From<io::Error>>(
    items: impl Iterator<Item = Result<T, E>>,
    write: impl Fn(&mut Encoder<'static, Vec<u8>>, T) -> io::Result<()>,
) -> impl Iterator<Item = Result<Bytes, E>> {
    Pieces { items, write, encoder: None, done: false }
}

struct Pieces<I, W> {
    items: I,
    write: W,
    encoder: Option<Encoder<'static, Vec<u8>>>,
    done: bool,
}

impl<T, E, I, W> Iterator for Pieces<I, W>
where
    E: From<io::Error>,
    I: Iterator<Item = Result<T, E>>,
    W: Fn(&mut Encoder<'static, Vec<u8>>, T) -> io::Result<()>,
{
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

impl<T, E, I, W> Pieces<I, W>
where
    E: From<io::Error>,
    I: Iterator<Item = Result<T, E>>,
    W: Fn(&mut Encoder<'static, Vec<u8>>, T) -> io::Result<()>,
{
    fn piece(&mut self) -> Result<Bytes, E> {
        let mut encoder = match self.encoder.take() {
            Some(encoder) => encoder,
            None => Encoder::new(Vec::new(), LEVEL)?,
        };
        while encoder.get_ref().len() < PIECE_BYTES {
            match self.items.next() {
                Some(item) => (self.write)(&mut encoder, item?)?,
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
