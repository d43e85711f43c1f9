//! Spellings of identifiers: ontology terms, DOIs, ORCIDs, RORs, and IRIs in general.

use dataset_model::TermIri;
use oxrdf::NamedNode;

pub(crate) const OBO: &str = "http://purl.obolibrary.org/obo/";

/// OBO ontologies whose ids are recognised without a declared prefix, spelt as their own projects do.
const OBO_PREFIXES: [&str; 30] = [
    "FBbi",
    "NCBITaxon",
    "CLO",
    "CL",
    "UBERON",
    "GO",
    "PATO",
    "CHEBI",
    "UO",
    "MONDO",
    "DOID",
    "HP",
    "MP",
    "BTO",
    "SO",
    "PR",
    "ENVO",
    "OBI",
    "FBbt",
    "FBdv",
    "WBbt",
    "ZFA",
    "PO",
    "MS",
    "IAO",
    "NCIT",
    "BSPO",
    "CARO",
    "RO",
    "MI",
];

/// An identifier in its one spelling, and the rule to record if it was spelt otherwise.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) iri: String,
    pub(crate) rule: Option<&'static str>,
}

/// Recognises a term, DOI, ORCID or ROR in any of its usual spellings.
pub(crate) fn known(text: &str) -> Option<Known> {
    let text = text.trim();
    let recorded = |iri: String, rule| {
        let rule = (iri != text).then_some(rule);
        Known { iri, rule }
    };
    obo(text)
        .or_else(|| doi(text).map(|name| recorded(encode(&format!("https://doi.org/{name}")), "doi.spelling")))
        .or_else(|| orcid(text).map(|iri| recorded(iri, "orcid.spelling")))
        .or_else(|| ror(text).map(|iri| recorded(iri, "ror.spelling")))
}

/// A term by IRI or CURIE, in any spelling.
pub(crate) fn term(text: &str) -> Option<TermIri> {
    let text = text.trim();
    if let Some(known) = obo(text) {
        return known.iri.parse().ok();
    }
    if text.starts_with("http://") || text.starts_with("https://") { text.parse().ok() } else { None }
}

/// The beginning of the IRIs of the terms that somebody may be typing the id of: `NCBITaxon:96`, `fbbi_0000`, or an IRI.
pub(crate) fn begun_term(text: &str) -> Option<String> {
    if text.starts_with("http://") || text.starts_with("https://") {
        return (text.len() > OBO.len()).then(|| text.to_owned());
    }
    let (prefix, local) = strip_ignoring_case(text, "obo:").unwrap_or(text).split_once([':', '_'])?;
    let plain = local.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let spelt = OBO_PREFIXES.iter().find(|known| known.eq_ignore_ascii_case(prefix)).filter(|_| plain)?;
    Some(format!("{OBO}{spelt}_{local}"))
}

/// The IRI of an id in an OBO file: `FBbi:1` → `…/obo/FBbi_1`.
pub(crate) fn obo_iri(id: &str) -> String {
    match id.split_once(':') {
        Some(("http" | "https" | "urn", _)) | None => id.to_owned(),
        Some((prefix, local)) => format!("{OBO}{prefix}_{local}"),
    }
}

/// What follows `prefix_` in an OBO term's IRI.
pub(crate) fn obo_local<'a>(iri: &'a str, prefix: &str) -> Option<&'a str> {
    iri.strip_prefix(OBO)?.strip_prefix(prefix)?.strip_prefix('_')
}

fn obo(text: &str) -> Option<Known> {
    if let Some(number) = taxonomy_page(text) {
        return Some(Known { iri: format!("{OBO}NCBITaxon_{number}"), rule: Some("term.taxonomy-page") });
    }
    let after = |start| strip_ignoring_case(text, start);
    let wrapped = after(OBO).or_else(|| after("https://purl.obolibrary.org/obo/")).or_else(|| after("obo:"));
    let (prefix, local) = wrapped.unwrap_or(text).split_once(['_', ':'])?;
    let is_curie = text.contains(':');
    let spelt = OBO_PREFIXES.iter().find(|known| known.eq_ignore_ascii_case(prefix))?;
    let plain = !local.is_empty() && local.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let numeric = local.bytes().all(|byte| byte.is_ascii_digit());
    // Without any wrapping, `MS_01` may as well be the name of a folder.
    let bare = numeric && (is_curie || matches!(*spelt, "FBbi" | "NCBITaxon"));
    if !plain || (wrapped.is_none() && !bare) {
        return None;
    }
    let number = pad(spelt, local);
    let iri = format!("{OBO}{spelt}_{number}");
    // `obo:FBbi_…` is a CURIE of a prefix that crates declare: expanding it is no repair.
    let written = after("obo:").map_or_else(|| text.to_owned(), |rest| format!("{OBO}{rest}"));
    let rule = match () {
        () if iri == written => None,
        () if number != local && *spelt == "NCBITaxon" => Some("term.leading-zeros"),
        () if *spelt == "FBbi" => Some("term.fbbi-spelling"),
        () if wrapped.is_none() => Some("term.curie"),
        () => Some("term.spelling"),
    };
    Some(Known { iri, rule })
}

/// Taxon numbers are written without leading zeros, FBbi numbers with eight digits.
fn pad(prefix: &str, local: &str) -> String {
    let digits = local.bytes().all(|byte| byte.is_ascii_digit());
    match prefix {
        "NCBITaxon" if digits => match local.trim_start_matches('0') {
            "" => "0".to_owned(),
            number => number.to_owned(),
        },
        "FBbi" if digits && local.len() < 8 => format!("{local:0>8}"),
        _ => local.to_owned(),
    }
}

fn taxonomy_page(text: &str) -> Option<&str> {
    let starts = [
        "https://www.ncbi.nlm.nih.gov/Taxonomy/Browser/wwwtax.cgi?id=",
        "https://www.ncbi.nlm.nih.gov/datasets/taxonomy/",
        "https://identifiers.org/taxonomy:",
        "http://identifiers.org/taxonomy/",
        "https://bioregistry.io/ncbitaxon:",
    ];
    let number = starts.iter().find_map(|start| strip_ignoring_case(text, start))?.trim_end_matches('/');
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

/// The name of a DOI, `10.…/…`, lower-case as DOIs are compared without case.
pub(crate) fn doi(text: &str) -> Option<String> {
    let starts =
        ["https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "http://dx.doi.org/", "doi.org/", "doi:"];
    let name = starts.iter().find_map(|start| strip_ignoring_case(text, start)).unwrap_or(text).trim();
    let (registrant, suffix) = name.strip_prefix("10.")?.split_once('/')?;
    let numeric = registrant.len() >= 4 && registrant.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (numeric && !suffix.is_empty() && !suffix.contains(char::is_whitespace)).then(|| name.to_lowercase())
}

/// The IRI of an ORCID whose check digit is right (ISO 7064 MOD 11-2).
pub(crate) fn orcid(text: &str) -> Option<String> {
    let starts = [
        "https://orcid.org/",
        "http://orcid.org/",
        "https://www.orcid.org/",
        "http://www.orcid.org/",
        "orcid.org/",
        "orcid:",
    ];
    let rest = starts.iter().find_map(|start| strip_ignoring_case(text, start)).unwrap_or(text);
    let rest = rest.trim().trim_end_matches('/').to_ascii_uppercase();
    let groups: Vec<&str> = rest.split('-').collect();
    let shaped = groups.len() == 4 && groups.iter().all(|group| group.len() == 4);
    (shaped && has_check_digit(&groups.concat())).then(|| format!("https://orcid.org/{rest}"))
}

fn has_check_digit(characters: &str) -> bool {
    let mut total = 0_u32;
    let mut last = None;
    for (at, character) in characters.chars().enumerate() {
        match (character.to_digit(10), at) {
            (Some(digit), 0..=14) => total = (total + digit) * 2,
            (Some(digit), _) => last = Some(digit),
            (None, 15) if character == 'X' => last = Some(10),
            _ => return false,
        }
    }
    last == Some((12 - total % 11) % 11)
}

/// Whether an IRI claims to be an ORCID, right or wrong.
pub(crate) fn claims_orcid(iri: &str) -> bool {
    iri.split_once("://").is_some_and(|(_, rest)| rest.trim_start_matches("www.").starts_with("orcid.org/"))
}

fn ror(text: &str) -> Option<String> {
    let starts =
        ["https://ror.org/", "http://ror.org/", "https://www.ror.org/", "http://www.ror.org/", "ror.org/", "ror:"];
    let rest = starts.iter().find_map(|start| strip_ignoring_case(text, start))?;
    let id = rest.trim_end_matches('/').to_ascii_lowercase();
    let shaped = id.len() == 9 && id.starts_with('0') && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    shaped.then(|| format!("https://ror.org/{id}"))
}

fn strip_ignoring_case<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let head = text.get(..start.len())?;
    if head.eq_ignore_ascii_case(start) { text.get(start.len()..) } else { None }
}

/// Whether the text is an absolute IRI that RDF can hold.
pub(crate) fn is_absolute(text: &str) -> bool {
    NamedNode::new(text).is_ok()
}

/// Percent-encodes what an IRI cannot hold, and leaves the rest alone.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let mut has_fragment = false;
    let bytes = text.as_bytes();
    for (at, character) in text.char_indices() {
        let hex = |offset| bytes.get(at + offset).is_some_and(u8::is_ascii_hexdigit);
        let keep = match character {
            '%' => hex(1) && hex(2),
            '#' => !std::mem::replace(&mut has_fragment, true),
            ' ' | '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`' | '[' | ']' => false,
            other => !other.is_control() && !is_private(other),
        };
        if keep { encoded.push(character) } else { push_encoded(&mut encoded, character) }
    }
    encoded
}

/// Encodes everything that is not a letter, a digit or one of `-._~`, so that any text becomes part of an IRI.
pub(crate) fn encode_all(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for character in text.chars() {
        let keep = character.is_ascii_alphanumeric() || "-._~".contains(character);
        if keep { encoded.push(character) } else { push_encoded(&mut encoded, character) }
    }
    encoded
}

fn push_encoded(text: &mut String, character: char) {
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        text.push_str(&format!("%{byte:02X}"));
    }
}

/// Characters RFC 3987 does not allow in a path: private use, non-characters, blanks.
fn is_private(character: char) -> bool {
    character.is_whitespace()
        || matches!(u32::from(character), 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xFFF0..=0xFFFF | 0xE0000..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Option<&'static str>) {
        let known = known(text).unwrap();
        (known.iri, known.rule)
    }

    #[test]
    fn terms_have_one_spelling() {
        let human = "http://purl.obolibrary.org/obo/NCBITaxon_9606".to_owned();
        for (text, rule) in [
            ("http://purl.obolibrary.org/obo/NCBITaxon_9606", None),
            ("obo:NCBITaxon_9606", None),
            ("obo:NCBITaxon_09606", Some("term.leading-zeros")),
            ("http://purl.obolibrary.org/obo/NCBITaxon_09606", Some("term.leading-zeros")),
            ("https://purl.obolibrary.org/obo/NCBITaxon_9606", Some("term.spelling")),
            ("NCBITaxon:9606", Some("term.curie")),
            ("https://identifiers.org/taxonomy:9606", Some("term.taxonomy-page")),
        ] {
            assert_eq!(read(text), (human.clone(), rule), "{text}");
        }
        let fluorescence = "http://purl.obolibrary.org/obo/FBbi_00000246".to_owned();
        for text in [
            "FBbi:00000246",
            "fbbi_00000246",
            "http://purl.obolibrary.org/obo/FBBI_00000246",
            "obo:FBbi:00000246",
            "FBbi:246",
        ] {
            assert_eq!(read(text), (fluorescence.clone(), Some("term.fbbi-spelling")), "{text}");
        }
        for other in ["https://example.org/FBbi_00000246", "MS_01", "obo:", "FBbi_", "FBbi:x y"] {
            assert_eq!(known(other), None, "{other}");
        }
    }

    #[test]
    fn dois_orcids_and_rors_have_one_spelling() {
        for text in ["doi:10.7554/eLife.26066", "http://dx.doi.org/10.7554/eLife.26066", "10.7554/elife.26066"] {
            assert_eq!(read(text), ("https://doi.org/10.7554/elife.26066".into(), Some("doi.spelling")), "{text}");
        }
        for text in ["http://orcid.org/0000-0002-1825-0097", "orcid:0000-0002-1825-0097", "0000-0002-1825-0097"] {
            assert_eq!(read(text), ("https://orcid.org/0000-0002-1825-0097".into(), Some("orcid.spelling")), "{text}");
        }
        assert_eq!(read("https://orcid.org/0000-0002-1694-233X").1, None);
        assert_eq!(read("http://ror.org/02catss52/").0, "https://ror.org/02catss52");
        for bad in [
            "https://orcid.org/NA",
            "https://orcid.org/0000-0002-1825-0098",
            "10.x/y",
            "https://orcid.org/0000-0002-1825-0097 (Name)",
        ] {
            assert_eq!(known(bad), None, "{bad}");
        }
    }

    #[test]
    fn encoding_keeps_valid_iris_and_makes_others_valid() {
        for good in ["https://example.org/a%20b?q=1#x", "urn:uuid:1", "https://example.org/細胞"] {
            assert_eq!(encode(good), good);
        }
        for bad in [
            "https://example.org/a b",
            "https://example.org/100%",
            "https://example.org/#a#b",
            "https://e.org/<x>\u{7}[1]\u{e000}",
        ] {
            assert!(is_absolute(&encode(bad)), "{bad}");
        }
    }
}
