//! Sizes of datasets, as crates declare them.

use serde_json::Value;

use super::entity::Entity;

/// What a size of a dataset is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeUnit {
    /// Bytes, `UO_0000233` of the Units of Measurement Ontology.
    Bytes,
    /// Files, `UO_0000189` ("count").
    Files,
}

impl SizeUnit {
    /// The unit that a `QuantitativeValue` means by its `unitCode` and its `unitText`; nothing when it counts something else.
    pub fn read(code: &str, text: &str) -> Option<Self> {
        if [Self::Bytes, Self::Files].into_iter().any(|unit| code.ends_with(unit.code())) {
            return Some(if code.ends_with(Self::Bytes.code()) { Self::Bytes } else { Self::Files });
        }
        match text.to_lowercase().as_str() {
            "byte" | "bytes" | "b" => Some(Self::Bytes),
            "file" | "files" | "file count" => Some(Self::Files),
            _ => None,
        }
    }

    /// The term's name in the Units of Measurement Ontology.
    pub fn code(self) -> &'static str {
        match self {
            Self::Bytes => "UO_0000233",
            Self::Files => "UO_0000189",
        }
    }

    /// `unitText`, as the GIDE search profile wants it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Files => "file count",
        }
    }
}

/// The quantity an entity stands for; nothing when its unit or number cannot be read.
pub(super) fn size(entity: &Entity) -> Option<(SizeUnit, u64)> {
    let code = entity.references("unitCode").next().map(str::to_owned).or_else(|| entity.text("unitCode"));
    let text = entity.text("unitText").unwrap_or_default();
    let unit = SizeUnit::read(&code.unwrap_or_default(), &text)?;
    whole(entity.values("value").first()?).map(|number| (unit, number))
}

/// A whole number, also when written as text, as `1e9`, or with its thousands apart (`1,234,567`).
fn whole(value: &Value) -> Option<u64> {
    let text = value.as_str().map(|text| text.trim().replace([' ', '_'], ""));
    let text = text.map(|text| if has_thousands(&text) { text.replace(',', "") } else { text });
    let number = value.as_u64().or_else(|| text.as_ref()?.parse().ok());
    number.or_else(|| {
        let float = value.as_f64().or_else(|| text?.parse().ok())?;
        // 2^53: above it a float no longer names one whole number.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be a whole number below 2^53"
        )]
        let number = (0.0..9_007_199_254_740_992.0).contains(&float).then_some(float.round() as u64);
        number
    })
}

fn has_thousands(text: &str) -> bool {
    let mut groups = text.split(',');
    groups.next().is_some_and(|first| (1..=3).contains(&first.len())) && groups.all(|group| group.len() == 3)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_read_however_they_are_written() {
        for (written, number) in [
            (json!(12), Some(12)),
            (json!("12"), Some(12)),
            (json!("1e3"), Some(1000)),
            (json!("1,234,567"), Some(1_234_567)),
            (json!("1 234"), Some(1234)),
            (json!(12.0), Some(12)),
            (json!(-1), None),
            (json!("12,5"), None),
            (json!("much"), None),
            (json!(1e300), None),
        ] {
            assert_eq!(whole(&written), number, "{written}");
        }
    }
}
