use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::{
    error::OmeZarrError,
    node::{Node, NodeKind},
    source::{FileSource, join, split},
};

mod discover;

/// The most metadata documents one tree may hold; a 1536-well plate of nine fields has about 100,000.
const MAX_NODES: usize = 500_000;

/// Every Zarr node of a source, and every file.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: BTreeMap<String, Node>,
    /// All file paths, sorted; empty where only single nodes were read.
    pub(crate) files: Vec<String>,
    /// Whether `files` is all there is.
    pub(crate) is_listed: bool,
}

impl Tree {
    /// Reads the metadata of the whole source.
    pub(crate) fn read(source: &dyn FileSource) -> Result<Self, OmeZarrError> {
        if !source.can_list() {
            return Self::discover(source);
        }
        let mut tree = Self { nodes: BTreeMap::new(), files: source.list("")?, is_listed: true };
        let mut folders: Vec<&str> = tree.files.iter().filter_map(|path| node_folder(path)).collect();
        folders.sort_unstable();
        folders.dedup();
        check_count(folders.len())?;
        let read = |folder: &&str| Node::read(source, folder);
        let nodes: Vec<Option<Node>> = folders.par_iter().map(read).collect::<Result<_, _>>()?;
        tree.nodes = nodes.into_iter().flatten().map(|node| (node.folder.clone(), node)).collect();
        Ok(tree)
    }

    /// Reads one image: its group, its level arrays, and the group that lists its labels. Lists no folder.
    pub(crate) fn of_image(source: &dyn FileSource, folder: &str) -> Result<Self, OmeZarrError> {
        let mut tree = Self::default();
        tree.add(source, folder)?;
        tree.add(source, &join(folder, "labels"))?;
        // An image below a `labels` group is a label image, even if it does not say so.
        for (end, _) in folder.match_indices('/') {
            if let Some(above) =
                folder.get(..end).filter(|above| split(above).is_some_and(|(_, name)| name == "labels"))
            {
                tree.add(source, above)?;
            }
        }
        // A field says nothing of its plate, which is three folders up.
        let above = |folder: &str| split(folder).map(|(above, _)| above.to_owned());
        if let Some(plate) = above(folder).and_then(|well| above(&above(&well)?)) {
            tree.add(source, &plate)?;
        }
        for path in tree.get(folder).map(dataset_paths).unwrap_or_default() {
            if let Some(level) = resolve(folder, &path) {
                tree.add(source, &level)?;
            }
        }
        Ok(tree)
    }

    fn add(&mut self, source: &dyn FileSource, folder: &str) -> Result<(), OmeZarrError> {
        if let Some(node) = Node::read(source, folder)? {
            self.nodes.insert(folder.to_owned(), node);
        }
        Ok(())
    }

    pub(crate) fn get(&self, folder: &str) -> Option<&Node> {
        self.nodes.get(folder)
    }

    /// The node, if it is a group.
    pub(crate) fn group(&self, folder: &str) -> Option<&Node> {
        self.get(folder).filter(|node| node.kind == NodeKind::Group)
    }

    /// The node, if it is a multiscale image.
    pub(crate) fn image(&self, folder: &str) -> Option<&Node> {
        self.group(folder).filter(|node| node.ome_key("multiscales").is_some())
    }

    /// The files below a folder.
    pub(crate) fn files_below(&self, folder: &str) -> &[String] {
        below(&self.files, folder)
    }

    /// Whether there is such a file.
    pub(crate) fn has_file(&self, path: &str) -> bool {
        self.files.binary_search_by(|file| file.as_str().cmp(path)).is_ok()
    }

    /// The folders of the nodes below a folder.
    pub(crate) fn folders_below(&self, folder: &str) -> impl Iterator<Item = &String> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let from = self.nodes.range(prefix.clone()..).map(|(folder, _)| folder);
        from.take_while(move |folder| folder.starts_with(&prefix)).filter(|folder| !folder.is_empty())
    }

    /// Whether nothing above the folder is a Zarr node.
    pub(crate) fn is_root(&self, folder: &str) -> bool {
        !above(folder).any(|parent| self.nodes.contains_key(parent))
    }

    /// The nodes that lie directly in a folder.
    pub(crate) fn children<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a Node> {
        let below =
            self.folders_below(folder).filter(move |path| split(path).is_some_and(|(parent, _)| parent == folder));
        below.filter_map(|path| self.get(path))
    }
}

fn check_count(nodes: usize) -> Result<(), OmeZarrError> {
    if nodes > MAX_NODES {
        return Err(OmeZarrError::too_large("", format!("more than {MAX_NODES} Zarr groups and arrays: split it")));
    }
    Ok(())
}

/// The part of a sorted list that lies below a folder.
fn below<'a>(sorted: &'a [String], folder: &str) -> &'a [String] {
    if folder.is_empty() {
        return sorted;
    }
    let prefix = format!("{folder}/");
    let start = sorted.partition_point(|path| path.as_str() < prefix.as_str());
    let rest = sorted.get(start..).unwrap_or_default();
    let count = rest.partition_point(|path| path.starts_with(&prefix));
    rest.get(..count).unwrap_or_default()
}

/// The folders a path lies in, from the nearest to the root.
pub(crate) fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(split(path), |(parent, _)| split(parent)).map(|(parent, _)| parent)
}

/// The folder a metadata file describes.
fn node_folder(path: &str) -> Option<&str> {
    let (folder, name) = split(path)?;
    matches!(name, "zarr.json" | ".zgroup" | ".zarray").then_some(folder)
}

/// The `datasets[].path` of the first multiscale of a group.
pub(crate) fn dataset_paths(node: &Node) -> Vec<String> {
    let Some(first) = node.ome_key("multiscales").and_then(|list| list.items()?.into_iter().next()) else {
        return Vec::new();
    };
    first.list("datasets").iter().filter_map(|dataset| dataset.text_of("path").map(str::to_owned)).collect()
}

/// The folder a relative path leads to, `..` allowed; `None` if it leads out of the source.
pub(crate) fn resolve_upward(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// A relative path below a folder, or `None` if it would lead anywhere but deeper into it.
pub(crate) fn resolve(folder: &str, path: &str) -> Option<String> {
    let path: dataset_model::FilePath = path.trim_end_matches('/').parse().ok()?;
    Some(join(folder, path.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_image_resolve_to_nothing() {
        for bad in ["..", "../x", "/0", "a/../../b", "", ".", "a//b", "a\\b"] {
            assert_eq!(resolve("img", bad), None, "{bad}");
        }
        assert_eq!(resolve("", "0/1/").as_deref(), Some("0/1"));
    }

    #[test]
    fn paths_upward_stay_in_the_source() {
        assert_eq!(resolve_upward("img/labels/a", "../../").as_deref(), Some("img"));
        assert_eq!(resolve_upward("labels/a", "../..").as_deref(), Some(""));
        assert_eq!(resolve_upward("a", "../../x"), None);
    }

    #[test]
    fn files_below_a_folder_do_not_include_its_namesakes() {
        let files = ["a.txt", "a/1", "a/2", "ab/1"].map(str::to_owned).to_vec();
        let tree = Tree { files, ..Tree::default() };
        assert!(tree.has_file("a/1") && !tree.has_file("a"));
        assert_eq!(tree.files_below("a"), ["a/1", "a/2"]);
        assert_eq!(tree.files_below("").len(), 4);
        assert!(tree.files_below("z").is_empty());
    }
}
