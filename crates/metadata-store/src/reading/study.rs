//! By what a record may be known as the same study as another.

use std::collections::BTreeSet;

use dataset_model::{Digest, StudyKey, StudyKeyKind, Summary};

use super::{
    entity::{Entities, Entity, reference},
    text::{is_placeholder, plain},
};
use crate::iri;

/// Shorter titles, in letters and digits, may be anybody's.
const MIN_TITLE: usize = 24;
/// As [`MIN_TITLE`], of titles in Chinese, Japanese or Korean.
const MIN_CJK_TITLE: usize = 10;
/// Shorter descriptions, in letters and digits, may be anybody's.
const MIN_DESCRIPTION: usize = 120;
/// A record that names more articles cites them; none of them is its own.
const MAX_OWN_ARTICLES: usize = 3;
/// Texts of a key beyond this length are kept as their beginning and a digest.
const MAX_VALUE: usize = 240;
/// Most keys of one kind.
const MAX_OF_A_KIND: usize = 32;
/// How much text is searched for accession numbers, in bytes.
const MAX_SEARCHED: usize = 64 << 10;

/// Registries of the field by the beginning of their accession numbers, and how many digits follow at least.
const REGISTRIES: [(&str, usize); 5] = [("idr", 4), ("s-biad", 1), ("s-bsst", 1), ("empiar-", 4), ("ssbd-repos-", 6)];

/// The study keys of a record, in order and each once.
pub(super) fn keys(entities: &Entities, root: &Entity, summary: &Summary) -> Vec<StudyKey> {
    let own = identifiers(entities, root);
    let mut keys = BTreeSet::new();
    let mut add = |kind, values: BTreeSet<String>| {
        keys.extend(values.into_iter().take(MAX_OF_A_KIND).map(|value| StudyKey::new(kind, bounded(value))));
    };
    let is_own = |text: &str| own.contains(&text.to_lowercase()) || summary.identifiers.iter().any(|id| id == text);
    if let Some(title) = title(&summary.title).filter(|_| !is_own(summary.title.trim())) {
        add(StudyKeyKind::Title, BTreeSet::from([title]));
    }
    if let Some(digest) = description(&summary.description) {
        add(StudyKeyKind::Description, BTreeSet::from([digest]));
    }
    let articles = articles(entities, root);
    if articles.len() <= MAX_OWN_ARTICLES {
        add(StudyKeyKind::Article, articles.iter().filter_map(|article| article.id.clone()).collect());
        add(StudyKeyKind::ArticleTitle, articles.iter().filter_map(|article| article.title.clone()).collect());
    }
    let same = linked(entities, root, &["sameAs"]).iter().flat_map(|id| forms(id)).collect::<BTreeSet<_>>();
    let based = linked(entities, root, &["isBasedOn", "citation", "seeAlso", "isPartOf"]);
    let mut mentions: BTreeSet<String> = based.iter().filter_map(|link| accession_at_end(link)).collect();
    mentions.extend([&summary.title, &summary.description].into_iter().flat_map(|text| accessions(text)));
    add(StudyKeyKind::Mention, mentions.into_iter().filter(|id| !own.contains(id) && !same.contains(id)).collect());
    add(StudyKeyKind::SameAs, same.into_iter().filter(|id| !own.contains(id)).collect());
    add(StudyKeyKind::Identifier, own);
    keys.into_iter().collect()
}

/// What the record itself is called: its address, its DOI, accession numbers of registries.
fn identifiers(entities: &Entities, root: &Entity) -> BTreeSet<String> {
    let described = |id: &str| entities.get(id).and_then(|entity| entity.text("value"));
    let given = root.values("identifier").iter().filter_map(|value| match reference(value) {
        Some(id) => described(id).or_else(|| Some(id.to_owned())),
        None => value.as_str().map(str::to_owned),
    });
    let own = given.chain([root.id.clone()]);
    own.flat_map(|text| forms(&text)).collect()
}

/// The forms in which an identifier is compared; none where it names nothing in the world.
fn forms(text: &str) -> Vec<String> {
    if let Some(doi) = iri::doi(text) {
        return vec![format!("doi:{doi}")];
    }
    let lower = text.trim().to_lowercase();
    let address = ["https://", "http://"].iter().find_map(|scheme| lower.strip_prefix(scheme));
    let address = address.map(|rest| rest.trim_start_matches("www.").trim_end_matches('/').to_owned());
    let page = address.filter(|address| address.contains('/'));
    page.into_iter().chain(accession_at_end(text)).collect()
}

/// The accession number that a text is, or that an address ends with.
fn accession_at_end(text: &str) -> Option<String> {
    let last = text.trim().trim_end_matches('/').rsplit(['/', ':', '=']).next()?;
    accession(&last.to_lowercase())
}

/// The accession number a word in lower case is.
fn accession(word: &str) -> Option<String> {
    let known = |(start, digits): &(&str, usize)| {
        let number = word.strip_prefix(start)?;
        let plain = number.len() >= *digits && number.len() <= 9 && number.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| word.to_owned())
    };
    REGISTRIES.iter().find_map(known)
}

/// The accession numbers named in a text.
fn accessions(text: &str) -> BTreeSet<String> {
    let text = text.get(..text.floor_char_boundary(MAX_SEARCHED)).unwrap_or(text).to_lowercase();
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter_map(|word| accession(word.trim_matches('-'))).collect()
}

/// What the root refers to under some keys, as ids or addresses.
fn linked<'a>(entities: &'a Entities, root: &'a Entity, keys: &[&str]) -> Vec<&'a str> {
    let values = keys.iter().flat_map(|key| root.values(key));
    values.filter_map(|value| reference(value).or(value.as_str())).filter(|id| !entities.is_local(id)).collect()
}

struct Article {
    id: Option<String>,
    title: Option<String>,
}

/// The articles a record names, by id and title.
fn articles(entities: &Entities, root: &Entity) -> Vec<Article> {
    let mut seen = BTreeSet::new();
    let keys = ["seeAlso", "citation", "subjectOf"];
    let ids = keys.iter().flat_map(|key| root.references(key)).filter(|id| seen.insert(*id));
    let read = |id: &str| {
        let entity = entities.get(id);
        let described = entity.and_then(|entity| entity.texts("identifier").find_map(|text| iri::doi(&text)));
        let doi = iri::doi(id).or(described).map(|doi| format!("doi:{doi}"));
        let id = doi.or_else(|| pubmed(id));
        let is_article = entity.is_some_and(|entity| entity.is("ScholarlyArticle"));
        let title = entity.filter(|_| is_article || id.is_some()).and_then(Entity::label).and_then(|name| title(&name));
        (id.is_some() || title.is_some()).then_some(Article { id, title })
    };
    ids.filter_map(read).collect()
}

/// The PubMed id an address or bare number ends with.
fn pubmed(id: &str) -> Option<String> {
    let last = id.trim_end_matches('/').rsplit(['/', ':']).next()?;
    let numeric = (6..=9).contains(&last.len()) && last.bytes().all(|byte| byte.is_ascii_digit());
    let host = id.to_lowercase();
    let is_pubmed = !host.starts_with("http") || host.contains("pubmed") || host.contains("identifiers.org");
    (numeric && is_pubmed).then(|| format!("pmid:{last}"))
}

/// A title as it is compared, where it says enough.
fn title(text: &str) -> Option<String> {
    let words = words(text);
    let letters = words.chars().filter(|c| *c != ' ').count();
    let cjk = words.chars().filter(|c| matches!(c, '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')).count();
    let long_enough = if cjk * 2 > letters { letters >= MIN_CJK_TITLE } else { letters >= MIN_TITLE };
    let several = cjk > 0 || words.split(' ').count() >= 4;
    (long_enough && several && !is_placeholder(text.trim())).then_some(words)
}

/// The digest of a description, where it says enough.
fn description(text: &str) -> Option<String> {
    let words = words(text);
    let letters = words.chars().filter(|c| *c != ' ').count();
    (letters >= MIN_DESCRIPTION).then(|| format!("sha256:{}", Digest::of(&words)))
}

/// Letters and digits in lower case, with one space between words: markup, case, dashes and full stops do not count.
fn words(text: &str) -> String {
    let text = plain(text).to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn bounded(value: String) -> String {
    if value.len() <= MAX_VALUE {
        return value;
    }
    let start = value.get(..value.floor_char_boundary(MAX_VALUE - 80)).unwrap_or_default();
    format!("{start}… sha256:{}", Digest::of(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_identifier_in_many_spellings_is_one() {
        for doi in ["10.7554/eLife.26066", "https://doi.org/10.7554/elife.26066", "doi:10.7554/eLife.26066"] {
            assert_eq!(forms(doi), ["doi:10.7554/elife.26066"], "{doi}");
        }
        let address = forms("https://www.ebi.ac.uk/biostudies/bioimages/studies/S-BIAD595/");
        assert_eq!(address, ["ebi.ac.uk/biostudies/bioimages/studies/s-biad595", "s-biad595"]);
        assert_eq!(
            forms("http://idr.openmicroscopy.org/study/idr0015"),
            ["idr.openmicroscopy.org/study/idr0015", "idr0015"]
        );
        assert_eq!(forms("S-BIAD595"), ["s-biad595"]);
        assert_eq!(forms("dataset-1"), [""; 0]);
        assert_eq!(forms("https://example.org/"), [""; 0]);
    }

    #[test]
    fn accession_numbers_are_found_in_prose_and_words_that_look_like_them_are_not() {
        let text = "A re-analysis of idr0012 (see S-BIAD845, EMPIAR-10310). Not idr12, S-BIADx, hybrid0012.";
        assert_eq!(accessions(text).into_iter().collect::<Vec<_>>(), ["empiar-10310", "idr0012", "s-biad845"]);
    }

    #[test]
    fn titles_agree_whatever_their_markup_case_and_punctuation() {
        let one = title("Deep imaging of <i>Arabidopsis</i> pollen-tube guidance.");
        assert_eq!(one.as_deref(), Some("deep imaging of arabidopsis pollen tube guidance"));
        assert_eq!(one, title("deep imaging  of Arabidopsis – pollen tube guidance"));
        for generic in ["Image data", "Figure 6 Raw Data", "1-Bao-WormEmbryo", "ssbd-repos-000001", "None", ""] {
            assert_eq!(title(generic), None, "{generic}");
        }
        assert!(title("線虫の初期胚における核分裂動態").is_some());
        assert_eq!(title("細胞画像"), None);
    }

    #[test]
    fn long_values_stay_apart_and_short() {
        let long = |end: &str| bounded(format!("{} {end}", "細胞".repeat(200)));
        assert_ne!(long("a"), long("b"));
        assert!(long("a").len() <= MAX_VALUE);
    }
}
