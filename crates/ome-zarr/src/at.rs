use serde_json::{Map, Value};

/// A JSON value, and where it stands: metadata comes from strangers, so every reader says what it found and where.
#[derive(Debug, Clone)]
pub(crate) struct At<'a> {
    pub(crate) value: &'a Value,
    file: &'a str,
    pointer: String,
}

impl<'a> At<'a> {
    pub(crate) fn new(value: &'a Value, file: &'a str, pointer: impl Into<String>) -> Self {
        Self { value, file, pointer: pointer.into() }
    }

    /// The file and JSON pointer (RFC 6901), as findings name them.
    pub(crate) fn place(&self) -> String {
        format!("{}#{}", self.file, self.pointer)
    }

    /// The place a missing member would have.
    pub(crate) fn place_of(&self, key: &str) -> String {
        format!("{}#{}/{}", self.file, self.pointer, escape(key))
    }

    /// A member that is present and not `null`.
    pub(crate) fn get(&self, key: &str) -> Option<At<'a>> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(At { value, file: self.file, pointer: format!("{}/{}", self.pointer, escape(key)) })
    }

    /// The elements, if this is an array.
    pub(crate) fn items(&self) -> Option<Vec<At<'a>>> {
        let item = |(index, value)| At { value, file: self.file, pointer: format!("{}/{index}", self.pointer) };
        Some(self.value.as_array()?.iter().enumerate().map(item).collect())
    }

    /// The elements of an array member; nothing where there is no such array.
    pub(crate) fn list(&self, key: &str) -> Vec<At<'a>> {
        self.get(key).and_then(|member| member.items()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    pub(crate) fn text_of(&self, key: &str) -> Option<&'a str> {
        self.value.get(key)?.as_str()
    }

    /// A finite number.
    pub(crate) fn number(&self) -> Option<f64> {
        self.value.as_f64().filter(|number| number.is_finite())
    }

    pub(crate) fn object(&self) -> Option<&'a Map<String, Value>> {
        self.value.as_object()
    }

    /// A list of finite numbers; `None` if it is anything else.
    pub(crate) fn numbers(&self) -> Option<Vec<f64>> {
        self.items()?.iter().map(At::number).collect()
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A whole number however it is written: some writers say `1.0`.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_json_pointers() {
        let value = json!({"a/b": [{"c~": 1}]});
        let root = At::new(&value, "x/zarr.json", "/attributes");
        let item = root.list("a/b").remove(0).get("c~").unwrap();
        assert_eq!(item.place(), "x/zarr.json#/attributes/a~1b/0/c~0");
    }

    #[test]
    fn whole_numbers_may_carry_a_point() {
        assert_eq!(whole(&json!(3.0)), Some(3));
        assert_eq!(whole(&json!(3.5)), None);
        assert_eq!(whole(&json!(1e300)), None);
        assert_eq!(whole(&json!("3")), None);
    }
}
