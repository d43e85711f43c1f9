//! What a crate seems to be about, for who wants to know before it is read.

use serde::Deserialize;
use serde_json::Value;

use super::{limits, root};

/// The root dataset's id and accession as they are written.
///
/// A reading ([`read_crate`](super::read_crate)) may find others: it repairs both, and where nothing says which the root dataset is
/// it finds that out, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// Its `@id`.
    pub id: String,
    /// The first of its `identifier`s, where that is a text.
    pub identifier: Option<String>,
}

/// Of all entities, only that which is looked for.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "@graph")]
    graph: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "@id")]
    id: String,
    about: Option<Value>,
    identifier: Option<Value>,
}

/// Looks at a crate; nothing where it is unusual enough to be read as a whole.
pub fn glance(bytes: &[u8]) -> Option<Glance> {
    limits::check(bytes).ok()?;
    let Document { graph } = serde_json::from_slice(bytes).ok()?;
    let descriptor = graph.iter().find(|entity| root::names_a_descriptor(&entity.id))?;
    let about = first(descriptor.about.as_ref()?)?.get("@id")?.as_str()?;
    let root = graph.iter().find(|entity| entity.id == about)?;
    let identifier = root.identifier.as_ref().and_then(first).and_then(Value::as_str).map(str::to_owned);
    Some(Glance { id: root.id.clone(), identifier })
}

fn first(value: &Value) -> Option<&Value> {
    value.as_array().map_or(Some(value), |values| values.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(graph: &str) -> Option<(String, Option<String>)> {
        let descriptor = r#"{"@id": "ro-crate-metadata.json", "about": {"@id": "https://archive.example/S1"}}"#;
        glance(format!(r#"{{"@graph": [{descriptor}, {graph}]}}"#).as_bytes())
            .map(|glance| (glance.id, glance.identifier))
    }

    #[test]
    fn the_root_and_its_accession_are_seen() {
        let id = "https://archive.example/S1".to_owned();
        let root = |more: &str| format!(r#"{{"@id": "https://archive.example/S1", "name": "Cells"{more}}}"#);
        assert_eq!(seen(&root("")), Some((id.clone(), None)));
        assert_eq!(seen(&root(r#", "identifier": "S1""#)), Some((id.clone(), Some("S1".into()))));
        assert_eq!(seen(&root(r#", "identifier": ["S1", "S2"]"#)), Some((id.clone(), Some("S1".into()))));
        assert_eq!(seen(&root(r##", "identifier": {"@id": "#a"}"##)), Some((id, None)));
    }

    #[test]
    fn what_is_unusual_is_left_to_a_reading() {
        assert_eq!(seen(r#"{"@id": "https://archive.example/S2"}"#), None, "no such entity");
        assert_eq!(seen(r#""a text""#), None);
        assert_eq!(glance(br#"{"@graph": [{"@id": "./", "@type": "Dataset"}]}"#), None, "no descriptor");
        assert_eq!(glance(b"[]"), None);
    }
}
