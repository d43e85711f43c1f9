use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// A shard as it is written: encoded chunks one after another, then the index (Zarr sharding codec 1.0, "binary shard
/// format", `index_location: end`).
pub(super) struct ShardFile {
    file: File,
    /// Offset and length of each inner chunk; all bits set where it is empty.
    entries: Vec<[u64; 2]>,
    length: u64,
}

impl ShardFile {
    pub(super) fn create(path: &Path, inner_chunks: usize) -> io::Result<Self> {
        Ok(Self { file: create(path)?, entries: vec![[u64::MAX; 2]; inner_chunks], length: 0 })
    }

    /// Adds the chunk at a place of the index.
    pub(super) fn append(&mut self, place: usize, encoded: &[u8]) -> io::Result<()> {
        let entry = self.entries.get_mut(place).ok_or_else(|| io::Error::other("a chunk lies outside its shard"))?;
        self.file.write_all(encoded)?;
        *entry = [self.length, encoded.len() as u64];
        self.length += encoded.len() as u64;
        Ok(())
    }

    /// Writes the index, and waits until all is on disk.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let mut index: Vec<u8> = self.entries.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
        let checksum = crc32c::crc32c(&index);
        index.extend_from_slice(&checksum.to_le_bytes());
        self.file.write_all(&index)?;
        self.file.sync_data()
    }
}

/// Writes a chunk that is a file of its own.
pub(super) fn write_chunk(path: &Path, encoded: &[u8]) -> io::Result<()> {
    create(path)?.write_all(encoded)
}

/// Waits until a file is on disk.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_data()
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::create(path)
}
