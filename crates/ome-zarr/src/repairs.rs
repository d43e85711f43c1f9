//! Repairs of metadata that are safe to make for a depositor: the pixels cannot change, and nothing else of the file does.

use std::{collections::BTreeMap, ops::Range};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    error::OmeZarrError,
    node::{Node, NodeKind, ZarrVersion},
    source::{FileSource, SourceError, join},
    tree::Tree,
    validate::{Rule, agrees_with_plate, consolidated, level_folders},
    version::OmeVersion,
};

mod splice;

/// A change to a metadata file that makes a store keep a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorRepair {
    /// The rule that was broken, as findings name it.
    pub rule: String,
    /// The metadata file, relative to the source's root.
    pub path: String,
    /// The whole file after all repairs of it; `None` if it is taken out.
    #[serde(skip)]
    pub bytes: Option<Bytes>,
    /// What stood there, in words or JSON.
    pub from: String,
    /// What stands there now.
    pub to: String,
}

/// Finds what can be repaired without touching pixels: a labels group that does not name its version, consolidated metadata
/// that do not say what the tree says, a zstd codec that does not say whether it carries a checksum, the layout number of
/// bioformats2raw written as text, and a list of series that contradicts the plate.
///
/// Repairs of one file carry the same bytes. Sorted by file.
///
/// # Errors
/// The source failed, or holds too much.
pub fn repairs(source: &dyn FileSource) -> Result<Vec<DoorRepair>, OmeZarrError> {
    let tree = Tree::read(source)?;
    let mut bench = Bench { source, edits: BTreeMap::new(), repairs: Vec::new() };
    for node in tree.nodes.values().filter(|node| node.broken.is_empty() && OmeVersion::of(node).is_readable()) {
        if node.kind == NodeKind::Group {
            name_version(&tree, node, &mut bench)?;
            number_layout(node, &mut bench)?;
            drop_series(&tree, node, &mut bench)?;
        }
        for folder in level_folders(&tree, node) {
            if let Some(array) = tree.get(&folder).filter(|array| array.zarr == ZarrVersion::V3) {
                complete_zstd(array, &mut bench)?;
            }
        }
    }
    for group in tree.nodes.values().filter(|node| node.kind == NodeKind::Group && node.broken.is_empty()) {
        drop_consolidated(&tree, group, &mut bench)?;
    }
    Ok(bench.finish())
}

/// Files being repaired.
struct Bench<'a> {
    source: &'a dyn FileSource,
    /// Files as they stand after the repairs so far; `None` once taken out.
    edits: BTreeMap<String, Option<Vec<u8>>>,
    repairs: Vec<DoorRepair>,
}

impl Bench<'_> {
    /// Changes a file; nothing happens where the change does not find its place.
    fn edit(
        &mut self,
        rule: Rule,
        path: &str,
        (from, to): (&str, &str),
        change: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<(), OmeZarrError> {
        let before = match self.edits.get(path) {
            Some(Some(edited)) => edited.clone(),
            Some(None) => return Ok(()),
            None => self.source.read(path, 0..self.source.size(path)?.unwrap_or(0))?.to_vec(),
        };
        // The result is parsed again: a repair must not leave a file that cannot be read.
        if let Some(after) = change(&before).filter(|after| serde_json::from_slice::<Value>(after).is_ok()) {
            self.edits.insert(path.to_owned(), Some(after));
            self.note(rule, path, from, to);
        }
        Ok(())
    }

    fn remove(&mut self, rule: Rule, path: &str, from: &str) {
        self.edits.insert(path.to_owned(), None);
        self.note(rule, path, from, "nothing: the file is taken out");
    }

    fn note(&mut self, rule: Rule, path: &str, from: &str, to: &str) {
        let (path, from, to) = (path.to_owned(), from.to_owned(), to.to_owned());
        self.repairs.push(DoorRepair { rule: rule.id(), path, bytes: None, from, to });
    }

    fn finish(self) -> Vec<DoorRepair> {
        let finished: BTreeMap<String, Option<Bytes>> =
            self.edits.into_iter().map(|(path, bytes)| (path, bytes.map(Bytes::from))).collect();
        let mut repairs = self.repairs;
        for repair in &mut repairs {
            repair.bytes = finished.get(&repair.path).cloned().flatten();
        }
        repairs.sort_by(|a, b| a.path.cmp(&b.path));
        repairs
    }
}

/// ome-zarr-py 0.18 leaves the version out of labels groups.
fn name_version(tree: &Tree, node: &Node, bench: &mut Bench<'_>) -> Result<(), OmeZarrError> {
    let is_labels = node.ome_key("labels").is_some() && node.ome_key("multiscales").is_none();
    if node.zarr != ZarrVersion::V3 || !is_labels || OmeVersion::of(node) != OmeVersion::Missing {
        return Ok(());
    }
    // The image the labels belong to says which version it is.
    let image = crate::source::split(&node.folder).and_then(|(parent, _)| tree.image(parent));
    if image.map(OmeVersion::of) != Some(OmeVersion::V05) {
        return Ok(());
    }
    let said = ("no version", "\"version\": \"0.5\", as the image says");
    bench.edit(Rule::VersionMissing, &node.file, said, |text| {
        splice::insert(text, &["attributes", "ome"], "version", "\"0.5\"")
    })
}

fn number_layout(node: &Node, bench: &mut Bench<'_>) -> Result<(), OmeZarrError> {
    const KEY: &str = "bioformats2raw.layout";
    if node.ome_key(KEY).and_then(|layout| layout.text()) != Some("3") {
        return Ok(());
    }
    let (file, place): (String, &[&str]) = match node.zarr {
        ZarrVersion::V3 => (node.file.clone(), &["attributes", "ome", KEY]),
        ZarrVersion::V2 => (join(&node.folder, ".zattrs"), &[KEY]),
    };
    bench.edit(Rule::SeriesLayout, &file, ("\"3\"", "3"), |text| splice::replace(text, place, "3"))
}

/// Where there is a plate, it says which images there are (0.4 and 0.5, "bioformats2raw.layout").
fn drop_series(tree: &Tree, root: &Node, bench: &mut Bench<'_>) -> Result<(), OmeZarrError> {
    if root.ome_key("plate").is_none() || root.ome_key("bioformats2raw.layout").is_none() {
        return Ok(());
    }
    let Some(group) = tree.group(&join(&root.folder, "OME")) else { return Ok(()) };
    let Some(series) = group.ome_key("series").filter(|series| !agrees_with_plate(tree, root, series)) else {
        return Ok(());
    };
    let said: String = series.value.to_string().chars().take(200).collect();
    let (file, place): (String, &[&str]) = match group.zarr {
        ZarrVersion::V3 => (group.file.clone(), &["attributes", "ome", "series"]),
        ZarrVersion::V2 => (join(&group.folder, ".zattrs"), &["series"]),
    };
    let said = (said.as_str(), "no series: the plate lists the images");
    bench.edit(Rule::SeriesPlate, &file, said, |text| splice::remove(text, place))
}

fn complete_zstd(array: &Node, bench: &mut Bench<'_>) -> Result<(), OmeZarrError> {
    let mut places = Vec::new();
    incomplete_zstd(&array.metadata, &mut Vec::new(), &mut places);
    for place in places {
        let said = ("zstd without \"checksum\"", "\"checksum\": false, what readers take it for");
        bench.edit(Rule::CodecZstd, &array.file, said, |text| {
            let parts: Vec<&str> = place.iter().map(String::as_str).collect();
            splice::insert(text, &parts, "checksum", "false")
        })?;
    }
    Ok(())
}

/// The configurations of zstd codecs that have no `checksum`, in the array and in its shards.
fn incomplete_zstd(value: &Value, place: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let codecs = value.get("codecs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    // Shards within shards are looked into, but not for ever.
    let codecs = if place.len() < 12 { codecs } else { &[] };
    for (index, codec) in codecs.iter().enumerate() {
        let Some(configuration) = codec.get("configuration").filter(|value| value.is_object()) else { continue };
        let depth = place.len();
        place.extend(["codecs".to_owned(), index.to_string(), "configuration".to_owned()]);
        let is_zstd = codec.get("name").and_then(Value::as_str) == Some("zstd");
        if is_zstd && configuration.get("checksum").is_none() {
            found.push(place.clone());
        }
        incomplete_zstd(configuration, place, found);
        place.truncate(depth);
    }
}

/// Consolidated metadata that are wrong, or that the repairs above make wrong.
fn drop_consolidated(tree: &Tree, group: &Node, bench: &mut Bench<'_>) -> Result<(), OmeZarrError> {
    let file = match group.zarr {
        ZarrVersion::V3 if group.structure().get("consolidated_metadata").is_some() => group.file.clone(),
        ZarrVersion::V2 if tree.has_file(&join(&group.folder, ".zmetadata")) => join(&group.folder, ".zmetadata"),
        _ => return Ok(()),
    };
    let prefix = if group.folder.is_empty() { String::new() } else { format!("{}/", group.folder) };
    let is_repaired = bench.edits.keys().any(|path| path.starts_with(&prefix) && *path != file);
    let difference = match consolidated::difference(bench.source, tree, group)? {
        Some((_, difference)) => difference,
        None if is_repaired => "a repair changes what they repeat".to_owned(),
        None => return Ok(()),
    };
    let from = format!("consolidated metadata ({difference})");
    match group.zarr {
        ZarrVersion::V2 => bench.remove(Rule::ConsolidatedStale, &file, &from),
        ZarrVersion::V3 => {
            let said = (from.as_str(), "no consolidated metadata: readers take the tree");
            bench
                .edit(Rule::ConsolidatedStale, &file, said, |text| splice::remove(text, &["consolidated_metadata"]))?;
        }
    }
    Ok(())
}

/// A source as it is after repairs.
pub struct RepairedSource<'a> {
    source: &'a dyn FileSource,
    changed: BTreeMap<String, Option<Bytes>>,
}

impl std::fmt::Debug for RepairedSource<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RepairedSource").field("changed", &self.changed.keys()).finish_non_exhaustive()
    }
}

impl<'a> RepairedSource<'a> {
    /// The source, with the repairs laid over it.
    #[must_use]
    pub fn new(source: &'a dyn FileSource, repairs: &[DoorRepair]) -> Self {
        Self { source, changed: repairs.iter().map(|repair| (repair.path.clone(), repair.bytes.clone())).collect() }
    }
}

impl FileSource for RepairedSource<'_> {
    fn size(&self, path: &str) -> Result<Option<u64>, SourceError> {
        match self.changed.get(path) {
            Some(bytes) => Ok(bytes.as_ref().map(|bytes| bytes.len() as u64)),
            None => self.source.size(path),
        }
    }

    fn read(&self, path: &str, range: Range<u64>) -> Result<Bytes, SourceError> {
        let Some(bytes) = self.changed.get(path) else { return self.source.read(path, range) };
        let in_memory = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let part = bytes.as_ref().zip(in_memory).filter(|(bytes, (start, end))| start <= end && *end <= bytes.len());
        part.map(|(bytes, (start, end))| bytes.slice(start..end))
            .ok_or_else(|| SourceError::new(path, "there are no such bytes"))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, SourceError> {
        let mut files = self.source.list(folder)?;
        files.retain(|file| !matches!(self.changed.get(file), Some(None)));
        Ok(files)
    }

    fn can_list(&self) -> bool {
        self.source.can_list()
    }
}
