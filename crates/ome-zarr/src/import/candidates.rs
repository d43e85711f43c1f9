use std::collections::{BTreeMap, BTreeSet};

use super::{
    czi,
    file::FileRef,
    folder, formats, ome,
    tiff::{self, Header},
};
use crate::{
    error::OmeZarrError,
    find::find_stores,
    source::{FileSource, join, split},
};

/// A microscope file, or a set of files that belong together, in a tree of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportCandidate {
    /// What to convert: a file, or a folder of planes; relative to the source's root.
    pub path: String,
    /// The name of the format, such as `OME-TIFF`.
    pub format: String,
    /// All files that belong to it, sorted.
    pub files: Vec<String>,
    /// A name for the image that is made of it, beside it: `cells.ome.zarr`.
    pub output: String,
    /// Why it cannot be converted here, and what to do; `None` if it looks as if it can.
    pub refusal: Option<String>,
}

/// Finds the microscope files of a tree that are no part of an OME-Zarr store, sorted by path.
///
/// Files are told by their names and first bytes; what a set consists of is what its OME-XML says, or, for folders of
/// planes, what the names of the files say plainly. Pixels are not looked at: a candidate can still turn out damaged.
///
/// # Errors
/// The source could not be read.
pub fn find_imports(source: &dyn FileSource) -> Result<Vec<ImportCandidate>, OmeZarrError> {
    let stores = find_stores(source)?;
    let in_store = |path: &str| stores.iter().any(|store| is_below(path, store));
    let files: Vec<String> = source.list("")?.into_iter().filter(|path| !in_store(path)).collect();
    let mut search = Search { source, taken: BTreeSet::new(), found: Vec::new() };
    for path in files.iter().filter(|path| ome::is_companion(path)) {
        search.ome(path, None)?;
    }
    search.folders(&files);
    for path in &files {
        search.file(path)?;
    }
    let mut found = search.found;
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

struct Search<'a> {
    source: &'a dyn FileSource,
    /// Files that belong to what was found.
    taken: BTreeSet<String>,
    found: Vec<ImportCandidate>,
}

impl Search<'_> {
    /// A file that is none of those before it.
    fn file(&mut self, path: &str) -> Result<(), OmeZarrError> {
        let Some(size) = self.source.size(path)?.filter(|_| !self.taken.contains(path)) else { return Ok(()) };
        let file = FileRef { source: self.source, path, size };
        let head = file.read(0..size.min(64))?;
        let own = || vec![path.to_owned()];
        if let Some(format) = formats::recognise(path, &head) {
            let refusal = formats::unsupported(path, format, "this format is not read here");
            self.add(path, format, own(), Some(refusal.to_string()));
            return Ok(());
        }
        if czi::is_czi(&head) {
            self.add(path, "Zeiss CZI", own(), None);
            return Ok(());
        }
        let Some(header) = Header::read(&head) else { return Ok(()) };
        let text = tiff::first_description(file, header).and_then(|text| {
            let variant = formats::refuse_described_variants(path, text.as_deref().unwrap_or_default());
            variant.map(|()| text)
        });
        match text {
            Ok(Some(text)) if ome::is_document(&text) => return self.ome(path, Some(text)),
            Ok(_) => self.add(path, "TIFF", own(), None),
            Err(error) => self.add(path, "TIFF", own(), Some(error.to_string())),
        }
        Ok(())
    }

    /// A file with OME-XML, and those that it names.
    fn ome(&mut self, path: &str, text: Option<String>) -> Result<(), OmeZarrError> {
        match ome::members(self.source, path, text)? {
            Ok(files) => self.add(path, "OME-TIFF", files, None),
            Err(refusal) => self.add(path, "OME-TIFF", vec![path.to_owned()], Some(refusal)),
        }
        Ok(())
    }

    /// Folders whose files say in their names that they are planes of one image, or of a plate.
    fn folders(&mut self, files: &[String]) {
        let mut folders = BTreeMap::<String, Vec<String>>::new();
        let may_be = |path: &&String| folder::is_plane(path) && !self.taken.contains(*path);
        for path in files.iter().filter(may_be) {
            let (parent, name) = folder::parts(path);
            folders.entry(parent.to_owned()).or_default().push(name.to_owned());
        }
        for (path, names) in folders {
            let Ok(names) = folder::planes(names) else { continue };
            let files = names.iter().map(|name| join(&path, name)).collect();
            self.add(&path, "folder of TIFF planes", files, None);
        }
    }

    fn add(&mut self, path: &str, format: &str, mut files: Vec<String>, refusal: Option<String>) {
        files.sort_unstable();
        self.taken.extend(files.iter().cloned());
        let output = output(path);
        self.found.push(ImportCandidate { path: path.to_owned(), format: format.to_owned(), files, output, refusal });
    }
}

/// `a/cells.ome.tif` becomes `a/cells.ome.zarr`.
fn output(path: &str) -> String {
    let (folder, name) = split(path).unwrap_or(("", "images"));
    let lower = name.to_lowercase();
    let endings = [".companion.ome", ".ome.tiff", ".ome.tif", ".ome.btf", ".ome.xml"];
    let known = endings.iter().find(|ending| lower.ends_with(*ending)).map(|ending| name.len() - ending.len());
    let stem = known.or_else(|| name.rfind('.')).filter(|at| *at > 0).map_or(name, |at| &name[..at]);
    join(folder, &format!("{stem}.ome.zarr"))
}
