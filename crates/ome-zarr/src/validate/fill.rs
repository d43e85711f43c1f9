use serde_json::Value;

use crate::{
    array::DataType,
    at::whole,
    faults::Faults,
    node::{Node, ZarrVersion},
};

use super::Rule;

/// Judges that the value of unwritten pixels is one that the data type has.
pub(super) fn check(array: &Node, data_type: DataType, faults: &mut Faults) {
    let fill = array.metadata.get("fill_value");
    let fits = match (fill, array.zarr) {
        (None | Some(Value::Null), ZarrVersion::V2) => true,
        (None | Some(Value::Null), ZarrVersion::V3) => false,
        (Some(value), _) => fits(value, data_type),
    };
    if !fits {
        let shown = fill.unwrap_or(&Value::Null).to_string();
        let message = format!("the fill_value {} is no {data_type}", shown.chars().take(40).collect::<String>());
        let place = array.structure().place_of("fill_value");
        faults.add(Rule::ArrayFill, place, message, "Write a value of the array's data type, such as 0.");
    }
}

fn fits(value: &Value, data_type: DataType) -> bool {
    match data_type {
        // Zarr 2 writers say 0 and 1 where Zarr 3 says false and true.
        DataType::Bool => value.is_boolean() || whole(value).is_some_and(|number| matches!(number, 0 | 1)),
        DataType::UInt(64) => value.is_u64() || whole(value).is_some_and(|number| number >= 0),
        DataType::UInt(bits) => whole(value).is_some_and(|number| number >= 0 && number < 1 << bits.min(62)),
        DataType::Int(64) => whole(value).is_some(),
        DataType::Int(bits) => {
            let limit = 1i64 << (bits.min(62) - 1);
            whole(value).is_some_and(|number| (-limit..limit).contains(&number))
        }
        DataType::Float(_) => is_float(value),
        DataType::Complex(_) => value.as_array().is_some_and(|parts| parts.len() == 2 && parts.iter().all(is_float)),
    }
}

/// A number, or what JSON has no number for (Zarr 3, "Fill value list").
fn is_float(value: &Value) -> bool {
    let special = |text: &str| matches!(text, "NaN" | "Infinity" | "-Infinity") || is_hexadecimal(text);
    value.is_number() || value.as_str().is_some_and(special)
}

fn is_hexadecimal(text: &str) -> bool {
    text.strip_prefix("0x").is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|d| d.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fill_values_are_of_their_arrays_type() {
        for (value, data_type) in [
            (json!(255), DataType::UInt(8)),
            (json!(u64::MAX), DataType::UInt(64)),
            (json!(-128), DataType::Int(8)),
            (json!("NaN"), DataType::Float(32)),
            (json!("0x7fc00000"), DataType::Float(32)),
            (json!(0.5), DataType::Float(64)),
            (json!([0, "NaN"]), DataType::Complex(64)),
            (json!(false), DataType::Bool),
        ] {
            assert!(fits(&value, data_type), "{value} {data_type}");
        }
        for (value, data_type) in [
            (json!(256), DataType::UInt(8)),
            (json!(-1), DataType::UInt(16)),
            (json!(0.5), DataType::UInt(16)),
            (json!("zero"), DataType::Float(32)),
            (json!(128), DataType::Int(8)),
            (json!(2), DataType::Bool),
            (json!(0), DataType::Complex(64)),
        ] {
            assert!(!fits(&value, data_type), "{value} {data_type}");
        }
    }
}
