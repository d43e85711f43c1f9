//! FAIR Signposting (level 1): the links a machine follows from a landing page, in `Link` headers (RFC 8288).

use node::RecordView;

use super::{images::image_url, version_address};
use crate::{links, site::Identity};

/// As many images are announced in headers, which proxies limit; the crate has all.
const ITEMS: usize = 20;
/// As many authors, for the same reason.
const AUTHORS: usize = 20;

/// The values of the `Link` headers.
pub(crate) fn links(identity: &Identity, record: &RecordView) -> Vec<String> {
    let summary = &record.summary;
    let mut values: Vec<Option<String>> = vec![
        link(&record.iri, "cite-as", None),
        link("https://schema.org/Dataset", "type", None),
        link("https://schema.org/AboutPage", "type", None),
        link(&crate_address(identity, record), "describedby", Some("application/ld+json")),
    ];
    values.extend(summary.licence.as_ref().map(|licence| link(&licence.url, "license", None)));
    let orcids = summary.authors.iter().filter_map(|author| author.orcid.as_deref());
    values.extend(orcids.take(AUTHORS).map(|orcid| link(orcid, "author", None)));
    let items = record.images.iter().take(ITEMS);
    values.extend(items.map(|image| link(&image_url(image), "item", Some("application/vnd.ome.zarr"))));
    values.into_iter().flatten().collect()
}

/// Where the version's RO-Crate is, without negotiation.
fn crate_address(identity: &Identity, record: &RecordView) -> String {
    let here = version_address(record, record.version.get());
    if record.own {
        format!("{}/api/v1{}/crate", identity.url, here)
    } else {
        format!("{}{here}&format=ro-crate", identity.url)
    }
}

/// One link; addresses go through the URL parser, so that nothing in them can end the value.
fn link(address: &str, relation: &str, media_type: Option<&str>) -> Option<String> {
    let address = links::web(address)?;
    let kind = media_type.map(|kind| format!("; type=\"{kind}\"")).unwrap_or_default();
    Some(format!("<{}>; rel=\"{relation}\"{kind}", address.replace('<', "%3C").replace('>', "%3E")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::dataset::tests::record;

    #[test]
    fn a_machine_finds_citation_crate_licence_author_and_images() {
        let links = links(&Identity::example(), &record());
        for value in [
            "<https://europe.example.org/datasets/europe-1>; rel=\"cite-as\"",
            "<https://europe.example.org/api/v1/datasets/europe-1/versions/2/crate>; rel=\"describedby\"; type=\"application/ld+json\"",
            "<https://creativecommons.org/licenses/by/4.0/>; rel=\"license\"",
            "<https://orcid.org/0000-0002-1825-0097>; rel=\"author\"",
            "<https://europe.example.org/data/europe-1/v2/a%20b.ome.zarr>; rel=\"item\"; type=\"application/vnd.ome.zarr\"",
        ] {
            assert!(links.iter().any(|link| link == value), "{value} is missing: {links:#?}");
        }
    }

    #[test]
    fn hostile_addresses_cannot_break_the_header() {
        let mut record = record();
        record.iri = "https://e.org/>; rel=\"stylesheet\", <https://evil.org/\r\nSet-Cookie: x".into();
        let links = links(&Identity::example(), &record);
        let cite_as = links.first().unwrap();
        assert_eq!((cite_as.matches('<').count(), cite_as.matches('>').count()), (1, 1), "{cite_as}");
        assert!(!cite_as.contains(['\r', '\n']), "{cite_as}");
        record.iri = "urn:x".into();
        assert!(super::links(&Identity::example(), &record).iter().all(|link| !link.contains("cite-as")));
    }
}
