use std::collections::HashMap;

use super::document::{Document, Plate};
use crate::raster::PlateField;

/// Where the images of a document are on its plates, by the identifier of the image.
pub(super) fn fields(document: &Document) -> HashMap<&str, PlateField> {
    let mut fields = HashMap::new();
    for plate in &document.plates {
        let acquisitions = acquisitions(plate);
        for well in &plate.wells {
            for (index, sample) in well.samples.iter().enumerate() {
                let Some(image) = &sample.image else { continue };
                let field = PlateField {
                    plate: plate.name.clone(),
                    row: name(well.row, plate.rows_by_letter),
                    column: name(well.column, plate.columns_by_letter),
                    field: u32::try_from(index).unwrap_or(u32::MAX),
                    acquisition: acquisitions.get(sample.id.as_str()).copied(),
                };
                fields.entry(image.as_str()).or_insert(field);
            }
        }
    }
    fields
}

/// The acquisition of each well sample.
fn acquisitions(plate: &Plate) -> HashMap<&str, u32> {
    let numbered = plate.acquisitions.iter().zip(0..);
    numbered.flat_map(|(samples, number)| samples.iter().map(move |sample| (sample.as_str(), number))).collect()
}

/// The name of a row or column counted from 0: `A` to `Z`, `AA`; or from `1`.
fn name(index: u32, by_letter: bool) -> String {
    if !by_letter {
        return (u64::from(index) + 1).to_string();
    }
    let (mut rest, mut letters) = (u64::from(index) + 1, Vec::new());
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_named_as_on_the_plate() {
        let names = [0, 25, 26, 51, 52, 701, 702].map(|index| name(index, true));
        assert_eq!(names, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
        assert_eq!(name(6, false), "7");
    }
}
