//! Archives of OME-Zarr: `.ozx` ([RFC-9](https://ngff.openmicroscopy.org/rfc/9/)), plain ZIP, and tar.
//!
//! Reading in place ([`ZipSource`]), reading as a stream ([`unpack`]), writing ([`pack`]), and serving without writing
//! ([`VirtualZip`]). Archives come from strangers: whatever two readers could read in two ways is refused.

mod central;
mod check;
mod contents;
mod fault;
mod kind;
mod layout;
mod limits;
mod member;
mod pack;
mod range;
mod records;
mod source;
mod stream;
mod tar;
mod unpack;
mod zip_stream;

pub use check::{Checked, check_archive};
pub use fault::ArchiveFault;
pub use kind::ArchiveKind;
pub use layout::{Piece, VirtualZip, ZipFile};
pub use limits::ArchiveLimits;
pub use pack::{Packed, pack};
pub use range::{LocalFile, RangeRead, SourceFile};
pub use source::ZipSource;
pub use unpack::{Sink, Unpacked, unpack};
