use std::{fmt, str::FromStr};

use dataset_model::DatasetKey;
use serde::{Deserialize, Serialize};

use crate::{SearchDocument, SearchError, Sort, ranking::sort_value};

/// The longest text read as a cursor.
const MAX_CURSOR_BYTES: usize = 512;

/// The place after one hit: its sort value and key, not a count, so that records coming and going elsewhere move nothing.
///
/// As text it needs no escaping in a URL. Its content is nobody's business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor {
    pub(crate) sort: Sort,
    /// Whether the last word was taken as a beginning, and CJK text found within words.
    pub(crate) loose: bool,
    pub(crate) value: SortValue,
    pub(crate) key: DatasetKey,
}

/// What hits are ordered by before their keys; smaller comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortValue {
    /// A day, a size or a score, turned round where the largest comes first.
    Number(u64),
    /// A title as titles are compared.
    Text(String),
}

impl Cursor {
    /// The place after a record in an order of hits. As scores depend on the record and the question alone, it is the same
    /// in every index of this schema, whether that holds the record or not.
    pub fn after(order: Sort, score: f32, record: &SearchDocument) -> Self {
        Self::at(order, (sort_value(order, score, record), record.key.clone()))
    }

    /// A place as [`place`](Self::place) gives it, as a cursor.
    pub fn at(order: Sort, place: (SortValue, DatasetKey)) -> Self {
        Self { sort: order, loose: false, value: place.0, key: place.1 }
    }

    /// The order of hits it belongs to.
    pub fn order(&self) -> Sort {
        self.sort
    }

    /// The same place for an index that took, or did not take, the last word as a beginning.
    pub fn with_loose(&self, loose: bool) -> Self {
        Self { loose, ..self.clone() }
    }

    /// What places of one order are compared by; smaller comes first.
    pub fn place(&self) -> (SortValue, DatasetKey) {
        (self.value.clone(), self.key.clone())
    }
}

fn sort_letter(sort: Sort) -> &'static str {
    match sort {
        Sort::Relevance => "r",
        Sort::Newest => "n",
        Sort::Oldest => "o",
        Sort::Largest => "l",
        Sort::Title => "t",
    }
}

fn sort_of(letter: &str) -> Option<Sort> {
    let all = [Sort::Relevance, Sort::Newest, Sort::Oldest, Sort::Largest, Sort::Title];
    all.into_iter().find(|sort| sort_letter(*sort) == letter)
}

fn to_hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(hex: &str) -> Option<String> {
    let digits: Option<Vec<u8>> =
        hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| high * 16 + low).collect();
    rest.is_empty().then(|| String::from_utf8(bytes).ok()).flatten()
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = match &self.value {
            SortValue::Number(number) => format!("{number:x}"),
            SortValue::Text(text) => to_hex(text),
        };
        let mode = if self.loose { "p" } else { "w" };
        write!(f, "{}~{mode}~{value}~{}~{}", sort_letter(self.sort), self.key.node, self.key.id)
    }
}

impl FromStr for Cursor {
    type Err = SearchError;

    fn from_str(text: &str) -> Result<Self, SearchError> {
        read(text).ok_or(SearchError::BadCursor)
    }
}

fn read(text: &str) -> Option<Cursor> {
    if text.len() > MAX_CURSOR_BYTES {
        return None;
    }
    let mut parts = text.split('~');
    let sort = sort_of(parts.next()?)?;
    let loose = match parts.next()? {
        "p" => true,
        "w" => false,
        _ => return None,
    };
    let value = parts.next()?;
    let value = match sort {
        Sort::Title => SortValue::Text(from_hex(value)?),
        _ => SortValue::Number(u64::from_str_radix(value, 16).ok()?),
    };
    let key = DatasetKey { node: parts.next()?.parse().ok()?, id: parts.next()?.parse().ok()? };
    parts.next().is_none().then_some(Cursor { sort, loose, value, key })
}

impl TryFrom<String> for Cursor {
    type Error = SearchError;

    fn try_from(text: String) -> Result<Self, SearchError> {
        text.parse()
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursor(sort: Sort, value: SortValue) -> Cursor {
        let key = DatasetKey { node: "europe".parse().unwrap(), id: "a_b-c.9".parse().unwrap() };
        Cursor { sort, loose: true, value, key }
    }

    #[test]
    fn a_cursor_survives_a_url_unescaped() {
        for cursor in [
            cursor(Sort::Relevance, SortValue::Number(u64::MAX)),
            cursor(Sort::Title, SortValue::Text("zellen/細胞 ~".to_owned())),
            cursor(Sort::Title, SortValue::Text(String::new())),
        ] {
            let text = cursor.to_string();
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)), "{text}");
            assert_eq!(text.parse::<Cursor>().unwrap(), cursor);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[rnolt]?~?[pw]?~?\\PC{0,40}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
            }
        }
    }

    #[test]
    fn a_huge_cursor_is_refused() {
        assert!(format!("t~w~{}~a~b", "61".repeat(1_000_000)).parse::<Cursor>().is_err());
    }
}
