use serde_json::{Map, Value, json};

/// An object of the entries that say something: nothing, empty text and empty lists are left out.
pub(super) fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let said = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    let entries = entries.into_iter().filter(|(_, value)| said(value));
    Value::Object(entries.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

/// A reference to what an IRI names.
pub(super) fn reference(iri: impl Into<String>) -> Value {
    json!({"@id": iri.into()})
}
