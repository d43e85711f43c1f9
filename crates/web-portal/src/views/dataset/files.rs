use dataset_model::ManifestFile;
use node::{RecordKind, RecordView};

use crate::{links, views::format};

/// As many files are listed on the page; the manifest has all.
const LISTED: usize = 200;

/// The files of a deposit.
#[derive(Debug, Clone)]
pub(crate) struct FilesView {
    pub count: String,
    pub bytes: Option<String>,
    pub listed: Vec<FileRow>,
    /// `12,345 more`, when not all are listed.
    pub more: Option<String>,
    /// The complete list, as JSON.
    pub manifest: String,
    /// What is to be said about copies.
    pub copies: Vec<String>,
}

/// One file.
#[derive(Debug, Clone)]
pub(crate) struct FileRow {
    pub path: String,
    pub href: String,
    pub size: String,
    pub sha256: String,
    pub short: String,
}

impl FilesView {
    /// What is known about the files: all of it here, the list's address at a peer, nothing of a catalogue record.
    pub(crate) fn of(record: &RecordView, manifest: Option<&[ManifestFile]>) -> Option<Self> {
        if record.kind == RecordKind::Catalogue {
            return None;
        }
        let base = if record.own || record.copy.is_some() {
            ""
        } else {
            record.node.url.as_deref().filter(|url| links::web(url).is_some())?
        };
        let id = links::name(record.id.as_str());
        let files = manifest.unwrap_or_default();
        let data = format!("{base}/data/{id}/{}", record.version);
        Some(Self {
            count: record
                .files
                .or(record.copy.as_ref().map(|copy| copy.files))
                .map_or_else(|| format!("Served by {}", record.node.id), |files| format::count(files, "file", "files")),
            bytes: record.bytes.or(record.copy.as_ref().map(|copy| copy.bytes)).map(format::bytes),
            copies: copies(record),
            listed: files.iter().take(LISTED).map(|file| FileRow::of(file, &data)).collect(),
            more: files.len().checked_sub(LISTED + 1).map(|more| format!("{} more", format::number(more as u64 + 1))),
            manifest: format!("{base}/api/v1/datasets/{id}/versions/{}/manifest", record.version),
        })
    }
}

/// Where the bytes are, besides at the node that published them.
fn copies(record: &RecordView) -> Vec<String> {
    let origin = record.node.url.as_deref().unwrap_or(record.node.id.as_str());
    let here = record.copy.as_ref().map(|copy| {
        format!("A copy is held here, verified on {}. The original is at {origin}.", format::moment(copy.verified))
    });
    let names: Vec<&str> = record.mirrors.iter().map(|mirror| mirror.id.as_str()).collect();
    let elsewhere = (!names.is_empty()).then(|| format!("Copies are also held by: {}.", names.join(", ")));
    here.into_iter().chain(elsewhere).collect()
}

impl FileRow {
    fn of(file: &ManifestFile, data: &str) -> Self {
        let sha256 = file.sha256.to_string();
        Self {
            path: file.path.to_string(),
            href: format!("{data}/{}", links::path(file.path.as_str())),
            size: format::bytes(file.size),
            short: format::short_digest(&sha256),
            sha256,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::dataset::tests::record;

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let file = |number: usize| ManifestFile {
            path: format!("{number:04}").parse().unwrap(),
            size: 1,
            sha256: dataset_model::Digest::of("x"),
        };
        let files: Vec<_> = (0..201).map(file).collect();
        let view = FilesView::of(&record(), Some(&files)).unwrap();
        assert_eq!((view.listed.len(), view.more.as_deref()), (200, Some("1 more")));
        assert_eq!(FilesView::of(&record(), files.get(..200)).unwrap().more, None);
    }

    #[test]
    fn a_peers_files_are_listed_at_the_peer() {
        let mut record = record();
        (record.own, record.node.url) = (false, Some("https://japan.example.org".into()));
        let view = FilesView::of(&record, None).unwrap();
        assert_eq!(view.manifest, "https://japan.example.org/api/v1/datasets/europe-1/versions/v2/manifest");
    }
}
