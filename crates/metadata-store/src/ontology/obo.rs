//! The part of the OBO 1.2/1.4 flat file format that a catalogue needs.

use crate::{MetadataError, iri};

/// One `[Term]` stanza.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OboTerm {
    pub(super) iri: String,
    pub(super) name: String,
    pub(super) synonyms: Vec<String>,
    pub(super) parents: Vec<String>,
    pub(super) alternatives: Vec<String>,
    pub(super) obsolete: bool,
    pub(super) replaced_by: Vec<String>,
}

/// A parsed file.
#[derive(Debug, Default)]
pub(super) struct OboFile {
    /// The `ontology:` header, such as `fbbi`.
    pub(super) name: Option<String>,
    pub(super) terms: Vec<OboTerm>,
}

#[derive(PartialEq)]
enum Stanza {
    Header,
    Term,
    Other,
}

pub(super) fn parse(text: &str) -> Result<OboFile, MetadataError> {
    let mut file = OboFile::default();
    let mut stanza = Stanza::Header;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        match line {
            "" => {}
            "[Term]" => {
                stanza = Stanza::Term;
                file.terms.push(OboTerm::default());
            }
            _ if line.starts_with('[') => stanza = Stanza::Other,
            _ if line.starts_with('!') => {}
            _ => {
                let (tag, value) = line.split_once(':').ok_or_else(|| malformed(number, line))?;
                read_tag(&mut file, &stanza, tag, value.trim());
            }
        }
    }
    check(&file)?;
    Ok(file)
}

fn read_tag(file: &mut OboFile, stanza: &Stanza, tag: &str, value: &str) {
    if *stanza == Stanza::Header && tag == "ontology" {
        file.name = Some(value.to_lowercase());
    }
    let Some(term) = file.terms.last_mut().filter(|_| *stanza == Stanza::Term) else {
        return;
    };
    match tag {
        "id" => term.iri = identifier(value),
        "name" => term.name = value.to_owned(),
        "synonym" => term.synonyms.extend(quoted(value)),
        "is_a" => term.parents.push(identifier(value)),
        "alt_id" => term.alternatives.push(identifier(value)),
        "is_obsolete" => term.obsolete = value.starts_with("true"),
        "replaced_by" => term.replaced_by.push(identifier(value)),
        _ => {}
    }
}

/// An id without its `! comment` and `{qualifiers}`, as an IRI.
fn identifier(value: &str) -> String {
    let id = value.split([' ', '\t', '!', '{']).next().unwrap_or_default();
    iri::obo_iri(id)
}

/// The text between the first pair of double quotes, `\"` unescaped.
fn quoted(value: &str) -> Option<String> {
    let mut text = String::new();
    let mut characters = value.strip_prefix('"')?.chars();
    loop {
        match characters.next()? {
            '\\' => text.push(characters.next()?),
            '"' => return Some(text),
            other => text.push(other),
        }
    }
}

fn malformed(number: usize, line: &str) -> MetadataError {
    let start: String = line.chars().take(60).collect();
    MetadataError::Ontology { line: number + 1, message: format!("expected 'tag: value', found '{start}'") }
}

fn check(file: &OboFile) -> Result<(), MetadataError> {
    let message = if file.terms.is_empty() {
        "there is no [Term] in it".to_owned()
    } else if let Some(term) = file.terms.iter().find(|term| term.iri.is_empty()) {
        format!("the term named '{}' has no id", term.name)
    } else {
        return Ok(());
    };
    Err(MetadataError::Ontology { line: 1, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_qualifiers_and_escapes_are_understood() {
        let text = "ontology: Test\n\n[Term]\nid: X:1\nname: one\nsynonym: \"the \\\"first\\\"\" EXACT []\nis_a: X:2 {a=\"b\"} ! two\n\n[Typedef]\nid: part_of\nname: part of\n";
        let file = parse(text).unwrap();
        assert_eq!(file.name.as_deref(), Some("test"));
        assert_eq!(file.terms.len(), 1);
        assert_eq!(file.terms[0].synonyms, ["the \"first\""]);
        assert_eq!(file.terms[0].parents, ["http://purl.obolibrary.org/obo/X_2"]);
    }

    #[test]
    fn what_is_no_obo_is_refused() {
        assert!(parse("<rdf:RDF/>").is_err());
        assert!(parse("").is_err());
        assert!(matches!(parse("[Term]\nid: X:1\n\nnonsense\n"), Err(MetadataError::Ontology { line: 4, .. })));
    }
}
