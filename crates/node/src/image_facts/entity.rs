//! Facts as entities of a crate, and back. Crates come from strangers: what cannot be read is left out.

use std::collections::HashMap;

use ome_zarr::AxisKind;
use serde_json::{Map, Value, json};

use super::{AxisFacts, ChannelFacts, ImageFacts, MAX_AXES, MAX_LISTED, PlateFacts, VOCABULARY, clipped};

/// How the vocabulary is called in crates.
const PREFIX: &str = "heliograph";
const KINDS: [(&str, AxisKind); 4] =
    [("time", AxisKind::Time), ("channel", AxisKind::Channel), ("space", AxisKind::Space), ("other", AxisKind::Other)];

/// What a crate's `@context` must say for the facts to mean something.
pub(crate) fn context() -> Value {
    json!({PREFIX: VOCABULARY})
}

/// The entities of a crate, as far as images need them.
pub(crate) struct ImageEntities<'a>(HashMap<&'a str, &'a Value>);

impl<'a> ImageEntities<'a> {
    /// Channels and the like, to be found by their ids.
    pub(crate) fn of(graph: &'a [Value]) -> Self {
        let of_ours = |entity: &&Value| types(entity).any(|kind| kind.starts_with(PREFIX));
        Self(graph.iter().filter(of_ours).filter_map(|entity| Some((entity.get("@id")?.as_str()?, entity))).collect())
    }

    /// The facts of an image's entity; nothing where it tells none.
    pub(crate) fn facts(&self, entity: &Value) -> Option<ImageFacts> {
        types(entity).find(|kind| *kind == word("Image") || *kind == word("Plate"))?;
        let text = |name: &str| value(entity, name).and_then(Value::as_str).map(clipped).unwrap_or_default();
        let number = |name: &str| value(entity, name).and_then(Value::as_u64);
        let shape = |name: &str| value(entity, name).and_then(Value::as_str).map(sizes).unwrap_or_default();
        let list = |name: &str| texts(value(entity, name));
        let mut facts = ImageFacts {
            version: text("omeZarrVersion"),
            axes: axes(&text("axes"), &text("axisTypes"), &shape("shape")),
            data_type: text("dataType"),
            levels: number("levels").unwrap_or(0),
            chunk_shape: shape("chunkShape"),
            shard_shape: Some(shape("shardShape")).filter(|shape| !shape.is_empty()),
            codecs: list("codec"),
            channels: self.channels(entity),
            labels: list("label"),
            plate: number("wells").map(|wells| PlateFacts {
                wells,
                rows: number("rows").unwrap_or(0),
                columns: number("columns").unwrap_or(0),
                fields: number("fields").unwrap_or(0),
                acquisitions: number("acquisitions").unwrap_or(0),
            }),
            bytes: number("bytes"),
            digest: value(entity, "contentRoot").and_then(Value::as_str).and_then(|digest| digest.parse().ok()),
        };
        let pixels: Vec<(String, Option<f64>)> = facts
            .canonical()
            .into_iter()
            .map(|(letter, axis)| {
                (axis.name.clone(), pixel_word(letter).and_then(|word| positive(value(entity, word))))
            })
            .collect();
        for (name, pixel) in pixels {
            facts.axes.iter_mut().filter(|axis| axis.name == name).for_each(|axis| axis.pixel = pixel);
        }
        Some(facts)
    }

    fn channels(&self, entity: &Value) -> Vec<ChannelFacts> {
        let mut channels: Vec<(u64, ChannelFacts)> = Vec::new();
        for id in references(value(entity, "channel")).into_iter().take(MAX_LISTED) {
            let Some(entity) = self.0.get(id) else { continue };
            let color = value(entity, "color").and_then(Value::as_str).filter(|color| is_color(color));
            let number = |name: &str| value(entity, name).and_then(Value::as_f64);
            let channel = ChannelFacts {
                label: entity.get("name").and_then(Value::as_str).map(clipped),
                color: color.map(str::to_owned),
                window: number("windowStart").zip(number("windowEnd")),
                emission: positive(value(entity, "emissionWavelength")),
            };
            channels.push((value(entity, "index").and_then(Value::as_u64).unwrap_or(u64::MAX), channel));
        }
        channels.sort_by_key(|(index, _)| *index);
        channels.into_iter().map(|(_, channel)| channel).collect()
    }
}

impl ImageFacts {
    /// Writes the facts into the entity of the image `id`; gives the entities they refer to.
    pub(crate) fn write(&self, id: &str, entity: &mut Map<String, Value>) -> Vec<Value> {
        let kind = if self.plate.is_some() { "Plate" } else { "Image" };
        entity.insert("@type".into(), json!(["Dataset", word(kind)]));
        let mut put = |name: &str, value: Value| {
            let is_empty = value.is_null() || value == json!("") || value == json!([]);
            if !is_empty {
                entity.insert(word(name), value);
            }
        };
        put("omeZarrVersion", json!(self.version));
        let listed = |texts: Vec<&str>| json!(texts.join(","));
        put("axes", listed(self.axes.iter().map(|axis| axis.name.as_str()).collect()));
        put("axisTypes", listed(self.axes.iter().map(|axis| name_of(axis.kind)).collect()));
        put("shape", json!(joined(self.axes.iter().map(|axis| axis.size))));
        for (letter, axis) in self.canonical() {
            put(&format!("size{letter}"), json!(axis.size));
            pixel_word(letter).into_iter().for_each(|word| put(word, json!(axis.pixel)));
        }
        put("dataType", json!(self.data_type));
        put("levels", json!(self.levels));
        put("chunkShape", json!(joined(self.chunk_shape.iter().copied())));
        put("shardShape", json!(joined(self.shard_shape.iter().flatten().copied())));
        put("codec", json!(self.codecs));
        put("label", json!(self.labels));
        put("bytes", json!(self.bytes));
        put("contentRoot", json!(self.digest));
        if let Some(plate) = &self.plate {
            let counts = [plate.rows, plate.columns, plate.wells, plate.fields, plate.acquisitions];
            ["rows", "columns", "wells", "fields", "acquisitions"].into_iter().zip(counts).for_each(|(name, count)| {
                put(name, json!(count));
            });
        }
        let channels: Vec<Value> =
            self.channels.iter().enumerate().map(|(index, channel)| channel.entity(id, index)).collect();
        put("channel", channels.iter().map(|channel| json!({"@id": channel["@id"]})).collect());
        channels
    }
}

impl ChannelFacts {
    fn entity(&self, image: &str, index: usize) -> Value {
        let mut entity = Map::from_iter([
            ("@id".to_owned(), json!(format!("{image}#channel-{index}"))),
            ("@type".to_owned(), json!(word("Channel"))),
            (word("index"), json!(index)),
        ]);
        let values = [
            ("name".to_owned(), json!(self.label)),
            (word("color"), json!(self.color)),
            (word("windowStart"), json!(self.window.map(|(start, _)| start))),
            (word("windowEnd"), json!(self.window.map(|(_, end)| end))),
            (word("emissionWavelength"), json!(self.emission)),
        ];
        entity.extend(values.into_iter().filter(|(_, value)| !value.is_null()));
        Value::Object(entity)
    }
}

fn word(name: &str) -> String {
    format!("{PREFIX}:{name}")
}

fn pixel_word(letter: &str) -> Option<&'static str> {
    match letter {
        "X" => Some("pixelSizeX"),
        "Y" => Some("pixelSizeY"),
        "Z" => Some("pixelSizeZ"),
        "T" => Some("timeStep"),
        _ => None,
    }
}

fn value<'a>(entity: &'a Value, name: &str) -> Option<&'a Value> {
    entity.get(word(name))
}

fn types(entity: &Value) -> impl Iterator<Item = &str> {
    let kinds = entity.get("@type");
    let one = kinds.and_then(Value::as_str);
    let several = kinds.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(several)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let one = value.and_then(Value::as_str);
    let several = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(several).take(MAX_LISTED).map(clipped).collect()
}

fn references(value: Option<&Value>) -> Vec<&str> {
    let several = value.and_then(Value::as_array).into_iter().flatten();
    value.into_iter().chain(several).filter_map(|value| value.get("@id")?.as_str()).collect()
}

fn positive(value: Option<&Value>) -> Option<f64> {
    value.and_then(Value::as_f64).filter(|number| number.is_finite() && *number > 0.0)
}

fn is_color(color: &str) -> bool {
    color.len() == 6 && color.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn joined(sizes: impl Iterator<Item = u64>) -> String {
    sizes.map(|size| size.to_string()).collect::<Vec<_>>().join(",")
}

/// The sizes of a shape; nothing unless all of them can be read.
fn sizes(shape: &str) -> Vec<u64> {
    let sizes: Option<Vec<u64>> = shape.split(',').take(MAX_AXES + 1).map(|size| size.parse().ok()).collect();
    sizes.filter(|sizes| sizes.len() <= MAX_AXES).unwrap_or_default()
}

fn axes(names: &str, kinds: &str, shape: &[u64]) -> Vec<AxisFacts> {
    let kind = |name: &str| KINDS.iter().find(|(known, _)| *known == name).map_or(AxisKind::Other, |(_, kind)| *kind);
    let both = names.split(',').zip(kinds.split(',')).zip(shape);
    both.map(|((name, of), size)| AxisFacts { name: clipped(name), kind: kind(of), size: *size, pixel: None }).collect()
}

fn name_of(kind: AxisKind) -> &'static str {
    KINDS.iter().find(|(_, of)| *of == kind).map_or("other", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ImageFacts {
        let axis = |name: &str, kind, size, pixel| AxisFacts { name: name.into(), kind, size, pixel };
        ImageFacts {
            version: "0.5".into(),
            axes: vec![
                axis("t", AxisKind::Time, 4, Some(30.0)),
                axis("c", AxisKind::Channel, 2, None),
                axis("z", AxisKind::Space, 120, Some(0.5)),
                axis("Y", AxisKind::Space, 512, Some(0.1)),
                axis("X", AxisKind::Space, 256, None),
            ],
            data_type: "uint16".into(),
            levels: 3,
            chunk_shape: vec![1, 1, 1, 64, 64],
            shard_shape: Some(vec![1, 1, 8, 512, 512]),
            codecs: vec!["sharding_indexed".into(), "bytes".into(), "blosc".into()],
            channels: vec![
                ChannelFacts {
                    label: Some("DAPI".into()),
                    color: Some("0000FF".into()),
                    window: Some((0.5, 100.0)),
                    emission: Some(460.0),
                },
                ChannelFacts { label: None, color: None, window: None, emission: None },
            ],
            labels: vec!["nuclei".into()],
            plate: None,
            bytes: Some(12_345),
            digest: Some(dataset_model::Digest::of("x")),
        }
    }

    fn written(facts: &ImageFacts) -> Vec<Value> {
        let mut entity = Map::from_iter([("@id".to_owned(), json!("a.ome.zarr/"))]);
        let mut graph = facts.write("a.ome.zarr/", &mut entity);
        graph.insert(0, Value::Object(entity));
        graph
    }

    #[test]
    fn facts_come_back_from_a_crate_as_they_went_in() {
        let plate = PlateFacts { rows: 8, columns: 12, wells: 96, fields: 384, acquisitions: 1 };
        for facts in [facts(), ImageFacts { plate: Some(plate), channels: Vec::new(), ..facts() }] {
            let graph = written(&facts);
            assert_eq!(ImageEntities::of(&graph).facts(&graph[0]).unwrap(), facts);
        }
    }

    #[test]
    fn what_a_stranger_wrote_wrongly_is_left_out() {
        let mut graph = written(&facts());
        let entity = graph[0].as_object_mut().unwrap();
        entity.insert("heliograph:shape".into(), json!("1,2,x"));
        entity.insert("heliograph:bytes".into(), json!(-5));
        entity.insert("heliograph:contentRoot".into(), json!("<script>"));
        entity.insert("heliograph:label".into(), json!([1, "x".repeat(1000), {"@id": "y"}]));
        entity.insert("heliograph:channel".into(), json!({"@id": "nowhere"}));
        let read = ImageEntities::of(&graph).facts(&graph[0]).unwrap();
        assert_eq!((read.axes.len(), read.bytes, read.digest, read.channels.len()), (0, None, None, 0));
        assert_eq!(read.labels, ["x".repeat(200)]);
        let other = json!({"@id": "b/", "@type": "Dataset"});
        assert_eq!(ImageEntities::of(&[]).facts(&other), None);
    }

    #[test]
    fn sizes_go_by_the_order_of_the_axes_not_their_names() {
        assert_eq!(facts().sizes(), [("X", 256), ("Y", 512), ("Z", 120), ("T", 4), ("C", 2)]);
    }
}
