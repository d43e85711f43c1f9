//! Plates: where each field goes, and the groups above it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::{Map, Value, json};

use crate::{
    error::OmeZarrError,
    raster::{PlateField, RasterInfo},
    source::join,
    write::{group_v3, write_json},
};

/// Wells by row and column; their fields with their acquisitions.
type Wells = BTreeMap<(String, String), Vec<Option<u32>>>;

/// The plates of a set of images.
pub(super) struct Plates {
    /// The folder of each image, in their order.
    pub(super) paths: Vec<String>,
    /// Name, folder and wells of each plate.
    plates: Vec<(String, String, Wells)>,
}

/// Arranges images on plates; `None` unless each of them is a field of one.
pub(super) fn arrange(infos: &[&RasterInfo]) -> Option<Plates> {
    let fields: Vec<&PlateField> = infos.iter().map(|info| info.field.as_ref()).collect::<Option<_>>()?;
    let mut order: Vec<(usize, &PlateField)> = fields.iter().copied().enumerate().collect();
    order.sort_by_key(|(at, field)| {
        (field.plate.clone(), field.row.clone(), field.column.clone(), field.acquisition, field.field, *at)
    });
    let names: BTreeSet<&String> = fields.iter().map(|field| &field.plate).collect();
    let folder = |plate: &String| match names.len() {
        0 | 1 => String::new(),
        _ => names.iter().position(|name| *name == plate).unwrap_or_default().to_string(),
    };
    let mut plates: Vec<(String, String, Wells)> =
        names.iter().map(|name| ((*name).clone(), folder(name), Wells::new())).collect();
    let mut paths = vec![String::new(); infos.len()];
    for (at, field) in order {
        let (row, column) = (alphanumeric(&field.row), alphanumeric(&field.column));
        let Some((_, folder, wells)) = plates.iter_mut().find(|(name, _, _)| *name == field.plate) else { continue };
        let well = wells.entry((row.clone(), column.clone())).or_default();
        if let Some(path) = paths.get_mut(at) {
            *path = join(folder, &format!("{row}/{column}/{}", well.len()));
        }
        well.push(field.acquisition);
    }
    (!plates.is_empty()).then_some(Plates { paths, plates })
}

/// Rows and columns are named by letters and digits only.
fn alphanumeric(name: &str) -> String {
    let kept: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    if kept.is_empty() { "0".to_owned() } else { kept }
}

impl Plates {
    /// Writes the groups above the fields.
    pub(super) fn write(&self, tree: &Path) -> Result<(), OmeZarrError> {
        let write = |folder: &str, value: &Value| write_json(&tree.join(join(folder, "zarr.json")), value);
        if self.plates.len() > 1 {
            write("", &group_v3(Map::new(), Map::new()))?;
        }
        for (name, folder, wells) in &self.plates {
            let plate = Map::from_iter([("plate".to_owned(), described(name, wells))]);
            write(folder, &group_v3(plate, Map::new()))?;
            for ((row, column), fields) in wells {
                write(&join(folder, row), &group_v3(Map::new(), Map::new()))?;
                let image = |(number, acquisition): (usize, &Option<u32>)| match acquisition {
                    Some(id) => json!({"path": number.to_string(), "acquisition": id}),
                    None => json!({"path": number.to_string()}),
                };
                let images: Vec<Value> = fields.iter().enumerate().map(image).collect();
                let well = Map::from_iter([("well".to_owned(), json!({"images": images}))]);
                write(&join(folder, &format!("{row}/{column}")), &group_v3(well, Map::new()))?;
            }
        }
        Ok(())
    }
}

fn described(name: &str, wells: &Wells) -> Value {
    let rows = sorted(wells.keys().map(|(row, _)| row));
    let columns = sorted(wells.keys().map(|(_, column)| column));
    let index = |list: &[&String], name: &String| list.iter().position(|other| *other == name);
    let listed: Vec<Value> = wells
        .keys()
        .map(|(row, column)| {
            json!({"path": format!("{row}/{column}"), "rowIndex": index(&rows, row), "columnIndex": index(&columns, column)})
        })
        .collect();
    let named = |list: &[&String]| list.iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
    let mut plate = json!({
        "name": name,
        "rows": named(&rows),
        "columns": named(&columns),
        "wells": listed,
        "field_count": wells.values().map(Vec::len).max().unwrap_or(1),
    });
    let acquisitions: BTreeSet<u32> = wells.values().flatten().flatten().copied().collect();
    if !acquisitions.is_empty() {
        plate["acquisitions"] = acquisitions.iter().map(|id| json!({"id": id})).collect();
    }
    plate
}

/// In the order people count: 2 before 10, Z before AA.
fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a String> {
    let mut names: Vec<&String> = names.collect::<BTreeSet<_>>().into_iter().collect();
    names.sort_by_key(|name| (name.parse::<u64>().unwrap_or(0), name.len(), (*name).clone()));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::DataType;

    fn field(row: &str, column: &str, field: u32, acquisition: Option<u32>) -> RasterInfo {
        let mut info = RasterInfo::plain([1, 1, 1, 8, 8], DataType::UInt(8));
        let (plate, row, column) = ("P".to_owned(), row.to_owned(), column.to_owned());
        info.field = Some(PlateField { plate, row, column, field, acquisition });
        info
    }

    #[test]
    fn fields_are_numbered_within_their_wells_and_wells_within_the_plate() {
        let infos = [field("B", "10", 1, Some(0)), field("A", "2", 0, Some(0)), field("B", "10", 0, Some(0))];
        let plates = arrange(&infos.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(plates.paths, ["B/10/1", "A/2/0", "B/10/0"]);
        let plate = described("P", &plates.plates[0].2);
        assert_eq!(plate["columns"], json!([{"name": "2"}, {"name": "10"}]));
        assert_eq!(plate["wells"][1], json!({"path": "B/10", "rowIndex": 1, "columnIndex": 1}));
        assert_eq!((&plate["field_count"], &plate["acquisitions"]), (&json!(2), &json!([{"id": 0}])));
    }

    #[test]
    fn images_that_are_on_no_plate_make_a_series() {
        let plain = RasterInfo::plain([1; 5], DataType::UInt(8));
        assert!(arrange(&[&field("A", "1", 0, None), &plain]).is_none());
        assert!(arrange(&[]).is_none());
    }
}
