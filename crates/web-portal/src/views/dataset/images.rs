use node::{AxisFacts, ImageFacts, ImageView, RecordView};
use serde_json::json;

use super::TextLink;
use crate::{links, views::format};

/// As many images are shown as cards; the rest is listed.
const CARDS: usize = 48;
/// As many further images are listed; the crate has all.
const LISTED: usize = 1000;

/// As many label images are shown over their image.
const OVERLAYS: usize = 3;

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
    /// The picture with objects drawn over it, for each label image.
    pub overlays: Vec<Overlay>,
    pub axes: Vec<AxisColumn>,
    /// Type, levels, chunks: a name and a value each.
    pub facts: Vec<Fact>,
    pub channels: Vec<ChannelView>,
    /// The image in one file, where it can be made.
    pub ozx: Option<String>,
    /// Neuroglancer opens images, not plates.
    pub neuroglancer: Option<String>,
    pub napari: String,
    pub python: String,
}

/// A label image over its image.
#[derive(Debug, Clone)]
pub(crate) struct Overlay {
    pub name: String,
    pub picture: String,
}

/// One dimension.
#[derive(Debug, Clone)]
pub(crate) struct AxisColumn {
    pub name: String,
    pub kind: String,
    pub size: String,
    pub pixel: String,
    /// Of all pixels together.
    pub extent: String,
}

/// A name and a value, the latter in full where it is shown cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub name: &'static str,
    pub value: String,
    pub exact: String,
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
        let facts = image.facts.clone().unwrap_or_default();
        let is_plate = facts.plate.is_some();
        let version = Some(facts.version.as_str()).filter(|version| !version.is_empty());
        Self {
            name: image.name.clone(),
            anchor: format!("image-{}", at + 1),
            description: image.description.clone(),
            thumbnail: thumbnail(record, image),
            overlays: overlays(record, image, &facts),
            axes: facts.axes.iter().map(AxisColumn::of).collect(),
            channels: channels(&facts),
            ozx: ozx(record, image),
            neuroglancer: (!is_plate).then(|| neuroglancer(&url, &image.name, version)),
            napari: format!("napari --plugin napari-ome-zarr '{}'", url.replace('\'', "%27")),
            python: if is_plate { python_of_plate(&url) } else { python(&url, level) },
            facts: self::facts(&facts),
            url,
        }
    }
}

/// Our own pictures are asked of this host, so that the page works behind any name.
fn thumbnail(record: &RecordView, image: &ImageView) -> Option<String> {
    if record.own {
        return Some(format!("{}?size=256", rendered(record, image, "")));
    }
    image.thumbnail.as_deref().and_then(links::picture)
}

/// An `.ozx` holds OME-Zarr 0.5; asked of this host, as the thumbnail is.
fn ozx(record: &RecordView, image: &ImageView) -> Option<String> {
    let format = image.facts.as_ref().map(|facts| facts.version.as_str());
    let (id, path) = (links::name(record.id.as_str()), links::path(image.path.trim_end_matches(".ome.zarr")));
    (record.own && format == Some("0.5")).then(|| format!("/data/{id}/{}/{path}.ozx", record.version))
}

/// The address of an image's thumbnail at the node that holds it.
fn rendered(record: &RecordView, image: &ImageView, base: &str) -> String {
    let (id, path) = (links::name(record.id.as_str()), links::path(&image.path));
    format!("{base}/render/{id}/{}/{path}/thumbnail", record.version)
}

fn overlays(record: &RecordView, image: &ImageView, facts: &ImageFacts) -> Vec<Overlay> {
    if facts.plate.is_some() {
        return Vec::new();
    }
    let base = if record.own { Some("") } else { record.node.url.as_deref().filter(|url| links::web(url).is_some()) };
    let Some(base) = base else { return Vec::new() };
    let overlay = |name: &String| Overlay {
        picture: format!("{}?size=256&labels={}", rendered(record, image, base), links::name(name)),
        name: name.clone(),
    };
    facts.labels.iter().take(OVERLAYS).map(overlay).collect()
}

impl AxisColumn {
    fn of(axis: &AxisFacts) -> Self {
        let kind = json!(axis.kind).as_str().unwrap_or_default().to_owned();
        let length = |pixel: f64| if kind == "time" { duration(pixel) } else { length(pixel) };
        Self {
            name: axis.name.clone(),
            size: format::number(axis.size),
            pixel: axis.pixel.map(length).unwrap_or_default(),
            extent: axis.pixel.map(|pixel| length(pixel * axis.size as f64)).unwrap_or_default(),
            kind,
        }
    }
}

/// Micrometres in the unit that fits.
fn length(micrometres: f64) -> String {
    let (factor, unit) = match micrometres {
        small if small < 1e-4 => (1e6, "pm"),
        small if small < 0.1 => (1e3, "nm"),
        large if large >= 1e6 => (1e-6, "m"),
        large if large >= 1e3 => (1e-3, "mm"),
        _ => (1.0, "µm"),
    };
    format!("{} {unit}", significant(micrometres * factor))
}

/// Seconds in the unit that fits.
fn duration(seconds: f64) -> String {
    let (factor, unit) = match seconds {
        short if short < 1e-3 => (1e6, "µs"),
        short if short < 0.1 => (1e3, "ms"),
        long if long >= 2.0 * 86_400.0 => (1.0 / 86_400.0, "d"),
        long if long >= 2.0 * 3_600.0 => (1.0 / 3_600.0, "h"),
        long if long >= 120.0 => (1.0 / 60.0, "min"),
        _ => (1.0, "s"),
    };
    format!("{} {unit}", significant(seconds * factor))
}

/// A number with as many digits as mean something.
fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    rounded.to_string()
}

fn facts(facts: &ImageFacts) -> Vec<Fact> {
    let shape = |sizes: &[u64]| sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
    let mut rows = Vec::new();
    let mut row = |name: &'static str, value: String| {
        if !value.is_empty() {
            rows.push(Fact { name, exact: value.clone(), value });
        }
    };
    if let Some(plate) = &facts.plate {
        let (wells, fields) =
            (format::count(plate.wells, "well", "wells"), format::count(plate.fields, "field", "fields"));
        row("Plate", format!("{} × {} places, {wells}, {fields}", plate.rows, plate.columns));
        row("Acquisitions", if plate.acquisitions > 0 { plate.acquisitions.to_string() } else { String::new() });
    }
    row("Pixel type", facts.data_type.clone());
    row("Format", if facts.version.is_empty() { String::new() } else { format!("OME-Zarr {}", facts.version) });
    row("Levels", if facts.levels > 0 { facts.levels.to_string() } else { String::new() });
    row("Chunk", shape(&facts.chunk_shape));
    row("Shard", facts.shard_shape.as_deref().map(shape).unwrap_or_default());
    row("Codecs", facts.codecs.join(", "));
    row("Labels", facts.labels.join(", "));
    row("Size", facts.bytes.map(format::bytes).unwrap_or_default());
    if let Some(digest) = facts.digest {
        let exact = digest.to_string();
        rows.push(Fact { name: "Digest", value: format!("{}…", format::short_digest(&exact)), exact });
    }
    rows
}

fn channels(facts: &ImageFacts) -> Vec<ChannelView> {
    let view = |(at, channel): (usize, &node::ChannelFacts)| {
        let label = channel.label.clone().filter(|label| !label.is_empty());
        let label = label.unwrap_or_else(|| format!("channel {at}"));
        let emission = channel.emission.map(|emission| format!(" ({} nm)", significant(emission)));
        ChannelView { label: label + &emission.unwrap_or_default(), color: channel.color.clone() }
    };
    facts.channels.iter().enumerate().map(view).collect()
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

/// A snippet that lists the fields of a plate.
fn python_of_plate(url: &str) -> String {
    format!(
        "# pip install zarr \"fsspec[http]\"\nimport zarr\n\nplate = zarr.open_group({}, mode=\"r\")\n\
         about = plate.attrs.get(\"ome\", plate.attrs)[\"plate\"]\nprint([well[\"path\"] for well in about[\"wells\"]])",
        json!(url)
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
        assert_eq!((x.name.as_str(), x.size.as_str(), x.pixel.as_str()), ("x", "512", "0.5 µm"));
        assert_eq!(x.extent, "256 µm");
        let value = |name: &str| card.facts.iter().find(|fact| fact.name == name).map(|fact| fact.value.as_str());
        assert_eq!((value("Pixel type"), value("Shard")), (Some("uint16"), Some("1 × 512 × 512")));
        assert_eq!((value("Size"), value("Acquisitions")), (Some("1.2 MB"), None));
        assert_eq!(card.thumbnail.as_deref(), Some("/render/europe-1/v2/a%20b.ome.zarr/thumbnail?size=256"));
        assert_eq!(card.ozx.as_deref(), Some("/data/europe-1/v2/a%20b.ozx"));
        assert_eq!(card.overlays[0].picture, "/render/europe-1/v2/a%20b.ome.zarr/thumbnail?size=256&labels=nuclei");
        assert_eq!(significant(0.123_456_789), "0.1235");
    }

    #[test]
    fn pictures_of_a_partners_image_are_asked_of_the_partner() {
        let mut record = record();
        record.own = false;
        let card = ImageCard::of(&record, &image(), 0);
        let at = "https://europe.example.org/render/europe-1/v2/a%20b.ome.zarr/thumbnail?size=256";
        assert_eq!(card.thumbnail.as_deref(), Some(at));
        assert_eq!(card.overlays[0].picture, format!("{at}&labels=nuclei"));
    }

    #[test]
    fn lengths_and_times_are_in_the_unit_that_fits() {
        assert_eq!([length(0.065), length(0.325), length(13_312.0)], ["65 nm", "0.325 µm", "13.31 mm"]);
        assert_eq!([duration(0.05), duration(30.0), duration(7200.0)], ["50 ms", "30 s", "2 h"]);
    }

    #[test]
    fn a_plate_tells_its_wells_and_opens_where_plates_open() {
        let mut image = image();
        let plate = node::PlateFacts { rows: 8, columns: 12, wells: 96, fields: 384, acquisitions: 2 };
        image.facts.as_mut().unwrap().plate = Some(plate);
        let card = ImageCard::of(&record(), &image, 0);
        assert_eq!(card.facts[0].value, "8 × 12 places, 96 wells, 384 fields");
        assert!(card.neuroglancer.is_none() && card.overlays.is_empty() && card.python.contains("wells"));
    }

    #[test]
    fn many_images_are_all_reachable() {
        let mut record = record();
        record.images = vec![image(); CARDS + LISTED + 2];
        let view = ImagesView::of(&record);
        assert_eq!((view.cards.len(), view.more.len(), view.unlisted.as_deref()), (CARDS, LISTED, Some("2")));
    }
}
