use super::{
    description::{Creator, Description, date},
    element::Element,
};
use crate::iri;

/// Reads a `resource` of the `DataCite` schema, whatever wraps it.
pub(super) fn read(root: &Element) -> Result<Description, String> {
    let resource = root.find("resource").ok_or("it holds no DataCite 'resource'")?;
    let identifiers = resource.all("identifier").chain(resource.within("alternateIdentifiers", "alternateIdentifier"));
    // The main title has no type.
    let mut titles: Vec<&Element> = resource.within("titles", "title").collect();
    titles.sort_by_key(|title| !title.attribute("titleType").is_empty());
    let abstracts = resource.within("descriptions", "description");
    let abstracts = abstracts.filter(|text| matches!(text.attribute("descriptionType"), "Abstract" | ""));
    let issued = |kind: &'static str| {
        resource
            .within("dates", "date")
            .filter(move |date| date.attribute("dateType") == kind)
            .find_map(|text| date(text.text()))
    };
    let year = || resource.texts("publicationYear").find_map(date);
    Ok(Description {
        title: titles.first().map(|title| title.text().to_owned()).unwrap_or_default(),
        description: abstracts.map(Element::text).collect::<Vec<_>>().join("\n\n"),
        creators: resource.within("creators", "creator").filter_map(creator).collect(),
        publisher: resource.all("publisher").next().map(|publisher| {
            let id = publisher.attribute("publisherIdentifier");
            (publisher.text().to_owned(), Some(id.to_owned()).filter(|id| !id.is_empty()))
        }),
        date: issued("Issued").or_else(|| issued("Available")).or_else(|| issued("Created")).or_else(year),
        licence: licence(resource),
        subjects: resource.within("subjects", "subject").map(subject).collect(),
        identifiers: identifiers.map(|id| named(id.attribute("identifierType"), id.text())).collect(),
        related: resource
            .within("relatedIdentifiers", "relatedIdentifier")
            .filter(|related| related.attribute("relationType") != "HasMetadata")
            .map(|related| named(related.attribute("relatedIdentifierType"), related.text()))
            .collect(),
    })
}

fn creator(creator: &Element) -> Option<Creator> {
    let name = creator.all("creatorName").next()?;
    let orcid = creator.texts("nameIdentifier").find_map(iri::orcid);
    let affiliation = creator.all("affiliation").next().map(|affiliation| {
        let ror = Some(affiliation.attribute("affiliationIdentifier")).filter(|id| id.starts_with("https://ror.org/"));
        (affiliation.text().to_owned(), ror.map(str::to_owned))
    });
    Some(Creator {
        name: name.text().to_owned(),
        orcid,
        is_organisation: name.attribute("nameType") == "Organizational",
        affiliation: affiliation.filter(|(name, _)| !name.is_empty()),
    })
    .filter(|creator| !creator.name.is_empty() && creator.name != "(:unav)")
}

fn subject(subject: &Element) -> (Option<String>, String) {
    let address = Some(subject.attribute("valueURI")).filter(|address| !address.is_empty());
    (address.map(str::to_owned), subject.text().to_owned())
}

/// The first rights with an address that are no statement of who may read.
fn licence(resource: &Element) -> Option<String> {
    let rights = || resource.within("rightsList", "rights").chain(resource.all("rights"));
    let address = rights().map(|rights| rights.attribute("rightsURI"));
    let mut address = address.filter(|address| !address.is_empty() && !address.starts_with("info:"));
    let named = || rights().map(Element::text).find(|text| !text.is_empty() && !text.contains("access"));
    address.find(|address| !address.contains("purl.org/coar/access_right")).or_else(named).map(str::to_owned)
}

/// An identifier in a form that says what it is.
fn named(kind: &str, text: &str) -> String {
    let bare = text.starts_with("10.");
    if kind.eq_ignore_ascii_case("doi") && bare { format!("https://doi.org/{text}") } else { text.to_owned() }
}
