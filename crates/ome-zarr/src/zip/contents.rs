//! What an archive holds, judged as a whole: where its Zarr hierarchy is, and what RFC-9 says about the rest.

use std::collections::BTreeSet;

use dataset_model::{FilePath, Finding, Findings};
use serde_json::Value;

use super::{ArchiveKind, pack::ome_version};

/// The largest metadata document read for this, in bytes.
pub(crate) const MAX_DOCUMENT_BYTES: u64 = 1 << 20;

/// What was seen of an archive.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// What its name, or else its first bytes, say it is.
    pub(crate) kind: Option<ArchiveKind>,
    /// Its files, in the order of the list.
    pub(crate) paths: Vec<FilePath>,
    /// The comment of a ZIP.
    pub(crate) comment: Vec<u8>,
    /// Whether a ZIP has ZIP64 records.
    pub(crate) zip64: bool,
    /// Files under ZIP compression.
    pub(crate) compressed: u64,
    /// Files passed over.
    pub(crate) skipped: u64,
    /// A name that differs from another in capitals alone.
    pub(crate) clash: Option<String>,
}

/// The documents of an archive, by path.
pub(crate) type Documents<'a> = &'a dyn Fn(&str) -> Option<Value>;

const FOLDER_HINT: &str = "Put the image's folder itself into the archive ('cells.ome.zarr/…') and call it '.zip', or convert it to \
                           OME-Zarr 0.5 with 'heliograph convert'.";
const TOP_HINT: &str = "Zip what is in the image's folder, not the folder: zarr.json stands at the top of an .ozx. 'heliograph convert' \
                        writes one; a plain '.zip' may hold folders.";

impl Contents {
    /// Whether documents of this path are asked for when the archive is judged.
    pub(crate) fn wants(path: &FilePath) -> bool {
        path.name() == "zarr.json" && path.names().count() <= 2
    }

    /// Whether the archive's top is a Zarr hierarchy of version 3.
    pub(crate) fn has_root(&self) -> bool {
        self.has("zarr.json")
    }

    fn has(&self, name: &str) -> bool {
        self.paths.iter().any(|path| path.as_str() == name)
    }

    /// An OME-Zarr zip file is one by its name, by its comment, or by what is at its top.
    fn is_ozx(&self, comment: Option<&Value>) -> bool {
        let says = comment.is_some_and(|comment| comment.get("ome").is_some());
        let zip = self.kind.is_none_or(ArchiveKind::is_zip);
        self.kind == Some(ArchiveKind::Ozx) || zip && (says || self.has_root())
    }

    /// All findings; with an error among them the archive is refused.
    pub(crate) fn judge(&self, documents: Documents<'_>) -> Vec<Finding> {
        let comment: Option<Value> = serde_json::from_slice(&self.comment).ok();
        let mut findings = self.judge_stores();
        if self.is_ozx(comment.as_ref()) && !findings.has_errors() {
            findings.extend(self.judge_root());
            findings.extend(self.judge_comment(comment.as_ref(), documents("zarr.json").as_ref()));
            findings.extend(self.judge_storage());
        }
        if self.has_root() {
            findings.extend(self.second_root(documents));
        }
        findings.extend(self.judge_names());
        findings
    }

    /// There must be Zarr in it, and no Zarr 2 at the top, where nothing gives it a name.
    fn judge_stores(&self) -> Vec<Finding> {
        let is_zarr = |path: &FilePath| matches!(path.name(), "zarr.json" | ".zgroup" | ".zarray");
        if !self.paths.iter().any(is_zarr) {
            let hint = "Deposit files that are no OME-Zarr as they are; an archive must hold an OME-Zarr image.";
            return vec![Finding::error("archive.no-zarr", "", "There is no Zarr image in the archive.", hint)];
        }
        let v2 = [".zgroup", ".zarray", ".zattrs"].into_iter().find(|name| self.has(name));
        match v2 {
            Some(file) if self.has_root() => {
                let message = "Two roots stand at the archive's top: one of Zarr 2 and one of Zarr 3.";
                vec![Finding::error("ozx.two-roots", file, message, "Keep the files of one version.")]
            }
            Some(file) => {
                let message =
                    "Zarr 2 stands at the archive's top, where an OME-Zarr zip file has its zarr.json (RFC-9).";
                vec![Finding::error("ozx.root", file, message, FOLDER_HINT)]
            }
            None => Vec::new(),
        }
    }

    /// "The ZIP file MUST contain the OME-Zarr's root-level `zarr.json`."
    fn judge_root(&self) -> Option<Finding> {
        if self.has_root() {
            return None;
        }
        let tops: BTreeSet<&str> = self.paths.iter().filter_map(|path| path.names().next()).collect();
        let (rule, message) = match tops.first().filter(|_| tops.len() == 1) {
            Some(top) => {
                ("ozx.nested-root", format!("The image lies in the folder '{top}' instead of the archive's top."))
            }
            None => (
                "ozx.root",
                "There is no zarr.json at the archive's top, as an OME-Zarr zip file must have.".to_owned(),
            ),
        };
        Some(Finding::error(rule, tops.first().copied().unwrap_or_default(), message, TOP_HINT))
    }

    /// "The ZIP archive comment SHOULD contain an UTF-8-encoded JSON string with an `ome` attribute that holds a `version`."
    fn judge_comment(&self, comment: Option<&Value>, root: Option<&Value>) -> Option<Finding> {
        let hint = "Write the comment {\"ome\": {\"version\": \"0.5\"}}, or none.";
        let Some(comment) = comment else {
            if self.comment.is_empty() {
                return Some(Finding::note(
                    "ozx.comment",
                    "",
                    "The archive has no comment that names its version.",
                    hint,
                ));
            }
            // What should say which OME-Zarr this is says something else.
            return Some(Finding::error("ozx.comment", "", "The archive's comment is not JSON.", hint));
        };
        let version = comment.pointer("/ome/version").and_then(Value::as_str);
        let Some(version) = version else {
            return Some(Finding::warning("ozx.comment", "", "The archive's comment names no OME-Zarr version.", hint));
        };
        let stored = root.and_then(ome_version).filter(|stored| *stored != version)?;
        let message = format!("The archive's comment says OME-Zarr {version}, its zarr.json {stored}.");
        Some(Finding::warning("ozx.comment", "", message, hint))
    }

    /// What RFC-9 recommends about the ZIP itself.
    fn judge_storage(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let again = "'heliograph convert' writes the archive anew in this way.";
        if self.compressed > 0 {
            let message = format!("{} file(s) are under ZIP compression; chunks have their own.", self.compressed);
            findings.push(Finding::warning("ozx.compression", "", message, again));
        }
        if !self.is_json_first() {
            let promised = self.promises_order();
            let message = "The zarr.json files do not come first, breadth-first, in the list of entries";
            findings.push(if promised {
                Finding::warning("ozx.order", "", format!("{message}, though the comment says so (jsonFirst)."), again)
            } else {
                Finding::note("ozx.order", "", format!("{message}."), again)
            });
        }
        if !self.zip64 {
            findings.push(Finding::note("ozx.zip64", "", "The archive does not use ZIP64.", again));
        }
        if self.kind == Some(ArchiveKind::Zip) {
            let hint = "Name it '.ozx', so that image programs know it.";
            findings.push(Finding::note("ozx.extension", "", "An OME-Zarr zip file is not named .ozx.", hint));
        }
        findings
    }

    fn promises_order(&self) -> bool {
        let comment: Value = serde_json::from_slice(&self.comment).unwrap_or_default();
        comment.pointer("/ome/zipFile/centralDirectory/jsonFirst") == Some(&Value::Bool(true))
    }

    fn is_json_first(&self) -> bool {
        let rank = |path: &FilePath| if path.name() == "zarr.json" { path.names().count() } else { usize::MAX };
        self.paths.is_sorted_by_key(rank)
    }

    /// "The ZIP file MUST contain exactly one OME-Zarr hierarchy": beside the levels and labels of an image there is no
    /// other image, and nothing of Zarr 2.
    fn second_root(&self, documents: Documents<'_>) -> Option<Finding> {
        let hint = "Make one archive for each image, or a '.zip' with a folder for each.";
        let found = |path: &str| {
            let message = "A second OME-Zarr root stands beside the one at the archive's top.";
            Finding::error("ozx.two-roots", path, message, hint)
        };
        let v2 = self.paths.iter().find(|path| matches!(path.name(), ".zgroup" | ".zarray"));
        if let Some(path) = v2 {
            return Some(found(path.as_str()));
        }
        let images = |document: &Value| document.pointer("/attributes/ome/multiscales").is_some();
        if !documents("zarr.json").is_some_and(|root| images(&root)) {
            return None;
        }
        let beside = self.paths.iter().filter(|path| Self::wants(path) && path.names().count() == 2);
        let second = beside.map(FilePath::as_str).find(|path| documents(path).is_some_and(|group| images(&group)));
        second.map(found)
    }

    fn judge_names(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(clash) = &self.clash {
            let message = "Two names differ in capitals alone; on Windows and macOS one would replace the other.";
            findings.push(Finding::warning("archive.capitals", clash, message, "Rename one of them."));
        }
        if self.skipped > 0 {
            let message = format!("{} file(s) of the desktop (.DS_Store, __MACOSX, …) were passed over.", self.skipped);
            findings.push(Finding::note("archive.clutter", "", message, "Nothing needs to be done."));
        }
        findings
    }
}
