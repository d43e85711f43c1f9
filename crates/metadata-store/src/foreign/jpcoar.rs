use super::{
    description::{Creator, Description, date, is_web},
    element::Element,
};
use crate::iri;

/// Reads a record of the JPCOAR schema. Of what it gives in several languages, English counts first, as searches do.
pub(super) fn read(root: &Element) -> Result<Description, String> {
    let record = root.find("jpcoar").ok_or("it is no JPCOAR record")?;
    let issued = |kind: &'static str| {
        record.all("date").filter(move |date| date.attribute("dateType") == kind).find_map(|text| date(text.text()))
    };
    let rights = record.all("rights").map(|rights| (rights.attribute("resource"), rights.text()));
    let licence = rights.map(|(address, text)| if address.is_empty() { text } else { address });
    let identifiers = record.all("identifier").chain(record.all("identifierRegistration"));
    Ok(Description {
        title: in_english(record.all("title")).unwrap_or_default(),
        description: in_english(record.all("description")).unwrap_or_default(),
        creators: record.all("creator").filter_map(creator).collect(),
        publisher: in_english(record.all("publisher")).map(|name| (name, None)),
        date: issued("Issued").or_else(|| issued("Available")).or_else(|| record.texts("date").find_map(date)),
        licence: licence.filter(|text| !text.is_empty()).max_by_key(|text| is_web(text)).map(str::to_owned),
        subjects: record
            .all("subject")
            .map(|subject| {
                let address = Some(subject.attribute("subjectURI")).filter(|address| !address.is_empty());
                (address.map(str::to_owned), subject.text().to_owned())
            })
            .collect(),
        identifiers: identifiers
            .map(|id| match id.attribute("identifierType") {
                "DOI" | "JaLC" | "Crossref" | "DataCite" if id.text().starts_with("10.") => {
                    format!("https://doi.org/{}", id.text())
                }
                _ => id.text().to_owned(),
            })
            .filter(|text| !text.is_empty())
            .collect(),
        related: record.within("relation", "relatedIdentifier").map(|related| related.text().to_owned()).collect(),
    })
}

fn in_english<'a>(mut elements: impl Iterator<Item = &'a Element>) -> Option<String> {
    let first = elements.next()?;
    let best = if first.attribute("lang") == "en" {
        first
    } else {
        elements.find(|other| other.attribute("lang") == "en").unwrap_or(first)
    };
    Some(best.text().to_owned()).filter(|text| !text.is_empty())
}

fn creator(creator: &Element) -> Option<Creator> {
    let name = in_english(creator.all("creatorName"))?;
    let orcid = creator.texts("nameIdentifier").find_map(iri::orcid);
    let affiliation = creator.all("affiliation").next().and_then(|affiliation| {
        let ror = affiliation.texts("nameIdentifier").find(|id| id.starts_with("https://ror.org/"));
        Some((in_english(affiliation.all("affiliationName"))?, ror.map(str::to_owned)))
    });
    Some(Creator { name, orcid, is_organisation: false, affiliation })
}
