use serde::Serialize;

/// The value has no canonical JSON form.
#[derive(Debug, thiserror::Error)]
#[error("cannot write canonical JSON")]
pub struct CanonicalError(#[source] serde_json::Error);

/// Writes a value as canonical JSON (RFC 8785): sorted keys, shortest numbers, no spaces.
///
/// Two nodes that hold the same value write the same bytes, so that a digest over them means something.
///
/// # Errors
/// When the value holds a number JSON cannot carry (NaN, infinity) or a map key that is no string.
pub fn canonical_json<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    serde_json_canonicalizer::to_vec(value).map_err(CanonicalError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_numbers_are_short() {
        let value = serde_json::json!({"b": 1.0, "a": "\u{20ac}", "A": [true, null]});
        assert_eq!(canonical_json(&value).unwrap(), "{\"A\":[true,null],\"a\":\"€\",\"b\":1}".as_bytes());
    }
}
