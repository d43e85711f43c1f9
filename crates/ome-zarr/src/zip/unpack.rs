use std::io::{Cursor, Read};

use dataset_model::{FilePath, Finding, Findings};

use super::{
    ArchiveKind, ArchiveLimits,
    contents::{Contents, MAX_DOCUMENT_BYTES},
    fault::ArchiveFault,
    member::{self, Names},
    stream::{self, Member},
    tar, zip_stream,
};
use crate::error::OmeZarrError;

/// Takes one file of an archive: its path there, and its bytes.
pub type Sink<'a> = &'a mut dyn FnMut(&FilePath, &mut dyn Read) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// An archive that was read to its end and found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// What it was.
    pub kind: ArchiveKind,
    /// Files given to the sink.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is worth knowing about the archive; no errors.
    pub findings: Vec<Finding>,
    has_root: bool,
}

impl Unpacked {
    /// The folder its files go to: the one asked for; else, for an image at the archive's top, one named after the archive.
    /// Nothing where the archive has folders of its own.
    pub fn folder(&self, asked: Option<&str>, name: Option<&str>) -> Option<String> {
        let image = || ArchiveKind::image_folder(name.unwrap_or_default());
        asked.map(str::to_owned).or_else(|| self.has_root.then(image))
    }
}

/// Unpacks an archive (`.ozx`, `.zip`, `.tar`, `.tar.gz`) while it streams in; it is never sought, nor held.
///
/// `name` is its file name, where it has one; otherwise its first bytes tell what it is. Each file is given to `sink` as it
/// comes, so that what the sink did counts for nothing until this returns: rules about the archive as a whole, and the
/// list at its end, are known last.
///
/// # Errors
/// [`OmeZarrError::Archive`] and [`OmeZarrError::ArchiveContents`] when the archive is refused; [`OmeZarrError::Source`] when
/// the reader failed; [`OmeZarrError::Write`] when the sink did.
pub fn unpack(
    mut reader: impl Read,
    name: Option<&str>,
    limits: &ArchiveLimits,
    sink: Sink<'_>,
) -> Result<Unpacked, OmeZarrError> {
    let mut start = Vec::new();
    let magic = ArchiveKind::MAGIC_BYTES as u64;
    reader.by_ref().take(magic).read_to_end(&mut start).map_err(stream::failed)?;
    let kind = name.and_then(ArchiveKind::of_name).or_else(|| ArchiveKind::of_bytes(&start));
    let kind = kind.ok_or_else(|| ArchiveFault::format("it is neither a ZIP nor a tar"))?;
    let contents = Contents::new(name.map(|_| kind));
    let files = Files { limits, sink, names: Names::default(), contents, count: 0, bytes: 0, listed: 0 };
    let reader = Cursor::new(start).chain(reader);
    let files = match kind {
        ArchiveKind::Ozx | ArchiveKind::Zip => zip_stream::read(reader, files)?,
        ArchiveKind::Tar => tar::read(reader, files)?,
        ArchiveKind::TarGz => tar::read_gz(reader, files)?,
    };
    files.finish(kind)
}

/// What has been unpacked so far.
pub(crate) struct Files<'a> {
    pub(crate) limits: &'a ArchiveLimits,
    sink: Sink<'a>,
    names: Names,
    pub(crate) contents: Contents,
    count: u64,
    pub(crate) bytes: u64,
    /// Entries of a ZIP's list so far, folders included.
    pub(crate) listed: u64,
}

impl Files<'_> {
    /// Checks a name; nothing where the entry is passed over: a folder, or clutter.
    pub(crate) fn admit(&mut self, name: &str) -> Result<Option<FilePath>, ArchiveFault> {
        let path = self.names.admit(name, self.limits)?;
        if name.ends_with('/') {
            return Ok(None);
        }
        if member::is_clutter(&path) {
            self.contents.skipped += 1;
            return Ok(None);
        }
        Ok(Some(path))
    }

    /// Gives a file to the sink; gives its size and checksum.
    pub(crate) fn take<R: Read>(
        &mut self,
        path: Option<&FilePath>,
        mut member: Member<'_, R>,
    ) -> Result<(u64, u32), OmeZarrError> {
        if let Some(path) = path {
            let outcome = if Contents::wants(path) {
                self.take_document(path, &mut member)
            } else {
                (self.sink)(path, &mut member)
            };
            if let Some(fault) = member.take_fault() {
                return Err(fault.into());
            }
            if let Err(source) = outcome {
                return Err(not_taken(path, source));
            }
            self.count += 1;
        }
        let (size, crc32) = member.finish()?;
        self.bytes += if path.is_some() { size } else { 0 };
        Ok((size, crc32))
    }

    /// Keeps a document that the archive is judged by, and gives it to the sink as well.
    fn take_document(
        &mut self,
        path: &FilePath,
        member: &mut dyn Read,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut head = Vec::new();
        (&mut *member).take(MAX_DOCUMENT_BYTES).read_to_end(&mut head)?;
        if let Ok(document) = serde_json::from_slice(&head) {
            self.contents.note_document(path, &document);
        }
        (self.sink)(path, &mut Cursor::new(head).chain(member))
    }

    fn finish(mut self, kind: ArchiveKind) -> Result<Unpacked, OmeZarrError> {
        self.names.finish()?;
        self.contents.clash = self.names.clash().map(str::to_owned);
        if self.contents.kind.is_none() && !kind.is_zip() {
            self.contents.kind = Some(kind);
        }
        let findings = self.contents.judge();
        if findings.has_errors() {
            return Err(OmeZarrError::ArchiveContents(findings));
        }
        let has_root = self.contents.has_root();
        Ok(Unpacked { kind, files: self.count, bytes: self.bytes, findings, has_root })
    }
}

fn not_taken(path: &FilePath, source: Box<dyn std::error::Error + Send + Sync>) -> OmeZarrError {
    // What failed may have been the reading: the sink passes that on.
    match source.downcast::<std::io::Error>() {
        Ok(error) if error.get_ref().is_some_and(|inner| inner.is::<ArchiveFault>()) => stream::failed(*error),
        Ok(error) => OmeZarrError::Write { path: path.to_string(), source: error },
        Err(source) => OmeZarrError::Write { path: path.to_string(), source },
    }
}
