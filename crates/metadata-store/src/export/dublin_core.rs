use super::{ExportImage, ExportRecord, xml::Xml};

const LOCATION: &str = "http://www.openarchives.org/OAI/2.0/oai_dc/ http://www.openarchives.org/OAI/2.0/oai_dc.xsd";

/// The record in the fifteen elements of Dublin Core, as `oai_dc` wraps them.
pub(super) fn document(record: &ExportRecord) -> String {
    let summary = &record.summary;
    let mut xml = Xml::new();
    xml.open(
        "oai_dc:dc",
        &[
            ("xmlns:oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc/"),
            ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            ("xsi:schemaLocation", LOCATION),
        ],
    );
    let mut put = |name: &str, text: &str| {
        if !text.trim().is_empty() {
            xml.element(name, &[], text);
        }
    };
    put("dc:title", record.title());
    summary.authors.iter().for_each(|author| put("dc:creator", &author.name));
    let terms = summary.organisms.iter().chain(&summary.methods).chain(&summary.about);
    terms.for_each(|term| put("dc:subject", &term.label));
    summary.keywords.iter().for_each(|word| put("dc:subject", word));
    put("dc:description", &summary.description);
    put("dc:publisher", record.publisher());
    put("dc:date", &record.issued());
    put("dc:type", "Dataset");
    put("dc:type", "info:eu-repo/semantics/other");
    if !record.images.is_empty() {
        put("dc:format", ExportImage::MEDIA_TYPE);
    }
    record.sizes().iter().for_each(|size| put("dc:format", size));
    put("dc:identifier", &record.cite_as());
    if record.cite_as() != record.iri {
        put("dc:identifier", &record.iri);
    }
    record.accessions().into_iter().for_each(|text| put("dc:identifier", text));
    record.related().iter().for_each(|related| put("dc:relation", &related.url));
    put("dc:rights", record.data_access().coar().map_or("", |(_, label)| label));
    put("dc:rights", summary.licence.as_ref().map_or("", |licence| &licence.url));
    xml.finish()
}
