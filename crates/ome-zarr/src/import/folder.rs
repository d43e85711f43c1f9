//! Folders of TIFF files that hold one plane, or one stack of slices, each, and say in their names which.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dataset_model::Finding;

mod names;

use names::{PlaneName, WellName};

use super::{
    Import,
    file::SourceFile,
    labels, metaseries, note,
    tiff::{Files, Place, Stack, TiffFile},
};
use crate::{
    error::OmeZarrError,
    raster::{PlateField, Raster, RasterChannel},
    source::{FileSource, join},
};

/// The most files of one folder that are opened.
const MAX_FILES: usize = 1 << 16;

/// The files of one image, by what their names say.
type Group = BTreeMap<[Option<u64>; 3], (String, PlaneName)>;

/// The TIFF files of a folder, grouped by image; paths are relative to the folder.
///
/// # Errors
/// In words: a name does not say plainly which plane it is, or two say the same.
fn groups(paths: &[String]) -> Result<BTreeMap<String, Group>, String> {
    let mut groups = BTreeMap::<String, Group>::new();
    for path in paths {
        let name = PlaneName::read(path).ok_or_else(|| {
            format!(
                "the name '{}' does not say plainly which plane it is (such as _z003, _c01, _t0012)",
                path.escape_default()
            )
        })?;
        let group = groups.entry(name.image.clone()).or_default();
        if let Some((other, _)) = group.insert(name.at, (path.clone(), name)) {
            return Err(format!("'{}' and '{}' claim the same plane", path.escape_default(), other.escape_default()));
        }
    }
    if groups.values().all(|group| group.len() < 2) {
        return Err("no two files belong to one image by their names: convert the files one by one".to_owned());
    }
    Ok(groups)
}

/// Whether a file may be a plane of a folder: a TIFF file that is not called OME-TIFF, which speaks for itself.
pub(super) fn is_plane(path: &str) -> bool {
    let lower = path.to_lowercase();
    let ends = |ending: &str| lower.ends_with(ending);
    (ends(".tif") || ends(".tiff")) && !ends(".ome.tif") && !ends(".ome.tiff")
}

/// The folder that a file is a plane of, and its path there: folders of time points and steps in z are part of the path.
pub(super) fn parts(path: &str) -> (&str, &str) {
    let is_step = |folder: &str| folder.starts_with("TimePoint_") || folder.starts_with("ZStep_");
    let mut at = path.rfind('/').unwrap_or(0);
    while at > 0 {
        let above = path[..at].rfind('/').map_or(0, |slash| slash + 1);
        if !is_step(&path[above..at]) {
            break;
        }
        at = above.saturating_sub(1);
    }
    if at == 0 { ("", path.trim_start_matches('/')) } else { (&path[..at], &path[at + 1..]) }
}

/// Those files of a folder that are planes, if all of them say plainly which, and none is missing.
///
/// # Errors
/// In words: they do not.
pub(super) fn planes(names: Vec<String>) -> Result<Vec<String>, String> {
    let names = of_plate(names);
    let groups = groups(&names)?;
    let is_whole = |group: &Group| {
        let count = |axis: usize| group.keys().map(|at| at[axis]).collect::<BTreeSet<_>>().len();
        count(0) * count(1) * count(2) == group.len()
    };
    if groups.values().all(is_whole) { Ok(names) } else { Err("planes are missing".to_owned()) }
}

/// Screening microscopes keep pictures of their cameras beside the planes: where names tell wells, the others are none.
fn of_plate(mut names: Vec<String>) -> Vec<String> {
    let is_well = |file: &String| PlaneName::read(file).is_some_and(|name| name.well.is_some());
    if names.iter().any(is_well) {
        names.retain(is_well);
    }
    names
}

/// Opens a folder.
pub(super) fn open(source: &Arc<dyn FileSource>, path: &str) -> Result<Import, OmeZarrError> {
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    let all = source.list(path)?;
    let inside = all.iter().filter_map(|file| file.strip_prefix(&prefix)).filter(|file| is_plane(file));
    let inside = of_plate(inside.map(str::to_owned).collect());
    if inside.is_empty() {
        return Err(OmeZarrError::metadata(path, "there is no such file, and no folder of TIFF files"));
    }
    if inside.len() > MAX_FILES {
        return Err(OmeZarrError::too_large(path, format!("it holds more than {MAX_FILES} TIFF files")));
    }
    let groups = groups(&inside).map_err(|reason| OmeZarrError::metadata(path, reason))?;
    let fields = fields(&groups);
    let mut import = Import { rasters: Vec::new(), ome_xml: None, files: Vec::new(), notes: Vec::new() };
    for (image, group) in &groups {
        import.files.extend(group.values().map(|(file, _)| join(path, file)));
        let mut stack = stack(source, path, image, group)?;
        stack.info.field = fields.get(image.as_str()).cloned();
        labels::mark(&mut stack.info, path, &mut import.notes);
        import.rasters.push(Box::new(stack) as Box<dyn Raster>);
    }
    if !fields.is_empty() {
        import.notes.push(note("plate", path, "wells and fields are those of the files' names"));
    }
    import.files.sort_unstable();
    import.notes.push(told(path, import.files.len()));
    Ok(import)
}

fn told(path: &str, files: usize) -> Finding {
    note("folder", path, format!("{files} files are put together by what their names say of time, channel and slice"))
}

/// One image of a folder.
fn stack(source: &Arc<dyn FileSource>, path: &str, image: &str, group: &Group) -> Result<Stack, OmeZarrError> {
    let values = |axis: usize| group.keys().map(|at| at[axis]).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let [times, channels, slices] = [values(0), values(1), values(2)];
    let mut files = Vec::new();
    for (file, _) in group.values() {
        files.push(TiffFile::open(SourceFile::open(source, &join(path, file))?)?);
    }
    let pages = files[0].pages.len() as u64;
    if files.iter().any(|file| file.pages.len() as u64 != pages) || (pages > 1 && slices.len() > 1) {
        let reason = format!("the files of '{}' do not hold one plane each, or one stack each", image.escape_default());
        return Err(OmeZarrError::metadata(path, reason));
    }
    let samples = files[0].pages[0].layout().samples();
    let numbers: BTreeMap<_, u32> = group.keys().copied().zip(0..).collect();
    let mut places = Vec::new();
    for (t, c) in times.iter().flat_map(|t| channels.iter().map(move |c| (t, c))) {
        for sample in 0..samples {
            for z in &slices {
                let file = numbers.get(&[*t, *c, *z]).copied().ok_or_else(|| missing(path, image, [*t, *c, *z]))?;
                places.extend((0..pages as u32).map(|page| Place { file, page, sample, shift: 0 }));
            }
        }
    }
    let sizes = [times.len() as u64, channels.len() as u64 * u64::from(samples), slices.len() as u64 * pages];
    let files: Files = files.into();
    let text = files[0].description(0)?;
    let mut stack = Stack::new(files, places, sizes, image)?;
    metaseries::describe(&mut stack.info, text.as_deref());
    if samples == 1 {
        let name_of = |channel: &Option<u64>| {
            group.iter().find(|(at, _)| at[1] == *channel).and_then(|(_, (_, name))| name.channel.clone())
        };
        let described =
            channels.iter().map(|channel| RasterChannel { name: name_of(channel), ..RasterChannel::default() });
        stack.info.channels = described.collect();
        stack.info.channels.retain(|channel| channel.name.is_some());
    }
    Ok(stack)
}

fn missing(path: &str, image: &str, at: [Option<u64>; 3]) -> OmeZarrError {
    let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    let [t, c, z] = at.map(number);
    OmeZarrError::metadata(
        path,
        format!(
            "'{}' lacks the plane of time {t}, channel {c}, slice {z}: nothing is put in its place",
            image.escape_default()
        ),
    )
}

/// Where the images are on a plate, if all are on one: fields of a well count from 0.
fn fields(groups: &BTreeMap<String, Group>) -> BTreeMap<&str, PlateField> {
    let well = |group: &Group| group.values().next().and_then(|(_, name)| name.well.clone());
    let wells: Option<Vec<_>> = groups.iter().map(|(image, group)| Some((image.as_str(), well(group)?))).collect();
    let wells = wells.unwrap_or_default();
    let of_well = |well: &WellName| (well.plate.clone(), well.row.clone(), well.column.clone());
    let mut numbers = BTreeMap::<_, BTreeSet<u64>>::new();
    for (_, well) in &wells {
        numbers.entry(of_well(well)).or_default().insert(well.field);
    }
    let place = |(image, well): (_, WellName)| {
        let field = numbers[&of_well(&well)].range(..well.field).count() as u32;
        (image, PlateField { plate: well.plate, row: well.row, column: well.column, field, acquisition: None })
    };
    wells.into_iter().map(place).collect()
}
