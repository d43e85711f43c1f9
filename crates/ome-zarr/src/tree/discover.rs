use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::{
    error::OmeZarrError,
    node::{Node, NodeKind},
    source::{FileSource, join, split},
};

use super::{Tree, above, check_count, resolve};

/// What a converted file's metadata are kept in, below its root.
const XML: &str = "OME/METADATA.ome.xml";

impl Tree {
    /// Finds the tree of a source that cannot list its files: from the root, whatever metadata point to.
    pub(super) fn discover(source: &dyn FileSource) -> Result<Self, OmeZarrError> {
        let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
        let mut seen: BTreeSet<String> = BTreeSet::from([String::new()]);
        let mut next: Vec<String> = vec![String::new()];
        while !next.is_empty() {
            let read = |folder: &String| Node::read(source, folder);
            let found: Vec<Option<Node>> = next.par_iter().map(read).collect::<Result<_, _>>()?;
            let found: Vec<Node> = found.into_iter().flatten().collect();
            let named = found.iter().flat_map(|node| named_by(node, &nodes));
            next = named.filter(|folder| seen.insert(folder.clone())).collect();
            check_count(seen.len())?;
            nodes.extend(found.into_iter().map(|node| (node.folder.clone(), node)));
        }
        let mut files = Vec::new();
        for node in nodes.values().filter(|node| node.ome_key("bioformats2raw.layout").is_some()) {
            let xml = join(&node.folder, XML);
            if source.size(&xml)?.is_some() {
                files.push(xml);
            }
        }
        files.sort_unstable();
        Ok(Self { nodes, files, is_listed: false })
    }
}

/// The folders a node's metadata name.
fn named_by(node: &Node, known: &BTreeMap<String, Node>) -> Vec<String> {
    if node.kind == NodeKind::Array {
        return Vec::new();
    }
    let folder = &node.folder;
    let mut named = Vec::new();
    let mut add = |path: Option<&str>| named.extend(path.and_then(|path| resolve(folder, path)));
    let lists = [("plate", "wells"), ("well", "images")];
    for multiscale in node.ome_key("multiscales").and_then(|list| list.items()).unwrap_or_default() {
        multiscale.list("datasets").iter().for_each(|dataset| add(dataset.text_of("path")));
        add(Some("labels"));
    }
    for (key, list) in lists {
        for item in node.ome_key(key).map(|value| value.list(list)).unwrap_or_default() {
            add(item.text_of("path"));
        }
    }
    for label in node.ome_key("labels").and_then(|labels| labels.items()).unwrap_or_default() {
        add(label.text());
    }
    if node.ome_key("bioformats2raw.layout").is_some() {
        ["OME", "0"].iter().for_each(|name| add(Some(name)));
    }
    // Rows of plates, and folders between a labels group and its labels.
    let between: Vec<String> = named
        .iter()
        .flat_map(|path| above(path).take_while(|parent| parent.len() > folder.len()).map(str::to_owned))
        .collect();
    named.extend(between);
    named.extend(beside(node, known));
    named
}

/// The images beside a node: those an `OME` group lists, and the one with the next number.
fn beside(node: &Node, known: &BTreeMap<String, Node>) -> Vec<String> {
    let Some((parent, name)) = split(&node.folder) else { return Vec::new() };
    let is_series = known.get(parent).is_some_and(|root| root.ome_key("bioformats2raw.layout").is_some());
    if !is_series {
        return Vec::new();
    }
    let listed = node.ome_key("series").and_then(|series| series.items()).unwrap_or_default();
    let mut beside: Vec<String> = listed.iter().filter_map(|path| resolve(parent, path.text()?)).collect();
    beside.extend(
        name.parse::<u32>().ok().and_then(|number| number.checked_add(1)).map(|next| join(parent, &next.to_string())),
    );
    beside
}
