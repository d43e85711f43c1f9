use std::collections::BTreeMap;

use dataset_model::Severity;

use crate::{
    faults::Faults,
    node::{Node, NodeKind, ZarrVersion},
    tree::{Tree, above},
    version::OmeVersion,
};

use super::Rule;

/// Keys that only OME-Zarr uses; 0.4 has them among the attributes, 0.5 below `ome`.
const UNMISTAKABLE: [&str; 5] = ["multiscales", "plate", "well", "image-label", "bioformats2raw.layout"];

const MOVE_IN: &str = "Move them below \"ome\", with \"version\": \"0.5\".";
const MOVE_OUT: &str = "Move them up among the attributes, or convert the arrays to Zarr 3.";

/// Whether a group's OME-Zarr metadata stand where the other version has them, so that no reader finds them.
pub(super) fn is_misplaced(node: &Node) -> bool {
    let Some(attributes) = node.attributes().filter(|_| node.kind == NodeKind::Group) else { return false };
    let elsewhere = match node.zarr {
        ZarrVersion::V3 => Some(attributes),
        ZarrVersion::V2 => attributes.get("ome"),
    };
    elsewhere.is_some_and(|at| UNMISTAKABLE.iter().any(|key| at.get(key).is_some())) && !super::speaks_ome(node)
}

/// Judges the version a group names; `false` if the rules of 0.4 and 0.5 do not apply to it.
pub(super) fn check(node: &Node, faults: &mut Faults) -> bool {
    if is_misplaced(node) {
        let attributes = node.attributes().map_or_else(|| node.file.clone(), |attributes| attributes.place());
        let (message, hint) = match node.zarr {
            ZarrVersion::V3 => {
                ("the OME-Zarr metadata stand among the attributes of a Zarr 3 group, as in 0.4", MOVE_IN)
            }
            ZarrVersion::V2 => ("the OME-Zarr metadata stand below 'ome' in a Zarr 2 group, as in 0.5", MOVE_OUT),
        };
        faults.add(Rule::Namespace, attributes, message, hint);
    }
    if !super::speaks_ome(node) && node.ome_key("version").is_none() {
        return true;
    }
    let place = place(node);
    match (OmeVersion::of(node), node.zarr) {
        (OmeVersion::V04, ZarrVersion::V2) | (OmeVersion::V05, ZarrVersion::V3) => {}
        (OmeVersion::Missing, _) => missing(node, place, faults),
        (OmeVersion::V04, ZarrVersion::V3) => mismatch(place, "0.4 in Zarr 3", "0.5", faults),
        (OmeVersion::V05, ZarrVersion::V2) => mismatch(place, "0.5 in Zarr 2", "0.4", faults),
        (OmeVersion::Legacy(version), _) => {
            let message = format!("OME-Zarr {version} is no longer read");
            faults.add(Rule::VersionLegacy, place, message, "Convert it to 0.5: heliograph convert.");
            return false;
        }
        (OmeVersion::Unreleased(version), _) => {
            let message = format!("OME-Zarr {version} is an unreleased version: it is kept as files and not checked");
            faults.add(Rule::VersionUnreleased, place, message, "Deposit 0.5 to have it shown and searched.");
            return false;
        }
        (OmeVersion::Unknown(version), _) => {
            let message = format!("'{version}' is no version of OME-Zarr");
            faults.add(Rule::VersionUnknown, place, message, "Write the image as OME-Zarr 0.5.");
            return false;
        }
    }
    true
}

fn place(node: &Node) -> String {
    let ome = node.ome();
    ome.map_or_else(
        || node.file.clone(),
        |ome| if node.zarr == ZarrVersion::V3 { ome.place_of("version") } else { ome.place() },
    )
}

fn mismatch(place: String, what: &str, right: &str, faults: &mut Faults) {
    let message = format!("the metadata says OME-Zarr {what}, which do not go together");
    faults.add(Rule::VersionMismatch, place, message, &format!("Write version {right}, or convert the arrays."));
}

fn missing(node: &Node, place: String, faults: &mut Faults) {
    let message = "the metadata does not name its OME-Zarr version";
    // The most used writer (ome-zarr-py 0.18) leaves it out of `labels` groups, which no reader minds.
    let only_labels = node.ome_key("labels").is_some() && node.ome_key("multiscales").is_none();
    match node.zarr {
        ZarrVersion::V3 if only_labels => {
            faults.add_as(
                Severity::Warning,
                Rule::VersionMissing,
                place,
                message,
                "Add \"version\": \"0.5\" to the labels group's ome object.",
            );
        }
        ZarrVersion::V3 => {
            faults.add(Rule::VersionMissing, place, message, "Add \"version\": \"0.5\" to the ome object.")
        }
        ZarrVersion::V2 => {
            let versioned = ["multiscales", "plate", "well"].iter().any(|key| node.ome_key(key).is_some());
            if versioned {
                faults.add_as(
                    Severity::Warning,
                    Rule::VersionMissing,
                    place,
                    message,
                    "Add \"version\": \"0.4\"; it is read as 0.4.",
                );
            }
        }
    }
}

/// Judges that each store keeps to one version, of Zarr and of OME-Zarr.
pub(super) fn check_stores(tree: &Tree, faults: &mut Faults) {
    let mut zarr = BTreeMap::new();
    let mut ome = BTreeMap::new();
    for (folder, node) in &tree.nodes {
        faults.judge(node);
        let root = root_of(tree, folder);
        let first = *zarr.entry(root).or_insert(node.zarr);
        if first != node.zarr {
            let message = "Zarr 2 and Zarr 3 are mixed in one store";
            faults.add(
                Rule::ZarrMixed,
                node.file.clone(),
                message,
                "Convert the older part, so that all is one version.",
            );
        }
        let version = OmeVersion::of(node);
        if version == OmeVersion::Missing {
            continue;
        }
        let is_draft = matches!(version, OmeVersion::Unreleased(_));
        let name = version.name(node.zarr).to_owned();
        let first = ome.entry(root).or_insert_with(|| (name.clone(), is_draft));
        // What may stand below a draft, nobody knows.
        if first.0 != name && !first.1 {
            let message = format!("the group is OME-Zarr {name}, others of the store are {}", first.0);
            faults.add(Rule::VersionMixed, place(node), message, "Convert the older part, so that all is one version.");
        }
    }
}

/// The top-most Zarr folder above a folder, or itself.
fn root_of<'a>(tree: &'a Tree, folder: &'a str) -> &'a str {
    above(folder).filter(|parent| tree.nodes.contains_key(*parent)).last().unwrap_or(folder)
}
