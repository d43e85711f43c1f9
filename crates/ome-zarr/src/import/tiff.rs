//! TIFF files: their pages, and images made of pages.
//!
//! Directories are read here, strips and tiles on demand, wherever they are; the codecs are those of the `tiff` crate.

use std::{collections::HashSet, sync::Arc};

mod codec;
mod directory;
mod layout;
mod page;
mod pixels;
mod stack;
mod store;

pub(super) use directory::Header;
use directory::Reader;
pub(super) use layout::{Layout, Photometric};
use page::{Page, Resolution};
pub(super) use stack::{Place, Stack};

use super::{
    file::{FileRef, SourceFile},
    formats,
};
use crate::error::OmeZarrError;

/// The most pages of one file.
const MAX_PAGES: usize = 1 << 20;

/// A TIFF file and its pages, in the order of the file; smaller copies kept below a page are not among them.
pub(super) struct TiffFile {
    pub(super) file: SourceFile,
    pub(super) header: Header,
    pub(super) pages: Vec<Page>,
    pub(super) resolution: Resolution,
    /// What is not pixels: the first directory, and values of its fields.
    occupied: Vec<u64>,
}

impl TiffFile {
    /// Reads all directories.
    ///
    /// # Errors
    /// It is not a TIFF file, it is damaged, or it is a variant whose pages would be misread.
    pub(super) fn open(file: SourceFile) -> Result<Self, OmeZarrError> {
        let header =
            Header::read(&file.head(16)?).ok_or_else(|| OmeZarrError::decode(file.path(), "it is not a TIFF file"))?;
        let mut reader = Reader::new(file.part(), header);
        let (mut seen, mut pages) = (HashSet::new(), Vec::<Page>::new());
        let mut resolution = Resolution { x: None, y: None, unit: 1 };
        let mut occupied = vec![header.first];
        let mut next = header.first;
        while next != 0 {
            if !seen.insert(next) {
                return Err(OmeZarrError::decode(file.path(), "its list of pages runs in a circle"));
            }
            if pages.len() == MAX_PAGES {
                return Err(OmeZarrError::too_large(file.path(), format!("it has more than {MAX_PAGES} pages")));
            }
            let directory = reader.directory(next)?;
            if pages.is_empty() {
                formats::refuse_tiff_variants(file.path(), |tag| directory.field(tag).map(|field| field.count))?;
                resolution = page::resolution(&mut reader, &directory)?;
                occupied.extend(directory.places());
            }
            let last = pages.last().map(|page| &page.layout);
            let page = Page::read(&mut reader, &directory, file.path(), last)?;
            pages.push(page);
            next = directory.next;
        }
        if pages.is_empty() {
            return Err(OmeZarrError::decode(file.path(), "it holds no picture"));
        }
        Ok(Self { file, header, pages, resolution, occupied })
    }

    /// The text beside a page.
    pub(super) fn description(&self, page: usize) -> Result<Option<String>, OmeZarrError> {
        let mut reader = Reader::new(self.file.part(), self.header);
        self.pages.get(page).map_or(Ok(None), |page| page.description(&mut reader))
    }

    /// How many planes there are: one for each page, or as many as follow each other where a program wrote one directory
    /// for all of them.
    pub(super) fn planes(&self) -> Result<u64, OmeZarrError> {
        let page = &self.pages[0];
        let layout = &page.layout;
        if self.pages.len() > 1 || !layout.is_plain() || layout.is_tiled || layout.planar {
            return Ok(self.pages.len() as u64);
        }
        let plane = layout.plane_bytes();
        let store = store::Store::default();
        let first = store.number(self, 0, &page.offsets, 0)?;
        let last = layout.chunk_count() - 1;
        let end = store.number(self, 0, &page.offsets, last)?.saturating_add(layout.bytes_of(layout.rows_of(last)));
        let is_whole = page.has_one_part() || end.checked_sub(first) == Some(plane);
        let end = self.occupied.iter().copied().filter(|at| *at > first).min().unwrap_or(self.file.size());
        Ok(if is_whole { end.saturating_sub(first) / plane } else { 1 })
    }
}

/// The text beside the first page of a file, without a look at the others.
///
/// # Errors
/// It is damaged, a variant whose pages would be misread, or its first page cannot be read here.
pub(super) fn first_description(file: FileRef<'_>, header: Header) -> Result<Option<String>, OmeZarrError> {
    let mut reader = Reader::new(file, header);
    let directory = reader.directory(header.first)?;
    formats::refuse_tiff_variants(file.path, |tag| directory.field(tag).map(|field| field.count))?;
    let page = Page::read(&mut reader, &directory, file.path, None)?;
    page.check_readable(file.path)?;
    page.description(&mut reader)
}

/// A list of files that images take planes from.
pub(super) type Files = Arc<[TiffFile]>;
