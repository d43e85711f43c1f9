use std::collections::BTreeSet;

use dataset_model::Severity;

use crate::{
    at::{At, whole},
    faults::Faults,
    node::Node,
    tree::{Tree, resolve},
};

use super::{Rule, is_v04};

/// Judges the `plate` metadata by itself.
pub(super) fn check(node: &Node, faults: &mut Faults) {
    let Some(plate) = node.ome_key("plate") else { return };
    if plate.object().is_none() {
        return faults.add(Rule::PlateType, plate.place(), "the plate is not an object", "Write an object.");
    }
    let rows = names(&plate, "rows", faults);
    let columns = names(&plate, "columns", faults);
    check_wells(&plate, &rows, &columns, is_v04(node), faults);
    check_acquisitions(&plate, faults);
    check_count(&plate, "field_count", faults);
    check_described(&plate, is_v04(node), faults);
}

fn check_described(plate: &At<'_>, is_v04: bool, faults: &mut Faults) {
    check_text(plate, &["name", "version"], Rule::PlateText, faults);
    if plate.get("name").is_none() {
        faults.add(Rule::PlateName, plate.place_of("name"), "the plate has no name", "Name the plate.");
    }
    if plate.get("field_count").is_none() {
        let message = "the plate does not say how many fields a well has at most";
        faults.add(Rule::PlateFieldCount, plate.place_of("field_count"), message, "Write field_count.");
    }
    if !is_v04 && plate.get("version").is_none() {
        let message = "the text asks for a version of the plate, which its schema and examples no longer have";
        let hint = "Nothing needs to be done: the ome object has the version.";
        faults.add(Rule::PlateVersion, plate.place_of("version"), message, hint);
    }
}

/// Members that are text wherever they are there.
fn check_text(at: &At<'_>, keys: &[&str], rule: Rule, faults: &mut Faults) {
    for member in keys.iter().filter_map(|key| at.get(key)).filter(|member| member.text().is_none()) {
        faults.add(rule, member.place(), "this is not text", "Write it in quotes.");
    }
}

/// The names of rows or columns.
fn names<'a>(plate: &At<'a>, key: &str, faults: &mut Faults) -> Vec<Option<&'a str>> {
    let items = plate.list(key);
    if items.is_empty() {
        let message = format!("the plate lists no {key}");
        faults.add(Rule::PlateGrid, plate.place_of(key), message, "List every row and column with its name.");
    }
    let mut seen = BTreeSet::new();
    let mut folded = BTreeSet::new();
    for item in &items {
        let name = item.text_of("name").unwrap_or_default();
        if !folded.insert(name.to_ascii_lowercase()) && !seen.contains(name) {
            let message = format!("the name '{}' differs from another only in case", name.escape_default());
            faults.add(Rule::PlateCase, item.place_of("name"), message, "Some disks take the two for one: rename it.");
        }
        match item.text_of("name") {
            Some(name) if is_alphanumeric(name) && seen.insert(name) => {}
            Some(name) => {
                let message =
                    format!("the name '{}' is not of letters and digits, or is used twice", name.escape_default());
                faults.add(
                    Rule::PlateGrid,
                    item.place_of("name"),
                    message,
                    "Give each a name of its own, such as \"A\" or \"1\".",
                );
            }
            None => faults.add(Rule::PlateGrid, item.place_of("name"), "there is no name", "Name it."),
        }
    }
    items.iter().map(|item| item.text_of("name")).collect()
}

pub(super) fn is_alphanumeric(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn check_wells(plate: &At<'_>, rows: &[Option<&str>], columns: &[Option<&str>], is_v04: bool, faults: &mut Faults) {
    let wells = plate.list("wells");
    if wells.is_empty() {
        faults.add(
            Rule::PlateWells,
            plate.place_of("wells"),
            "the plate lists no wells",
            "List every well that has images.",
        );
    }
    let mut seen = BTreeSet::new();
    for well in &wells {
        let Some(path) = well.text_of("path") else {
            faults.add(Rule::PlateWellPath, well.place_of("path"), "a well has no path", "Write row/column.");
            continue;
        };
        if !seen.insert(path) {
            let message = format!("the well '{}' is listed twice", path.escape_default());
            faults.add(Rule::PlateWellPath, well.place_of("path"), message, "List each well once.");
        }
        let name = |key: &str, names: &[Option<&str>]| -> Option<String> {
            let index = usize::try_from(whole(well.get(key)?.value)?).ok()?;
            names.get(index).copied().flatten().map(str::to_owned)
        };
        let (Some(row), Some(column)) = (name("rowIndex", rows), name("columnIndex", columns)) else {
            let message = "rowIndex or columnIndex is no place in the list of rows or columns";
            faults.add(Rule::PlateWellIndex, well.place(), message, "Count rows and columns from 0.");
            continue;
        };
        check_well_path(&Well { at: well, path, row, column }, rows, columns, is_v04, faults);
    }
}

/// A well as its path and its indices name it.
struct Well<'a> {
    at: &'a At<'a>,
    path: &'a str,
    /// The row and column that the indices point at.
    row: String,
    column: String,
}

fn check_well_path(
    well: &Well<'_>,
    rows: &[Option<&str>],
    columns: &[Option<&str>],
    is_v04: bool,
    faults: &mut Faults,
) {
    let Well { at, path, row, column } = well;
    if *path == format!("{row}/{column}") {
        return;
    }
    let message = format!("the path '{}' is not row/column, which is '{row}/{column}'", path.escape_default());
    let hint = "Write the path as the row's name, a slash, the column's name, and count both from 0.";
    // The official 0.4 suite accepts column/row, and its published examples swap the indices; readers go by the path.
    let (first, second) = path.split_once('/').unwrap_or_default();
    let in_order = |rows: &[Option<&str>], columns: &[Option<&str>]| {
        rows.contains(&Some(first)) && columns.contains(&Some(second))
    };
    if is_v04 && (in_order(rows, columns) || in_order(columns, rows)) {
        faults.add_as(Severity::Warning, Rule::PlateWellPath, at.place_of("path"), message, hint);
    } else {
        faults.add(Rule::PlateWellPath, at.place_of("path"), message, hint);
    }
}

fn check_acquisitions(plate: &At<'_>, faults: &mut Faults) {
    if let Some(list) = plate.get("acquisitions").filter(|list| list.items().is_none()) {
        let message = "acquisitions is not a list of objects";
        faults.add(Rule::PlateAcquisitionId, list.place(), message, "List the acquisitions, each with its id.");
    }
    let mut seen = BTreeSet::new();
    for acquisition in plate.list("acquisitions") {
        let id = acquisition.get("id").and_then(|id| whole(id.value)).filter(|id| *id >= 0);
        if !id.is_some_and(|id| seen.insert(id)) {
            let message = "the acquisition has no id of its own, a whole number of at least 0";
            faults.add(Rule::PlateAcquisitionId, acquisition.place_of("id"), message, "Number the acquisitions.");
        }
        check_count(&acquisition, "maximumfieldcount", faults);
        check_text(&acquisition, &["name", "description"], Rule::PlateAcquisitionText, faults);
        for key in ["starttime", "endtime"] {
            if acquisition.get(key).is_some_and(|time| whole(time.value).is_none_or(|time| time < 0)) {
                let message = format!("{key} is not a whole number of seconds since 1970");
                faults.add(Rule::PlateAcquisitionTime, acquisition.place_of(key), message, "Write epoch seconds.");
            }
        }
        let missing = ["name", "maximumfieldcount"].into_iter().filter(|key| acquisition.get(key).is_none());
        let missing: Vec<&str> = missing.collect();
        if !missing.is_empty() {
            let message = format!("the acquisition should also say its {}", missing.join(" and "));
            faults.add(Rule::PlateAcquisitionDescribed, acquisition.place(), message, "Add them.");
        }
    }
}

fn check_count(at: &At<'_>, key: &str, faults: &mut Faults) {
    if at.get(key).is_some_and(|count| whole(count.value).is_none_or(|count| count < 1)) {
        let message = format!("{key} is not a whole number above 0");
        faults.add(Rule::PlateCount, at.place_of(key), message, "Write the number of fields.");
    }
}

/// Judges that the wells are there.
pub(super) fn check_tree(tree: &Tree, node: &Node, faults: &mut Faults) {
    let Some(plate) = node.ome_key("plate") else { return };
    check_unlisted(tree, node, &plate, faults);
    for well in plate.list("wells") {
        let Some(folder) = well.text_of("path").and_then(|path| resolve(&node.folder, path)) else { continue };
        if tree.group(&folder).is_none_or(|group| group.ome_key("well").is_none()) {
            let message = format!("there is no well at '{folder}'");
            faults.add(
                Rule::PlateWellMissing,
                well.place_of("path"),
                message,
                "Add the well, or drop it from the plate.",
            );
        }
        if let Some((row, _)) = crate::source::split(&folder)
            && tree.group(row).is_none()
        {
            let message = format!("the row '{row}' is not a Zarr group");
            faults.add(Rule::PlateRowMissing, well.place_of("path"), message, "Create the group.");
        }
    }
}

/// Rows and wells that are there but lead to no image of the plate.
fn check_unlisted(tree: &Tree, node: &Node, plate: &At<'_>, faults: &mut Faults) {
    let wells = plate.list("wells");
    let listed: BTreeSet<String> =
        wells.iter().filter_map(|well| resolve(&node.folder, well.text_of("path")?)).collect();
    let row_names: BTreeSet<&str> = plate.list("rows").iter().filter_map(|row| row.text_of("name")).collect();
    for row in tree.children(&node.folder) {
        let found: Vec<&Node> = tree.children(&row.folder).filter(|well| well.ome_key("well").is_some()).collect();
        for well in found.iter().filter(|well| !listed.contains(&well.folder)) {
            let message = format!("the well '{}' is not listed", well.folder);
            faults.add(Rule::PlateUnlisted, plate.place_of("wells"), message, "List it, or take it out.");
        }
        let name = crate::source::split(&row.folder).map_or("", |(_, name)| name);
        if found.is_empty() && row_names.contains(name) {
            let message = format!("the row '{}' has no wells", row.folder);
            faults.add(Rule::PlateEmptyRow, row.file.clone(), message, "Take the empty row out.");
        }
    }
}
