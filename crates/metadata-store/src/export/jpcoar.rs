use super::{
    ExportImage, ExportRecord,
    identifiers::{affiliation_ror, web},
    xml::Xml,
};
use crate::iri;

const LOCATION: &str = "https://github.com/JPCOAR/schema/blob/master/2.0/ https://raw.githubusercontent.com/JPCOAR/schema/master/2.0/jpcoar_scm.xsd";
/// As many images are listed as files; the crate has all.
const FILES: usize = 100;

/// The record in the JPCOAR schema 2.0, by which Japan's repositories are harvested. The schema fixes the order of elements.
pub(super) fn document(record: &ExportRecord) -> String {
    let summary = &record.summary;
    let mut xml = Xml::new();
    xml.open(
        "jpcoar:jpcoar",
        &[
            ("xmlns:jpcoar", "https://github.com/JPCOAR/schema/blob/master/2.0/"),
            ("xmlns:dc", "http://purl.org/dc/elements/1.1/"),
            ("xmlns:dcterms", "http://purl.org/dc/terms/"),
            ("xmlns:datacite", "https://schema.datacite.org/meta/kernel-4/"),
            ("xmlns:rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            ("xsi:schemaLocation", LOCATION),
        ],
    );
    xml.element("dc:title", &[], record.title());
    creators(&mut xml, record);
    if let Some((iri, label)) = record.data_access().coar() {
        xml.element("dcterms:accessRights", &[("rdf:resource", iri)], label);
    }
    if let Some(licence) = &summary.licence {
        xml.element("dc:rights", &[("rdf:resource", &web(&licence.url).unwrap_or_default())], licence.label());
    }
    subjects(&mut xml, record);
    if !summary.description.is_empty() {
        xml.element("datacite:description", &[("descriptionType", "Abstract")], &summary.description);
    }
    xml.element("dc:publisher", &[], record.publisher());
    xml.element("datacite:date", &[("dateType", "Issued")], &record.issued());
    xml.element("datacite:date", &[("dateType", "Updated")], &record.modified.date());
    xml.element("dc:type", &[("rdf:resource", "http://purl.org/coar/resource_type/c_ddb1")], "dataset");
    if record.deposited {
        xml.element("datacite:version", &[], &record.version.get().to_string());
    }
    identifiers(&mut xml, record);
    record.sizes().iter().for_each(|size| xml.element("dcterms:extent", &[], size));
    if !record.images.is_empty() {
        xml.element("jpcoar:format", &[], ExportImage::MEDIA_TYPE);
    }
    record.images.iter().take(FILES).for_each(|image| file(&mut xml, image));
    xml.finish()
}

fn creators(xml: &mut Xml, record: &ExportRecord) {
    for author in record.summary.authors.iter().filter(|author| !author.name.trim().is_empty()) {
        xml.open("jpcoar:creator", &[]);
        if let Some(orcid) = author.orcid.as_deref().and_then(iri::orcid) {
            let id = orcid.rsplit('/').next().unwrap_or_default();
            let attributes = [("nameIdentifierScheme", "ORCID"), ("nameIdentifierURI", orcid.as_str())];
            xml.element("jpcoar:nameIdentifier", &attributes, id);
        }
        xml.element("jpcoar:creatorName", &[("nameType", "Personal")], &author.name);
        for affiliation in author.affiliations.iter().filter(|name| !name.is_empty()) {
            xml.open("jpcoar:affiliation", &[]);
            if let Some(ror) = affiliation_ror(author) {
                let attributes = [("nameIdentifierScheme", "ROR"), ("nameIdentifierURI", ror.as_str())];
                xml.element("jpcoar:nameIdentifier", &attributes, &ror);
            }
            xml.element("jpcoar:affiliationName", &[], affiliation);
            xml.close();
        }
        xml.close();
    }
}

fn subjects(xml: &mut Xml, record: &ExportRecord) {
    let summary = &record.summary;
    for term in summary.organisms.iter().chain(&summary.methods).chain(&summary.about) {
        let attributes = [("subjectScheme", "Other"), ("subjectURI", term.iri.as_str())];
        xml.element("jpcoar:subject", &attributes, &term.label);
    }
    for word in &summary.keywords {
        xml.element("jpcoar:subject", &[("subjectScheme", "Other")], word);
    }
}

fn identifiers(xml: &mut Xml, record: &ExportRecord) {
    if let Some(url) = record.doi().and_then(|doi| web(&format!("https://doi.org/{doi}"))) {
        xml.element("jpcoar:identifier", &[("identifierType", "DOI")], &url);
    }
    let address = web(&record.iri).unwrap_or_else(|| record.landing.clone());
    xml.element("jpcoar:identifier", &[("identifierType", "URI")], &address);
    for related in record.related() {
        xml.open("jpcoar:relation", &[("relationType", "references")]);
        let kind = if related.doi.is_some() { "DOI" } else { "URI" };
        xml.element("jpcoar:relatedIdentifier", &[("identifierType", kind)], &related.url);
        xml.close();
    }
}

fn file(xml: &mut Xml, image: &ExportImage) {
    xml.open("jpcoar:file", &[]);
    let label = if image.name.is_empty() { &image.path } else { &image.name };
    xml.element("jpcoar:URI", &[("objectType", "dataset"), ("label", label)], &image.metadata_url());
    xml.element("jpcoar:mimeType", &[], "application/json");
    if let Some(bytes) = image.bytes {
        xml.element("jpcoar:extent", &[], &format!("{bytes} bytes"));
    }
    xml.close();
}
