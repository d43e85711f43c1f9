use serde_json::{Value, json};

use super::{ExportImage, ExportRecord, identifiers::web, json::object};

/// As many images are told of; the crate has all.
const IMAGES: usize = 1000;

/// The dataset as Croissant 1.1 has it: the file that describes each image, and a table of the images, which needs no download.
pub(super) fn document(record: &ExportRecord) -> Value {
    let summary = &record.summary;
    let creators: Value =
        summary.authors.iter().map(|author| agent("sc:Person", &author.name, author.orcid.as_deref())).collect();
    let licence = summary.licence.as_ref().map(|licence| web(&licence.url).unwrap_or_else(|| licence.url.clone()));
    let described = if summary.description.trim().is_empty() { record.title() } else { &summary.description };
    object([
        ("@context", context()),
        ("@type", json!("sc:Dataset")),
        ("conformsTo", json!("http://mlcommons.org/croissant/1.1")),
        ("name", json!(record.title())),
        ("description", json!(described)),
        ("url", json!(record.landing)),
        ("sameAs", json!(web(&record.cite_as()).filter(|url| *url != record.landing))),
        ("citeAs", json!(super::bibtex::entry(record))),
        ("license", json!(licence)),
        ("sdLicense", json!(record.metadata_licence())),
        ("creator", creators),
        ("publisher", json!([agent("sc:Organization", record.publisher(), record.publisher_iri().as_deref())])),
        ("datePublished", json!(record.issued())),
        ("dateModified", json!(record.modified.to_string())),
        ("keywords", json!(record.keywords())),
        // Croissant asks for semantic versions: every version of a dataset may change anything.
        ("version", json!(format!("{}.0.0", record.version.get()))),
        ("distribution", record.images.iter().take(IMAGES).filter_map(file).collect()),
        ("recordSet", if record.images.is_empty() { Value::Null } else { json!([images(record)]) }),
    ])
}

/// The context that the specification prints, word for word: programs compare it.
fn context() -> Value {
    json!({
        "@language": "en", "@vocab": "https://schema.org/", "arrayShape": "cr:arrayShape", "citeAs": "cr:citeAs",
        "column": "cr:column", "conformsTo": "dct:conformsTo", "containedIn": "cr:containedIn",
        "cr": "http://mlcommons.org/croissant/", "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
        "description": {"@container": "@language"}, "equivalentProperty": "cr:equivalentProperty",
        "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
        "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format",
        "includes": "cr:includes", "isArray": "cr:isArray", "isLiveDataset": "cr:isLiveDataset",
        "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "name": {"@container": "@language"},
        "parentField": "cr:parentField", "path": "cr:path", "rai": "http://mlcommons.org/croissant/RAI/",
        "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
        "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/",
        "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
    })
}

fn agent(kind: &str, name: &str, iri: Option<&str>) -> Value {
    object([("@type", json!(kind)), ("name", json!(name)), ("url", json!(iri.and_then(web)))])
}

/// The file that describes an image; Croissant takes none without a digest.
fn file(image: &ExportImage) -> Option<Value> {
    let (size, digest) = image.metadata?;
    Some(json!({
        "@type": "cr:FileObject",
        "@id": format!("{}/{}", super::ro_crate::escaped_path(&image.path), image.metadata_file),
        "name": image.metadata_file,
        "description": format!("What the OME-Zarr image at {} is; any Zarr library opens that address.", image.url),
        "contentUrl": image.metadata_url(),
        "contentSize": format!("{size} B"),
        "encodingFormat": "application/json",
        "sha256": digest.to_string(),
    }))
}

/// A table with one row an image.
fn images(record: &ExportRecord) -> Value {
    let field = |name: &str, kind: &str, description: &str| json!({"@type": "cr:Field", "@id": format!("images/{name}"), "name": name, "description": description, "dataType": kind});
    let row = |image: &ExportImage| json!({"images/path": image.path, "images/name": image.name, "images/url": image.url, "images/description": image.description});
    json!({
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "images",
        "description": "The OME-Zarr images of the dataset.",
        "key": {"@id": "images/url"},
        "field": [
            field("path", "sc:Text", "Folder in the dataset."),
            field("name", "sc:Text", "Name."),
            field("url", "sc:URL", "The address any Zarr library opens."),
            field("description", "sc:Text", "Axes, sizes and type."),
        ],
        "data": record.images.iter().take(IMAGES).map(row).collect::<Value>(),
    })
}
