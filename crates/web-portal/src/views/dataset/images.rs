use node::{ImageView, RecordView};
use serde_json::json;

use super::TextLink;
use crate::{links, views::format};

/// As many images are shown as cards; the rest is listed.
const CARDS: usize = 48;
/// As many further images are listed; the crate has all.
const LISTED: usize = 1000;

/// The images of a dataset.
#[derive(Debug, Clone)]
pub(crate) struct ImagesView {
    pub total: String,
    pub cards: Vec<ImageCard>,
    pub more: Vec<TextLink>,
    /// How many are not even listed.
    pub unlisted: Option<String>,
}

/// One image, and the ways to open it.
#[derive(Debug, Clone)]
pub(crate) struct ImageCard {
    pub name: String,
    /// An id for its parts on the page.
    pub anchor: String,
    pub description: String,
    pub thumbnail: Option<String>,
    pub url: String,
    pub axes: Vec<AxisRow>,
    /// Type, levels, chunks: a name and a value each.
    pub facts: Vec<(&'static str, String)>,
    pub channels: Vec<ChannelView>,
    /// The image in one file, where it can be made.
    pub ozx: Option<String>,
    pub neuroglancer: String,
    pub napari: String,
    pub python: String,
}

/// One dimension.
#[derive(Debug, Clone)]
pub(crate) struct AxisRow {
    pub name: String,
    pub kind: String,
    pub size: String,
    pub pixel: String,
}

/// One channel.
#[derive(Debug, Clone)]
pub(crate) struct ChannelView {
    pub label: String,
    /// Six hexadecimal digits.
    pub color: Option<String>,
}

impl ImagesView {
    pub(crate) fn of(record: &RecordView) -> Self {
        let images = &record.images;
        let link = |image: &ImageView| TextLink::new(&image.path, links::web(&image_url(image)));
        Self {
            total: format::count(images.len() as u64, "image", "images"),
            cards: images.iter().take(CARDS).enumerate().map(|(at, image)| ImageCard::of(record, image, at)).collect(),
            more: images.iter().skip(CARDS).take(LISTED).map(link).collect(),
            unlisted: images.len().checked_sub(CARDS + LISTED + 1).map(|more| format::number(more as u64 + 1)),
        }
    }
}

/// The image's address with its path escaped, as tools and address bars need it.
pub(crate) fn image_url(image: &ImageView) -> String {
    match image.url.strip_suffix(&image.path) {
        Some(base) => format!("{base}{}", links::path(&image.path)),
        None => image.url.clone(),
    }
}

impl ImageCard {
    fn of(record: &RecordView, image: &ImageView, at: usize) -> Self {
        let url = image_url(image);
        let level = image.record.as_ref().and_then(|record| record.levels.first()).map_or("0", |level| &level.path);
        let version = image.record.as_ref().map(|record| record.version.as_str());
        Self {
            name: image.name.clone(),
            anchor: format!("image-{}", at + 1),
            description: image.description.clone(),
            thumbnail: thumbnail(record, image),
            axes: axes(image),
            facts: facts(image),
            channels: channels(image),
            ozx: ozx(record, image),
            neuroglancer: neuroglancer(&url, &image.name, version),
            napari: format!("napari --plugin napari-ome-zarr '{}'", url.replace('\'', "%27")),
            python: python(&url, level),
            url,
        }
    }
}

/// Our own pictures are asked of this host, so that the page works behind any name.
fn thumbnail(record: &RecordView, image: &ImageView) -> Option<String> {
    if record.own && image.record.is_some() {
        let (id, path) = (links::name(record.id.as_str()), links::path(&image.path));
        return Some(format!("/render/{id}/{}/{path}/thumbnail?size=256", record.version));
    }
    image.thumbnail.as_deref().and_then(links::picture)
}

/// An `.ozx` holds OME-Zarr 0.5; asked of this host, as the thumbnail is.
fn ozx(record: &RecordView, image: &ImageView) -> Option<String> {
    let format = image.record.as_ref().map(|record| record.version.as_str());
    let (id, path) = (links::name(record.id.as_str()), links::path(image.path.trim_end_matches(".ome.zarr")));
    (record.own && format == Some("0.5")).then(|| format!("/data/{id}/{}/{path}.ozx", record.version))
}

fn axes(image: &ImageView) -> Vec<AxisRow> {
    let Some(record) = &image.record else { return Vec::new() };
    let sizes = record.shape.iter().zip(&record.physical_size);
    let rows = record.axes.iter().zip(sizes).map(|(axis, (size, pixel))| AxisRow {
        name: axis.name.clone(),
        kind: json!(axis.kind).as_str().unwrap_or_default().to_owned(),
        size: format::number(*size),
        pixel: pixel
            .map(|pixel| format!("{} {}", significant(pixel), axis.unit.as_deref().unwrap_or_default()))
            .unwrap_or_default(),
    });
    rows.collect()
}

/// A length with as many digits as mean something.
fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let rounded: f64 = format!("{value:.4e}").parse().unwrap_or(value);
    rounded.to_string()
}

fn facts(image: &ImageView) -> Vec<(&'static str, String)> {
    let Some(record) = &image.record else { return Vec::new() };
    let shape = |sizes: &[u64]| sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
    let mut facts = vec![("Format", format!("OME-Zarr {}", record.version)), ("Pixel type", record.data_type.clone())];
    facts.push(("Resolution levels", record.levels.len().to_string()));
    if let Some(level) = record.levels.first() {
        facts.push(("Chunk", shape(&level.chunk_shape)));
        facts.extend(level.shard_shape.as_deref().map(|shard| ("Shard", shape(shard))));
    }
    if record.is_label {
        facts.push(("Kind", "label image: each pixel names the object it belongs to".into()));
    }
    if !record.label_names.is_empty() {
        facts.push(("Labels", record.label_names.join(", ")));
    }
    facts
}

fn channels(image: &ImageView) -> Vec<ChannelView> {
    let Some(record) = &image.record else { return Vec::new() };
    let hex = |color: &String| color.len() == 6 && color.bytes().all(|byte| byte.is_ascii_hexdigit());
    let view = |(at, (label, color)): (usize, (Option<String>, Option<String>))| ChannelView {
        label: label.filter(|label| !label.is_empty()).unwrap_or_else(|| format!("channel {at}")),
        color: color.filter(hex),
    };
    let named = record.channels.iter().map(|channel| (channel.label.clone(), channel.color.clone()));
    named.enumerate().map(view).collect()
}

/// A link that opens the image in the public Neuroglancer; the state is in the fragment, so nothing is sent anywhere.
fn neuroglancer(url: &str, name: &str, version: Option<&str>) -> String {
    let scheme = match version {
        Some("0.4") => "zarr2",
        Some("0.5") => "zarr3",
        _ => "zarr",
    };
    let state = json!({"layers": [{"type": "image", "name": name, "source": format!("{scheme}://{url}")}]});
    format!("https://neuroglancer-demo.appspot.com/#!{}", links::fragment(&state.to_string()))
}

/// A snippet that reads the image; needs `zarr`, `fsspec` and `aiohttp`.
fn python(url: &str, level: &str) -> String {
    // JSON strings are Python strings, whatever is in them.
    let (url, level) = (json!(url), json!(level));
    format!(
        "# pip install zarr \"fsspec[http]\"\nimport zarr\n\nimage = zarr.open_group({url}, mode=\"r\")\n\
         pixels = image[{level}]            # the largest resolution level\nprint(pixels.shape, pixels.dtype)\n\
         plane = pixels[..., :256, :256]  # reads only the chunks it needs"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::dataset::tests::{image, record};

    #[test]
    fn image_addresses_are_escaped_for_tools() {
        assert_eq!(image_url(&image()), "https://europe.example.org/data/europe-1/v2/a%20b.ome.zarr");
    }

    #[test]
    fn neuroglancer_gets_the_format_and_address_in_its_fragment() {
        let link = neuroglancer("https://e.org/x.ome.zarr", "x", Some("0.4"));
        let (page, state) = link.split_once("#!").unwrap();
        assert_eq!(page, "https://neuroglancer-demo.appspot.com/");
        let state = percent_encoding::percent_decode_str(state).decode_utf8().unwrap().into_owned();
        let state: serde_json::Value = serde_json::from_str(&state).unwrap();
        assert_eq!(state["layers"][0]["source"], "zarr2://https://e.org/x.ome.zarr");
    }

    #[test]
    fn snippets_cannot_be_broken_out_of() {
        assert!(python("https://e.org/\"+evil()+\"", "0").contains("open_group(\"https://e.org/\\\"+evil()+\\\"\""));
        let mut image = image();
        image.url = "https://e.org/a'; rm -rf ~ '/x".into();
        assert!(!ImageCard::of(&record(), &image, 0).napari.contains("'; rm"));
    }

    #[test]
    fn an_image_is_described_by_axes_type_and_pixel_size() {
        let card = ImageCard::of(&record(), &image(), 0);
        let x = card.axes.last().unwrap();
        assert_eq!((x.name.as_str(), x.size.as_str(), x.pixel.as_str()), ("x", "512", "0.5 micrometer"));
        assert!(card.facts.contains(&("Pixel type", "uint16".into())), "{:?}", card.facts);
        assert!(card.facts.contains(&("Shard", "1 × 512 × 512".into())));
        assert_eq!(card.thumbnail.as_deref(), Some("/render/europe-1/v2/a%20b.ome.zarr/thumbnail?size=256"));
        assert_eq!(card.ozx.as_deref(), Some("/data/europe-1/v2/a%20b.ozx"));
        assert_eq!(significant(0.123_456_789), "0.12346");
    }

    #[test]
    fn many_images_are_all_reachable() {
        let mut record = record();
        record.images = vec![image(); CARDS + LISTED + 2];
        let view = ImagesView::of(&record);
        assert_eq!((view.cards.len(), view.more.len(), view.unlisted.as_deref()), (CARDS, LISTED, Some("2")));
    }
}
