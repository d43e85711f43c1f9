use std::io::{self, Write};

use bytes::Bytes;
use dataset_model::Digest;

use crate::pieces::pieces;

/// Writes crates as they come, and yields the compressed stream piece by piece. It holds one crate at a time.
///
/// After an error nothing more comes, so that a reader sees a stream that broke off and not one that looks complete.
pub fn encode<E: From<io::Error>>(
    crates: impl Iterator<Item = Result<(Digest, Option<Bytes>), E>>,
) -> impl Iterator<Item = Result<Bytes, E>> {
    pieces(crates, |out, (digest, bytes)| write_frame(out, &digest, bytes.as_deref()))
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
