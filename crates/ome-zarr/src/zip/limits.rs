use super::fault::ArchiveFault;

/// What an archive may hold at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Files and folders.
    pub entries: u64,
    /// Bytes of one file, unpacked.
    pub entry_bytes: u64,
    /// Bytes of all files, unpacked.
    pub total_bytes: u64,
    /// How many times its packed size a compressed file may unpack to, once it is larger than a mebibyte.
    pub ratio: u64,
    /// Names in one path.
    pub depth: usize,
    /// Bytes of the list at the end of a ZIP.
    pub directory_bytes: u64,
}

/// Below this many unpacked bytes a file may be as compressible as it likes.
const RATIO_FLOOR: u64 = 1 << 20;

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            entries: 2_000_000,
            entry_bytes: 64 << 30,
            total_bytes: 1 << 40,
            ratio: 200,
            depth: 64,
            directory_bytes: 256 << 20,
        }
    }
}

impl ArchiveLimits {
    /// Checks one file of `size` bytes unpacked, which were `packed` bytes; also for what has been unpacked so far.
    pub(crate) fn check_entry(&self, name: &str, size: u64, packed: u64) -> Result<(), ArchiveFault> {
        if size > self.entry_bytes {
            return Err(ArchiveFault::too_large(Some(name), format!("a file may have {} bytes", self.entry_bytes)));
        }
        if size > RATIO_FLOOR && size > packed.saturating_mul(self.ratio) {
            let reason = format!("it unpacks to more than {} times its size, as an archive bomb does", self.ratio);
            let hint = "Store the files without ZIP compression; Zarr chunks have their own.";
            return Err(ArchiveFault::new("archive.ratio", Some(name), reason, hint));
        }
        Ok(())
    }

    pub(crate) fn check_total(&self, total: u64) -> Result<(), ArchiveFault> {
        if total > self.total_bytes {
            let reason = format!("its files have more than {} bytes together", self.total_bytes);
            return Err(ArchiveFault::too_large(None, reason));
        }
        Ok(())
    }

    pub(crate) fn check_count(&self, count: u64) -> Result<(), ArchiveFault> {
        if count > self.entries {
            return Err(ArchiveFault::too_large(None, format!("it has more than {} entries", self.entries)));
        }
        Ok(())
    }
}
