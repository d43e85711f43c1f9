//! What the names of files say of the planes in them.

/// Where a plane belongs, by its file's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlaneName {
    /// The image: the name without what tells planes apart.
    pub(crate) image: String,
    /// Time, channel and slice, as counted in the name; `None` where it does not say.
    pub(crate) at: [Option<u64>; 3],
    /// The channel as the name writes it.
    pub(crate) channel: Option<String>,
    pub(crate) well: Option<WellName>,
}

/// A well and a field in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WellName {
    pub(crate) plate: String,
    pub(crate) row: String,
    pub(crate) column: String,
    pub(crate) field: u64,
}

impl PlaneName {
    /// Reads the path of a file, relative to the folder that is opened; `None` where the name says nothing plainly.
    pub(crate) fn read(path: &str) -> Option<Self> {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = name.rsplit_once('.')?.0;
        yokogawa(folders, stem).or_else(|| image_xpress(folders, stem)).or_else(|| tokens(folders, stem))
    }
}

/// Yokogawa `CellVoyager`: `PLATE_D08_T0001F001L01A01Z01C01`.
fn yokogawa(folders: &str, stem: &str) -> Option<PlaneName> {
    let (rest, place) = stem.rsplit_once('_')?;
    let (plate, well) = rest.rsplit_once('_')?;
    let (row, column) = well_of(well)?;
    let numbers = letters_and_numbers(place)?;
    let letters: String = numbers.iter().map(|(letters, _)| *letters).collect();
    if !folders.is_empty() || letters != "TFLAZC" {
        return None;
    }
    let number = |index: usize| numbers[index].1.parse::<u64>().ok();
    let (t, field, z) = (number(0)?, number(1)?, number(4)?);
    // Actions are numbered on their own: one channel has one action.
    let channel = number(3)?.checked_mul(1000)?.checked_add(number(5)?)?;
    Some(PlaneName {
        image: format!("{plate}_{well}_F{}", numbers[1].1),
        at: [Some(t), Some(channel), Some(z)],
        channel: Some(format!("C{}", numbers[5].1)),
        well: Some(WellName { plate: plate.to_owned(), row, column, field }),
    })
}

/// Molecular Devices `ImageXpress`: `TimePoint_1/ZStep_2/PLATE_C07_s1_w2GUID`.
fn image_xpress(folders: &str, stem: &str) -> Option<PlaneName> {
    let (mut t, mut z) = (None, None);
    for folder in folders.split('/').filter(|folder| !folder.is_empty()) {
        let (kind, number) = folder.rsplit_once('_')?;
        let slot = match kind {
            "TimePoint" => &mut t,
            "ZStep" => &mut z,
            _ => return None,
        };
        *slot = Some(number.parse().ok()?);
    }
    let mut parts: Vec<&str> = stem.split('_').collect();
    let channel = parts.last().and_then(|part| wavelength(part));
    parts.truncate(parts.len() - usize::from(channel.is_some()));
    let site = parts.last().and_then(|part| part.strip_prefix('s')?.parse::<u64>().ok());
    parts.truncate(parts.len() - usize::from(site.is_some()));
    // Without its folders, a name like this may be anything.
    if t.is_none() && (channel.is_none() || site.is_none()) {
        return None;
    }
    let (row, column) = well_of(parts.pop()?)?;
    let plate = parts.join("_");
    let image = format!("{plate}_{row}{column}_s{}", site.unwrap_or(1));
    let well = WellName { plate, row, column, field: site.unwrap_or(1) };
    Some(PlaneName {
        image,
        at: [t, channel, z],
        channel: channel.map(|channel| format!("w{channel}")),
        well: Some(well),
    })
}

/// `w2`, with or without the identifier of 36 characters that makes the name unique.
fn wavelength(part: &str) -> Option<u64> {
    let rest = part.strip_prefix('w')?;
    let is_id = |text: &str| text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let number = match rest.len().checked_sub(36) {
        Some(at) if rest.is_char_boundary(at) && is_id(&rest[at..]) => &rest[..at],
        _ => rest,
    };
    (number.len() <= 2).then(|| number.parse().ok()).flatten()
}

/// Names that have the letters `t`, `c` (or `ch`) and `z` before numbers, set apart from other text:
/// `embryo_z003_c01_t0012`, `cells--T00007--Z000`.
fn tokens(folders: &str, stem: &str) -> Option<PlaneName> {
    if !folders.is_empty() {
        return None;
    }
    let mut found = PlaneName { image: String::new(), at: [None; 3], channel: None, well: None };
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let mut rest = stem;
    while !rest.is_empty() {
        let (gap, after) = rest.split_at(rest.find(is_word).unwrap_or(rest.len()));
        let (word, after) = after.split_at(after.find(|c| !is_word(c)).unwrap_or(after.len()));
        if !planes_in(word, &mut found)? && !word.is_empty() {
            let gap = if found.image.is_empty() { "" } else { gap };
            found.image.extend([gap, word]);
        }
        rest = after;
    }
    found.at.iter().any(Option::is_some).then_some(found)
}

/// Whether a word is made of tokens, which are then noted; `None` if one of them stands twice in the name.
fn planes_in(word: &str, found: &mut PlaneName) -> Option<bool> {
    let Some(tokens) = letters_and_numbers(word) else { return Some(false) };
    let axis = |letters: &str| match letters.to_ascii_lowercase().as_str() {
        "t" => Some(0),
        "c" | "ch" => Some(1),
        "z" => Some(2),
        _ => None,
    };
    let axes: Option<Vec<usize>> = tokens.iter().map(|(letters, _)| axis(letters)).collect();
    let Some(axes) = axes else { return Some(false) };
    for (axis, (letters, number)) in axes.into_iter().zip(tokens) {
        let number = number.parse().ok()?;
        if found.at[axis].replace(number).is_some() {
            return None;
        }
        if axis == 1 {
            found.channel = Some(format!("{letters}{number}"));
        }
    }
    Some(true)
}

/// `T0001Z02` as letters and digits, in turn; `None` if it is not made of such pairs.
fn letters_and_numbers(word: &str) -> Option<Vec<(&str, &str)>> {
    let mut pairs = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit())?;
        let (letters, after) = rest.split_at(digits);
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, after) = after.split_at(end);
        if letters.is_empty() || !letters.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
        pairs.push((letters, number));
        rest = after;
    }
    (!pairs.is_empty()).then_some(pairs)
}

/// `D08` as row and column.
fn well_of(word: &str) -> Option<(String, String)> {
    match letters_and_numbers(word)?.as_slice() {
        [(row, column)] if row.len() <= 2 && row.bytes().all(|byte| byte.is_ascii_uppercase()) && column.len() <= 2 => {
            Some(((*row).to_owned(), (*column).to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> (String, [Option<u64>; 3]) {
        let name = PlaneName::read(path).unwrap_or_else(|| panic!("{path}"));
        (name.image, name.at)
    }

    #[test]
    fn letters_before_numbers_place_a_plane() {
        let (t, c, z) = (Some(12), Some(1), Some(3));
        assert_eq!(read("embryo_z003_c01_t0012.tif"), ("embryo".to_owned(), [t, c, z]));
        assert_eq!(read("a-T0012Z003CH1-b.tiff"), ("a-b".to_owned(), [t, c, z]));
        assert_eq!(read("x--W2--T00012--Z003--C.tif"), ("x--W2--C".to_owned(), [t, None, z]));
    }

    #[test]
    fn names_that_only_look_like_it_are_none() {
        for name in ["cells.tif", "c.tif", "embryo12.tif", "t1_t2.tif", "art3.tif", "abc_3.tif", "H2B_mCherry2.tif"] {
            assert_eq!(PlaneName::read(name), None, "{name}");
        }
    }

    #[test]
    fn names_of_screening_microscopes_name_wells() {
        let name = PlaneName::read("P_x_D08_T0001F002L01A02Z03C04.tif").unwrap();
        assert_eq!(name.at, [Some(1), Some(2004), Some(3)]);
        let well = name.well.unwrap();
        assert_eq!((well.plate.as_str(), well.row.as_str(), well.column.as_str(), well.field), ("P_x", "D", "08", 2));

        let name = "TimePoint_2/1well-3C_C07_s1_w2DEF08320-F169-4D37-9B69-B2808D75614E.tif";
        let name = PlaneName::read(name).unwrap();
        assert_eq!(name.at, [Some(2), Some(2), None]);
        assert_eq!(name.well.unwrap().column, "07");
        assert_eq!(PlaneName::read("TimePoint_1/9987_B02.TIF").unwrap().at, [Some(1), None, None]);
    }
}
