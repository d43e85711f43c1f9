use serde_json::{Value, json};

use super::pyramid::LEVELS;

/// The axes of a sample, with the size of a level-0 pixel along each in micrometres.
pub(super) fn multiscale(name: &str, axes: &[(&str, f64)], is_v04: bool) -> Value {
    let described = axes.iter().map(|(name, _)| match *name {
        "c" => json!({"name": "c", "type": "channel"}),
        name => json!({"name": name, "type": "space", "unit": "micrometer"}),
    });
    let dataset = |level: usize| {
        let factor = f64::from(1u32 << level);
        let in_plane = |name: &str| matches!(name, "y" | "x");
        let scale = axes.iter().map(|(name, size)| if in_plane(name) { size * factor } else { *size });
        // The middle of the first pixel moves as pixels grow.
        let shift = axes.iter().map(|(name, size)| if in_plane(name) { size * (factor - 1.0) / 2.0 } else { 0.0 });
        json!({"path": level.to_string(), "coordinateTransformations": [
            {"type": "scale", "scale": scale.collect::<Vec<_>>()},
            {"type": "translation", "translation": shift.collect::<Vec<_>>()},
        ]})
    };
    let mut multiscale = json!({
        "name": name,
        "axes": described.collect::<Vec<_>>(),
        "datasets": (0..LEVELS).map(dataset).collect::<Vec<_>>(),
        "type": "mean",
        "metadata": {"description": "each level is the mean of 2 x 2 pixels of the one before"},
    });
    if is_v04 {
        multiscale["version"] = json!("0.4");
    }
    multiscale
}

/// A channel that viewers show: its name, colour and pixels, from which the contrast is taken.
pub(super) fn channel(label: &str, color: &str, highest: u32, pixels: &[f32]) -> Value {
    let mut sorted = pixels.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let at = |share: usize| sorted.get(sorted.len().saturating_sub(1) * share / 1000).copied().unwrap_or(0.0).round();
    json!({
        "label": label, "color": color, "active": true, "coefficient": 1, "family": "linear", "inverted": false,
        "window": {"min": 0, "max": highest, "start": at(20), "end": at(998)},
    })
}

/// The `omero` metadata.
pub(super) fn omero(channels: &[Value]) -> Value {
    json!({"channels": channels, "rdefs": {"defaultT": 0, "defaultZ": 0, "model": "color"}})
}

/// A Zarr 3 group with OME metadata.
pub(super) fn group_v3(ome: &Value) -> Value {
    json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}})
}
