use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// What the name of a file that is being written ends with.
const UNFINISHED: &str = ".partial";

/// A shard as it is written: encoded chunks one after another, then the index (Zarr sharding codec 1.0, "binary shard
/// format", `index_location: end`).
pub(super) struct ShardFile {
    file: File,
    path: PathBuf,
    /// Offset and length of each inner chunk; all bits set where it is empty.
    entries: Vec<[u64; 2]>,
    length: u64,
}

impl ShardFile {
    pub(super) fn create(path: &Path, inner_chunks: usize) -> io::Result<Self> {
        let file = create(path)?;
        Ok(Self { file, path: path.to_owned(), entries: vec![[u64::MAX; 2]; inner_chunks], length: 0 })
    }

    /// Adds the chunk at a place of the index.
    pub(super) fn append(&mut self, place: usize, encoded: &[u8]) -> io::Result<()> {
        let entry = self.entries.get_mut(place).ok_or_else(|| io::Error::other("a chunk lies outside its shard"))?;
        self.file.write_all(encoded)?;
        *entry = [self.length, encoded.len() as u64];
        self.length += encoded.len() as u64;
        Ok(())
    }

    /// Writes the index and gives the file its name.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let mut index: Vec<u8> = self.entries.iter().flatten().flat_map(|number| number.to_le_bytes()).collect();
        let checksum = crc32c::crc32c(&index);
        index.extend_from_slice(&checksum.to_le_bytes());
        self.file.write_all(&index)?;
        seal(&self.file, &self.path)
    }
}

/// Writes a chunk that is a file of its own.
pub(super) fn write_chunk(path: &Path, encoded: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(encoded)?;
    seal(&file, path)
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::create(unfinished(path))
}

/// What has its final name is complete and on disk.
fn seal(file: &File, path: &Path) -> io::Result<()> {
    file.sync_data()?;
    fs::rename(unfinished(path), path)
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    name.into()
}
