use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex},
};

use lru::LruCache;

use super::{
    TiffFile, codec,
    directory::Reader,
    page::{Numbers, Page},
};
use crate::{
    error::OmeZarrError,
    import::cache::{Cache, locked},
};

/// Offsets are read so many at a time.
const SEGMENT: u64 = 1024;
/// Segments of offsets that are kept: 4 MiB.
const MAX_SEGMENTS: usize = 512;

/// Which strip or tile: the file, its page, and the number within the page.
pub(super) type ChunkKey = (u32, u32, u64);

/// What was read and may be needed again, within bounds.
pub(super) struct Store {
    chunks: Cache<ChunkKey>,
    segments: Mutex<LruCache<(u32, u64), Arc<[u64]>>>,
}

impl Default for Store {
    fn default() -> Self {
        let segments = NonZeroUsize::new(MAX_SEGMENTS).unwrap_or(NonZeroUsize::MIN);
        Self { chunks: Cache::default(), segments: Mutex::new(LruCache::new(segments)) }
    }
}

impl Store {
    /// The decoded strip or tile of a page, which holds `rows` rows.
    pub(super) fn chunk(
        &self,
        file: &TiffFile,
        page: &Page,
        key: ChunkKey,
        rows: u64,
    ) -> Result<Arc<Vec<u8>>, OmeZarrError> {
        self.chunks.get(key, page.layout.bytes_of(rows), || self.decode(file, page, key, rows))
    }

    fn decode(&self, file: &TiffFile, page: &Page, key: ChunkKey, rows: u64) -> Result<Vec<u8>, OmeZarrError> {
        let failed = |reason: String| {
            OmeZarrError::decode(
                file.file.path(),
                format!("strip or tile {} of page {} cannot be decoded: {reason}", key.2, key.1),
            )
        };
        let layout = &page.layout;
        let start = self.number(file, key.0, &page.offsets, key.2)?;
        let length = match &page.sizes {
            Some(sizes) => self.number(file, key.0, sizes, key.2)?,
            None if layout.chunk_count() == 1 => file.file.size().saturating_sub(start),
            None => return Err(failed("the file does not say how long it is".to_owned())),
        };
        // Codecs can make data a little longer, never much.
        let most = codec::MAX_CHUNK_BYTES * 2;
        if length == 0 || length > most {
            return Err(failed(format!("it is said to have {length} bytes")));
        }
        let bytes = file.file.read(start..start.saturating_add(length))?;
        let tables = layout
            .jpeg_tables
            .map(|field| Reader::new(file.file.part(), file.header).raw(field, 1 << 20))
            .transpose()?;
        codec::decode(layout, file.header.big_endian, rows, &bytes, tables.as_deref()).map_err(failed)
    }

    /// One of the numbers of a page's field.
    pub(super) fn number(
        &self,
        file: &TiffFile,
        file_index: u32,
        numbers: &Numbers,
        index: u64,
    ) -> Result<u64, OmeZarrError> {
        let field = match numbers {
            Numbers::One(number) => return Ok(*number),
            Numbers::Many(field) => *field,
        };
        let from = index / SEGMENT * SEGMENT;
        let key = (file_index, field.place(from));
        let known = locked(&self.segments).get(&key).map(Arc::clone);
        let segment = if let Some(segment) = known {
            segment
        } else {
            let count = SEGMENT.min(field.count.saturating_sub(from));
            let read: Arc<[u64]> = Reader::new(file.file.part(), file.header).wholes(field, from, count)?.into();
            locked(&self.segments).put(key, Arc::clone(&read));
            read
        };
        segment
            .get((index - from) as usize)
            .copied()
            .ok_or_else(|| OmeZarrError::decode(file.file.path(), "a page lists fewer strips or tiles than it has"))
    }
}
