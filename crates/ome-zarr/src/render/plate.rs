use rayon::prelude::*;

use crate::{describe::describe, error::OmeZarrError, node::Node, plate::Plate, record::ImageRecord, source::join};

use super::{
    Budget, Picture, Renderer, View,
    area::Size,
    blend::{Layer, add_up},
    contrast::Range,
    display::{self, Shown},
};

/// The most wells drawn; of larger plates every second row and column is, or every third.
const MAX_WELLS: usize = 384;
/// The most decoded for all wells together, in bytes.
const MAX_WORK: u64 = 4 << 30;
/// The most decoded for one well, in bytes.
const MAX_WELL_WORK: u64 = 256 << 20;
/// What is between wells, and where a plate has none.
const BETWEEN: [u8; 3] = [24, 24, 24];
const NO_WELL: [u8; 3] = [52, 52, 52];
/// Cells of this side have a line between them, in pixels.
const SIDE_WITH_LINE: usize = 6;
/// As many channels are drawn.
const MAX_SHOWN: usize = 4;

/// A field of a well, shrunk.
struct Cell {
    row: usize,
    column: usize,
    image: ImageRecord,
    size: Size,
    /// Each channel shown, with its index.
    layers: Vec<(u64, Vec<f64>)>,
}

/// Draws a plate: one field of each well, all with the same windows, so that wells can be compared.
pub(super) fn draw(renderer: &Renderer<'_>, path: &str, max_side: usize) -> Result<Picture, OmeZarrError> {
    let plate = Plate::read(renderer.source, path)?;
    let step = step(&plate);
    let (rows, columns) = (plate.rows.len().div_ceil(step), plate.columns.len().div_ceil(step));
    let cell = (max_side / rows.max(columns).max(1)).max(1);
    let line = usize::from(cell >= SIDE_WITH_LINE);
    let wells: Vec<_> = plate.wells.iter().filter(|well| well.row % step == 0 && well.column % step == 0).collect();
    let work = (MAX_WORK / wells.len().max(1) as u64).min(MAX_WELL_WORK);
    let draw = |well: &&crate::plate::Well| {
        let (row, column) = (well.row / step, well.column / step);
        self::cell(renderer, &join(&plate.path, &well.path), cell - line, work).map(|mut drawn| {
            (drawn.row, drawn.column) = (row, column);
            drawn
        })
    };
    let (cells, mut failures): (Vec<_>, Vec<_>) = wells.par_iter().map(draw).partition(Result::is_ok);
    let cells: Vec<Cell> = cells.into_iter().filter_map(Result::ok).collect();
    if cells.is_empty() || failures.iter().any(|failure| matches!(failure, Err(OmeZarrError::Cancelled))) {
        // One reason stands for all.
        let absent = || OmeZarrError::metadata(path, "the plate has no well that can be drawn");
        return Err(failures.pop().and_then(Result::err).unwrap_or_else(absent));
    }
    let (width, height) = (columns * cell, rows * cell);
    let mut picture = Picture { width: width as u32, height: height as u32, rgb: BETWEEN.repeat(width * height) };
    for well in &wells {
        let side = Picture { width: (cell - line) as u32, height: (cell - line) as u32, rgb: Vec::new() };
        let empty = Picture { rgb: NO_WELL.repeat((cell - line) * (cell - line)), ..side };
        paste(&mut picture, &empty, well.row / step * cell, well.column / step * cell);
    }
    for (at, drawn) in colored(&cells) {
        let side = cell - line;
        let (top, left) = ((side - at.size.height) / 2, (side - at.size.width) / 2);
        paste(&mut picture, &drawn, at.row * cell + top, at.column * cell + left);
    }
    Ok(picture)
}

/// Every row and column, every second, every third: as it takes to draw few enough wells.
fn step(plate: &Plate) -> usize {
    let drawn = |step: usize| plate.rows.len().div_ceil(step) * plate.columns.len().div_ceil(step);
    (1..).find(|step| drawn(*step) <= MAX_WELLS).unwrap_or(1)
}

/// The first field of a well.
fn cell(renderer: &Renderer<'_>, well: &str, side: usize, work: u64) -> Result<Cell, OmeZarrError> {
    let bad = |reason: &str| OmeZarrError::metadata(well, reason);
    let node = Node::read(renderer.source, well)?.ok_or_else(|| bad("the plate lists it, and it is not there"))?;
    let images = node.ome_key("well").map(|well| well.list("images")).unwrap_or_default();
    let field = images.first().and_then(|image| image.text_of("path")).ok_or_else(|| bad("it lists no field"))?;
    let folder = crate::tree::resolve(well, field).ok_or_else(|| bad("its field lies outside of it"))?;
    let image = describe(renderer.source, &folder)?;
    let view = View::of(&image)?;
    let mut answer = Err(bad("its field has no resolution levels"));
    for level in view.levels_for(&image, side as u64) {
        let budget = Budget::new(work, renderer.watch, &folder);
        let size = view.fitting(&image, level, side);
        let channels = view.channels(level);
        let active = |index: &u64| image.channels.get(*index as usize).is_none_or(|channel| channel.active);
        let shown: Vec<Shown> =
            (0..channels).filter(active).take(MAX_SHOWN).map(|index| unseen(&image, index, channels)).collect();
        answer = renderer.layers(&image, level, &view.middle(level), &shown, size, &budget).map(|layers| Cell {
            row: 0,
            column: 0,
            size,
            layers: shown.iter().map(|shown| shown.index).zip(layers.into_iter().map(|layer| layer.values)).collect(),
            image: image.clone(),
        });
        if !matches!(answer, Err(OmeZarrError::TooLarge { .. })) {
            break;
        }
    }
    answer
}

/// A channel whose window is not known yet.
fn unseen(image: &ImageRecord, index: u64, channels: u64) -> Shown {
    let color = super::colors::of_channel(image, index as usize, channels);
    Shown { index, color, window: Range { start: 0.0, end: 1.0 } }
}

/// The cells in colour: colours and windows are those of the field with most channels, the windows checked against all.
fn colored(cells: &[Cell]) -> Vec<(&Cell, Picture)> {
    let channels_of = |image: &ImageRecord| {
        image.levels.first().and_then(|level| Some(View::of(image).ok()?.channels(level))).unwrap_or(1)
    };
    // The first of several with as many.
    let model = cells.iter().rev().max_by_key(|cell| channels_of(&cell.image));
    let Some(model) = model.map(|cell| &cell.image) else { return Vec::new() };
    let channels = channels_of(model);
    let most = cells.iter().flat_map(|cell| &cell.layers).map(|(index, _)| index + 1).max().unwrap_or(0);
    let mut values = vec![Vec::new(); most as usize];
    for (index, layer) in cells.iter().flat_map(|cell| &cell.layers) {
        values.get_mut(*index as usize).into_iter().for_each(|values| values.extend_from_slice(layer));
    }
    let windows = display::windows(model, channels, &values);
    let draw = |cell: &'_ Cell| {
        let layer = |(index, values): &(u64, Vec<f64>)| Layer {
            values: values.clone(),
            color: super::colors::of_channel(model, *index as usize, channels),
            window: windows.get(*index as usize).copied().unwrap_or(Range { start: 0.0, end: 1.0 }),
        };
        add_up(&cell.layers.iter().map(layer).collect::<Vec<_>>(), cell.size)
    };
    cells.iter().map(|cell| (cell, draw(cell))).collect()
}

/// Puts a small picture into a larger one.
fn paste(into: &mut Picture, small: &Picture, top: usize, left: usize) {
    let (width, row) = (into.width as usize * 3, small.width as usize * 3);
    for (y, line) in small.rgb.chunks(row.max(1)).enumerate() {
        let at = (top + y) * width + left * 3;
        if let Some(target) = into.rgb.get_mut(at..at + line.len()) {
            target.copy_from_slice(line);
        }
    }
}
