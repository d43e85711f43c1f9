use crate::SearchDocument;

const OBO: &str = "http://purl.obolibrary.org/obo/";

/// The one spelling under which an accession number, DOI, ORCID, URL or term id is compared as a whole.
///
/// Lower case, without scheme, resolver or `doi:`; term ids as `fbbi:00000246`.
pub(crate) fn normal_form(text: &str) -> String {
    let text = text.trim().trim_end_matches([',', ';', '.', ')', '/']);
    let text = text.strip_prefix(OBO).unwrap_or(text).to_lowercase();
    let bare = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(&text);
    let bare = ["doi.org/", "dx.doi.org/", "www.doi.org/", "orcid.org/", "ror.org/", "doi:", "orcid:", "ror:"]
        .iter()
        .find_map(|prefix| bare.strip_prefix(prefix))
        .unwrap_or(bare);
    match bare.split_once('_') {
        Some((prefix, number)) if is_term_id(prefix, number) => format!("{prefix}:{number}"),
        _ => bare.trim_start().to_owned(),
    }
}

fn is_term_id(prefix: &str, number: &str) -> bool {
    let letters = !prefix.is_empty() && prefix.chars().all(|c| c.is_ascii_alphabetic());
    letters && !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}

/// Everything a record can be asked for by as a whole: its own ids, those of its authors and terms, ancestors included.
pub(crate) fn exact_forms(document: &SearchDocument) -> Vec<String> {
    let own = [document.key.id.as_str(), document.iri.as_str()];
    let last_segment = document.iri.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let about = document.organisms.iter().chain(&document.methods).chain(&document.about).map(|term| &term.iri);
    let terms =
        document.organism_closure.iter().chain(&document.method_closure).chain(&document.about_closure).chain(about);
    let ids = document.identifiers.iter().chain(&document.orcids).map(String::as_str);
    let mut forms: Vec<String> = own
        .into_iter()
        .chain([last_segment])
        .chain(ids)
        .chain(terms.map(|iri| iri.as_str()))
        .map(normal_form)
        .chain([document.key.to_string().to_lowercase()])
        .filter(|form| !form.is_empty())
        .collect();
    forms.sort_unstable();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_identifier_agree() {
        for doi in ["10.7554/eLife.26066", "https://doi.org/10.7554/elife.26066", "doi:10.7554/eLife.26066,"] {
            assert_eq!(normal_form(doi), "10.7554/elife.26066", "{doi}");
        }
        for term in ["FBbi:00000246", "FBbi_00000246", "http://purl.obolibrary.org/obo/FBbi_00000246"] {
            assert_eq!(normal_form(term), "fbbi:00000246", "{term}");
        }
        assert_eq!(normal_form("S-BIAD595"), "s-biad595");
        assert_eq!(normal_form("https://orcid.org/0000-0002-1825-009X"), "0000-0002-1825-009x");
    }
}
