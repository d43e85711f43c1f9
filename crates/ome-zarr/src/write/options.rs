use super::compression::Compression;

/// How chunks are packed into files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sharding {
    /// Shards as the kind of image wants them.
    Auto,
    /// Each chunk is a file.
    None,
    /// Shards of this shape, in the order t, c, z, y, x; axes left out at the front are 1.
    Shape(Vec<u64>),
}

/// What the person who converts decides about the layout; `None` leaves it to the kind of image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WriteOptions {
    pub(crate) chunk: Option<Vec<u64>>,
    pub(crate) sharding: Option<Sharding>,
    pub(crate) compression: Option<Compression>,
}
