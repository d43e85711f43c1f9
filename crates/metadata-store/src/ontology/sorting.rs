//! Sorting more than fits into memory: what exceeds the budget is sorted in runs on disk, and the runs are merged.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

/// Bytes of entries kept in memory before they are written out.
pub(super) const BUDGET: usize = 48 << 20;

/// Takes byte strings in any order.
pub(super) struct Sorter {
    /// Where runs go; without it everything stays in memory.
    folder: Option<PathBuf>,
    name: &'static str,
    budget: usize,
    bytes: Vec<u8>,
    /// Start and end of each entry.
    entries: Vec<(usize, usize)>,
    runs: Vec<PathBuf>,
}

impl Sorter {
    pub(super) fn new(folder: Option<&Path>, name: &'static str) -> Self {
        Self {
            folder: folder.map(Path::to_owned),
            name,
            budget: BUDGET,
            bytes: Vec::new(),
            entries: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// Adds the entry that the parts make up.
    pub(super) fn push(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        let start = self.bytes.len();
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.entries.push((start, self.bytes.len()));
        if self.bytes.len() + self.entries.len() * size_of::<(usize, usize)>() > self.budget {
            self.spill()
        } else {
            Ok(())
        }
    }

    /// All entries in order; equal ones come once.
    pub(super) fn finish(mut self) -> io::Result<Sorted> {
        if self.runs.is_empty() {
            self.sort();
            return Ok(Sorted { last: None, from: From::Memory { bytes: self.bytes, entries: self.entries, next: 0 } });
        }
        self.spill()?;
        let mut runs = Vec::new();
        let mut heads = BinaryHeap::new();
        for (at, path) in self.runs.iter().enumerate() {
            let mut run = BufReader::with_capacity(64 << 10, File::open(path)?);
            heads.extend(read_entry(&mut run)?.map(|entry| Reverse((entry, at))));
            runs.push(run);
            std::fs::remove_file(path)?;
        }
        Ok(Sorted { last: None, from: From::Runs { runs, heads } })
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        let text = |(start, end): &(usize, usize)| bytes.get(*start..*end);
        self.entries.sort_unstable_by(|a, b| text(a).cmp(&text(b)));
    }

    fn spill(&mut self) -> io::Result<()> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        self.sort();
        let path = folder.join(format!("{}-{}.run", self.name, self.runs.len()));
        let mut run = BufWriter::with_capacity(256 << 10, File::create(&path)?);
        for (start, end) in self.entries.drain(..) {
            let entry = self.bytes.get(start..end).unwrap_or_default();
            let length = u32::try_from(entry.len()).map_err(io::Error::other)?;
            run.write_all(&length.to_le_bytes())?;
            run.write_all(entry)?;
        }
        run.flush()?;
        self.bytes.clear();
        self.runs.push(path);
        Ok(())
    }
}

/// Entries in order, each once.
pub(super) struct Sorted {
    last: Option<Vec<u8>>,
    from: From,
}

enum From {
    Memory { bytes: Vec<u8>, entries: Vec<(usize, usize)>, next: usize },
    Runs { runs: Vec<BufReader<File>>, heads: BinaryHeap<Reverse<(Vec<u8>, usize)>> },
}

impl From {
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Memory { bytes, entries, next } => {
                let entry = entries.get(*next).and_then(|(start, end)| bytes.get(*start..*end));
                *next += 1;
                Ok(entry.map(<[u8]>::to_vec))
            }
            Self::Runs { runs, heads } => {
                let Some(Reverse((entry, at))) = heads.pop() else { return Ok(None) };
                if let Some(run) = runs.get_mut(at) {
                    heads.extend(read_entry(run)?.map(|entry| Reverse((entry, at))));
                }
                Ok(Some(entry))
            }
        }
    }
}

impl Iterator for Sorted {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.from.next() {
                Ok(Some(entry)) if self.last.as_ref() == Some(&entry) => {}
                Ok(Some(entry)) => {
                    self.last = Some(entry.clone());
                    return Some(Ok(entry));
                }
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn read_entry(run: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match run.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut entry = vec![0; u32::from_le_bytes(length) as usize];
    run.read_exact(&mut entry)?;
    Ok(Some(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_on_disk_and_memory_give_the_same_order_without_repetition() {
        let folder = tempfile::tempdir().unwrap();
        let words: Vec<String> = (0..5000_u64).map(|at| format!("{}", at * 7919 % 1237)).collect();
        let mut expected = words.clone();
        expected.sort_unstable();
        expected.dedup();
        for (place, budget) in [(None, BUDGET), (Some(folder.path()), 4096)] {
            let mut sorter = Sorter { budget, ..Sorter::new(place, "words") };
            for word in &words {
                sorter.push(&[word.as_bytes()]).unwrap();
            }
            assert_eq!(sorter.runs.len() > 10, place.is_some());
            let sorted: Vec<String> =
                sorter.finish().unwrap().map(|word| String::from_utf8(word.unwrap()).unwrap()).collect();
            assert_eq!(sorted, expected);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the runs are gone");
    }
}
