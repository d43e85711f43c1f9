use std::collections::{BTreeSet, HashMap};

use tantivy::DocId;

use crate::columns::FacetColumn;
use crate::counting::Chosen;
use crate::schema::value_text;
use crate::term_sets::{count_terms, term_sets};
use crate::{FacetSelection, FacetValue, Facets, SearchDocument, SearchError};

/// Something records are counted by. Each is also a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facet {
    Organism,
    Method,
    Entity,
    Publisher,
    Node,
    Licence,
    Year,
    Access,
    HasImages,
    ImageCount,
    Dimensions,
    Channels,
    HasLabels,
    IsPlate,
    DataType,
    Version,
    Sharded,
}

/// How many facets there are.
pub(crate) const COUNT: usize = 17;

/// All facets, in the order of their bits.
pub(crate) const FACETS: [Facet; COUNT] = [
    Facet::Organism,
    Facet::Method,
    Facet::Entity,
    Facet::Publisher,
    Facet::Node,
    Facet::Licence,
    Facet::Year,
    Facet::Access,
    Facet::HasImages,
    Facet::ImageCount,
    Facet::Dimensions,
    Facet::Channels,
    Facet::HasLabels,
    Facet::IsPlate,
    Facet::DataType,
    Facet::Version,
    Facet::Sharded,
];

impl Facet {
    pub(crate) fn field_name(self) -> &'static str {
        match self {
            Self::Organism => "organism",
            Self::Method => "method",
            Self::Entity => "entity",
            Self::Publisher => "publisher",
            Self::Node => "node",
            Self::Licence => "licence",
            Self::Year => "year",
            Self::Access => "access",
            Self::HasImages => "has_images",
            Self::ImageCount => "image_count",
            Self::Dimensions => "dimensions",
            Self::Channels => "channels",
            Self::HasLabels => "has_labels",
            Self::IsPlate => "is_plate",
            Self::DataType => "data_type",
            Self::Version => "ome_zarr_version",
            Self::Sharded => "sharded",
        }
    }

    /// What it is called in an answer.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            _ => self.field_name(),
        }
    }

    /// The bit that says "fails this filter".
    pub(crate) fn bit(self) -> u32 {
        1 << (self as u32)
    }

    /// Whether a record has one value at most; terms are one set.
    fn is_single(self) -> bool {
        self.is_terms() || matches!(self, Self::Publisher | Self::Licence | Self::Year)
    }

    /// Whether its values are terms with others above them, stored as [`term_sets`].
    pub(crate) fn is_terms(self) -> bool {
        matches!(self, Self::Organism | Self::Method | Self::Entity)
    }

    /// Splits a stored value into value and label.
    fn read(self, stored: &str) -> (&str, &str) {
        match self {
            Self::Year => {
                let year = stored.trim_start_matches('0');
                let year = if year.is_empty() { "0" } else { year };
                (year, year)
            }
            Self::HasImages => (stored, if stored == "true" { "with images" } else { "without images" }),
            Self::HasLabels => (stored, if stored == "true" { "with labels" } else { "without labels" }),
            Self::IsPlate => (stored, if stored == "true" { "with plates" } else { "without plates" }),
            Self::Sharded => (stored, if stored == "true" { "sharded" } else { "not sharded" }),
            Self::Version => (stored, version_label(stored)),
            _ => (stored, stored),
        }
    }
}

/// Stands for no value, where a record can have one at most: a column that has a value for every record is read several
/// times faster. No filter asks for it.
pub(crate) const NONE: &str = "\0";

/// What is stored for a record under a facet: each value once.
pub(crate) fn stored_values(facet: Facet, record: &SearchDocument) -> Vec<String> {
    let mut values = facet_values(facet, record);
    if values.is_empty() && facet.is_single() {
        values.push(NONE.to_owned());
    }
    values
}

fn facet_values(facet: Facet, record: &SearchDocument) -> Vec<String> {
    let one = |text: &Option<String>| text.as_deref().and_then(value_text).map(str::to_owned).into_iter().collect();
    match facet {
        Facet::Organism => term_sets(&record.organisms, &record.organism_closure, &[]),
        Facet::Method => term_sets(&record.methods, &record.method_closure, &[]),
        Facet::Entity => term_sets(&record.about, &record.about_closure, &record.entities),
        Facet::Publisher => one(&record.publisher),
        Facet::Licence => one(&record.licence),
        Facet::Node => vec![record.key.node.to_string()],
        Facet::Year => record.year.map(year_text).into_iter().collect(),
        Facet::Access => vec![record.access.as_str().to_owned()],
        Facet::HasImages => vec![(record.images > 0).to_string()],
        Facet::ImageCount => vec![image_count(record.images).to_owned()],
        Facet::Dimensions => several(&record.image_facets.dimensions),
        Facet::Channels => several(&record.image_facets.channels),
        Facet::DataType => several(&record.image_facets.data_types),
        Facet::Version => several(&record.image_facets.versions),
        Facet::HasLabels => record.image_facets.has_labels.iter().map(ToString::to_string).collect(),
        Facet::IsPlate => record.image_facets.is_plate.iter().map(ToString::to_string).collect(),
        Facet::Sharded => record.image_facets.sharded.iter().map(ToString::to_string).collect(),
    }
}

/// Each value once, however often a record names it.
fn several(values: &[String]) -> Vec<String> {
    let values: BTreeSet<&str> = values.iter().filter_map(|value| value_text(value)).collect();
    values.into_iter().map(str::to_owned).collect()
}

/// How many images, roughly.
fn image_count(images: u32) -> &'static str {
    match images {
        0 => "0",
        1 => "1",
        2..=9 => "2-9",
        10..=99 => "10-99",
        _ => "100+",
    }
}

fn version_label(version: &str) -> &str {
    match version {
        "0.4" => "OME-Zarr 0.4",
        "0.5" => "OME-Zarr 0.5",
        other => other,
    }
}

/// A year as text that sorts as the number does.
pub(crate) fn year_text(year: u16) -> String {
    format!("{year:05}")
}

/// Counts of stored values over all segments; of sets of terms, of their lines.
#[derive(Debug, Default)]
pub(crate) struct Tally(HashMap<String, u64>);

impl Tally {
    /// Counts the values of some records of one segment, and of others of it.
    pub(crate) fn add(&mut self, column: &FacetColumn, docs: &Chosen, also: &[DocId]) -> Result<(), SearchError> {
        let counts = column.counts(docs, also);
        column.name(&counts, |name, count| match self.0.get_mut(name) {
            _ if name == NONE => {}
            Some(sum) => *sum += count,
            None => drop(self.0.insert(name.to_owned(), count)),
        })
    }

    /// The counts by value, with the label most records use; of terms, everything above them is counted too.
    pub(crate) fn values(&self, facet: Facet) -> Vec<FacetValue> {
        let mut values = if facet.is_terms() {
            count_terms(self.0.iter().map(|(line, count)| (line.as_str(), *count)))
        } else {
            self.plain_values(facet)
        };
        values.sort_unstable_by(|a, b| {
            b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)).then_with(|| a.value.cmp(&b.value))
        });
        values
    }

    fn plain_values(&self, facet: Facet) -> Vec<FacetValue> {
        let mut stored: Vec<(&String, u64)> = self.0.iter().map(|(text, count)| (text, *count)).collect();
        stored.sort_unstable_by(|(text, count), (other, more)| more.cmp(count).then_with(|| text.cmp(other)));
        let mut values: HashMap<&str, FacetValue> = HashMap::new();
        for (text, count) in stored {
            let (value, label) = facet.read(text);
            values.entry(value).or_insert_with(|| FacetValue::new(value, label, 0)).count += count;
        }
        values.into_values().collect()
    }
}

/// The facets of an answer, from one tally per facet in the order of [`FACETS`].
pub(crate) fn facets(tallies: &[Tally; COUNT]) -> Facets {
    let mut facets = Facets::default();
    for (facet, tally) in FACETS.into_iter().zip(tallies) {
        *values_of(&mut facets, facet) = tally.values(facet);
    }
    facets
}

/// Facets that were counted, without those that are not wanted.
pub(crate) fn only(mut facets: Facets, wanted: FacetSelection) -> Facets {
    for facet in FACETS.into_iter().filter(|facet| !wanted.has(*facet)) {
        values_of(&mut facets, facet).clear();
    }
    facets
}

impl Facets {
    /// The facets of a selection, each with its name.
    pub fn into_named(mut self, selection: FacetSelection) -> Vec<(&'static str, Vec<FacetValue>)> {
        let selected = FACETS.into_iter().filter(|facet| selection.has(*facet));
        selected.map(|facet| (facet.name(), std::mem::take(values_of(&mut self, facet)))).collect()
    }
}

fn values_of(facets: &mut Facets, facet: Facet) -> &mut Vec<FacetValue> {
    match facet {
        Facet::Organism => &mut facets.organism,
        Facet::Method => &mut facets.method,
        Facet::Entity => &mut facets.entity,
        Facet::Publisher => &mut facets.publisher,
        Facet::Node => &mut facets.node,
        Facet::Licence => &mut facets.licence,
        Facet::Year => &mut facets.year,
        Facet::Access => &mut facets.access,
        Facet::HasImages => &mut facets.has_images,
        Facet::ImageCount => &mut facets.image_count,
        Facet::Dimensions => &mut facets.dimensions,
        Facet::Channels => &mut facets.channels,
        Facet::HasLabels => &mut facets.has_labels,
        Facet::IsPlate => &mut facets.is_plate,
        Facet::DataType => &mut facets.data_type,
        Facet::Version => &mut facets.version,
        Facet::Sharded => &mut facets.sharded,
    }
}
