use super::{datacite::DataCite, xml::Xml};

const NAMESPACE: &str = "http://datacite.org/schema/kernel-4";
const LOCATION: &str = "http://datacite.org/schema/kernel-4 https://schema.datacite.org/meta/kernel-4.7/metadata.xsd";

/// The record as `DataCite` XML 4.7; also what `oai_datacite` holds. Without a DOI, the identifier is the dataset's address.
pub(super) fn document(record: &DataCite<'_>) -> String {
    let mut xml = Xml::new();
    xml.open(
        "resource",
        &[
            ("xmlns", NAMESPACE),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            ("xsi:schemaLocation", LOCATION),
        ],
    );
    match &record.doi {
        Some(doi) => xml.element("identifier", &[("identifierType", "DOI")], doi),
        None => xml.element("identifier", &[("identifierType", "URL")], &record.url),
    }
    creators(&mut xml, record);
    xml.open("titles", &[]);
    xml.element("title", &[], record.title);
    xml.close();
    let ror = record.publisher_ror.as_deref().unwrap_or_default();
    let (scheme, address) = if ror.is_empty() { ("", "") } else { ("ROR", "https://ror.org/") };
    let of_publisher = [("publisherIdentifier", ror), ("publisherIdentifierScheme", scheme), ("schemeURI", address)];
    xml.element("publisher", &of_publisher, record.publisher);
    xml.element("publicationYear", &[], &record.year);
    xml.element("resourceType", &[("resourceTypeGeneral", "Dataset")], "Bioimage dataset");
    about(&mut xml, record);
    extent(&mut xml, record);
    rights(&mut xml, record);
    if !record.description.is_empty() {
        xml.open("descriptions", &[]);
        xml.element("description", &[("descriptionType", "Abstract")], record.description);
        xml.close();
    }
    xml.finish()
}

fn creators(xml: &mut Xml, record: &DataCite<'_>) {
    xml.open("creators", &[]);
    for creator in &record.creators {
        xml.open("creator", &[]);
        let kind = if creator.personal { "Personal" } else { "Organizational" };
        xml.element("creatorName", &[("nameType", kind)], creator.name);
        if let Some(orcid) = &creator.orcid {
            let scheme = [("nameIdentifierScheme", "ORCID"), ("schemeURI", "https://orcid.org")];
            xml.element("nameIdentifier", &scheme, orcid);
        }
        let ror = creator.affiliation_ror.as_deref().unwrap_or_default();
        let (scheme, address) = if ror.is_empty() { ("", "") } else { ("ROR", "https://ror.org/") };
        let of_affiliation =
            [("affiliationIdentifier", ror), ("affiliationIdentifierScheme", scheme), ("schemeURI", address)];
        for name in creator.affiliations.iter().filter(|name| !name.is_empty()) {
            xml.element("affiliation", &of_affiliation, name);
        }
        xml.close();
    }
    xml.close();
}

fn about(xml: &mut Xml, record: &DataCite<'_>) {
    list(xml, "subjects", &record.subjects, |xml, subject| {
        let (scheme, address, term) = match &subject.term {
            Some((scheme, address, term)) => (*scheme, *address, term.as_str()),
            None => ("", "", ""),
        };
        let attributes = [("subjectScheme", scheme), ("schemeURI", address), ("valueURI", term)];
        xml.element("subject", &attributes, subject.text);
    });
    list(xml, "dates", &record.dates, |xml, (date, kind)| xml.element("date", &[("dateType", kind)], date));
    list(xml, "alternateIdentifiers", &record.alternates, |xml, (text, kind)| {
        xml.element("alternateIdentifier", &[("alternateIdentifierType", kind)], text);
    });
    list(xml, "relatedIdentifiers", &record.related, |xml, related| {
        let attributes = [
            ("relatedIdentifierType", related.kind),
            ("relationType", related.relation),
            ("relatedMetadataScheme", related.scheme.unwrap_or_default()),
        ];
        xml.element("relatedIdentifier", &attributes, &related.identifier);
    });
}

fn extent(xml: &mut Xml, record: &DataCite<'_>) {
    list(xml, "sizes", &record.sizes, |xml, size| xml.element("size", &[], size));
    list(xml, "formats", &record.formats, |xml, format| xml.element("format", &[], format));
    if let Some(version) = &record.version {
        xml.element("version", &[], version);
    }
}

fn rights(xml: &mut Xml, record: &DataCite<'_>) {
    list(xml, "rightsList", &record.rights, |xml, rights| {
        let spdx = rights.spdx.as_deref().unwrap_or_default();
        let (scheme, address) = if spdx.is_empty() { ("", "") } else { ("SPDX", "https://spdx.org/licenses/") };
        let attributes = [
            ("rightsURI", rights.uri.as_deref().unwrap_or_default()),
            ("rightsIdentifier", spdx),
            ("rightsIdentifierScheme", scheme),
            ("schemeURI", address),
        ];
        xml.element("rights", &attributes, &rights.text);
    });
}

/// A wrapper with what it holds; nothing where it would be empty.
fn list<T>(xml: &mut Xml, name: &'static str, items: &[T], write: impl Fn(&mut Xml, &T)) {
    if items.is_empty() {
        return;
    }
    xml.open(name, &[]);
    items.iter().for_each(|item| write(xml, item));
    xml.close();
}
