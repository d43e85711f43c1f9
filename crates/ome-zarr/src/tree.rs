use std::collections::BTreeMap;

use crate::{
    error::OmeZarrError,
    node::{Node, NodeKind},
    source::{FileSource, join, split},
};

/// The most metadata documents one tree may hold; a 1536-well plate of nine fields has about 100,000.
const MAX_NODES: usize = 500_000;

/// Every Zarr node of a source, and every file.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: BTreeMap<String, Node>,
    /// All file paths, sorted; empty where only single nodes were read.
    pub(crate) files: Vec<String>,
}

impl Tree {
    /// Reads the metadata of the whole source.
    pub(crate) fn read(source: &dyn FileSource) -> Result<Self, OmeZarrError> {
        let files = source.list("")?;
        let mut tree = Self { nodes: BTreeMap::new(), files };
        let mut folders: Vec<&str> = tree.files.iter().filter_map(|path| node_folder(path)).collect();
        folders.sort_unstable();
        folders.dedup();
        if folders.len() > MAX_NODES {
            return Err(OmeZarrError::too_large("", format!("more than {MAX_NODES} Zarr groups and arrays: split it")));
        }
        for folder in folders {
            if let Some(node) = Node::read(source, folder)? {
                tree.nodes.insert(folder.to_owned(), node);
            }
        }
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

    /// The folders of the nodes below a folder.
    pub(crate) fn folders_below(&self, folder: &str) -> impl Iterator<Item = &String> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let from = self.nodes.range(prefix.clone()..).map(|(folder, _)| folder);
        from.take_while(move |folder| folder.starts_with(&prefix)).filter(|folder| !folder.is_empty())
    }

    /// Whether nothing above the folder is a Zarr node.
    pub(crate) fn is_root(&self, folder: &str) -> bool {
        let mut above = split(folder);
        while let Some((parent, _)) = above {
            if self.nodes.contains_key(parent) {
                return false;
            }
            above = split(parent);
        }
        true
    }
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
    fn files_below_a_folder_do_not_include_its_namesakes() {
        let files = ["a.txt", "a/1", "a/2", "ab/1"].map(str::to_owned).to_vec();
        let tree = Tree { files, ..Tree::default() };
        assert_eq!(tree.files_below("a"), ["a/1", "a/2"]);
        assert_eq!(tree.files_below("").len(), 4);
        assert!(tree.files_below("z").is_empty());
    }
}
