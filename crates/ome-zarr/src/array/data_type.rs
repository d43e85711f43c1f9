use serde_json::{Value, json};

/// The type of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataType {
    Bool,
    Int(u8),
    UInt(u8),
    Float(u8),
    Complex(u8),
}

impl DataType {
    /// Reads a NumPy type string such as `<u2`.
    pub(super) fn v2(dtype: Option<&Value>) -> Result<Self, String> {
        let text = dtype.and_then(Value::as_str).ok_or("its dtype is not a simple type")?;
        let unknown = || format!("its dtype '{}' is not one that images use", text.escape_default());
        let mut letters = text.trim_start_matches(['<', '>', '|', '=']).chars();
        let kind = letters.next().ok_or_else(unknown)?;
        let bytes: u8 = letters.as_str().parse().map_err(|_| unknown())?;
        let bits = bytes.checked_mul(8).ok_or_else(unknown)?;
        let found = match kind {
            'b' if bytes == 1 => Self::Bool,
            'i' => Self::Int(bits),
            'u' => Self::UInt(bits),
            'f' => Self::Float(bits),
            'c' => Self::Complex(bits),
            _ => return Err(unknown()),
        };
        if found.is_known() { Ok(found) } else { Err(unknown()) }
    }

    /// Reads a Zarr 3 name such as `uint16`.
    pub(super) fn v3(data_type: Option<&Value>) -> Result<Self, String> {
        let text = data_type.and_then(Value::as_str).ok_or("its data_type is not a simple type")?;
        let unknown = || format!("its data type '{}' is not one that images use", text.escape_default());
        if text == "bool" {
            return Ok(Self::Bool);
        }
        let (name, bits) = text.split_at(text.find(|c: char| c.is_ascii_digit()).ok_or_else(unknown)?);
        let bits: u8 = bits.parse().map_err(|_| unknown())?;
        let found = match name {
            "int" => Self::Int(bits),
            "uint" => Self::UInt(bits),
            "float" => Self::Float(bits),
            "complex" => Self::Complex(bits),
            _ => return Err(unknown()),
        };
        if found.is_known() { Ok(found) } else { Err(unknown()) }
    }

    fn is_known(self) -> bool {
        match self {
            Self::Bool => true,
            Self::Int(bits) | Self::UInt(bits) => matches!(bits, 8 | 16 | 32 | 64),
            Self::Float(bits) => matches!(bits, 16 | 32 | 64),
            Self::Complex(bits) => matches!(bits, 64 | 128),
        }
    }

    /// Bytes per pixel.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Int(bits) | Self::UInt(bits) | Self::Float(bits) | Self::Complex(bits) => usize::from(bits / 8),
        }
    }

    /// The fill value 0, as Zarr 3 metadata has it.
    pub(crate) fn zero(self) -> Value {
        match self {
            Self::Bool => json!(false),
            Self::Int(_) | Self::UInt(_) => json!(0),
            Self::Float(_) => json!(0.0),
            Self::Complex(_) => json!([0.0, 0.0]),
        }
    }

    /// Whether label images may have it.
    pub(crate) fn is_integer(self) -> bool {
        matches!(self, Self::Int(_) | Self::UInt(_))
    }
}

impl std::fmt::Display for DataType {
    /// The Zarr 3 name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int(bits) => write!(f, "int{bits}"),
            Self::UInt(bits) => write!(f, "uint{bits}"),
            Self::Float(bits) => write!(f, "float{bits}"),
            Self::Complex(bits) => write!(f, "complex{bits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_name_the_same_type() {
        for (old, new) in
            [("<u2", "uint16"), (">f8", "float64"), ("|b1", "bool"), ("|u1", "uint8"), ("<c8", "complex64")]
        {
            let old = DataType::v2(Some(&json!(old))).unwrap();
            assert_eq!(old, DataType::v3(Some(&json!(new))).unwrap());
            assert_eq!(old.to_string(), new);
        }
    }

    #[test]
    fn types_that_are_no_pixels_are_refused() {
        for bad in ["<u3", "|O", "<U12", "", "u", "<u99999", "uint"] {
            assert!(DataType::v2(Some(&json!(bad))).is_err(), "{bad}");
        }
        for bad in ["uint12", "string", "", "float128", "16", "é8"] {
            assert!(DataType::v3(Some(&json!(bad))).is_err(), "{bad}");
        }
    }
}
