//! What an archive holds, judged as a whole: where its Zarr hierarchy is, and what RFC-9 says about the rest.

use dataset_model::{FilePath, Finding, Findings};
use serde_json::Value;

use super::{ArchiveKind, pack::ome_version};

/// The largest metadata document read for this, in bytes.
pub(crate) const MAX_DOCUMENT_BYTES: u64 = 1 << 20;

/// What was seen of an archive: as much as it is judged by, however many files it has.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// What its name says it is, or else its first bytes where they tell.
    pub(crate) kind: Option<ArchiveKind>,
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
    /// Whether any file is Zarr metadata.
    has_zarr: bool,
    /// Whether `zarr.json` stands at the top.
    has_root: bool,
    /// The first file of Zarr 2, and the first one at the top.
    v2: Option<FilePath>,
    v2_at_top: Option<FilePath>,
    /// The first name at the top, and whether there is another.
    top: Option<String>,
    has_more_tops: bool,
    /// Whether metadata stopped coming breadth-first and before all else; `rank` is that of the file noted last.
    disordered: bool,
    rank: usize,
    /// What `zarr.json` at the top says, and the first group below it that is an image.
    root: Root,
    image_beside: Option<FilePath>,
}

/// What the metadata at the top says.
#[derive(Debug, Default)]
struct Root {
    version: Option<String>,
    is_image: bool,
}

const FOLDER_HINT: &str = "Put the image's folder itself into the archive ('cells.ome.zarr/…') and call it '.zip', or \
                           convert it to OME-Zarr 0.5 with 'heliograph convert'.";
const TOP_HINT: &str = "Zip what is in the image's folder, not the folder: zarr.json stands at the top of an .ozx. \
                        'heliograph convert' writes one; a plain '.zip' may hold folders.";

impl Contents {
    /// Nothing seen yet.
    pub(crate) fn new(kind: Option<ArchiveKind>) -> Self {
        Self { kind, ..Self::default() }
    }

    /// Notes a file, in the order of the archive's list.
    pub(crate) fn note(&mut self, path: &FilePath) {
        let (name, depth) = (path.name(), path.names().count());
        let is_v2 = matches!(name, ".zgroup" | ".zarray");
        self.has_zarr |= is_v2 || name == "zarr.json";
        self.has_root |= path.as_str() == "zarr.json";
        if is_v2 && self.v2.is_none() {
            self.v2 = Some(path.clone());
        }
        if depth == 1 && (is_v2 || name == ".zattrs") && self.v2_at_top.is_none() {
            self.v2_at_top = Some(path.clone());
        }
        let top = path.names().next().unwrap_or_default();
        match &self.top {
            None => self.top = Some(top.to_owned()),
            Some(first) => self.has_more_tops |= first != top,
        }
        let rank = if name == "zarr.json" { depth } else { usize::MAX };
        self.disordered |= rank < self.rank;
        self.rank = rank;
    }

    /// Whether a file's content matters to the judgement: the metadata at the top, and of the groups below it.
    pub(crate) fn wants(path: &FilePath) -> bool {
        path.name() == "zarr.json" && path.names().count() <= 2
    }

    /// Notes what a wanted file holds.
    pub(crate) fn note_document(&mut self, path: &FilePath, document: &Value) {
        let is_image = document.pointer("/attributes/ome/multiscales").is_some();
        if path.names().count() == 1 {
            let version = ome_version(document).map(|version| version.chars().take(40).collect());
            self.root = Root { version, is_image };
        } else if is_image && self.image_beside.is_none() {
            self.image_beside = Some(path.clone());
        }
    }

    /// Whether the archive's top is a Zarr hierarchy of version 3.
    pub(crate) fn has_root(&self) -> bool {
        self.has_root
    }

    /// An OME-Zarr zip file is one by its name, by its comment, or by what is at its top.
    fn is_ozx(&self, comment: Option<&Value>) -> bool {
        let says = comment.is_some_and(|comment| comment.get("ome").is_some());
        let zip = self.kind.is_none_or(ArchiveKind::is_zip);
        self.kind == Some(ArchiveKind::Ozx) || zip && (says || self.has_root())
    }

    /// All findings; with an error among them the archive is refused.
    pub(crate) fn judge(&self) -> Vec<Finding> {
        let comment: Option<Value> = serde_json::from_slice(&self.comment).ok();
        let mut findings = self.judge_stores();
        if self.is_ozx(comment.as_ref()) && !findings.has_errors() {
            findings.extend(self.judge_root());
            findings.extend(self.judge_comment(comment.as_ref()));
            findings.extend(self.judge_storage());
        }
        if self.has_root() {
            findings.extend(self.second_root());
        } else if self.kind == Some(ArchiveKind::Zip) && !findings.has_errors() {
            findings.extend(self.folder_around());
        }
        findings.extend(self.judge_names());
        findings
    }

    /// There must be Zarr in it, and no Zarr 2 at the top, where nothing gives it a name.
    fn judge_stores(&self) -> Vec<Finding> {
        if !self.has_zarr {
            let hint = "Deposit files that are no OME-Zarr as they are; an archive must hold an OME-Zarr image.";
            return vec![Finding::error("archive.no-zarr", "", "There is no Zarr image in the archive.", hint)];
        }
        match self.v2_at_top.as_ref().map(FilePath::as_str) {
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
        let top = self.top.as_deref().unwrap_or_default();
        let (rule, message) = if self.has_more_tops {
            ("ozx.root", "There is no zarr.json at the archive's top, as an OME-Zarr zip file must have.".to_owned())
        } else {
            ("ozx.nested-root", format!("The image lies in the folder '{top}' instead of the archive's top."))
        };
        Some(Finding::error(rule, top, message, TOP_HINT))
    }

    /// One folder around everything is kept, and told: an OME-Zarr zip file has none.
    fn folder_around(&self) -> Option<Finding> {
        let top = self.top.as_deref().filter(|_| !self.has_more_tops)?;
        let message =
            format!("Everything lies in the folder '{top}', which is kept; an .ozx has no folder around its image.");
        Some(Finding::note("archive.nested-root", top, message, "Nothing needs to be done."))
    }

    /// "The ZIP archive comment SHOULD contain an UTF-8-encoded JSON string with an `ome` attribute that holds a `version`."
    fn judge_comment(&self, comment: Option<&Value>) -> Option<Finding> {
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
        let stored = self.root.version.as_deref().filter(|stored| *stored != version)?;
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
        if self.disordered {
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

    /// "The ZIP file MUST contain exactly one OME-Zarr hierarchy": beside the levels and labels of an image there is no
    /// other image, and nothing of Zarr 2.
    fn second_root(&self) -> Option<Finding> {
        let beside = self.image_beside.as_ref().filter(|_| self.root.is_image);
        let second = self.v2.as_ref().or(beside)?;
        let message = "A second OME-Zarr root stands beside the one at the archive's top.";
        let hint = "Make one archive for each image, or a '.zip' with a folder for each.";
        Some(Finding::error("ozx.two-roots", second.as_str(), message, hint))
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
