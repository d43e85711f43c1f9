use std::collections::HashMap;

use crate::{
    at::{At, whole},
    error::OmeZarrError,
    node::Node,
    record::PlateRecord,
    source::{FileSource, split},
    tree::resolve,
    version::OmeVersion,
};

/// More rows or columns than any plate has: 1536 wells are 32 by 48.
const MAX_SIDE: usize = 1024;
/// More wells than any plate has.
const MAX_WELLS: usize = 65_536;

/// A plate, as its metadata says it.
pub(crate) struct Plate {
    /// The folder of the plate's group.
    pub(crate) path: String,
    name: Option<String>,
    version: String,
    /// The names of its rows, from the top.
    pub(crate) rows: Vec<String>,
    /// The names of its columns, from the left.
    pub(crate) columns: Vec<String>,
    /// The wells that lie inside the plate.
    pub(crate) wells: Vec<Well>,
    acquisitions: u64,
}

/// A well that a plate lists.
pub(crate) struct Well {
    /// Its folder, relative to the plate.
    pub(crate) path: String,
    /// Its row, from 0 at the top.
    pub(crate) row: usize,
    /// Its column, from 0 at the left.
    pub(crate) column: usize,
}

impl Plate {
    /// Reads the plate in a folder.
    pub(crate) fn read(source: &dyn FileSource, path: &str) -> Result<Self, OmeZarrError> {
        let path = path.trim_matches('/');
        let absent = || OmeZarrError::NotAnImage { path: path.to_owned() };
        let node = Node::read(source, path)?.ok_or_else(absent)?;
        let at = node.ome_key("plate").ok_or_else(absent)?;
        let version = OmeVersion::of(&node);
        if !version.is_readable() {
            return Err(OmeZarrError::Version { path: path.to_owned(), version: version.name(node.zarr).to_owned() });
        }
        let names = |key: &str| -> Vec<String> {
            at.list(key).iter().filter_map(|item| item.text_of("name").map(str::to_owned)).collect()
        };
        let (rows, columns) = (names("rows"), names("columns"));
        let listed = at.list("wells");
        if rows.len() > MAX_SIDE || columns.len() > MAX_SIDE || listed.len() > MAX_WELLS {
            return Err(OmeZarrError::too_large(path, "no plate has so many rows, columns or wells"));
        }
        let places = Places { rows: numbered(&rows), columns: numbered(&columns) };
        let wells = listed.iter().filter_map(|well| places.of(well, path)).collect();
        Ok(Self {
            path: path.to_owned(),
            name: at.text_of("name").map(str::to_owned).or_else(|| split(path).map(|(_, name)| name.to_owned())),
            version: version.name(node.zarr).to_owned(),
            acquisitions: at.list("acquisitions").len() as u64,
            rows,
            columns,
            wells,
        })
    }
}

fn numbered(names: &[String]) -> HashMap<&str, usize> {
    names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect()
}

struct Places<'a> {
    rows: HashMap<&'a str, usize>,
    columns: HashMap<&'a str, usize>,
}

impl Places<'_> {
    /// The path of a well is its row and column; the indexes beside it say the same where they are right.
    fn of(&self, well: &At<'_>, plate: &str) -> Option<Well> {
        let path = well.text_of("path")?.trim_end_matches('/');
        resolve(plate, path)?;
        let named =
            path.split_once('/').and_then(|(row, column)| Some((*self.rows.get(row)?, *self.columns.get(column)?)));
        let index =
            |key: &str, most: usize| usize::try_from(whole(well.get(key)?.value)?).ok().filter(|index| *index < most);
        let indexed = || Some((index("rowIndex", self.rows.len())?, index("columnIndex", self.columns.len())?));
        let (row, column) = named.or_else(indexed)?;
        Some(Well { path: path.to_owned(), row, column })
    }
}

/// Describes a plate from its own metadata. No well is read: `fields` is 0, and bytes and digest are not known.
///
/// # Errors
/// There is no plate of a known version there, or the source failed.
pub fn describe_plate(source: &dyn FileSource, plate_path: &str) -> Result<PlateRecord, OmeZarrError> {
    let plate = Plate::read(source, plate_path)?;
    Ok(PlateRecord {
        name: plate.name.unwrap_or_default().chars().take(200).collect(),
        path: plate.path,
        version: plate.version,
        rows: plate.rows.len() as u64,
        columns: plate.columns.len() as u64,
        wells: plate.wells.len() as u64,
        acquisitions: plate.acquisitions,
        fields: 0,
        field: None,
        bytes: None,
        digest: None,
    })
}
