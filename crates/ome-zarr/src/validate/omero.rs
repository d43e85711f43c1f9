use crate::{at::At, faults::Faults, node::Node};

use super::Rule;

/// Judges the `omero` metadata by itself.
pub(super) fn check(node: &Node, faults: &mut Faults) {
    let Some(omero) = node.ome_key("omero") else { return };
    let Some(channels) = omero.get("channels").and_then(|channels| channels.items()) else {
        let message = "the omero metadata has no list of channels";
        return faults.add(
            Rule::OmeroChannels,
            omero.place_of("channels"),
            message,
            "List the channels, or drop omero.",
        );
    };
    for channel in &channels {
        check_channel(channel, faults);
    }
}

fn check_channel(channel: &At<'_>, faults: &mut Faults) {
    let color = channel.get("color");
    let is_hex = |text: &str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !color.as_ref().and_then(At::text).is_some_and(is_hex) {
        let message = "the channel's color is not six hexadecimal digits";
        faults.add(Rule::OmeroColor, channel.place_of("color"), message, "Write the color as \"00FF00\", without '#'.");
    }
    check_window(channel, faults);
    if let Some(label) = channel.get("label")
        && label.text().is_none()
    {
        faults.add(Rule::OmeroLabel, label.place(), "the channel's label is not text", "Write the label in quotes.");
    }
}

fn check_window(channel: &At<'_>, faults: &mut Faults) {
    let Some(window) = channel.get("window") else {
        let hint = "Write window with min, max, start and end: the intensities to show.";
        return faults.add(Rule::OmeroWindow, channel.place_of("window"), "the channel has no window", hint);
    };
    let number = |key: &str| window.get(key).and_then(|value| value.number());
    let missing: Vec<&str> = ["min", "max", "start", "end"].into_iter().filter(|key| number(key).is_none()).collect();
    if !missing.is_empty() {
        let message = format!("the channel's window has no number for {}", missing.join(", "));
        faults.add(Rule::OmeroWindow, window.place(), message, "Write min, max, start and end as numbers.");
    } else if number("start") >= number("end") {
        let message = "the channel's window is empty, so the channel would be shown black or white";
        faults.add(Rule::OmeroWindowEmpty, window.place(), message, "Make start smaller than end.");
    }
}
