//! What an interrupted conversion had done: a line for each part that is complete, after a line that says of what.

use std::{
    collections::HashMap,
    fs::{File, TryLockError},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::Path,
    sync::Mutex,
};

use serde::{Deserialize, Serialize};

/// The lowest and highest value of some channels.
pub(crate) type Ranges = HashMap<u64, (f64, f64)>;

/// A part of an array that is written: the shards of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    array: String,
    group: u64,
    /// As the bits of 64-bit floats: decimals would not come back the same.
    ranges: HashMap<u64, (u64, u64)>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    /// What is converted, how, and by which version of this program.
    task: String,
    /// The boot of the machine: what was not on disk when the power went is lost, so such a run starts over.
    boot: String,
}

/// The journal of one working folder. It is locked while open: two conversions into one folder would destroy it.
#[derive(Debug)]
pub(crate) struct Journal {
    file: Mutex<File>,
    done: HashMap<(String, u64), Ranges>,
}

/// Why a journal cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// Another conversion holds it.
    Busy,
    /// It is another task's, or of before the machine was started.
    Stale,
    Io(io::Error),
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Journal {
    /// Opens or begins the journal of a task.
    pub(crate) fn open(path: &Path, task: &str) -> Result<Self, Unusable> {
        let head = Head { task: task.to_owned(), boot: boot() };
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Unusable::Busy),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut done = HashMap::new();
        let mut complete = 0;
        let mut lines = BufReader::new(&file);
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
            // The last line may have been cut off: what it says is done again.
            if !line.ends_with('\n') {
                break;
            }
            if complete == 0 {
                if serde_json::from_str::<Head>(&line).ok().as_ref() != Some(&head) {
                    return Err(Unusable::Stale);
                }
            } else {
                let Ok(entry) = serde_json::from_str::<Entry>(&line) else { break };
                let numbers = |(channel, (low, high))| (channel, (f64::from_bits(low), f64::from_bits(high)));
                done.insert((entry.array, entry.group), entry.ranges.into_iter().map(numbers).collect());
            }
            complete += line.len() as u64;
            line.clear();
        }
        file.set_len(complete)?;
        file.seek(SeekFrom::End(0))?;
        if complete == 0 {
            write_line(&mut file, &head)?;
        }
        Ok(Self { file: Mutex::new(file), done })
    }

    /// The ranges of a group that an earlier run has completed.
    pub(crate) fn done(&self, array: &str, group: u64) -> Option<&Ranges> {
        self.done.get(&(array.to_owned(), group))
    }

    /// Notes that a group is complete, its shards and the pixels of the next level.
    pub(crate) fn note(&self, array: &str, group: u64, ranges: &Ranges) -> io::Result<()> {
        let bits = |(channel, (low, high)): (&u64, &(f64, f64))| (*channel, (low.to_bits(), high.to_bits()));
        let entry = Entry { array: array.to_owned(), group, ranges: ranges.iter().map(bits).collect() };
        let mut file = self.file.lock().map_err(|_| io::Error::other("a writer failed"))?;
        write_line(&mut file, &entry)
    }
}

fn write_line(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)
}

fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_known_to_the_next_run_of_the_same_task_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open(&path, "a").unwrap();
        assert!(matches!(Journal::open(&path, "a"), Err(Unusable::Busy)));
        journal.note("0/0", 7, &Ranges::from([(1, (0.5, 2.0))])).unwrap();
        drop(journal);
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"{\"array\":\"0/0\",\"group\":8,\"ran").unwrap();
        let journal = Journal::open(&path, "a").unwrap();
        assert_eq!(journal.done("0/0", 7), Some(&Ranges::from([(1, (0.5, 2.0))])));
        assert_eq!(journal.done("0/0", 8), None);
        journal.note("0/0", 8, &Ranges::new()).unwrap();
        drop(journal);
        assert!(Journal::open(&path, "a").unwrap().done("0/0", 8).is_some());
        assert!(matches!(Journal::open(&path, "b"), Err(Unusable::Stale)));
    }
}
