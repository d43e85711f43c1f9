//! What versions before 0.4 left unsaid: the axes, and how large pixels are.

use serde_json::{Map, Value, json};

/// The axes of a multiscale of version 0.1 to 0.3, written as from 0.4.
pub(super) fn complete_axes(multiscale: &mut Map<String, Value>) {
    let names: Vec<String> = match multiscale.get("axes").and_then(Value::as_array) {
        Some(axes) if axes.iter().all(Value::is_string) => {
            axes.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Some(_) => return,
        // 0.1 and 0.2 know no other.
        None => ["t", "c", "z", "y", "x"].map(str::to_owned).to_vec(),
    };
    let described: Vec<Value> = names.iter().map(|name| described(name)).collect();
    multiscale.insert("axes".to_owned(), json!(described));
}

fn described(name: &str) -> Value {
    match name {
        "t" => json!({"name": name, "type": "time"}),
        "c" => json!({"name": name, "type": "channel"}),
        "x" | "y" | "z" => json!({"name": name, "type": "space"}),
        _ => json!({"name": name}),
    }
}

/// Gives levels without a scale one that follows from their sizes.
pub(super) fn complete_scales(multiscale: &mut Map<String, Value>, shapes: &[Vec<u64>]) {
    let Some(first) = shapes.first() else { return };
    let datasets = multiscale.get_mut("datasets").and_then(Value::as_array_mut);
    for (dataset, shape) in datasets.into_iter().flatten().zip(shapes) {
        let Some(dataset) = dataset.as_object_mut() else { continue };
        if !dataset.contains_key("coordinateTransformations") {
            let scale: Vec<f64> = first.iter().zip(shape).map(|(whole, part)| factor(*whole, *part)).collect();
            let transformation = json!([{"type": "scale", "scale": scale}]);
            dataset.insert("coordinateTransformations".to_owned(), transformation);
        }
    }
}

/// How many pixels became one; a whole number where the sizes allow it, as rows that do not fill a pixel are rounded.
fn factor(whole: u64, part: u64) -> f64 {
    let exact = whole as f64 / part.max(1) as f64;
    let near = exact.round().max(1.0);
    let fits = (whole as f64 / near).floor() as u64 == part || (whole as f64 / near).ceil() as u64 == part;
    if fits { near } else { exact }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_follow_from_the_sizes_of_levels() {
        for (whole, part, expected) in [(263, 131, 2.0), (263, 132, 2.0), (100, 100, 1.0), (10, 8, 1.25)] {
            assert_eq!(factor(whole, part), expected);
        }
    }

    #[test]
    fn axes_are_named_as_the_version_had_them() {
        let mut old = Map::new();
        complete_axes(&mut old);
        assert_eq!(old["axes"].as_array().map(Vec::len), Some(5));
        let mut named = Map::from_iter([("axes".to_owned(), json!(["z", "y", "x"]))]);
        complete_axes(&mut named);
        assert_eq!(named["axes"][0], json!({"name": "z", "type": "space"}));
    }
}
