use std::{collections::HashMap, sync::Arc};

use super::document::{Document, TiffData};
use crate::{
    error::OmeZarrError,
    import::{
        file::SourceFile,
        tiff::{Files, TiffFile},
    },
    source::{FileSource, join, split},
};

/// The most files of one set.
const MAX_FILES: usize = 1 << 16;

/// The TIFF files that a document names, opened as they are needed.
pub(super) struct FileSet {
    source: Arc<dyn FileSource>,
    /// The folder that all of them are in.
    folder: String,
    /// The file that was asked for.
    path: String,
    files: Vec<TiffFile>,
    by_name: HashMap<String, u32>,
    /// What the document calls the file that was asked for, where no file has this name.
    alias: Option<String>,
    uuid: Option<String>,
}

impl FileSet {
    /// A set that begins with one file, or with none where the document stands alone.
    pub(super) fn new(source: &Arc<dyn FileSource>, path: &str, own: Option<TiffFile>, document: &Document) -> Self {
        let (folder, name) = split(path).unwrap_or_default();
        let mut set = Self {
            source: Arc::clone(source),
            folder: folder.to_owned(),
            path: path.to_owned(),
            files: Vec::new(),
            by_name: HashMap::new(),
            alias: None,
            uuid: document.uuid.clone(),
        };
        if let Some(own) = own {
            set.files.push(own);
            set.by_name.insert(name.to_owned(), 0);
        }
        set
    }

    /// The one name a document uses, where the file has been renamed since: `true` if it is taken for the file itself.
    pub(super) fn accept_renamed(&mut self, document: &Document) -> Result<bool, OmeZarrError> {
        let mut names = document.file_names();
        let Some(first) = names.next() else { return Ok(false) };
        if self.files.is_empty() || self.by_name.contains_key(first) || names.any(|name| name != first) {
            return Ok(false);
        }
        if check_name(first).is_ok() && self.source.size(&join(&self.folder, first))?.is_some() {
            return Ok(false);
        }
        self.alias = Some(first.to_owned());
        Ok(true)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn path_of(&self, file: u32) -> &str {
        self.files.get(file as usize).map_or(&self.path, |file| file.file.path())
    }

    pub(super) fn page_count(&self, file: u32) -> u64 {
        self.files.get(file as usize).map_or(0, |file| file.pages.len() as u64)
    }

    pub(super) fn samples(&self, file: u32, page: u64) -> u16 {
        let page = self.files.get(file as usize).and_then(|file| file.pages.get(page as usize));
        page.map_or(1, |page| page.layout().samples())
    }

    /// Which file planes are in.
    pub(super) fn index_of(&mut self, data: &TiffData) -> Result<u32, OmeZarrError> {
        let is_own = data.uuid.is_some() && data.uuid == self.uuid;
        let name = match &data.file {
            Some(name) if self.alias.as_ref() != Some(name) => name,
            // The file itself, whatever it was called.
            _ if !self.files.is_empty() => return Ok(0),
            _ => {
                return Err(OmeZarrError::metadata(
                    &self.path,
                    "its OME-XML does not name the TIFF files that hold the planes",
                ));
            }
        };
        if let Some(index) = self.by_name.get(name) {
            return Ok(*index);
        }
        check_name(name).map_err(|reason| OmeZarrError::metadata(&self.path, reason))?;
        let path = join(&self.folder, name);
        if self.source.size(&path)?.is_none() {
            if is_own && !self.files.is_empty() {
                return Ok(0);
            }
            return Err(missing(&self.path, name));
        }
        if self.files.len() == MAX_FILES {
            return Err(OmeZarrError::too_large(&self.path, format!("its set has more than {MAX_FILES} files")));
        }
        self.files.push(TiffFile::open(SourceFile::open(&self.source, &path)?)?);
        let index = (self.files.len() - 1) as u32;
        self.by_name.insert(name.clone(), index);
        Ok(index)
    }

    /// All files that were opened.
    pub(super) fn finish(self) -> Files {
        self.files.into()
    }
}

/// A file of the set is not there.
pub(super) fn missing(path: &str, name: &str) -> OmeZarrError {
    let name = name.escape_default();
    let reason = format!(
        "its OME-XML needs the file '{name}' beside it, which is not there: add it, with all others of the set"
    );
    OmeZarrError::metadata(path, reason)
}

/// Only names of files in the same folder are followed.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let is_plain = !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0', ':']);
    if is_plain {
        Ok(())
    } else {
        Err(format!("its OME-XML names the file '{}', which is not one beside it", name.escape_default()))
    }
}
